# Where the hub is, and how much it writes down.

c = get_config()

# The path below the host name: '/' if the hub has a host name of its own, else '/some/path/'
# as in the reverse proxy's configuration.
c.JupyterHub.base_url = "/"

# 'DEBUG' helps to find out why something does not work. It writes down names of users.
c.JupyterHub.log_level = "INFO"
