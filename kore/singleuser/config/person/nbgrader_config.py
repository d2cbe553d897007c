# nbgrader for a person: hands work out and in, in every course that Kore knows them in.
import os

from kore.singleuser.exchange import FACTORY

c = get_config()

c.Authenticator.plugin_class = "nbgrader.auth.JupyterHubAuthPlugin"
c.ExchangeFactory.update(FACTORY)
# Two courses may have an assignment of the same name.
c.Exchange.path_includes_course = True
# The hub's name, not the operating system's: those change, or are one for all.
c.CourseDirectory.student_id = os.environ["JUPYTERHUB_USER"]
