"""Kore: courses, assignments and grades between JupyterHub, nbgrader and an LMS."""
