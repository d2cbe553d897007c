"""Errors that a person is told about, and the exit codes of the commands."""

from __future__ import annotations

import enum


class Exit(enum.IntEnum):
    """Exit codes. 2 is Typer's for a wrong command line, 130 and 143 are the shells'."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    PORT_TAKEN = 3
    SOFTWARE_MISSING = 4
    STATE_UNUSABLE = 5
    STATE_IN_USE = 6
    LMS_CONFIG = 7
    PART_DID_NOT_START = 8
    PART_ENDED = 9
    INTERRUPTED = 130


class AnankeError(Exception):
    """What went wrong, in one sentence, and the way out.

    ``details`` are lines of a log or of another program, shown between the two.
    """

    def __init__(self, code: Exit, message: str, hint: str, details: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.details = details
