"""The commands, one module each; ``register_all`` adds them to the command line."""

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
    save,
    shell,
    start_stop,
    status,
    update,
)


def register_all(app: typer.Typer) -> None:
    """Add all commands, in the order in which a container's life needs them."""
    for module in (
        doctor,
        build,
        load,
        new,
        create,
        list_,
        status,
        start_stop,
        logs,
        shell,
        update,
        backup,
        restore,
        save,
        ca,
        remove,
    ):
        module.register(app)
