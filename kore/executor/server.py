"""The executor of a demo that root runs: takes requests of courses, gives each an account.

``python -m kore.executor.server SOCKET``, with the folder of given-out accounts in
``KORE_ACCOUNTS``. Who asks is what the kernel says of the connection's other end; the request
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

from kore.executor import accounts as run_accounts
from kore.executor import protocol
from kore.host import HostError
from kore.host.accounts import Accounts

log = logging.getLogger(__name__)

_WAITING = 64
_PASSED_ON = ("PATH", "LANG", "TZ")
_RUNNER = (sys.executable, "-I", "-m", "kore.executor.runner")


class Keeper:
    """Runs executions, a few at once; the others wait for their turn."""

    def __init__(self, accounts: Accounts, *, at_once: int) -> None:
        self._accounts = accounts
        self._turns = threading.BoundedSemaphore(at_once)
        self._waiting = threading.BoundedSemaphore(_WAITING)

    def serve(self, listener: socket.socket) -> None:
        """Take requests for ever."""
        while True:
            connection, _ = listener.accept()
            if not self._accounts.is_course(protocol.peer(connection)):
                log.warning("Account %d may not ask for executions", protocol.peer(connection))
                connection.close()
            elif not self._waiting.acquire(blocking=False):
                log.warning("Too many executions wait")
                connection.close()
            else:
                threading.Thread(target=self._take, args=(connection,), daemon=True).start()

    def _take(self, connection: socket.socket) -> None:
        with connection:
            try:
                with self._turns:
                    if not _is_gone(connection):
                        _execute(connection)
            except (HostError, OSError, subprocess.SubprocessError):
                log.exception("An execution failed")
            finally:
                self._waiting.release()


def _is_gone(connection: socket.socket) -> bool:
    poll = select.poll()
    poll.register(connection, 0)
    return bool(poll.poll(0))


def _execute(connection: socket.socket) -> None:
    with run_accounts.taken() as (uid, folder):
        process = subprocess.Popen(
            run_accounts.command(uid, folder, *_RUNNER),
            stdin=connection.fileno(),
            stdout=subprocess.DEVNULL,
            cwd="/",
            env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            start_new_session=True,
        )
        try:
            process.wait(protocol.MOST_SECONDS + 60)
        except subprocess.TimeoutExpired:
            log.warning("An execution took too long and was ended")
        finally:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
            process.wait()


def main() -> None:
    """Serve at the socket that the command line names."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    (name,) = sys.argv[1:]
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(protocol.address(name))
    listener.listen(_WAITING)
    log.info("Executions are taken at %s", name)
    accounts = Accounts(Path(os.environ["KORE_ACCOUNTS"]))
    Keeper(accounts, at_once=max(2, os.cpu_count() or 1)).serve(listener)


if __name__ == "__main__":
    main()
