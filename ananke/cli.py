"""The command line: reads what was asked, calls one function, and says what went wrong."""

from __future__ import annotations

import os
import sys
import textwrap
import traceback
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from ananke import __version__, commands
from ananke.errors import AnankeError, Exit

_HIGHEST_PORT = 65535
_EXIT_CODES = (
    "Exit codes: 0 ended as asked, 2 wrong command line, 3 a port is taken, 4 software is "
    "missing, 5 the state directory cannot be used, 6 it is in use, 7 the LMS configuration "
    "is wrong, 8 a part did not start, 9 a part ended by itself, 130 interrupted while "
    "starting."
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"ananke {__version__}")
        raise typer.Exit


@app.callback()
def ananke(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Say the version."),
    ] = False,
) -> None:
    """Jupyter notebooks with automatic grading for learning management systems."""


@app.command(epilog=_EXIT_CODES)
def demo(
    *,
    port: Annotated[
        int, typer.Option(min=0, max=_HIGHEST_PORT, help="Port of the hub; 0 takes a free one.")
    ] = 8000,
    lms_port: Annotated[
        int, typer.Option(min=0, max=_HIGHEST_PORT, help="Port of the LMS; 0 takes a free one.")
    ] = 9090,
    state_dir: Annotated[
        Path | None,
        typer.Option(
            help="Where everything is kept: databases, homes, logs.",
            show_default="$XDG_STATE_HOME/ananke/demo",
        ),
    ] = None,
    lms_config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Connect to the LMS of this 30_lms.py instead of the embedded one.",
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="When ready, print one line of JSON.")
    ] = False,
) -> None:
    """Run the whole system on this machine, with a small LMS, until Ctrl-C."""
    try:
        from ananke.demo.run import Options, run  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise AnankeError(
            Exit.SOFTWARE_MISSING,
            f"The demo needs software that is not installed ({error.name}).",
            "Install it with: pip install 'ananke[hub]' (or, in a clone, make setup).",
        ) from error
    raise typer.Exit(
        run(
            Options(
                port=port,
                lms_port=lms_port,
                state_dir=state_dir,
                lms_config=lms_config,
                json=json,
            )
        )
    )


commands.add_to(app)


def main() -> None:
    """Run the command line. Errors end as words and an exit code, never as a trace."""
    try:
        app()
    except AnankeError as error:
        _tell(error)
        sys.exit(error.code)
    except KeyboardInterrupt:
        sys.exit(Exit.INTERRUPTED)
    except Exception as error:  # noqa: BLE001
        if os.environ.get("ANANKE_DEBUG"):
            traceback.print_exc()
        _tell(
            AnankeError(
                Exit.INTERNAL,
                f"Something went wrong inside ananke: {type(error).__name__}: {error}",
                "This is an error of ours. ANANKE_DEBUG=1 shows where, for a report.",
            )
        )
        sys.exit(Exit.INTERNAL)


def _tell(error: AnankeError) -> None:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(Text.assemble(("Error: ", "bold red"), error.message))
    if error.details:
        console.print(Text(textwrap.indent(error.details, "    "), style="dim"))
    console.print(Text(error.hint))
