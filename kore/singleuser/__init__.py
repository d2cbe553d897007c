"""What runs in people's and courses' own servers: exchange plug-in, formgrader, autograding."""
