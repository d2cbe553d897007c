# nbgrader for a person: the exchange, in every course of which they are a member.
import os

from kore.singleuser.exchange import FACTORY

c = get_config()

c.Authenticator.plugin_class = "nbgrader.auth.JupyterHubAuthPlugin"
c.ExchangeFactory.update(FACTORY)
# Two courses may have assignments of the same name.
c.Exchange.path_includes_course = True
# The hub's user name, not the operating system's, which may change or be the same for all.
c.CourseDirectory.student_id = os.environ["JUPYTERHUB_USER"]
# Kernels communicate over Unix sockets, which only their owner can open, and not over ports,
# which are open to everyone.
c.ExecutePreprocessor.kernel_manager_class = "kore.singleuser.kernels.SocketKernelManager"
