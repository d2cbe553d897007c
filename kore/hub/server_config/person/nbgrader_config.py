# nbgrader for a person: hands work out and in, in every course that the hub's groups name.
import os

c = get_config()

c.Authenticator.plugin_class = "nbgrader.auth.JupyterHubAuthPlugin"
c.Exchange.root = os.environ["KORE_EXCHANGE"]
# Two courses may have an assignment of the same name.
c.Exchange.path_includes_course = True
# The hub's name, not the operating system's: those change, or are one for all.
c.CourseDirectory.student_id = os.environ["JUPYTERHUB_USER"]
