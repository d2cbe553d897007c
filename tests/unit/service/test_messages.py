"""Every message that Kore can say stands in every catalog, with the parameters that it gets."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

import kore.service
from kore.service import catalog
from kore.service.errors import InvalidField, KoreError
from kore.shared.messages import PLAIN

ROOT = Path(__file__).parents[3]
ID = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
KINDS = {"", "code", "size", "moment", "name", "names"}
# What a frozen list of old sentences alone makes of rows that versions before stored.
STORED = ROOT / "kore/service/db/migrations/sentences.json"
_HOLE = re.compile(r"\{(\w+)(?::(\w+))?\}")


@dataclass(frozen=True, slots=True)
class Use:
    """A message that is made in the code. ``params`` is None where they cannot be seen there."""

    place: str
    id: str
    params: frozenset[str] | None


def _subclasses(cls: type) -> Iterator[type]:
    for each in cls.__subclasses__():
        yield each
        yield from _subclasses(each)


@cache
def _makers() -> dict[str, frozenset[str]]:
    """Return what makes a message of an id and parameters, with keywords that are none of these."""
    for module in pkgutil.walk_packages(kore.service.__path__, "kore.service."):
        if ".migrations" not in module.name:
            importlib.import_module(module.name)
    makers = dict.fromkeys(("message", "make_message", InvalidField.__name__), frozenset[str]())
    for each in (KoreError, *_subclasses(KoreError)):
        parameters = inspect.signature(each).parameters.values()
        own = {p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}
        makers[each.__name__] = frozenset(own)
    return makers


def _texts(node: ast.expr) -> list[str]:
    """Return the strings that an expression can be, as far as they are written there."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.IfExp(body=body, orelse=other):
            return _texts(body) + _texts(other)
    return []


def _uses_in(path: Path) -> Iterator[Use]:
    own = path.relative_to(ROOT).as_posix()
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = ast.unparse(node.func).rpartition(".")[2]
        if name not in _makers():
            continue
        names = [keyword.arg for keyword in node.keywords]
        visible = None not in names and name != InvalidField.__name__
        params = frozenset(str(each) for each in names) - _makers()[name] if visible else None
        for text in _texts(node.args[0]):
            yield Use(f"{own}:{node.lineno}", text, params)


def _sources() -> list[Path]:
    found = [*(ROOT / "kore/service").rglob("*.py"), *(ROOT / "kore/shared").rglob("*.py")]
    return [path for path in found if "migrations" not in path.parts]


@cache
def _uses() -> list[Use]:
    return [use for path in _sources() for use in _uses_in(path)]


def _as_pattern(part: ast.expr) -> str:
    """Return what a part of an f-string can be."""
    match part:
        case ast.Constant(value=str(text)):
            return re.escape(text)
    return r"[a-z0-9_]+"


@cache
def _named() -> frozenset[str]:
    """Return every catalog id in sources and templates, and those that f-strings make."""
    ids = set(_ids("en"))
    pages = "".join(path.read_text() for path in (ROOT / "kore/service/templates").glob("*.html"))
    found = set(re.findall(r'text\("([a-z_.]+)"\)', pages))
    for path in _sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and node.value in ids:
                found.add(str(node.value))
            elif isinstance(node, ast.JoinedStr):
                pattern = re.compile("".join(_as_pattern(part) for part in node.values))
                if re.match(r"[a-z_]+\\?\.", pattern.pattern):
                    found |= {each for each in ids if pattern.fullmatch(each)}
    return frozenset(found)


@cache
def _ids(language: str) -> list[str]:
    found = catalog.read_catalog(language)
    return [each.id if isinstance(each.id, str) else str(each.id[0]) for each in found if each.id]


@cache
def _forms(language: str, message_id: str) -> tuple[str, ...]:
    """Return the texts of a message, one for each plural form."""
    found = catalog.read_catalog(language).get(message_id)
    if found is None or not found.string:
        return ()
    return (found.string,) if isinstance(found.string, str) else tuple(found.string)


def _holes(language: str, message_id: str) -> set[str]:
    both = (message_id, message_id + catalog.HINT)
    return {
        hole[0] for each in both for form in _forms(language, each) for hole in _HOLE.findall(form)
    }


def test_what_makes_messages_is_found():
    """Else the tests below would pass for none."""
    assert len(_uses()) > 150
    assert {"course_unknown", "audit.settings", "job_crashed"} <= {use.id for use in _uses()}


def test_every_message_is_an_id_of_the_catalog():
    """Never a sentence: an id, which English has."""
    known = set(_ids("en"))
    assert [use for use in _uses() if not ID.fullmatch(use.id) or use.id not in known] == []


def test_every_message_gets_the_parameters_of_its_text():
    """Those that text and hint name, no more and no fewer; ``n`` may only choose the plural."""
    wrong = []
    for use in _uses():
        if use.params is None:
            continue
        holes = _holes("en", use.id)
        plural = len(_forms("en", use.id)) > 1 or len(_forms("en", use.id + catalog.HINT)) > 1
        if holes != use.params and not (plural and holes | {"n"} == use.params):
            wrong.append(f"{use.place}: {use.id} gets {sorted(use.params)}, says {sorted(holes)}")
    assert wrong == []


def test_no_message_is_one_that_nobody_says():
    """What Kore no longer says goes from the catalogs, too; old rows still say theirs."""
    old = set(re.findall(r'"([a-z0-9_.]+)"\]', STORED.read_text()))
    said = _named() | old
    ids = [each for each in _ids("en") if not each.endswith(catalog.HINT)]
    assert sorted(set(ids) - said) == []
    hints = [each for each in _ids("en") if each.endswith(catalog.HINT)]
    assert [each for each in hints if each.removesuffix(catalog.HINT) not in ids] == []


def test_rows_of_before_become_messages_of_the_catalog():
    """With the parameters that their texts name."""
    from kore.service.db.migrations import sentences

    wrong = []
    for _, kinds, message_id in sentences._patterns():
        holes = _holes("en", message_id)
        if not _forms("en", message_id) or not holes <= set(kinds) | {"n"}:
            wrong.append((message_id, sorted(kinds), sorted(holes)))
    assert wrong == []


@pytest.mark.parametrize("language", catalog.languages())
def test_a_language_says_every_message(language: str):
    """Completely, in all its plural forms, with no parameter that English does not have."""
    assert sorted(_ids(language)) == sorted(set(_ids("en")))
    numbers = catalog.read_catalog(language).num_plurals
    for message_id in _ids(language):
        forms = _forms(language, message_id)
        assert forms, message_id
        assert all(forms), message_id
        assert len(forms) == (numbers if len(_forms("en", message_id)) > 1 else 1), message_id
        holes = {hole for form in forms for hole in _HOLE.findall(form)}
        assert {kind for _, kind in holes} <= KINDS, message_id
        assert {name for name, _ in holes} <= _holes("en", message_id), message_id


@pytest.mark.parametrize("language", catalog.languages())
def test_entries_stand_apart(language: str):
    """An empty line separates them, by which the panel's build tells one from the next."""
    lines = (catalog.LOCALE / f"{language}.po").read_text().splitlines()
    heads = ("msgid ", "# ")
    assert [
        line
        for before, line in pairwise(lines)
        if line.startswith(heads) and before and not before.startswith("#")
    ] == []


def test_the_text_of_others_is_no_message_of_the_catalog():
    """``plain`` shows it as it is, so that no catalog may speak for it."""
    assert PLAIN not in _ids("en")
