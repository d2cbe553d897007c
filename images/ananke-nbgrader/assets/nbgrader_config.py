# For every nbgrader in this container; a course's own file is read later and wins.
c = get_config()

# Kernels communicate over Unix sockets, which only their owner can open, and not over ports,
# which are open to everyone.
c.ExecutePreprocessor.kernel_manager_class = "kore.singleuser.kernels.SocketKernelManager"
