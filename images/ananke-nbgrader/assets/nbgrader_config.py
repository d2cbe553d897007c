# For everyone's nbgrader in this container; a course's own file is read later and wins.
c = get_config()

# Kernels talk over sockets of files, which are their owner's, and not over ports, which are
# everybody's.
c.ExecutePreprocessor.kernel_manager_class = "kore.singleuser.kernels.SocketKernelManager"
