"""The keys of a definition are listed in one module, and everything else follows from it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
import typer
import typer.main

from ananke import option_flags, options
from ananke.definition import parse_config
from ananke.options import BY_KEY, OPTIONS, InvalidValue, Option

ROOT = Path(__file__).parents[3]


def test_no_other_list_of_the_keys():
    """No other function or call of the manager names the keys as its parameters."""
    for path in (ROOT / "ananke").rglob("*.py"):
        if "demo" in path.parts or path.name == "options.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            named: list[str | None] = []
            if isinstance(node, ast.FunctionDef):
                named = [a.arg for a in (*node.args.args, *node.args.kwonlyargs)]
            elif isinstance(node, ast.Call):
                named = [keyword.arg for keyword in node.keywords]
            elif isinstance(node, ast.List | ast.Tuple | ast.Set):
                named = [str(e.value) for e in node.elts if isinstance(e, ast.Constant)]
            listed = {"image_name", "podman_args", "volumes", "requires"} & set(named)
            assert not listed or len(listed) == 1, f"{path}: {listed}"


def test_a_new_key_is_known_everywhere(monkeypatch, tmp_path):
    """One more record is enough for ``config.py``, the command line and its help."""
    new = Option("colour", "--colour", "Colour of the hub.", "red", str, "COLOUR")
    monkeypatch.setitem(options.BY_KEY, "colour", new)
    monkeypatch.setattr("ananke.definition.OPTIONS", (*OPTIONS, new))
    values, _ = parse_config(b"config['colour'] = 'blue'\n", tmp_path / "config.py")
    assert values["colour"] == "blue"
    assert parse_config(b"", tmp_path / "config.py")[0]["colour"] == "red"
    app = typer.Typer()
    got = {}

    @app.command()
    @option_flags.add_option_flags()
    def command(*, overrides: option_flags.Overrides) -> None:
        got.update(overrides)

    typer.main.get_command(app)(["--colour", "green", "--gpu", "0"], standalone_mode=False)
    assert got == {"colour": "green", "gpus": ["0"]}


def test_flags_and_help_come_from_the_records():
    """``create`` has the flag of each key, with its help."""
    from ananke.cli import app

    command: Any = typer.main.get_group(app).commands["create"]
    flags = {flag: p.help for p in command.params for flag in p.opts}
    assert {o.flag: o.help for o in OPTIONS} == {o.flag: flags[o.flag] for o in BY_KEY.values()}


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.key)
def test_messages_complete_a_sentence(option):
    """A check refuses with a message that continues the name of the key, and with a hint."""
    with pytest.raises(options.InvalidValue, match=r"^(is not|contains|has) ") as caught:
        option.check({"not": "a value"})
    assert caught.value.hint.endswith(".")


@pytest.mark.parametrize(
    ("value", "likely"),
    [
        ("8", "8g"),
        (8, "8g"),
        ("512", "512m"),
        ("100k", "100m"),
        ("8b", "8g"),
        ("1m", "1g"),
        ("8GB", "8g"),
        ("512 MiB", "512m"),
    ],
)
def test_memory_that_is_too_little_or_misspelt(value, likely):
    """What cannot be meant is refused, with what is likely meant."""
    with pytest.raises(InvalidValue) as refused:
        BY_KEY["memory"].check(value)
    assert f"Did you mean '{likely}'?" in refused.value.hint


@pytest.mark.parametrize("value", ["8g", "512M", "1.5g", "64m", "max", "interactive", "100000k"])
def test_memory(value):
    """Sizes that a hub can run with are taken."""
    assert BY_KEY["memory"].check(value) == value.lower()
