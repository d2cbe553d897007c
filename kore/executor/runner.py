"""Runs one notebook, in the account that its student's code shall have.

``python -I -m kore.executor.runner``, its input and output the socket of a request. It is
started by ``kore.executor.sandbox``, which also ends it and all it started; in a container by
systemd, which takes requests of everybody: with ``--for-courses`` those of courses' accounts
alone are answered.
"""

from __future__ import annotations

import json
import logging
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
_PASSED_ON = ("PATH", "LANG", "TZ", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


def main() -> None:
    """Take the request, run it, answer."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    connection = socket.socket(fileno=os.dup(0))
    _leave_streams()
    if _FOR_COURSES in sys.argv[1:] and not _is_courses(connection):
        sys.exit(f"Account {protocol.peer(connection)} may not ask for executions")
    answered = threading.Event()
    threading.Thread(target=_end_with, args=(connection, answered), daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="run-", ignore_cleanup_errors=True) as top:
        folder = Path(top, "work")
        folder.mkdir()
        until = time.monotonic() + _REQUEST_SECONDS
        most = protocol.MOST_REQUEST + protocol.MOST_FILE_BYTES + protocol.MOST_FILES * 4096
        stream = protocol.Stream(connection, until=until, most=most)
        try:
            request = protocol.receive_request(cast("Any", stream), folder)
            answer = _answer(request, folder, Path(top))
        except protocol.WireError as error:
            answer = {"failed": "WireError", "words": str(error)}
        body = json.dumps(answer).encode()
        if len(body) > protocol.MOST_ANSWER:
            words = f"The notebook's outputs take more than {protocol.MOST_ANSWER >> 20} MiB."
            body = json.dumps({"failed": "TooMuchOutput", "words": words}).encode()
        connection.settimeout(_REQUEST_SECONDS)
        connection.sendall(body)
        answered.set()
        connection.shutdown(socket.SHUT_WR)


def _is_courses(connection: socket.socket) -> bool:
    """Say whether what asks is a course's account; the kernel knows: unix(7)."""
    try:
        return is_course_id(pwd.getpwuid(protocol.peer(connection)).pw_name)
    except KeyError:
        return False


def _leave_streams() -> None:
    """Keep the socket from everything that is started: it is this program's alone."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):
        os.dup2(nothing, number)
    os.close(nothing)


def _end_with(connection: socket.socket, answered: threading.Event) -> None:
    """End this program, and so the execution, when whoever asked for it is gone."""
    poll = select.poll()
    poll.register(connection, 0)  # POLLHUP, which comes unasked: both directions are closed
    poll.poll()
    os._exit(0 if answered.is_set() else 1)


def _end_after(seconds: float) -> None:
    # No signal: the first process of a namespace ignores what it does not handle.
    timer = threading.Timer(min(max(seconds, 1.0), protocol.MOST_SECONDS), os._exit, (1,))
    timer.daemon = True
    timer.start()


class _Manager(AsyncKernelManager):
    """Starts the kernel that the request names, on Unix sockets."""

    given: KernelSpec

    @property
    def kernel_spec(self) -> KernelSpec:
        """The kernel of the request."""
        return self.given


class _Client(NotebookClient):
    """nbclient, with errors noted as nbgrader wants them."""

    def on_cell_executed(self, *, cell: NotebookNode, execute_reply: Any, **_: Any) -> None:
        """Add the error of a cell that failed but did not say so: one that timed out."""
        said = execute_reply["content"]
        if said["status"] != "error":
            return
        names = {one.ename for one in cell.outputs if one.output_type == "error"}
        if said["ename"] not in names:
            lines = said["traceback"] or ["ERROR: it was raised without a traceback"]
            cell.outputs.append(
                nbformat.v4.new_output(
                    "error", ename=said["ename"], evalue=said["evalue"], traceback=lines
                )
            )


def _answer(request: dict[str, Any], folder: Path, top: Path) -> dict[str, Any]:
    _end_after(float(request["seconds"]))
    notebook = nbformat.from_dict(request["notebook"])
    kernel = request["kernel"]
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
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
    manager.given = KernelSpec(
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
    except Exception as error:
        logging.getLogger(__name__).warning("The notebook cannot be run to its end", exc_info=True)
        return {"failed": type(error).__name__, "words": str(error)}
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
