"""Errors for people, and the exit codes of the commands."""

from __future__ import annotations

import enum


class Exit(enum.IntEnum):
    """Exit codes. 2 is Typer's for a wrong command line, 130 and 143 are the shell's."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    PORT_TAKEN = 3
    SOFTWARE_MISSING = 4
    STATE_UNUSABLE = 5
    STATE_IN_USE = 6
    LMS_CONFIG = 7
    PROCESS_NOT_STARTED = 8
    PROCESS_ENDED = 9
    DEFINITION = 10
    PODMAN = 11
    NOT_FOUND = 12
    EXISTS = 13
    HUB_NOT_ANSWERING = 14
    CHECKSUM = 15
    HOST = 16
    ROLLED_BACK = 17
    DECLINED = 18
    INTERRUPTED = 130


MEANINGS: dict[Exit, str] = {
    Exit.OK: "success",
    Exit.INTERNAL: "internal error of ananke",
    Exit.USAGE: "wrong command line, or a missing answer",
    Exit.PORT_TAKEN: "a port is taken",
    Exit.SOFTWARE_MISSING: "software is missing",
    Exit.STATE_UNUSABLE: "the state directory cannot be used",
    Exit.STATE_IN_USE: "the state directory or the container is in use",
    Exit.LMS_CONFIG: "the LMS configuration is invalid",
    Exit.PROCESS_NOT_STARTED: "a program of the demo did not start",
    Exit.PROCESS_ENDED: "a program of the demo ended unexpectedly",
    Exit.DEFINITION: "the container definition is invalid or incomplete",
    Exit.PODMAN: "Podman or systemd reported an error",
    Exit.NOT_FOUND: "container, definition, image or file not found",
    Exit.EXISTS: "it already exists",
    Exit.HUB_NOT_ANSWERING: "the hub does not answer",
    Exit.CHECKSUM: "a file is damaged, or its checksum is unknown",
    Exit.HOST: "this host is not ready",
    Exit.ROLLED_BACK: "the new image did not work, the old one runs again",
    Exit.DECLINED: "you answered no to a question",
    Exit.INTERRUPTED: "interrupted",
}
"""What each exit code means."""


def describe_exit_codes(*codes: Exit) -> str:
    """Return the last line of a command's help: its exit codes, and those of all commands."""
    listed = (Exit.OK, Exit.INTERNAL, Exit.USAGE, *codes, Exit.INTERRUPTED)
    return "Exit codes: " + "; ".join(f"{code.value} {MEANINGS[code]}" for code in listed) + "."


class AnankeError(Exception):
    """What went wrong, in one sentence, and what to do (``hint``).

    ``details`` are lines of a log or of another program, printed between the two.
    """

    def __init__(self, code: Exit, message: str, hint: str, details: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.details = details
