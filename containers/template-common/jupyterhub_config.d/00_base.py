# Where the hub is, and how much it logs.

c = get_config()

# The path below the host name: '/' if the hub has a host name of its own, else '/some/path/'
# as in the configuration of the reverse proxy.
c.JupyterHub.base_url = "/"

# 'DEBUG' helps to find out why something does not work. It logs user names.
c.JupyterHub.log_level = "INFO"
