"""The logs of one run of the demo, and what they say about a program that failed."""

from __future__ import annotations

import signal
from pathlib import Path

from ananke.demo.state import StateDirectory
from ananke.errors import AnankeError, Exit

_MAX_LINES = 12
# Lines of the hub's log that blame a program that the hub started.
_HUB_COMPLAINTS = (
    ("service kore exited", "Kore", "kore"),
    ("failed to start service kore", "Kore", "kore"),
    ("cannot connect to managed service kore", "Kore", "kore"),
    ("failed to start proxy", "JupyterHub's proxy", "proxy"),
)
_LOG_NAMES = {"JupyterHub": "hub", "The LMS": "lms", "Kore": "kore"}


class RunLogs:
    """The logs in a state directory, from the beginning of this run on."""

    def __init__(self, state: StateDirectory) -> None:
        self._state = state
        self._old_sizes: dict[Path, int] = {}

    def open_log(self, name: str) -> Path:
        """Return the path of a program's log, and remember its size before this run."""
        path = self._state.rotate_log(name)
        self._old_sizes[path] = path.stat().st_size if path.exists() else 0
        return path

    def read_new_text(self, path: Path) -> str:
        """Return what this run wrote into a log."""
        try:
            with path.open("rb") as log:
                log.seek(self._old_sizes.get(path, 0))
                return log.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def read_last_lines(self, path: Path) -> str:
        """Return the last lines that this run wrote into a log."""
        return _take_last_lines(self.read_new_text(path))

    def make_start_error(self, title: str, reason: str) -> AnankeError:
        """Return the error for a program that did not start, with the end of its log."""
        name = _LOG_NAMES[title]
        hub_text = self.read_new_text(self._state.logs / "hub.log")
        # The hub gives up if a program that it starts does not run: that one is to blame.
        if name == "hub":
            for complaint, blamed, its_log in _HUB_COMPLAINTS:
                if complaint in hub_text.lower():
                    title, name = blamed, its_log
        log = self._state.logs / f"{name}.log"
        details = _take_last_lines(self.read_new_text(log) or hub_text)
        if "EADDRINUSE" in details or "Address already in use" in details:
            hint = "Another program took a port at that moment. Start the demo again."
        elif "No space left" in details:
            hint = f"Free some space on the file system of {self._state.path}, and start again."
        else:
            hint = (
                f"The complete log is {log}. With a new --state-dir you can see whether the "
                "state is the cause."
            )
        return AnankeError(
            Exit.PROCESS_NOT_STARTED, f"{title} did not start: it {reason}.", hint, details
        )


def describe_exit_status(status: int) -> str:
    """Return how a process ended, in words."""
    if status < 0:
        return f"signal {signal.Signals(-status).name}"
    return f"exit status {status}"


def _take_last_lines(text: str) -> str:
    return "\n".join(text.rstrip().splitlines()[-_MAX_LINES:])
