"""One command at a time changes a container."""

from __future__ import annotations

import pytest

from ananke import definition
from ananke.context import CommandContext
from ananke.locks import lock_container
from ananke.templates import set_values


@pytest.mark.parametrize(
    "argv",
    [
        ["create", "bio"],
        ["update", "bio", "--image", "ananke-nbgrader"],
        ["backup", "bio"],
        ["remove", "bio", "--yes"],
        ["remove", "bio", "--yes", "--data"],
    ],
    ids=" ".join,
)
def test_second_command_is_refused(host, created, ananke, argv):
    """What another command is doing is said in words, and nothing is changed."""
    before = len(host.calls)
    with lock_container(CommandContext(host.root), "bio", "backup"):
        ended = ananke(*argv, "--json")
    assert ended.code == 6
    assert ended.json["error"]["message"].startswith("ananke backup (process ")
    assert ended.json["error"]["message"].endswith("is working on bio.")
    changing = ("stop", "tag", "untag", "unshare", "rm", "start", "restart")
    assert not [call for call in host.calls[before:] if set(call[1:3]) & set(changing)]
    assert host.quadlet("bio").exists()


def test_other_containers_and_dry_runs_are_not_locked(host, created, ananke):
    """Only changes of the same container wait."""
    with lock_container(CommandContext(host.root), "chem", "create"):
        assert ananke("remove", "bio", "--yes").code == 0
    with lock_container(CommandContext(host.root), "bio", "create"):
        assert ananke("create", "bio", "--dry-run").code == 0


def test_restore_is_locked(host, ananke, tmp_path):
    """Two restores to one name: the second is refused before it unpacks anything."""
    (tmp_path / "backup").touch()
    with lock_container(CommandContext(host.root), "bio", "restore"):
        assert ananke("restore", str(tmp_path / "backup"), "bio").code == 6


@pytest.mark.parametrize(
    "line",
    ["config['port'] = 8000  # ours", 'config["port"] = 8000', "config['port'] = (\n    '8000'\n)"],
)
def test_values_are_set_where_they_are(tmp_path, line):
    """A value is replaced however its line is written, and what is around it stays."""
    file = tmp_path / "config.py"
    file.write_text(f"# é\n{line}\nconfig['memory'] = '8g'\n")
    set_values(file, {"port": "127.0.0.1:9000", "image_name": "mine"})
    values, _ = definition.parse_config(file.read_bytes(), file)
    assert (values["port"], values["image_name"]) == ("127.0.0.1:9000", "mine")
    assert values["memory"] == "8g"
    assert ("# ours" in line) == ("# ours" in file.read_text())
