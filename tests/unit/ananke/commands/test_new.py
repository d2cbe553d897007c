"""``ananke new``: from a template to a definition, and what is left to fill in."""

from __future__ import annotations

import pytest

from ananke import definition, hubconfig
from tests.support.fake_host import LMS_CONFIG


@pytest.mark.parametrize("template", ["template-base", "template-base-forget", "template-nbgrader"])
def test_only_port_and_lms_are_left(host, ananke, template):
    """A fresh definition names two things to fill in, with file and line."""
    ended = ananke("new", "bio", "--template", template, "--json")
    assert ended.code == 0
    to_do = ended.json["to_do"]
    assert len(to_do) == 2
    assert "config.py, line 9: port is not set" in to_do[0]
    assert "30_lms.py, line 10: " in to_do[1]
    folder = host.root / "containers" / "bio"
    assert (folder / "readme.md").exists()
    assert (folder / "ca").is_dir()


@pytest.mark.parametrize(("port", "kept"), [("8765", "8765"), ("127.0.0.1:8765", "127.0.0.1:8765")])
def test_flags_fill_all_in(host, ananke, tmp_path, port, kept):
    """With a port and a 30_lms.py nothing is left."""
    file = tmp_path / "from_moodle.py"
    file.write_text(LMS_CONFIG)
    ended = ananke(
        "new", "bio", "-t", "nbgrader", "--port", port, "--lms-config", str(file), "--json"
    )
    assert ended.code == 0
    assert ended.json["to_do"] == []
    found = definition.read_definition(host.root, "bio")
    assert found.values["port"] == kept
    hubconfig.require_lms(found)


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (["bio", "-t", "no-such"], 12),
        (["../bio", "-t", "template-base"], 2),
        (["template-x", "-t", "template-base"], 2),
        (["bio", "-t", "template-base", "--port", "70000"], 2),
        (["bio", "-t", "template-base", "--lms-config", "no-such"], 12),
        (["bio"], 2),
        ([], 2),
    ],
)
def test_refusals(host, ananke, argv, code):
    """What cannot be is refused, and no folder is made."""
    ended = ananke("new", *argv, "--json")
    assert ended.code == code
    assert ended.json["error"]["hint"]
    assert not (host.root / "containers" / "bio").exists()


def test_exists(host, ananke):
    """What is there is never overwritten."""
    host.definition("bio", 8000)
    assert ananke("new", "bio", "-t", "template-base", "--json").code == 13


def test_asks_for_name_and_template(host):
    """At a terminal what is missing is asked for, again after a wrong answer."""
    ended = host.terminal(
        "new",
        answers=[
            ("Name of the container", "bio"),
            ("Which template", "template-unknown"),
            ("There is no 'template-unknown'", "template-nbgrader"),
        ],
    )
    assert ended.code == 0
    assert "Still to fill in:" in ended.out
    assert definition.read_definition(host.root, "bio").image == "ananke-nbgrader"


def test_dry_run(host, ananke):
    """A dry run makes nothing."""
    ended = ananke("new", "bio", "-t", "template-base", "--dry-run", "--json")
    assert ended.code == 0
    assert "copy " in ended.json["steps"][0]
    assert not (host.root / "containers" / "bio").exists()


def test_templates_are_described(host, ananke):
    """Who asks which templates there are reads what each of them is."""
    ended = ananke("new", "bio", "-t", "template-x")
    assert ended.code == 12
    assert "template-base-forget: A hub that forgets" in ended.err
    shown = host.terminal("new", "bio", answers=[("Which template", "template-base")]).out
    assert "template-nbgrader: A hub with courses, assignments and grades" in shown
