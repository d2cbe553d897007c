"""nbgrader's formgrader as a server extension, with its pages behind a policy.

Its pages, calls and files are nbgrader's; each answer bears the policy for its kind.
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
from kore.singleuser.formgrader.files import shield

_EVENT_HANDLERS = policy.handler_hashes(Path(handlers.template_path))


class _Page:
    """Lets the scripts of formgrader's templates run, and no other."""

    settings: dict[str, Any]

    @property
    def content_security_policy(self) -> str:
        """The policy of each answer, until a page is made."""
        return policy.DATA

    @property
    def exporter(self) -> Any:
        """What makes a page of a notebook; it is asked for just before it does."""
        self._allow_scripts()
        return self.settings["nbgrader_exporter"]

    def render(self, name: str, **values: Any) -> str:
        """Return a page."""
        self._allow_scripts()
        page: str = super().render(name, **values)  # type: ignore[misc]
        return page

    def _allow_scripts(self) -> None:
        rules = policy.page(
            policy.fresh_nonce(),
            mathjax_url=self.settings["nbgrader_exporter"].mathjax_url,
            handlers=_EVENT_HANDLERS,
        )
        self.set_header("Content-Security-Policy", rules)  # type: ignore[attr-defined]


class _Data:
    """Answers to formgrader's scripts are data, also where a link leads a browser to one."""

    @property
    def content_security_policy(self) -> str:
        """The policy of each answer."""
        return policy.DATA

    def set_default_headers(self) -> None:
        """Say what the answer is not: a page. Formgrader's scripts expect to parse a text."""
        super().set_default_headers()  # type: ignore[misc]
        self.set_header("Content-Type", "text/plain; charset=utf-8")  # type: ignore[attr-defined]
        self.set_header("X-Content-Type-Options", "nosniff")  # type: ignore[attr-defined]


class _File:
    """Files of a submission are shown without script, in an origin of their own."""

    @property
    def content_security_policy(self) -> str:
        """The policy of each answer."""
        return policy.SANDBOX


class _Entrance(handlers.FormgraderHandler):  # type: ignore[misc]
    """Formgrader's address. It works on this course, whatever a link asks for.

    nbgrader would read (and so run) the ``nbgrader_config.py`` of any folder that the
    address names, one of a submission too.
    """

    def get_argument(self, name: str, *default: Any, **more: Any) -> Any:
        """Return an argument of the request; that of a folder is always empty."""
        return "" if name == "path" else super().get_argument(name, *default, **more)


class SafeFormgrader(FormgradeExtension):  # type: ignore[misc]
    """Formgrader, which shows what students wrote and runs none of it."""

    config: Config
    _given: Config | None = None

    def load_config_file(self, **more: Any) -> None:
        """Read nbgrader's files and the course's, as before each action.

        What has left them is no longer in force, but for where the course's folders are:
        that stays as it was when the server began.
        """
        if self._given is None:
            self._given = deepcopy(self.config)
        self.config = deepcopy(self._given)
        super().load_config_file(**more)
        # nbgrader reads it when the server begins, and from then on that of the folder in
        # which the server runs, which need not be the course's.
        Application.load_config_file(self, "nbgrader_config.py", path=self.coursedir.root)

    def init_tornado_settings(self, webapp: Any) -> None:
        """Put the safe exporter and escaping templates in the places of nbgrader's."""
        super().init_tornado_settings(webapp)
        environment = webapp.settings["nbgrader_jinja2_env"]
        policy.trust_templates(environment)
        environment.autoescape = True
        webapp.settings["nbgrader_exporter"] = SafeExporter(config=self.config)

    def init_handlers(self, webapp: Any) -> None:
        """Give each address its policy, and the files that it serves theirs."""
        super().init_handlers(_Guarded(webapp))
        shield(webapp)


class _Guarded:
    """A web application that puts a policy before each handler it is given."""

    def __init__(self, webapp: Any) -> None:
        self._webapp = webapp
        self.settings = webapp.settings

    def add_handlers(self, host: str, rules: list[Any]) -> None:
        """Add handlers, each with the policy of its kind."""
        self._webapp.add_handlers(host, [(rule[0], _guarded(rule[1]), *rule[2:]) for rule in rules])


def _guarded(handler: Any) -> Any:
    if handler is StaticFileHandler:
        return handler
    if handler is handlers.FormgraderHandler:
        handler = _Entrance
    kind: type = _Page
    if issubclass(handler, handlers.SubmissionFilesHandler):
        kind = _File
    elif handler.__module__ == apihandlers.__name__:
        kind = _Data
    return type(handler.__name__, (kind, handler), {})


def _load_jupyter_server_extension(server: Any) -> None:
    """Load the extension; Jupyter calls it."""
    server.log.info("Loading formgrader, with students' notebooks as data")
    formgrader = SafeFormgrader(parent=server)
    formgrader.root_dir = server.root_dir
    formgrader.log = server.log
    formgrader.initialize([])
    formgrader.init_tornado_settings(server.web_app)
    formgrader.init_handlers(server.web_app)
