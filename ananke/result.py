"""What commands return, and the one place that prints it: for people, or as JSON."""

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

from ananke.errors import AnankeError, Exit


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a command. Its fields are the JSON, ``render`` is for people."""

    def render(self) -> RenderableType:
        """Return what a person sees."""
        raise NotImplementedError

    @property
    def exit_code(self) -> int:
        """Exit code of the command."""
        return 0


@dataclasses.dataclass(frozen=True, slots=True)
class DryRunResult(Result):
    """What a dry run would have done."""

    steps: list[str]
    dry_run: bool = True

    def render(self) -> RenderableType:
        """Return one line for each step, ready to be copied."""
        return Text("\n".join(self.steps) or "nothing to do")


def make_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    """Return a table without frames; cells are printed as they are, never as markup."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    return table


def make_fact_table(rows: Sequence[tuple[str, Any]]) -> Table:
    """Return names and values, one pair for each line; pairs without a value are left out."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in rows:
        if value not in (None, "", [], ()):
            table.add_row(name, Text(str(value)))
    return table


def print_result(result: Result, *, as_json: bool) -> None:
    """Print a result on standard output."""
    if as_json:
        typer.echo(_to_json(dataclasses.asdict(result)))
        return
    rendered = result.render()
    if rendered != "":
        Console(highlight=False, soft_wrap=not isinstance(rendered, Table)).print(rendered)


def run(work: Callable[[], Result], *, as_json: bool) -> None:
    """Do a command's work and print its result, or with ``--json`` its error.

    With ``--json``, standard output always gets one JSON document: the result's fields, or
    ``{"error": {"code", "message", "hint", "details"}}`` with the exit code as ``code``.
    """
    try:
        result = _do_work(work)
    except AnankeError as error:
        if not as_json:
            raise
        typer.echo(_to_json({"error": _error_to_dict(error)}))
        raise typer.Exit(error.code) from error
    print_result(result, as_json=as_json)
    if result.exit_code:
        raise typer.Exit(result.exit_code)


def _do_work(work: Callable[[], Result]) -> Result:
    """Return the result; Ctrl-C, also at a question, becomes an AnankeError."""
    try:
        return work()
    except (KeyboardInterrupt, typer.Abort) as error:
        raise AnankeError(
            Exit.INTERRUPTED,
            "Interrupted.",
            "What had begun may be incomplete: ananke list shows the containers and their states.",
        ) from error


def _error_to_dict(error: AnankeError) -> dict[str, Any]:
    return {
        "code": int(error.code),
        "message": error.message,
        "hint": error.hint,
        "details": error.details,
    }


def _to_json(value: Any) -> str:
    return json.dumps(value, default=_to_plain, ensure_ascii=True)


def _to_plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
