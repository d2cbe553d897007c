"""Notebooks as pages: what formgrader shows, and the feedback that students get."""

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
from kore.singleuser.formgrader.feedback import without_hidden_tests
from kore.singleuser.formgrader.markup import sanitised
from kore.singleuser.formgrader.notebook import harmless

# As nbconvert has it, without the kinds that are script.
_SHOWN = [
    *("text/html", "text/markdown", "image/svg+xml", "text/latex"),
    *("image/png", "image/jpeg", "text/plain"),
]


_NAMES = (
    *("assignment_id", "notebook_id", "notebook_path", "submission_id", "filename"),
    *("student", "last_name", "first_name", "assignment", "notebook"),
)


class SafeExporter(HTMLExporter):  # type: ignore[misc]
    """nbconvert's exporter for notebooks of strangers, in the templates of nbgrader."""

    _told: dict[str, dict[str, str]]

    @property
    def default_config(self) -> Config:
        """The defaults: nothing of scripts."""
        config = super().default_config.copy()
        config.NbConvertBase.display_data_priority = _SHOWN
        # The anchors' ids would be the student's.
        config.HTMLExporter.exclude_anchor_links = True
        return config

    def _create_environment(self) -> Environment:
        environment: Environment = super()._create_environment()
        policy.trust_templates(environment)
        return environment

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """Return Markdown as harmless HTML; as it was written where it cannot be rendered."""
        try:
            made = super().markdown2html(context, source)
        except Exception:
            self.log.warning("Markdown that cannot be rendered is shown as it is", exc_info=True)
            made = f"<pre>{html.escape(source)}</pre>"
        return sanitised(made)

    def _preprocess(self, nb: NotebookNode, resources: Any) -> Any:
        # Before, so that odd notebooks are shown too; after, for what the preprocessors add.
        notebook, resources = super()._preprocess(harmless(nb), resources)
        self._told = _told(resources)
        return harmless(notebook), _escaped(resources)

    def from_notebook_node(
        self, nb: NotebookNode, resources: Any = None, **kw: Any
    ) -> tuple[str, Any]:
        """Return the page and nbconvert's resources, which name the file to write."""
        page, resources = super().from_notebook_node(nb, resources, **kw)
        for place, values in self._told.items():
            (resources[place] if place else resources).update(values)
        return page, resources


class FeedbackExporter(SafeExporter):
    """Feedback as a file that carries its own policy, wherever it is opened."""

    show_hidden_tests = Bool(
        True, help="Whether students find the hidden tests in their feedback."
    ).tag(config=True)
    run_again = Bool(
        False,
        help="Whether the notebook is run again for the feedback: where hidden tests are not "
        "shown, students then find what the other tests of a cell say.",
    ).tag(config=True)

    def from_notebook_node(
        self, nb: NotebookNode, resources: Any = None, **kw: Any
    ) -> tuple[str, Any]:
        """Return the page and nbconvert's resources."""
        if not self.show_hidden_tests:
            nb = without_hidden_tests(nb, ClearHiddenTests(parent=self))
        if self.run_again:
            nb, _ = SandboxedExecute(parent=self).preprocess(nb, deepcopy(resources))
        nonce = policy.fresh_nonce()
        page, resources = super().from_notebook_node(nb, resources, **kw)
        # frame-ancestors is for headers alone.
        rules = policy.page(nonce, mathjax_url=self.mathjax_url, calls=False).replace(
            "frame-ancestors 'self'; ", ""
        )
        meta = f'<meta http-equiv="Content-Security-Policy" content="{html.escape(rules)}">'
        if "<head>" not in page:
            raise ValueError("the feedback template has no head to put its policy into")
        return page.replace("<head>", f"<head>{meta}", 1), resources


def _told(resources: Any) -> dict[str, dict[str, str]]:
    """Return what a page says of people and names, by place in the resources."""
    places = {"": resources, "nbgrader": resources.get("nbgrader")}
    return {
        place: {name: values[name] for name in _NAMES if isinstance(values.get(name), str)}
        for place, values in places.items()
        if isinstance(values, Mapping)
    }


def _escaped(resources: Any) -> Any:
    """Have what a page says of people and names be text, not HTML."""
    for place, values in _told(resources).items():
        target = resources[place] if place else resources
        target.update({name: html.escape(value) for name, value in values.items()})
    return resources
