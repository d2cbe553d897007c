"""The context in which a command runs: its folder, the shared flags, questions, Podman."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from ananke import definition, result, unit
from ananke.definition import Definition
from ananke.errors import AnankeError, Exit
from ananke.options import BY_KEY, InvalidValue
from ananke.podman import Podman
from ananke.steps import Steps

Name = Annotated[
    str | None,
    typer.Argument(help="Name of the container; asked for if left out.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", "-n", help="Only print what would be run and changed.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Answer yes to all questions.")]
Directory = Annotated[
    Path | None,
    typer.Option(
        "--directory",
        "-C",
        envvar="ANANKE_DIRECTORY",
        help="Folder that holds containers/ and images/.",
        show_default="the nearest one above the current folder, else the current folder",
    ),
]


@dataclass
class CommandContext:
    """The folder and flags of one command, and the gateway through which it acts.

    ``locked`` are the containers whose lock the command holds.
    """

    root: Path
    json: bool = False
    yes: bool = False
    steps: Steps = field(default_factory=Steps)
    podman: Podman = field(init=False, repr=False)
    locked: set[str] = field(default_factory=set)

    @property
    def dry_run(self) -> bool:
        """Whether the command must change nothing."""
        return self.steps.dry_run

    def __post_init__(self) -> None:
        self.podman = Podman(self.steps)

    @property
    def can_ask(self) -> bool:
        """Whether a person is at the terminal to answer."""
        return not self.json and sys.stdin.isatty() and sys.stderr.isatty()

    def ask(self, question: str, flag: str, *, default: str | None = None) -> str:
        """Ask the person at the terminal; raises AnankeError naming ``flag`` without one."""
        if not self.can_ask:
            raise AnankeError(
                Exit.USAGE,
                f"{question}: no value was given, and there is no terminal to ask on.",
                f"Give {flag}.",
            )
        answer: str = typer.prompt(question, default=default, err=True)
        return answer.strip()

    def ask_option(self, key: str) -> Any:
        """Ask for a definition's key until the answer is valid; return the value."""
        option = BY_KEY[key]
        while True:
            text = self.ask(option.question, option.flag, default="" if option.many else None)
            value: Any = text.replace(",", " ").split() if option.many else text
            try:
                return option.check(value)
            except InvalidValue as invalid:
                typer.echo(f"That {invalid}. {invalid.hint}", err=True)

    def choose(self, question: str, choices: Sequence[str], flag: str) -> str:
        """Ask the person to choose one; a single choice is taken without asking."""
        if len(choices) == 1:
            return choices[0]
        shown = f"{question} ({', '.join(choices)})"
        while True:
            answer = self.ask(shown, flag)
            if answer in choices:
                return answer
            typer.echo(f"There is no {answer!r}.", err=True)

    def confirm(self, question: str) -> None:
        """Ask for a yes; raises AnankeError without one."""
        if self.yes or self.dry_run:
            return
        if not self.can_ask:
            raise AnankeError(
                Exit.USAGE, f"{question} There is no terminal to ask on.", "Give --yes."
            )
        if not typer.confirm(question, err=True):
            raise AnankeError(Exit.DECLINED, "Cancelled.", "Nothing was changed.")

    def read_definition(self, name: str | None) -> Definition:
        """Return the definition of a name, or of one that the person chooses."""
        return definition.read_definition(self.root, self.choose_name(name))

    def choose_name(self, name: str | None) -> str:
        """Return the name of a known container; ask for it if it is None.

        Raises AnankeError for a name that has neither a definition nor a unit.
        """
        if name is not None:
            folder = self.root / definition.FOLDER / definition.check_name(name)
            if not folder.is_dir() and unit.find_installed(name) is None:
                raise definition.make_unknown_error(self.root, name)
            return name
        known = definition.list_names(self.root)
        if not known:
            raise AnankeError(
                Exit.NOT_FOUND,
                f"There is no container definition below {self.root / definition.FOLDER}.",
                "Make one with: ananke new NAME",
            )
        return self.choose("Which container", known, "its name")


def find_root(directory: Path | None) -> Path:
    """Return the folder that holds ``containers/``: ``directory``, or the nearest one above."""
    if directory is not None:
        if not directory.is_dir():
            raise AnankeError(
                Exit.NOT_FOUND, f"There is no folder {directory}.", "Give another --directory."
            )
        return directory.resolve()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / definition.FOLDER).is_dir():
            return folder
    return here


def require_ordinary_user() -> None:
    """Raise AnankeError for root: its containers would have root's rights."""
    if os.geteuid() == 0:
        raise AnankeError(
            Exit.HOST,
            "Containers are run by an ordinary user, not by root.",
            "Sign in as the user who is to own the hub: ssh, or machinectl shell USER@",
        )


def run(
    work: Callable[[CommandContext], result.Result],
    *,
    json: bool = False,
    dry_run: bool = False,
    yes: bool = False,
    directory: Path | None = None,
) -> None:
    """Do a command's work in a new context, and print the result."""

    def do_work() -> result.Result:
        steps = Steps(dry_run=dry_run)
        context = CommandContext(find_root(directory), json=json, yes=yes, steps=steps)
        done = work(context)
        return result.DryRunResult(steps.recorded) if dry_run else done

    result.run(do_work, as_json=json)
