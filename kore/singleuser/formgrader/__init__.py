"""nbgrader's formgrader and feedback for notebooks that were written to do harm.

Hub, Kore and all servers share one origin: script in a student's notebook that runs in a
teacher's browser is the teacher. Two locks, each enough: what is shown of a notebook is
built anew from what is known to be harmless (``notebook``, ``markup``), and each page says
which scripts are its own, so that the browser runs no other (``policy``).
"""

from __future__ import annotations


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Say what Jupyter loads for the name of this package."""
    return [{"module": "kore.singleuser.formgrader.extension"}]
