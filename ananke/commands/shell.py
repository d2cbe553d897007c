"""``ananke shell``: a shell of root in a container, or one command there."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Annotated

import typer

from ananke import hubs
from ananke.errors import Exit, exit_codes
from ananke.result import Result
from ananke.session import Directory, DryRun, Name, Session, run


@dataclass(frozen=True, slots=True)
class Ended(Result):
    """How the shell ended: with its last command's exit code, and nothing to say."""

    code: int

    def human(self) -> str:
        """Return nothing."""
        return ""

    @property
    def exit_code(self) -> int:
        """The shell's own."""
        return self.code


def shell(session: Session, name: str | None, words: list[str], user: str) -> Ended:
    """Give the terminal to a shell, or run one command, as a user of the container."""
    found = session.name(name)
    hubs.created(found)
    argv = ["podman", "exec", "--interactive"]
    argv += ["--tty"] if sys.stdin.isatty() and sys.stdout.isatty() else []
    argv += [f"--user={user}", found, *(words or ["/bin/bash", "--login"])]
    return Ended(session.podman.hand_over(argv))


def add_to(app: typer.Typer) -> None:
    """Add ``shell`` to the command line."""

    @app.command("shell", epilog=exit_codes(Exit.SOFTWARE_MISSING, Exit.NOT_FOUND))
    def command(
        *,
        name: Name = None,
        words: Annotated[
            list[str] | None,
            typer.Argument(
                metavar="[-- COMMAND...]", help="Run this instead of a shell.", show_default=False
            ),
        ] = None,
        user: Annotated[str, typer.Option(help="User in the container.")] = "root",
        dry_run: DryRun = False,
        directory: Directory = None,
    ) -> None:
        """Open a shell in a container. Its exit code is the shell's."""
        run(
            lambda session: shell(session, name, words or [], user),
            dry_run=dry_run,
            directory=directory,
        )
