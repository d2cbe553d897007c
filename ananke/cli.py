"""The command line: parses arguments, calls one function, and prints errors."""

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
from ananke.errors import AnankeError, Exit, describe_exit_codes

_MAX_PORT = 65535
_DEMO_EXITS = (
    Exit.PORT_TAKEN,
    Exit.SOFTWARE_MISSING,
    Exit.STATE_UNUSABLE,
    Exit.STATE_IN_USE,
    Exit.LMS_CONFIG,
    Exit.PROCESS_NOT_STARTED,
    Exit.PROCESS_ENDED,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ananke {__version__}")
        raise typer.Exit


@app.callback()
def ananke(
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Jupyter notebooks with automatic grading for learning management systems."""


@app.command(epilog=describe_exit_codes(*_DEMO_EXITS))
def demo(
    *,
    port: Annotated[
        int, typer.Option(min=0, max=_MAX_PORT, help="Port of the hub; 0 for a free one.")
    ] = 8000,
    lms_port: Annotated[
        int, typer.Option(min=0, max=_MAX_PORT, help="Port of the LMS; 0 for a free one.")
    ] = 9090,
    state_dir: Annotated[
        Path | None,
        typer.Option(
            help="Folder for databases, homes and logs.",
            show_default="$XDG_STATE_HOME/ananke/demo",
        ),
    ] = None,
    lms_config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Connect to the LMS that this 30_lms.py names instead of the embedded one.",
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print one line of JSON when ready.")
    ] = False,
) -> None:
    """Run the whole system on this machine, with a small LMS, until Ctrl-C."""
    try:
        from ananke.demo.run import Options, run  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise AnankeError(
            Exit.SOFTWARE_MISSING,
            f"The demo needs software that is not installed ({error.name}).",
            "Install it with: pip install 'ananke[hub]' (in a clone: make setup).",
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


commands.register_all(app)


def main() -> None:
    """Run the command line. Errors end as a message and an exit code, never as a traceback."""
    try:
        app()
    except AnankeError as error:
        _print_error(error)
        sys.exit(error.code)
    except KeyboardInterrupt:
        sys.exit(Exit.INTERRUPTED)
    except Exception as error:  # noqa: BLE001
        if os.environ.get("ANANKE_DEBUG"):
            traceback.print_exc()
        _print_error(
            AnankeError(
                Exit.INTERNAL,
                f"Internal error of ananke: {type(error).__name__}: {error}",
                "Please report it, with what ANANKE_DEBUG=1 prints.",
            )
        )
        sys.exit(Exit.INTERNAL)


def _print_error(error: AnankeError) -> None:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(Text.assemble(("Error: ", "bold red"), error.message))
    if error.details:
        console.print(Text(textwrap.indent(error.details, "    "), style="dim"))
    console.print(Text(error.hint))
