"""What all commands have in common: exit codes, JSON, no traces, a light start."""

from __future__ import annotations

import ast
import dataclasses
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import typer.main

from ananke import unit
from ananke.checks.check import Check
from ananke.cli import app
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
    start_stop,
    status,
    update,
)
from ananke.errors import MEANINGS, Exit
from ananke.podman import Podman
from ananke.result import DryRunResult
from ananke.steps import Steps

ROOT = Path(__file__).parents[3]
COMMANDS: Mapping[str, Any] = typer.main.get_group(app).commands
ITS_OWN = ("demo",)


def test_exit_codes_stay():
    """Scripts rely on these numbers."""
    assert {code.name: int(code) for code in Exit} == {
        "OK": 0,
        "INTERNAL": 1,
        "USAGE": 2,
        "PORT_TAKEN": 3,
        "SOFTWARE_MISSING": 4,
        "STATE_UNUSABLE": 5,
        "STATE_IN_USE": 6,
        "LMS_CONFIG": 7,
        "PROCESS_NOT_STARTED": 8,
        "PROCESS_ENDED": 9,
        "DEFINITION": 10,
        "PODMAN": 11,
        "NOT_FOUND": 12,
        "EXISTS": 13,
        "HUB_NOT_ANSWERING": 14,
        "CHECKSUM": 15,
        "HOST": 16,
        "ROLLED_BACK": 17,
        "DECLINED": 18,
        "INTERRUPTED": 130,
    }
    assert set(MEANINGS) == set(Exit)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_is_complete(name):
    """Each command says what it does, what each option means, and its exit codes."""
    command = COMMANDS[name]
    assert command.help
    assert command.epilog.startswith("Exit codes: 0 ")
    for parameter in command.params:
        if parameter.name != "help":
            assert parameter.help, parameter.name


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"shell"}))
def test_json_everywhere(name):
    """Each command except the shell has ``--json``."""
    assert any("--json" in parameter.opts for parameter in COMMANDS[name].params)


JSON_FIELDS = {
    backup.BackupResult: "name file checksum_file sha256 size files data_bytes databases running "
    "warnings",
    build.BuildResult: "images removed",
    build.BuiltImage: "name id size seconds",
    ca.Authorities: "name files restart",
    create.CreateResult: "name url image image_id unit file memory cpus gpus started seconds",
    doctor.Diagnosis: "healthy checks",
    Check: "name state message hint",
    list_.Listing: "containers images",
    list_.Container: "name state port image error",
    list_.Image: "name id size created_at",
    load.LoadResult: "file sha256 images",
    logs.Logs: "name lines",
    new.NewDefinition: "name folder template to_do",
    remove.RemoveResult: "name data",
    restore.RestoreResult: "name folder backed_up_at original_name container",
    save.SaveResult: "image file checksum_file sha256 size",
    start_stop.StateChange: "name state url seconds",
    status.Status: "name state hub_answers url image image_id started_at memory_used "
    "memory_limit cpus_limit cpu_used processes gpus unit file folder disk_free",
    update.UpdateResult: "name url image image_id previous_id changed seconds defined_image",
    DryRunResult: "steps dry_run",
}


@pytest.mark.parametrize("result", JSON_FIELDS, ids=lambda result: result.__name__)
def test_json_fields_stay(result):
    """Scripts rely on these names."""
    assert [field.name for field in dataclasses.fields(result)] == JSON_FIELDS[result].split()


READ_ONLY = ("demo", "list", "status", "doctor")


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - set(READ_ONLY)))
def test_dry_run_everywhere(name):
    """Each command that changes or runs something has ``--dry-run``."""
    assert any("--dry-run" in parameter.opts for parameter in COMMANDS[name].params)


def test_light_start():
    """The manager starts on a host without any package of Jupyter."""
    code = """
import sys
OURS = {"ananke", "typer", "annotated_doc", "rich", "click", "shellingham", "markdown_it", "mdurl"}
OURS |= {"pygments", "typing_extensions"}
class Hide:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in OURS and top not in sys.stdlib_module_names:
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Hide())
import ananke.cli, ananke.archive.__main__
"""
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd="/"
    )
    assert ran.returncode == 0, ran.stderr


def test_one_gateway():
    """No other module of the manager starts programs."""
    for path in (ROOT / "ananke").rglob("*.py"):
        if "demo" in path.parts or path.name == "podman.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert "subprocess" not in names, path
            if isinstance(node, ast.Attribute):
                assert node.attr not in ("system", "popen", "execvp", "spawnv"), path


