"""The executor of a demo that root runs: accepts courses' requests, each in its own account.

``python -m kore.executor.server SOCKET``, with the folder of assigned accounts in
``KORE_ACCOUNTS``. The kernel says which account is at the other end of a connection; the request
itself is read by the program in the throw-away account, never here.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

from kore.executor import protocol
from kore.executor.accounts import borrow_account, sandbox_command
from kore.host import HostError
from kore.host.account_numbers import Accounts

log = logging.getLogger(__name__)

_MAX_WAITING = 64
_PASSED_ON = ("PATH", "LANG", "TZ")
_RUNNER = (sys.executable, "-I", "-m", "kore.executor.runner")


class ExecutorServer:
    """Runs executions, ``concurrent`` at a time; the others wait for their turn."""

    def __init__(self, accounts: Accounts, *, concurrent: int) -> None:
        self._accounts = accounts
        self._turns = threading.BoundedSemaphore(concurrent)
        self._waiting = threading.BoundedSemaphore(_MAX_WAITING)

    def serve(self, listener: socket.socket) -> None:
        """Accept requests until the process ends."""
        while True:
            connection, _ = listener.accept()
            uid = protocol.peer_uid(connection)
            if not self._accounts.is_course(uid):
                log.warning("Refused an execution: account %d is not a course's", uid)
                connection.close()
            elif not self._waiting.acquire(blocking=False):
                log.warning("Refused an execution: too many are waiting")
                connection.close()
            else:
                threading.Thread(target=self._run, args=(connection,), daemon=True).start()

    def _run(self, connection: socket.socket) -> None:
        with connection:
            try:
                with self._turns:
                    if not _is_closed(connection):
                        _execute(connection)
            except (HostError, OSError, subprocess.SubprocessError):
                log.exception("Could not run a notebook")
            finally:
                self._waiting.release()


def _is_closed(connection: socket.socket) -> bool:
    poll = select.poll()
    poll.register(connection, 0)
    return bool(poll.poll(0))


def _execute(connection: socket.socket) -> None:
    with borrow_account() as (uid, folder):
        process = subprocess.Popen(
            sandbox_command(uid, folder, *_RUNNER),
            stdin=connection.fileno(),
            stdout=subprocess.DEVNULL,
            cwd="/",
            env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            start_new_session=True,
        )
        try:
            status = process.wait(protocol.MAX_SECONDS + 60)
            if status != 0:
                log.warning("An execution ended with status %d", status)
        except subprocess.TimeoutExpired:
            log.warning("Ended an execution that took too long")
        finally:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
            process.wait()


def main() -> None:
    """Serve at the socket that the command line names."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    (name,) = sys.argv[1:]
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(protocol.socket_address(name))
    listener.listen(_MAX_WAITING)
    log.info("Listening at %s", name)
    accounts = Accounts(Path(os.environ["KORE_ACCOUNTS"]))
    ExecutorServer(accounts, concurrent=max(2, os.cpu_count() or 1)).serve(listener)


if __name__ == "__main__":
    main()
