# nbgrader for a course's own server. The course's nbgrader_config.py, in its directory, is
# read after this one and may change everything.
import os

from kore.exchange import FACTORY

c = get_config()

c.Authenticator.plugin_class = "nbgrader.auth.JupyterHubAuthPlugin"
c.ExchangeFactory.update(FACTORY)
c.Exchange.path_includes_course = True
# Feedback shows a student's notebook: without the scripts in it.
c.GenerateFeedback.exporter_class = "kore.formgrader.exporter.FeedbackExporter"
c.CourseDirectory.course_id = os.environ["KORE_COURSE_ID"]
c.CourseDirectory.root = os.environ["KORE_COURSE_ROOT"]
