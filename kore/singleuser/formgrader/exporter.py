"""Renders notebooks as pages: for formgrader, and as feedback for students."""

from __future__ import annotations

import html
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from jinja2 import Environment, pass_context
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests
from traitlets import Bool
from traitlets.config import Config

from kore.singleuser.autograding.preprocessor import SandboxedExecute
from kore.singleuser.formgrader import policy
from kore.singleuser.formgrader.feedback import remove_hidden_tests
from kore.singleuser.formgrader.markup import sanitise_html
from kore.singleuser.formgrader.notebook import rebuild_notebook

# nbconvert's order, without the types that contain scripts.
_DISPLAY_TYPES = [
    *("text/html", "text/markdown", "image/svg+xml", "text/latex"),
    *("image/png", "image/jpeg", "text/plain"),
]


_NAME_KEYS = (
    *("assignment_id", "notebook_id", "notebook_path", "submission_id", "filename"),
    *("student", "last_name", "first_name", "assignment", "notebook"),
)


class SafeExporter(HTMLExporter):  # type: ignore[misc]
    """nbconvert's exporter for untrusted notebooks, with nbgrader's templates."""

    _original_names: dict[str, dict[str, str]]

    @property
    def default_config(self) -> Config:
        """The defaults, without scripts."""
        config = super().default_config.copy()
        config.NbConvertBase.display_data_priority = _DISPLAY_TYPES
        # Students could choose the anchors' ids.
        config.HTMLExporter.exclude_anchor_links = True
        return config

    def _create_environment(self) -> Environment:
        environment: Environment = super()._create_environment()
        policy.mark_templates(environment)
        return environment

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """Return Markdown as harmless HTML, or its source if it cannot be rendered."""
        try:
            rendered = super().markdown2html(context, source)
        except Exception:
            self.log.warning("Cannot render Markdown; its source is shown", exc_info=True)
            rendered = f"<pre>{html.escape(source)}</pre>"
        return sanitise_html(rendered)

    def _preprocess(self, nb: NotebookNode, resources: Any) -> Any:
        # Before, so that malformed notebooks can be shown; after, for what preprocessors add.
        notebook, resources = super()._preprocess(rebuild_notebook(nb), resources)
        self._original_names = _names(resources)
        return rebuild_notebook(notebook), _escape_names(resources)

    def from_notebook_node(
        self, nb: NotebookNode, resources: Any = None, **kw: Any
    ) -> tuple[str, Any]:
        """Return the page and nbconvert's resources, which name the file to write."""
        page, resources = super().from_notebook_node(nb, resources, **kw)
        for section, values in self._original_names.items():
            (resources[section] if section else resources).update(values)
        return page, resources


class FeedbackExporter(SafeExporter):
    """Renders feedback as a file that contains its own policy, wherever it is opened."""

    show_hidden_tests = Bool(True, help="Whether the feedback shows the hidden tests.").tag(
        config=True
    )
    run_again = Bool(
        False,
        help="Whether to run the notebook again for the feedback. If hidden tests are not shown, "
        "the feedback then shows the results of a cell's other tests.",
    ).tag(config=True)

    def from_notebook_node(
        self, nb: NotebookNode, resources: Any = None, **kw: Any
    ) -> tuple[str, Any]:
        """Return the page and nbconvert's resources."""
        if not self.show_hidden_tests:
            nb = remove_hidden_tests(nb, ClearHiddenTests(parent=self))
        if self.run_again:
            nb, _ = SandboxedExecute(parent=self).preprocess(nb, deepcopy(resources))
        nonce = policy.new_nonce()
        page, resources = super().from_notebook_node(nb, resources, **kw)
        # frame-ancestors is valid in headers only.
        rules = policy.page_policy(nonce, mathjax_url=self.mathjax_url, calls=False).replace(
            "frame-ancestors 'self'; ", ""
        )
        meta = f'<meta http-equiv="Content-Security-Policy" content="{html.escape(rules)}">'
        if "<head>" not in page:
            raise ValueError("the feedback template has no <head> for its policy")
        return page.replace("<head>", f"<head>{meta}", 1), resources


def _names(resources: Any) -> dict[str, dict[str, str]]:
    """Return the names that a page shows, by section of the resources."""
    sections = {"": resources, "nbgrader": resources.get("nbgrader")}
    return {
        section: {name: values[name] for name in _NAME_KEYS if isinstance(values.get(name), str)}
        for section, values in sections.items()
        if isinstance(values, Mapping)
    }


def _escape_names(resources: Any) -> Any:
    """Escape the names that a page shows, so that they are text and not HTML."""
    for section, values in _names(resources).items():
        target = resources[section] if section else resources
        target.update({name: html.escape(value) for name, value in values.items()})
    return resources
