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
    DEFINITION = 10
    PODMAN = 11
    NOT_FOUND = 12
    EXISTS = 13
    HUB_SILENT = 14
    CHECKSUM = 15
    HOST = 16
    WENT_BACK = 17
    DECLINED = 18
    INTERRUPTED = 130


MEANINGS: dict[Exit, str] = {
    Exit.OK: "done as asked",
    Exit.INTERNAL: "something went wrong inside ananke",
    Exit.USAGE: "wrong command line, or an answer is missing",
    Exit.PORT_TAKEN: "a port is taken",
    Exit.SOFTWARE_MISSING: "software is missing",
    Exit.STATE_UNUSABLE: "the state directory cannot be used",
    Exit.STATE_IN_USE: "the state directory is in use",
    Exit.LMS_CONFIG: "the LMS configuration is wrong",
    Exit.PART_DID_NOT_START: "a part did not start",
    Exit.PART_ENDED: "a part ended by itself",
    Exit.DEFINITION: "the container definition is wrong or not filled in",
    Exit.PODMAN: "Podman or systemd refused",
    Exit.NOT_FOUND: "there is no such container, definition, image or file",
    Exit.EXISTS: "it exists already",
    Exit.HUB_SILENT: "the hub did not come up",
    Exit.CHECKSUM: "a file is damaged, or nothing says what it should be",
    Exit.HOST: "this host is not ready",
    Exit.WENT_BACK: "the new image did not work, the old one runs again",
    Exit.DECLINED: "a question was answered with no",
    Exit.INTERRUPTED: "interrupted",
}
"""What each exit code means, in words for people."""


def exit_codes(*codes: Exit) -> str:
    """Return the line at the end of a command's help: its codes beside the usual ones."""
    usual = (Exit.OK, Exit.INTERNAL, Exit.USAGE, *codes, Exit.INTERRUPTED)
    return "Exit codes: " + ", ".join(f"{code.value} {MEANINGS[code]}" for code in usual) + "."


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
