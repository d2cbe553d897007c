"""What the code offers is documented: settings, routes, options, exit codes, words."""

from __future__ import annotations

import re

import typer.main

from ananke.cli import app as command_line
from ananke.errors import Exit
from kore.hub.authenticator import KoreAuthenticator
from kore.service.settings import Settings
from tests.support.doc_tables import table

NEEDED = {
    "KORE_STATE_DIR": "/state",
    "KORE_HOMES": "/homes",
    "KORE_EXCHANGE": "/exchange",
    "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:1",
    "JUPYTERHUB_SERVICE_PREFIX": "/services/kore/",
    "JUPYTERHUB_API_URL": "http://127.0.0.1:1/hub/api",
    "JUPYTERHUB_API_TOKEN": "token",
}


class Environment(dict):
    """An environment that remembers what was looked up, with the defaults that were given."""

    def __init__(self):
        super().__init__(NEEDED)
        self.asked = {}

    def get(self, name, default=None):
        self.asked[name] = default
        return super().get(name, default)


def settings_asked() -> dict[str, str | None]:
    environment = Environment()
    Settings.from_environment(environment)
    return environment.asked


def test_every_variable_of_kore_is_in_the_settings_page(pages):
    """A variable that Kore reads has a row, and a row stands for a variable that Kore reads."""
    assert set(table(pages["reference/settings.md"], "Variable")) == set(settings_asked())


def test_documented_numbers_are_the_defaults(pages):
    """A default that is a plain number says what the code says."""
    rows = table(pages["reference/settings.md"], "Variable")
    defaults = {
        name: default
        for name, default in settings_asked().items()
        if default and default.isdecimal() and name.startswith("KORE_")
    }
    assert defaults
    assert {name: rows[name] for name in defaults} == defaults


def test_documented_limits_are_the_defaults(pages):
    """Limits on what is handed in are documented as they are in force."""
    limits = Settings.from_environment(NEEDED).limits
    units = {"MB": 10**6, "GB": 10**9}
    rows = table(pages["reference/settings.md"], "Variable")
    for name, value in {n: getattr(limits, n) for n in limits.__dataclass_fields__}.items():
        number, _, unit = rows[f"KORE_LIMIT_{name.upper()}"].partition(" ")
        assert int(number) * units.get(unit, 1) == value, name


def test_every_key_of_the_authenticator_is_in_the_settings_page(pages):
    """What a 30_lms.py can set is documented."""
    keys = set(KoreAuthenticator.class_own_traits(config=True))
    keys |= {"client_id", "issuer", "authorize_url", "jwks_endpoint"}
    text = pages["reference/settings.md"]
    assert sorted(key for key in keys if f"`{key}`" not in text) == []


def test_every_route_is_in_the_reference(pages, kore_app):
    """Each route of Kore has a heading or, if it is a page for people, a row."""
    text = pages["reference/rest-api.md"]
    missing = []
    for rule in kore_app.url_map.iter_rules():
        if rule.endpoint == "static":
            continue
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        headings = [f"### {method} {path}\n" for method in rule.methods - {"HEAD", "OPTIONS"}]
        if not all(heading in text for heading in headings) and f"| `{rule.rule}` |" not in text:
            missing.append(rule.rule)
    assert missing == []


def test_every_model_is_in_the_reference(pages, kore_app):
    """Each model that the API takes or answers has a heading."""
    names = kore_app.api_doc["components"]["schemas"]
    text = pages["reference/rest-api.md"]
    assert [name for name in names if f"### {name}\n" not in text] == []


def test_every_command_and_option_is_in_the_reference(pages):
    """Each command of ananke has a heading, each option a row."""
    text = pages["reference/command-line.md"]
    group = typer.main.get_group(command_line)
    for name, command in {"": group, **group.commands}.items():
        heading = f"## ananke {name}".strip()
        assert heading in text
        section = text.partition(f"{heading}\n")[2].partition("\n## ")[0]
        for parameter in command.params:
            for option in parameter.opts:
                assert f"`{option}`" in section, f"{heading}: {option}"


def test_every_exit_code_is_in_the_reference(pages):
    """The table of exit codes has each code once, and no other."""
    rows = table(pages["reference/command-line.md"], "Code")
    assert {int(code) for code in rows} == {int(code) for code in Exit}


def test_every_json_document_is_in_the_reference(pages):
    """The fields of each command with ``--json`` are listed, but for those of the demo."""
    text = pages["reference/command-line.md"].partition("## JSON")[2]
    commands = typer.main.get_group(command_line).commands
    with_json = {name for name, c in commands.items() if any("--json" in p.opts for p in c.params)}
    listed = set(re.findall(r"`ananke ([a-z]+)`", text))
    assert with_json - {"demo"} <= listed


def test_words_of_the_panel_are_explained(pages, root):
    """What a report or an assignment can be called in the panel is explained to teachers."""
    codes = (root / "kore/ui/src/codes.ts").read_text()

    def words(name):
        [body] = re.findall(rf"const {name}: .*?= {{(.*?)}};", codes, re.DOTALL)
        return dict(re.findall(r'(\w+): \[\(\) => t\("([^"]+)"\)', body))

    results = table(pages["instructors/grades.md"], "Result")
    outcomes = words("OUTCOMES") | words("SENDING")
    sending = ("sent", "unchanged", "held_back", "refused", "failed")
    assert {outcomes[outcome] for outcome in sending} == set(results)
    states = table(pages["instructors/assignments.md"], "State")
    assert set(words("ASSIGNMENTS").values()) == set(states)
