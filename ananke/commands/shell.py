"""``ananke shell``: a root shell in a container, or one command there."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Annotated

import typer

from ananke import hubs
from ananke.context import CommandContext, Directory, DryRun, Name, run
from ananke.errors import Exit, describe_exit_codes
from ananke.result import Result


@dataclass(frozen=True, slots=True)
class ShellResult(Result):
    """The exit code of the shell, which is that of its last command."""

    code: int

    def render(self) -> str:
        """Return nothing."""
        return ""

    @property
    def exit_code(self) -> int:
        """Exit code of the shell."""
        return self.code


def open_shell(
    context: CommandContext, name: str | None, command_line: list[str], user: str
) -> ShellResult:
    """Run a shell or one command on the terminal, as a user of the container."""
    found = context.choose_name(name)
    hubs.require_created(found)
    argv = ["podman", "exec", "--interactive"]
    argv += ["--tty"] if sys.stdin.isatty() and sys.stdout.isatty() else []
    argv += [f"--user={user}", found, *(command_line or ["/bin/bash", "--login"])]
    return ShellResult(context.podman.run_interactive(argv))


def register(app: typer.Typer) -> None:
    """Add ``shell`` to the command line."""

    @app.command("shell", epilog=describe_exit_codes(Exit.SOFTWARE_MISSING, Exit.NOT_FOUND))
    def command(
        *,
        name: Name = None,
        command_line: Annotated[
            list[str] | None,
            typer.Argument(
                metavar="[-- COMMAND...]",
                help="Command to run instead of a shell.",
                show_default=False,
            ),
        ] = None,
        user: Annotated[str, typer.Option(help="User in the container.")] = "root",
        dry_run: DryRun = False,
        directory: Directory = None,
    ) -> None:
        """Open a shell in a container. The exit code is that of the shell."""
        run(
            lambda context: open_shell(context, name, command_line or [], user),
            dry_run=dry_run,
            directory=directory,
        )
