"""What the documentation names is there: files, commands, options, routes, causes, pictures."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys

import pytest
import typer.main

from ananke.cli import app as command_line
from ananke.demo.lms import LmsConfig, create_app
from kore.hub.authenticator import KoreAuthenticator
from kore.hub.reasons import Reason
from tests.support.doc_tables import table

# Pages that look ahead, and say so, or that speak of other programs' options.
AHEAD = {"today.md", "developers/containers.md", "developers/real-lms.md"}
MOST_BYTES = 150_000
_CODE = re.compile(r"`([^`\n]+)`")
_FENCE = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)
_ROOMS = ("ananke/", "kore/", "images/", "tests/", "doc/", "requirements/", ".ci/")


def codes(text: str) -> list[str]:
    """Return what stands between single backticks, outside of blocks."""
    return _CODE.findall(_FENCE.sub("", text))


def blocks(text: str) -> str:
    """Return the blocks of code as one text."""
    return "\n".join(match[0] for match in _FENCE.finditer(text))


def state_paths(pages) -> set[str]:
    """Return the paths of the state directory, as its page lists them."""
    rows = [line for line in pages["developers/state.md"].splitlines() if line.startswith("| `")]
    return {code for row in rows for code in _CODE.findall(row.split("|")[1])}


def test_named_files_are_in_the_repository(pages, root):
    """A path into one of the repository's rooms exists, is rendered, or is one of the state's."""
    state = state_paths(pages)
    wrong = []
    for page, text in pages.items():
        for code in codes(text):
            plain = re.fullmatch(r"[\w./*-]+", code)
            rendered = code.startswith("doc/html")
            if plain and code.startswith(_ROOMS) and code not in state and not rendered:
                wrong += [f"{page}: {code}"] if not list(root.glob(code.rstrip("/"))) else []
    assert wrong == []


def test_links_between_pages_of_the_first_folder_lead_somewhere(pages, root):
    """README and its like link to files that are there; Sphinx checks the others."""
    wrong = [
        f"{page}: {target}"
        for page, text in pages.items()
        if (root / page).exists()
        for target in re.findall(r"\]\(([^)#\s]+)", text)
        if not re.match(r"[a-z]+:", target) and not (root / target).exists()
    ]
    assert wrong == []


def test_make_targets_exist(pages, root):
    """`make X` in a page is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), re.MULTILINE))
    named = {
        name
        for text in pages.values()
        for part in (*codes(text), *blocks(text).splitlines())
        for name in re.findall(r"(?:^|\$ )make ([a-z-]+)", part)
    }
    assert {"demo", "test", "docs"} <= named
    assert named <= targets


def test_commands_of_ananke_exist(pages):
    """`ananke X` is a command, but where a page looks ahead."""
    commands = set(typer.main.get_group(command_line).commands)
    named = {
        (page, name)
        for page, text in pages.items()
        if page not in AHEAD
        for part in (*codes(text), *blocks(text).splitlines())
        for name in re.findall(r"(?:^|\s|/)ananke ([a-z]+)", part)
        if "git clone" not in part
    }
    assert {name for _, name in named} <= commands, named


def test_what_works_is_not_called_planned(pages):
    """A command of ananke that exists is not in the list of what is planned."""
    planned = pages["today.md"].partition("## It is planned")[2].partition("\n## ")[0]
    named = {
        name for code in codes(planned) for name in re.findall(r"^(?:ananke )?([a-z]+)$", code)
    }
    assert named & set(typer.main.get_group(command_line).commands) == set()


@pytest.mark.slow
def test_options_exist(pages):
    """An option in a page is one of ours; those of nbgrader are known by name."""
    group = typer.main.get_group(command_line)
    known = {"--help", "--inbound", "--remove"}
    for command in (group, *group.commands.values()):
        known |= {
            option
            for parameter in command.params
            for option in (*parameter.opts, *parameter.secondary_opts)
        }
    for program in (("ananke.demo.lms",), ("kore", "take-over")):
        known |= _options_of(*program)
    wrong = [
        f"{page}: {option}"
        for page, text in pages.items()
        if page not in AHEAD
        for part in (
            *codes(text),
            *re.findall(r"^.*(?:ananke|kore).*$", blocks(text), re.MULTILINE),
        )
        for option in re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", part)
        if option not in known
    ]
    assert wrong == []


