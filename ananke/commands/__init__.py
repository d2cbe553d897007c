"""The commands, one module each; ``add_to`` gives them to the command line."""

from __future__ import annotations

import typer

from ananke.commands import (
    backup,
    build,
    ca,
    create,
    doctor,
    list_,
    load,
    logs,
    new,
    remove,
    restore,
    running,
    save,
    shell,
    status,
    update,
)


def add_to(app: typer.Typer) -> None:
    """Add all commands, in the order in which a container's life needs them."""
    for module in (
        doctor,
        build,
        load,
        new,
        create,
        list_,
        status,
        running,
        logs,
        shell,
        update,
        backup,
        restore,
        save,
        ca,
        remove,
    ):
        module.add_to(app)
