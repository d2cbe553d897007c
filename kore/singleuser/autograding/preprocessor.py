"""nbgrader's ``Execute``, with the notebook run by the executor.

Takes the same settings (``c.Execute.timeout`` and the like). In a course without an executor the
notebook runs as nbgrader runs it, but its kernel does not get the course's token.
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
_MAX_MESSAGE = 2000
_FAILURES: dict[str, type[Exception]] = {
    error.__name__: error
    for error in (DeadKernelError, CellTimeoutError, UnresponsiveKernelError, NoSuchKernel)
}


class ExecutionError(Exception):
    """The executor could not run a notebook. The message says why."""


class SandboxedExecute(Execute):  # type: ignore[misc]
    """Runs a notebook's cells in the executor's sandbox."""

    def preprocess(
        self, nb: NotebookNode, resources: Any = None, km: Any = None
    ) -> tuple[NotebookNode, Any]:
        """Return the notebook with new outputs, and the resources as they are."""
        executor = os.environ.get(protocol.SOCKET_VARIABLE, "")
        if not executor:
            return cast("tuple[NotebookNode, Any]", super().preprocess(nb, resources, km))
        self._check_assign_resources(resources)
        folder = Path((resources or {}).get("metadata", {}).get("path") or ".")
        request = {
            "notebook": nb,
            "kernel": _kernel_request(
                self.kernel_name or nb.metadata.get("kernelspec", {}).get("name")
            ),
            "settings": {name: getattr(self, name) for name in _SETTINGS},
            "seconds": self._seconds(nb),
            "purpose": os.environ.get("NBGRADER_EXECUTION", ""),
        }
        if self.timeout_func is not None:
            request["timeouts"] = [self.timeout_func(cell) for cell in nb.cells]
        answer = outputs.parse_answer(_send(executor, request, folder))
        if answer.get("failed"):
            raise _failure(str(answer["failed"]), str(answer.get("message", "")))
        outputs.apply_outputs(nb, answer)
        return nb, self.resources

    @contextmanager
    def setup_kernel(self, **arguments: Any) -> Iterator[None]:
        """Start the kernel without the course's token, in a course without an executor."""
        arguments.setdefault("env", kernel_environment())
        with super().setup_kernel(**arguments):
            yield

    def _seconds(self, nb: NotebookNode) -> float:
        """Return how many seconds a notebook may take if each cell takes all of its time."""
        cells = sum(cell.cell_type == "code" for cell in nb.cells)
        each = self.timeout if self.timeout_func is None else None
        if each is None or each < 0:
            return protocol.MAX_SECONDS
        spare = self.startup_timeout + _SPARE_SECONDS
        return float(min(cells * (each + self.iopub_timeout) + spare, protocol.MAX_SECONDS))


def _kernel_request(name: str | None) -> dict[str, Any]:
    """Return how to start a notebook's kernel: the course decides it, not the executor."""
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


def _send(executor: str, request: dict[str, Any], folder: Path) -> bytes:
    deadline = time.monotonic() + request["seconds"] + _SPARE_SECONDS
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.settimeout(_CONNECT_SECONDS)
            connection.connect(protocol.socket_address(executor))
            if protocol.peer_uid(connection) != _ROOT:
                raise ExecutionError("The program at the executor's socket is not the executor.")
            stream = protocol.Stream(connection, deadline=deadline, limit=protocol.MAX_ANSWER_BYTES)
            protocol.send_request(cast("IO[bytes]", stream), request, folder)  # type: ignore[arg-type]
            connection.shutdown(socket.SHUT_WR)
            raw = stream.readall()
        except TimeoutError as error:
            raise ExecutionError("The notebook took longer than its cells may.") from error
        except protocol.ProtocolError as error:
            raise ExecutionError(f"Could not run the notebook in isolation: {error}.") from error
        except OSError as error:
            raise ExecutionError(
                f"Could not reach the executor: {error.strerror or error}. "
                "Try again. If that does not help, tell the administrator."
            ) from error
    if not raw:
        raise ExecutionError(
            "The executor ended the notebook's run: it used too much memory, too many processes "
            "or too much time, or this account may not use the executor."
        )
    return raw


def _failure(kind: str, message: str) -> Exception:
    return _FAILURES.get(kind, ExecutionError)(message[:_MAX_MESSAGE])
