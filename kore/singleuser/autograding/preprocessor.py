"""nbgrader's ``Execute``, which sends a notebook away to be run.

Takes the same settings (``c.Execute.timeout`` and the like). Where a course has no executor
the notebook runs as nbgrader runs it, but its kernel is not handed the course's token.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import IO, Any, cast

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager, NoSuchKernel
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbgrader.preprocessors import Execute
from nbgrader.preprocessors.execute import UnresponsiveKernelError

from kore.executor import protocol
from kore.singleuser.autograding import outputs
from kore.singleuser.environment import kernel_environment

_SETTINGS = (
    *("timeout", "interrupt_on_timeout", "error_on_timeout", "allow_errors"),
    *("allow_error_names", "force_raise_errors", "skip_cells_with_tag", "extra_arguments"),
    *("raise_on_iopub_timeout", "iopub_timeout", "startup_timeout", "shell_timeout_interval"),
)
_SPARE_SECONDS = 120
_CONNECT_SECONDS = 30
_ROOT = 0
_FAILURES: dict[str, type[Exception]] = {
    error.__name__: error
    for error in (DeadKernelError, CellTimeoutError, UnresponsiveKernelError, NoSuchKernel)
}


class ExecutionError(Exception):
    """A notebook could not be run apart; in words."""


class ExecuteApart(Execute):  # type: ignore[misc]
    """Runs a notebook's cells in an account of its own."""

    def preprocess(
        self, nb: NotebookNode, resources: Any = None, km: Any = None
    ) -> tuple[NotebookNode, Any]:
        """Return the notebook with its outputs made anew, and the resources as they are."""
        executor = os.environ.get(protocol.SOCKET_VARIABLE, "")
        if not executor:
            return cast("tuple[NotebookNode, Any]", super().preprocess(nb, resources, km))
        self._check_assign_resources(resources)
        folder = Path((resources or {}).get("metadata", {}).get("path") or ".")
        request = {
            "notebook": nb,
            "kernel": _kernel(self.kernel_name or nb.metadata.get("kernelspec", {}).get("name")),
            "settings": {name: getattr(self, name) for name in _SETTINGS},
            "seconds": self._seconds(nb),
            "purpose": os.environ.get("NBGRADER_EXECUTION", ""),
        }
        if self.timeout_func is not None:
            request["timeouts"] = [self.timeout_func(cell) for cell in nb.cells]
        answer = outputs.read(_ask(executor, request, folder))
        if answer.get("failed"):
            raise _failure(str(answer["failed"]), str(answer.get("words", "")))
        outputs.take_over(nb, answer)
        return nb, self.resources

    @contextmanager
    def setup_kernel(self, **arguments: Any) -> Iterator[None]:
        """Start the kernel, where it is started here, without the course's token."""
        arguments.setdefault("env", kernel_environment())
        with super().setup_kernel(**arguments):
            yield

    def _seconds(self, nb: NotebookNode) -> float:
        """Return how long a notebook may take if each cell takes all of its time."""
        cells = sum(cell.cell_type == "code" for cell in nb.cells)
        each = self.timeout if self.timeout_func is None else None
        if each is None or each < 0:
            return protocol.MOST_SECONDS
        spare = self.startup_timeout + _SPARE_SECONDS
        return float(min(cells * (each + self.iopub_timeout) + spare, protocol.MOST_SECONDS))


def _kernel(name: str | None) -> dict[str, Any]:
    """Return how a notebook's kernel is started: the course's to say, not the executor's."""
    name = name or "python3"
    spec: KernelSpec
    try:
        spec = KernelSpecManager().get_kernel_spec(name)
    except NoSuchKernel:
        try:
            conda = import_module("nb_conda_kernels")
        except ImportError:
            raise NoSuchKernel(name) from None
        spec = conda.CondaKernelSpecManager().get_kernel_spec(name)
    return {
        "name": name,
        "argv": spec.argv,
        "env": spec.env,
        "language": spec.language,
        "interrupt_mode": spec.interrupt_mode,
    }


def _ask(executor: str, request: dict[str, Any], folder: Path) -> bytes:
    until = time.monotonic() + request["seconds"] + _SPARE_SECONDS
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.settimeout(_CONNECT_SECONDS)
            connection.connect(protocol.address(executor))
            if protocol.peer(connection) != _ROOT:
                raise ExecutionError("What listens in the executor's place is not the executor.")
            stream = protocol.Stream(connection, until=until, most=protocol.MOST_ANSWER)
            protocol.send_request(cast("IO[bytes]", stream), request, folder)  # type: ignore[arg-type]
            connection.shutdown(socket.SHUT_WR)
            raw = stream.readall()
        except TimeoutError as error:
            raise ExecutionError("The notebook took longer than all its cells may.") from error
        except protocol.WireError as error:
            raise ExecutionError(f"The notebook cannot be run apart: {error}.") from error
        except OSError as error:
            raise ExecutionError(
                f"The notebook cannot be run apart: {error.strerror or error}. "
                "Try again; if it stays, tell the administrator that the executor is away."
            ) from error
    if not raw:
        raise ExecutionError(
            "The notebook's run was ended from outside: it took too much memory, too many "
            "processes or too long, or the executor refused this account."
        )
    return raw


def _failure(kind: str, words: str) -> Exception:
    words = words[:2000]
    return _FAILURES.get(kind, ExecutionError)(words)