def test_usage_errors_have_their_code(ananke):
    """A command line that Typer refuses ends with 2."""
    assert ananke("create", "--no-such-flag").code == 2
    assert ananke("no-such-command").code == 2


def test_errors_for_people(ananke):
    """A person reads one sentence and a hint, and no traceback."""
    ended = ananke("start", "bio")
    assert ended.code == 12
    assert ended.err.startswith("Error: There is no container definition")
    assert "ananke new bio" in ended.err
    assert "Traceback" not in ended.err
    assert ended.out == ""


def test_errors_for_programs(ananke):
    """With ``--json`` an error is the only document on standard output."""
    ended = ananke("start", "bio", "--json")
    assert set(ended.json["error"]) == {"code", "message", "hint", "details"}
    assert ended.json["error"]["code"] == ended.code == 12
    assert ended.err == ""


def test_internal_errors(host, hub, ananke, monkeypatch):
    """An internal error ends with 1 and a message, with a traceback only on request."""
    monkeypatch.setattr(create, "check_definition", lambda *_: 1 / 0)
    ended = ananke("create", "bio")
    assert ended.code == 1
    assert "ZeroDivisionError" in ended.err
    assert "Traceback" not in ended.err


def test_unknown_directory(ananke):
    """A missing folder is reported."""
    assert ananke("list", "-C", "/no/such/folder", "--json").code == 12


def test_text_is_never_markup(host, ananke):
    """Square brackets in a file are printed as they are."""
    folder = host.root / "containers" / "odd"
    folder.mkdir()
    (folder / "config.py").write_text("config['[red]port[/red]'] = 1\n")
    assert "[red]port[/red]" in ananke("list").out


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("Error: cannot find UID/GID for user", "usermod --add-subuids"),
        ("rootlessport listen tcp 0.0.0.0:8000: bind: address already in use", "Choose another"),
        ("Failed to connect to bus: No medium found", "machinectl"),
        ("write /x: no space left on device", "podman image prune"),
        ("unresolvable CDI devices nvidia.com/gpu=9", "nvidia-ctk"),
        ("something never seen", "ananke doctor"),
    ],
)
def test_hints(host, ananke, words, hint):
    """An error of Podman has a hint that Podman does not give."""
    host.fail("podman images", words)
    ended = ananke("list", "--images", "--json")
    assert ended.code == 11
    assert words in ended.json["error"]["details"]
    assert hint in ended.json["error"]["hint"]


def test_a_program_that_hangs(host, monkeypatch):
    """A program that does not end is stopped, with a message."""
    slow = host.bin / "podman"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    completed = Podman(Steps()).query(["podman", "ps"], seconds=0.2)
    assert not completed.ok
    assert "did not end within 0.2 seconds" in completed.stderr


GENERATOR = os.environ.get("ANANKE_TEST_QUADLET") or "/usr/libexec/podman/quadlet"


@pytest.mark.skipif(not os.access(GENERATOR, os.X_OK), reason="this Podman has no Quadlet")
def test_podmans_own_generator_takes_the_unit(host, hub, monkeypatch):
    """Podman itself accepts the unit, special characters included."""
    from ananke import definition

    monkeypatch.setenv("ANANKE_QUADLET", GENERATOR)
    found = definition.read_definition(host.root, "bio").with_values(
        {
            "memory": "8g",
            "cpus": "2",
            "gpus": ["all"],
            "volumes": ["/tmp:/srv/a b:ro"],
            "podman_args": ['--hostname=a "b" $HOME 100% \\'],
        }
    )
    text = unit.render_quadlet(found, selinux=True)
    podman = Podman(Steps())
    unit.check_quadlet(podman, GENERATOR, "bio", text)


def test_unit_escapes(host, hub):
    """Specifiers, variables and quotes of systemd are escaped."""
    from ananke import definition

    found = definition.read_definition(host.root, "bio").with_values(
        {"podman_args": ['--hostname=a "b" $HOME 100%'], "volumes": ["/tmp/100%:/srv/x"]}
    )
    text = unit.render_quadlet(found, selinux=True)
    assert '"--hostname=a \\"b\\" $$HOME 100%%"' in text
    assert "Volume=/tmp/100%%:/srv/x\n" in text
    assert re.search(r"Volume=\S+/runtime/kore:/var/lib/kore:z\n", text)
    assert re.search(r"Volume=\S+/ca:/usr/local/share/ca-certificates/ananke:ro,z\n", text)
