"""Students' notebooks run apart from the course: its gradebook, its other work, its token.

nbgrader runs a notebook with the account of whoever grades, and what a student wrote may then
read whatever that account may. Here the notebook and the files beside it go over a Unix
socket to an executor, which runs them as an account that owns nothing, without a network, and
answers with outputs alone.

``preprocessor`` is nbgrader's side and runs in a course's programs. ``runner`` is the
program in the other account; ``wire`` is what both speak, ``outputs`` what is believed of an
answer. ``keeper`` takes the requests and gives each an account; in a container systemd
does that (``images/ananke-nbgrader/assets/systemd``).

Many submissions at once are a job of Kore's (``grading``): it asks the course's server
(``extension``), which runs the program that grades one after the other (``batch``).
"""

from __future__ import annotations

import os

VARIABLE = "KORE_EXECUTOR"
"""Environment variable of a course's programs: the executor's socket, ``@`` for an abstract
one; not set where there is none."""


ADDRESS = "kore/autograde"
"""Where a course's server takes Kore's requests to grade, below its own address."""


def kernel_environment() -> dict[str, str]:
    """Return this process's environment without what lets in: tokens, and Kore's own words."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JUPYTERHUB_", "KORE_", "JPY_", "CONFIGPROXY_"))
    }
