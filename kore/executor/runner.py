"""Runs one notebook, in the account that its student's code should have.

``python -I -m kore.executor.runner``, with the socket of a request as input and output.
``kore.executor.sandbox`` starts it, and ends it with all that it started. In a container systemd
does, and accepts requests from everyone: with ``--for-courses`` this program answers those of
courses' accounts only.
"""

from __future__ import annotations

import json
import os
import pwd
import select
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, cast

import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode

from kore.executor import protocol
from kore.shared.ids import is_course_id

_FOR_COURSES = "--for-courses"
_REQUEST_SECONDS = 300
_TAR_OVERHEAD = 4096
_KEPT_VARIABLES = ("PATH", "LANG", "TZ", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


def main() -> None:
    """Read the request, run it, answer."""
    # systemd passes the connection a second time.
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    connection = socket.socket(fileno=os.dup(0))
    if _FOR_COURSES in sys.argv[1:] and not _is_from_course(connection):
        sys.exit(f"Refused: account {protocol.peer_uid(connection)} is not a course's")
    _detach_streams()
    answered = threading.Event()
    threading.Thread(target=_exit_on_hangup, args=(connection, answered), daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="run-", ignore_cleanup_errors=True) as top:
        folder = Path(top, "work")
        folder.mkdir()
        deadline = time.monotonic() + _REQUEST_SECONDS
        limit = (
            protocol.MAX_REQUEST_BYTES
            + protocol.MAX_FILE_BYTES
            + protocol.MAX_FILES * _TAR_OVERHEAD
        )
        stream = protocol.Stream(connection, deadline=deadline, limit=limit)
        try:
            request = protocol.receive_request(cast("Any", stream), folder)
            answer = _answer(request, folder, Path(top))
        except protocol.ProtocolError as error:
            answer = {"failed": "ProtocolError", "message": str(error)}
        body = json.dumps(answer).encode()
        if len(body) > protocol.MAX_ANSWER_BYTES:
            message = f"The notebook's outputs exceed {protocol.MAX_ANSWER_BYTES >> 20} MiB."
            body = json.dumps({"failed": "TooMuchOutput", "message": message}).encode()
        connection.settimeout(_REQUEST_SECONDS)
        connection.sendall(body)
        answered.set()
        connection.shutdown(socket.SHUT_WR)


def _is_from_course(connection: socket.socket) -> bool:
    """Whether the account at the other end, as the kernel says, is a course's: unix(7)."""
    try:
        return is_course_id(pwd.getpwuid(protocol.peer_uid(connection)).pw_name)
    except KeyError:
        return False


def _detach_streams() -> None:
    """Replace the connection and the log, which students' code could inherit or take over.

    From here on only the answer says what went wrong.
    """
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    os.close(nothing)


def _exit_on_hangup(connection: socket.socket, answered: threading.Event) -> None:
    """End this program, and so the execution, when the client closes the connection."""
    poll = select.poll()
    poll.register(connection, 0)  # POLLHUP is always reported: both directions are closed
    poll.poll()
    os._exit(0 if answered.is_set() else 1)


def _exit_after(seconds: float) -> None:
    # No signal: the first process of a namespace ignores those that it does not handle.
    timer = threading.Timer(min(max(seconds, 1.0), protocol.MAX_SECONDS), os._exit, (1,))
    timer.daemon = True
    timer.start()


class _Manager(AsyncKernelManager):
    """Starts the kernel that the request names, on Unix sockets."""

    requested_spec: KernelSpec

    @property
    def kernel_spec(self) -> KernelSpec:
        """The kernel of the request."""
        return self.requested_spec


class _Client(NotebookClient):
    """nbclient, with errors recorded as nbgrader expects them."""

    def on_cell_executed(self, *, cell: NotebookNode, execute_reply: Any, **_: Any) -> None:
        """Add the error of a cell that failed without an error output: one that timed out."""
        reply = execute_reply["content"]
        if reply["status"] != "error":
            return
        names = {output.ename for output in cell.outputs if output.output_type == "error"}
        if reply["ename"] not in names:
            lines = reply["traceback"] or ["ERROR: it was raised without a traceback"]
            cell.outputs.append(
                nbformat.v4.new_output(
                    "error", ename=reply["ename"], evalue=reply["evalue"], traceback=lines
                )
            )


def _answer(request: dict[str, Any], folder: Path, top: Path) -> dict[str, Any]:
    _exit_after(float(request["seconds"]))
    notebook = nbformat.from_dict(request["notebook"])
    kernel = request["kernel"]
    environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    for name in ("home", "runtime"):
        (top / name).mkdir()
    environment |= {
        "HOME": str(top / "home"),
        "TMPDIR": tempfile.gettempdir(),
        "NBGRADER_EXECUTION": str(request["purpose"]),
        "IPYTHONDIR": str(top / "home" / ".ipython"),
        "JUPYTER_RUNTIME_DIR": str(top / "runtime"),
    }
    manager = _Manager(
        transport="ipc",
        ip=str(top / "runtime" / "k"),
        connection_file=str(top / "runtime" / "k.json"),
        kernel_name=str(kernel["name"]),
    )
    manager.requested_spec = KernelSpec(
        argv=kernel["argv"],
        env=kernel["env"],
        language=kernel["language"],
        interrupt_mode=kernel["interrupt_mode"],
        display_name=kernel["name"],
    )
    settings = dict(request["settings"])
    timeouts = request.get("timeouts")
    if timeouts is not None:
        by_cell = {id(cell): limit for cell, limit in zip(notebook.cells, timeouts, strict=True)}
        settings["timeout_func"] = lambda cell: by_cell.get(id(cell))
    client = _Client(
        notebook,
        km=manager,
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        store_widget_state=False,
        shutdown_kernel="immediate",
        **settings,
    )
    try:
        client.execute(env=environment)
    except Exception as error:  # noqa: BLE001 - the answer says what it was
        return {"failed": type(error).__name__, "message": str(error)}
    return {
        "cells": [
            {"execution_count": cell.execution_count, "outputs": cell.outputs}
            if cell.cell_type == "code"
            else {}
            for cell in notebook.cells
        ],
        "language_info": notebook.metadata.get("language_info"),
    }


if __name__ == "__main__":
    main()
