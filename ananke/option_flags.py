"""Flags of the command line for the keys of a definition, made from ``ananke.options``."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from ananke import options

Overrides = dict[str, Any]
"""Values that the command line gave, by key; what was not given is left out."""

Command = Callable[..., None]


def add_option_flags(*keys: str, default_from: str = "config.py") -> Callable[[Command], Command]:
    """Add the flags of ``keys`` (default: all keys) to a command.

    The command has a parameter ``overrides`` in the place where its flags are to be shown,
    and gets the values there. ``default_from`` says in the help where a default comes from.
    """

    def decorate(command: Command) -> Command:
        shown = keys or tuple(options.BY_KEY)

        @functools.wraps(command)
        def with_flags(**values: Any) -> None:
            given = {key: values.pop(key) for key in shown}
            overrides = {k: value for k, value in given.items() if value not in (None, [])}
            command(overrides=overrides, **values)

        signature = inspect.signature(command, eval_str=True)
        parameters: list[inspect.Parameter] = []
        for parameter in signature.parameters.values():
            if parameter.name == "overrides":
                parameters += [_make_parameter(key, default_from) for key in shown]
            else:
                parameters.append(parameter)
        with_flags.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=parameters
        )
        return with_flags

    return decorate


def _make_parameter(key: str, default_from: str) -> inspect.Parameter:
    option = options.BY_KEY[key]
    flag = typer.Option(
        option.flag,
        help=option.help,
        metavar=option.metavar,
        show_default=f"from {default_from}" if default_from else False,
    )
    kind = list[str] if option.many else str
    return inspect.Parameter(
        key,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[kind | None, flag],
    )