@pytest.mark.slow
def test_every_option_of_the_take_over_is_documented(pages):
    """Each option of the command that takes courses over has a row."""
    rows = table(pages["reference/command-line.md"], "Option")
    assert _options_of("kore", "take-over") - {"--help"} <= set(rows)


def _options_of(*program: str) -> set[str]:
    told = subprocess.run(
        [sys.executable, "-m", *program, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "200"},
    )
    return set(re.findall(r"--[a-z-]+", told.stdout.partition("options:")[2]))


def test_modules_exist(pages):
    """`-m X` in a page is a module that can be run."""
    named = {
        name for text in pages.values() for name in re.findall(r"python -m ([a-z_.]+[a-z_])", text)
    }
    assert named
    assert [name for name in named if importlib.util.find_spec(name) is None] == []


def test_routes_exist(pages, kore_app, tmp_path):
    """A method and path in a page is a route of Kore or of the embedded LMS."""
    lms = create_app(
        LmsConfig(url="http://127.0.0.1:1", tool_url="http://127.0.0.1:2", state_dir=tmp_path)
    )
    known = {
        (method, re.sub(r"<[^>]+>", "X", rule.rule))
        for app in (kore_app, lms)
        for rule in app.url_map.iter_rules()
        for method in rule.methods
    }
    wrong = []
    for page, text in pages.items():
        for code in codes(text):
            if found := re.fullmatch(r"(GET|PUT|POST|PATCH|DELETE) (/[^\s?]*)(\?\S*)?", code):
                path = re.sub(r"{\w+}|<[^>]+>", "X", found[2])
                if (found[1], path) not in known:
                    wrong.append(f"{page}: {code}")
    assert wrong == []


def test_addresses_for_an_lms_are_those_of_the_hub_and_kore(pages, kore_app):
    """What an LMS administrator copies is where hub and Kore answer."""
    authenticator = KoreAuthenticator()
    hub = {f"HUB/hub/{path.lstrip('/')}" for path, _ in authenticator.get_handlers(None)}
    kore = {f"HUB/services/kore{rule.rule}" for rule in kore_app.url_map.iter_rules()}
    named = {
        address
        for page, text in pages.items()
        if page.startswith("lms-admins/")
        for code in codes(text)
        for address in re.findall(r"^HUB/\S+$", code)
    }
    assert {
        "HUB/hub/lti13/oauth_login",
        "HUB/hub/lti13/oauth_callback",
        "HUB/services/kore/jwks",
    } <= named
    assert named - {"HUB/hub"} <= hub | kore


def test_causes_of_refused_launches_exist(pages):
    """A cause that is explained to LMS administrators is one that the log can name."""
    text = pages["lms-admins/index.md"].partition("## If a launch is refused")[2]
    causes = {
        cause
        for row in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
        for cause in re.findall(r"`(\w+)`", row)
    }
    assert causes
    assert causes <= {reason.name.lower() for reason in Reason}


def test_pictures_are_there_and_small(pages, source):
    """Each picture is used, and none costs a reader with a slow line much."""
    pictures = {path.name for path in (source / "images").iterdir()}
    text = "\n".join(pages.values())
    assert {name for name in pictures if f"images/{name}" not in text} == set()
    heavy = [p.name for p in (source / "images").iterdir() if p.stat().st_size > MOST_BYTES]
    assert heavy == []


def test_marks_are_filled(pages, source, from_code):
    """Each part that can be made from the code stands in a page, and no mark is left over."""
    assert [page for page, text in pages.items() if from_code.MARK.search(text)] == []
    written = "\n".join(path.read_text("utf-8") for path in source.rglob("*.md"))
    assert set(from_code.MARK.findall(written)) == set(from_code.PARTS)


@pytest.mark.slow
def test_the_documentation_renders_without_a_warning(source, tmp_path):
    """Sphinx finds every link, label and picture."""
    rendered = subprocess.run(
        [
            *(sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q"),
            *("-b", "html", "-d", str(tmp_path / "trees"), str(source), str(tmp_path / "html")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert rendered.returncode == 0, rendered.stderr
    assert (tmp_path / "html" / "index.html").exists()
