"""What commands return, and the one place that shows it: to people, or as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from ananke.errors import AnankeError


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a command. Its fields are the JSON, ``human`` is for people."""

    def human(self) -> RenderableType:
        """Return what a person is shown."""
        raise NotImplementedError

    @property
    def exit_code(self) -> int:
        """Exit code of the command."""
        return 0


@dataclasses.dataclass(frozen=True, slots=True)
class Told(Result):
    """What a dry run would have done."""

    steps: list[str]
    dry_run: bool = True

    def human(self) -> RenderableType:
        """Return one line a step, ready to be copied."""
        return Text("\n".join(self.steps) or "nothing to do")


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    """Return a table without frames; cells are shown as they are, never as markup."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    return made


def facts(rows: Sequence[tuple[str, Any]]) -> Table:
    """Return names and values, one pair a line, those without a value left out."""
    made = Table(box=None, pad_edge=False, show_header=False)
    made.add_column(style="dim")
    made.add_column(overflow="fold")
    for name, value in rows:
        if value not in (None, "", [], ()):
            made.add_row(name, Text(str(value)))
    return made


def show(result: Result, *, as_json: bool) -> None:
    """Print a result on standard output."""
    if as_json:
        typer.echo(_dumps(dataclasses.asdict(result)))
        return
    shown = result.human()
    if shown != "":
        Console(highlight=False, soft_wrap=not isinstance(shown, Table)).print(shown)


def run(work: Callable[[], Result], *, as_json: bool) -> None:
    """Do a command's work and show its result, or with ``--json`` its error.

    Standard output then has one JSON document whatever happens: the result's fields, or
    ``{"error": {"code", "message", "hint", "details"}}`` with the exit code as ``code``.
    """
    try:
        result = work()
    except AnankeError as error:
        if not as_json:
            raise
        typer.echo(_dumps({"error": _error(error)}))
        raise typer.Exit(error.code) from error
    show(result, as_json=as_json)
    if result.exit_code:
        raise typer.Exit(result.exit_code)


def _error(error: AnankeError) -> dict[str, Any]:
    return {
        "code": int(error.code),
        "message": error.message,
        "hint": error.hint,
        "details": error.details,
    }


def _dumps(value: Any) -> str:
    return json.dumps(value, default=_plain, ensure_ascii=True)


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")
