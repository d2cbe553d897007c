# nbgrader for a course's own server. The nbgrader_config.py in the course's directory is read
# after this one and may override everything.
import os

from nbgrader.converters import Autograde

from kore.singleuser.autograding.preprocessor import SandboxedExecute
from kore.singleuser.exchange import FACTORY

c = get_config()

c.Authenticator.plugin_class = "nbgrader.auth.JupyterHubAuthPlugin"
c.ExchangeFactory.update(FACTORY)
c.Exchange.path_includes_course = True
# Kernels communicate over Unix sockets, which only their owner can open, and not over ports,
# which are open to everyone.
c.ExecutePreprocessor.kernel_manager_class = "kore.singleuser.kernels.SocketKernelManager"
# Feedback shows a student's notebook, without its scripts.
c.GenerateFeedback.exporter_class = "kore.singleuser.formgrader.exporter.FeedbackExporter"
# Students' code runs in the executor's sandbox. The rest of nbgrader's list is unchanged.
c.Autograde.autograde_preprocessors = [
    SandboxedExecute if step.__name__ == "Execute" else step
    for step in Autograde.autograde_preprocessors.default()
]
c.CourseDirectory.course_id = os.environ["KORE_COURSE_ID"]
c.CourseDirectory.root = os.environ["KORE_COURSE_ROOT"]
