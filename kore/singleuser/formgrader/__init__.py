"""nbgrader's formgrader and feedback, safe for malicious notebooks.

A script in a student's notebook that runs in a teacher's browser could act as the teacher. Two
measures, each sufficient: pages show a notebook rebuilt from what is known to be harmless
(``notebook``, ``markup``), and each page names its own scripts, so that the browser runs no other
(``policy``).
"""

from __future__ import annotations


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Return what Jupyter loads for the name of this package."""
    return [{"module": "kore.singleuser.formgrader.extension"}]
