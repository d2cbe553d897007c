"""nbgrader's formgrader as a server extension, with a Content-Security-Policy for each answer.

Its pages, API and files are nbgrader's.
"""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

from nbgrader.server_extensions.formgrader import apihandlers, handlers
from nbgrader.server_extensions.formgrader.formgrader import FormgradeExtension
from tornado.web import StaticFileHandler
from traitlets.config import Application, Config

from kore.singleuser.formgrader import policy
from kore.singleuser.formgrader.exporter import SafeExporter
from kore.singleuser.formgrader.files import sandbox_conversions

_EVENT_HANDLERS = policy.handler_hashes(Path(handlers.template_path))


class _PagePolicy:
    """Allows the scripts of formgrader's templates, and no others."""

    settings: dict[str, Any]

    @property
    def content_security_policy(self) -> str:
        """The policy of each answer, until a page is rendered."""
        return policy.DATA

    @property
    def exporter(self) -> Any:
        """The exporter of notebooks; nbgrader asks for it just before it renders one."""
        self._allow_scripts()
        return self.settings["nbgrader_exporter"]

    def render(self, name: str, **values: Any) -> str:
        """Return a page."""
        self._allow_scripts()
        page: str = super().render(name, **values)  # type: ignore[misc]
        return page

    def _allow_scripts(self) -> None:
        rules = policy.page_policy(
            policy.new_nonce(),
            mathjax_url=self.settings["nbgrader_exporter"].mathjax_url,
            handlers=_EVENT_HANDLERS,
        )
        self.set_header("Content-Security-Policy", rules)  # type: ignore[attr-defined]


class _DataPolicy:
    """Keeps answers to formgrader's scripts data, even if a link leads a browser to one."""

    @property
    def content_security_policy(self) -> str:
        """The policy of each answer."""
        return policy.DATA

    def set_default_headers(self) -> None:
        """Declare that the answer is no page. Formgrader's scripts expect to parse text."""
        super().set_default_headers()  # type: ignore[misc]
        self.set_header("Content-Type", "text/plain; charset=utf-8")  # type: ignore[attr-defined]
        self.set_header("X-Content-Type-Options", "nosniff")  # type: ignore[attr-defined]


class _FilePolicy:
    """Shows files of a submission without scripts, in an origin of their own."""

    @property
    def content_security_policy(self) -> str:
        """The policy of each answer."""
        return policy.SANDBOX


class _MainPage(handlers.FormgraderHandler):  # type: ignore[misc]
    """Formgrader's main page. It always works on this course.

    nbgrader would read (and so run) the ``nbgrader_config.py`` of any folder that the
    URL names, even of a submission.
    """

    def get_argument(self, name: str, *default: Any, **more: Any) -> Any:
        """Return an argument of the request; the folder is always empty."""
        return "" if name == "path" else super().get_argument(name, *default, **more)


class SafeFormgrader(FormgradeExtension):  # type: ignore[misc]
    """Formgrader, without running anything that students wrote."""

    config: Config
    _initial_config: Config | None = None

    def load_config_file(self, **more: Any) -> None:
        """Read nbgrader's configuration files and the course's, before each action.

        A setting that was removed from them is no longer in force, except where the course's
        folders are: that stays as it was when the server started.
        """
        if self._initial_config is None:
            self._initial_config = deepcopy(self.config)
        self.config = deepcopy(self._initial_config)
        super().load_config_file(**more)
        # nbgrader reads it when the server starts, and later only that of the working
        # directory, which need not be the course's.
        Application.load_config_file(self, "nbgrader_config.py", path=self.coursedir.root)

    def init_tornado_settings(self, webapp: Any) -> None:
        """Replace nbgrader's exporter and templates with the safe exporter and escaping ones."""
        super().init_tornado_settings(webapp)
        environment = webapp.settings["nbgrader_jinja2_env"]
        policy.mark_templates(environment)
        environment.autoescape = True
        webapp.settings["nbgrader_exporter"] = SafeExporter(config=self.config)

    def init_handlers(self, webapp: Any) -> None:
        """Add the handlers, each with its policy, and those that convert notebooks."""
        super().init_handlers(_PolicyWebApp(webapp))
        sandbox_conversions(webapp)


class _PolicyWebApp:
    """A web application that adds a policy to each handler that it gets."""

    def __init__(self, webapp: Any) -> None:
        self._webapp = webapp
        self.settings = webapp.settings

    def add_handlers(self, host: str, rules: list[Any]) -> None:
        """Add handlers, each with its policy."""
        self._webapp.add_handlers(
            host, [(rule[0], _add_policy(rule[1]), *rule[2:]) for rule in rules]
        )


def _add_policy(handler: Any) -> Any:
    if handler is StaticFileHandler:
        return handler
    if handler is handlers.FormgraderHandler:
        handler = _MainPage
    kind: type = _PagePolicy
    if issubclass(handler, handlers.SubmissionFilesHandler):
        kind = _FilePolicy
    elif handler.__module__ == apihandlers.__name__:
        kind = _DataPolicy
    return type(handler.__name__, (kind, handler), {})


def _load_jupyter_server_extension(server: Any) -> None:
    """Load the extension; Jupyter calls it."""
    server.log.info("Loading formgrader with safe pages")
    formgrader = SafeFormgrader(parent=server)
    formgrader.root_dir = server.root_dir
    formgrader.log = server.log
    formgrader.initialize([])
    formgrader.init_tornado_settings(server.web_app)
    formgrader.init_handlers(server.web_app)
