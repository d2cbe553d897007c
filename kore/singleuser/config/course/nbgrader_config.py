# nbgrader for a course's own server. The course's nbgrader_config.py, in its directory, is
# read after this one and may change everything.
import os

from nbgrader.converters import Autograde

from kore.singleuser.autograding.preprocessor import SandboxedExecute
from kore.singleuser.exchange import FACTORY

c = get_config()

c.Authenticator.plugin_class = "nbgrader.auth.JupyterHubAuthPlugin"
c.ExchangeFactory.update(FACTORY)
c.Exchange.path_includes_course = True
# Feedback shows a student's notebook: without the scripts in it.
c.GenerateFeedback.exporter_class = "kore.singleuser.formgrader.exporter.FeedbackExporter"
# Students' code runs apart from the course. All else of nbgrader's list stays.
c.Autograde.autograde_preprocessors = [
    SandboxedExecute if step.__name__ == "Execute" else step
    for step in Autograde.autograde_preprocessors.default()
]
c.CourseDirectory.course_id = os.environ["KORE_COURSE_ID"]
c.CourseDirectory.root = os.environ["KORE_COURSE_ROOT"]
