# nbgrader for a course's own server. The course's nbgrader_config.py, in its directory, is
# read after this one and may change everything.
import os

c = get_config()

c.Authenticator.plugin_class = "nbgrader.auth.JupyterHubAuthPlugin"
c.Exchange.root = os.environ["KORE_EXCHANGE"]
c.Exchange.path_includes_course = True
# Work belongs to accounts that do not bear the students' names.
c.ExchangeCollect.check_owner = False
c.CourseDirectory.course_id = os.environ["KORE_COURSE_ID"]
c.CourseDirectory.root = os.environ["KORE_COURSE_ROOT"]
