"""One run of a command: where it works, what it may ask, and through what it acts."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from ananke import definition, result
from ananke.definition import Definition
from ananke.errors import AnankeError, Exit
from ananke.options import BY_KEY, Wrong
from ananke.podman import Podman
from ananke.steps import Steps

Name = Annotated[
    str | None,
    typer.Argument(help="Name of the container; asked for if left out.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON document.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", "-n", help="Only tell what would be run and changed.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Answer questions with yes.")]
Directory = Annotated[
    Path | None,
    typer.Option(
        "--directory",
        "-C",
        envvar="ANANKE_DIRECTORY",
        help="Folder with containers/ and images/.",
        show_default="the nearest one above, else the current one",
    ),
]


@dataclass
class Session:
    """What the flags that all commands share came to."""

    root: Path
    json: bool = False
    yes: bool = False
    steps: Steps = field(default_factory=Steps)
    podman: Podman = field(init=False, repr=False)

    @property
    def dry_run(self) -> bool:
        """Whether nothing is to be changed."""
        return self.steps.dry_run

    def __post_init__(self) -> None:
        self.podman = Podman(self.steps)

    @property
    def may_ask(self) -> bool:
        """Whether a person is there to answer."""
        return not self.json and sys.stdin.isatty() and sys.stderr.isatty()

    def ask(self, question: str, flag: str, *, default: str | None = None) -> str:
        """Ask a person; raises AnankeError naming the flag where nobody is there."""
        if not self.may_ask:
            raise AnankeError(
                Exit.USAGE,
                f"{question}: no answer was given, and there is no terminal to ask at.",
                f"Give {flag}.",
            )
        answer: str = typer.prompt(question, default=default, err=True)
        return answer.strip()

    def ask_option(self, key: str) -> Any:
        """Ask for the value of a definition's key until it is one; return it."""
        option = BY_KEY[key]
        while True:
            text = self.ask(option.question, option.flag, default="" if option.many else None)
            value: Any = text.replace(",", " ").split() if option.many else text
            try:
                return option.check(value)
            except Wrong as wrong:
                typer.echo(f"That {wrong}. {wrong.remedy}", err=True)

    def choose(self, question: str, choices: Sequence[str], flag: str) -> str:
        """Let a person choose one; the only one there is needs no question."""
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
        if not self.may_ask:
            raise AnankeError(
                Exit.USAGE, f"{question} There is no terminal to ask at.", "Give --yes."
            )
        if not typer.confirm(question, err=True):
            raise AnankeError(Exit.DECLINED, "Nothing was done.", "Nothing has changed.")

    def definition(self, name: str | None) -> Definition:
        """Return the definition of a name, or of one that a person chooses."""
        return definition.read(self.root, self.name(name))

    def name(self, name: str | None) -> str:
        """Return the checked name of a container, asked for where it is None."""
        if name is not None:
            return definition.checked_name(name)
        known = definition.names(self.root)
        if not known:
            raise AnankeError(
                Exit.NOT_FOUND,
                f"There is no container definition below {self.root / definition.FOLDER}.",
                "Make one with: ananke new NAME",
            )
        return self.choose("Which container", known, "its name")


def find_root(directory: Path | None) -> Path:
    """Return the folder that holds ``containers/``: the one given, or the nearest above."""
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


def ordinary_user() -> None:
    """Raise AnankeError where root runs this: its containers would have root's rights."""
    if os.geteuid() == 0:
        raise AnankeError(
            Exit.HOST,
            "Containers are run by an ordinary user, not by root.",
            "Sign in as the user who shall own the hub: ssh, or machinectl shell USER@",
        )


def run(
    work: Callable[[Session], result.Result],
    *,
    json: bool = False,
    dry_run: bool = False,
    yes: bool = False,
    directory: Path | None = None,
) -> None:
    """Do a command's work in a session, and show what came of it."""

    def in_session() -> result.Result:
        session = Session(find_root(directory), json=json, yes=yes, steps=Steps(dry_run=dry_run))
        done = work(session)
        return result.Told(session.steps.told) if dry_run else done

    result.run(in_session, as_json=json)
