"""What the demo prints: progress while it starts, and where everything is."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TextIO

from rich.console import Console
from rich.status import Status


class Progress:
    """Shows on standard error which program is starting: as a spinner, or as plain lines."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._status: Status | None = None
        self._start = time.monotonic()
        self._message = ""

    def __enter__(self) -> Progress:
        """Show the spinner, if standard error is a terminal."""
        if self._console.is_terminal:
            self._status = self._console.status("Starting")
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the spinner."""
        if self._status is not None:
            self._status.stop()

    def show(self, message: str) -> None:
        """Show what is happening now."""
        if message == self._message:
            return
        self._message = message
        if self._status is not None:
            self._status.update(message)
        else:
            self._console.print(message)

    def show_done(self) -> None:
        """Show how long the start took."""
        self._console.print(f"Started in {time.monotonic() - self._start:.1f} s")


def print_line(text: str, stream: TextIO) -> None:
    """Print and flush; a reader that has closed the pipe does not end the demo."""
    with suppress(BrokenPipeError):
        print(text, file=stream, flush=True)
