"""In a course without an executor, nbgrader runs notebooks itself."""

from __future__ import annotations

import nbformat
import pytest

from kore.executor import protocol
from kore.singleuser.autograding.preprocessor import SandboxedExecute

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


def test_the_kernel_does_not_get_the_token(monkeypatch, tmp_path):
    """Tokens and Kore's variables are not in the kernel's environment."""
    monkeypatch.delenv(protocol.SOCKET_VARIABLE, raising=False)
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "secret")
    monkeypatch.setenv("KORE_URL", "http://127.0.0.1:9")
    cell = nbformat.v4.new_code_cell(
        "import os; print([n for n in os.environ if n.startswith(('JUPYTERHUB_', 'KORE_'))])"
    )
    notebook = nbformat.v4.new_notebook(cells=[cell])
    notebook.metadata["kernelspec"] = {"name": "python3"}
    made, _ = SandboxedExecute()(notebook, {"metadata": {"path": str(tmp_path)}})
    assert made.cells[0].outputs[0].text == "[]\n"
