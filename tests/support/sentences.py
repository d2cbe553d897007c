"""Finds, in Kore's Python, the sentences that people read in the panel.

What reaches people cannot be followed through a program: errors become jobs' messages, and
parts of sentences travel as arguments. So it is turned around: every text in Kore that reads
like words, a word and something more with a space between, is taken for a sentence, and so is
any text where a message is given. What is none stands in the lists below, with the reason.

``python -m tests.support.sentences`` lists what a catalog lacks, as entries to fill in.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
CATALOGS = sorted((ROOT / "kore" / "ui" / "locale").glob("kore.*.po"))

NOT_IN_THE_PANEL = {
    "service/db": "SQL, and what the database's own library is told",
    "singleuser/exchange": "nbgrader's commands and list of assignments, which speak English",
    "singleuser/formgrader": "formgrader's pages, which speak English",
    "executor/accounts.py": "a service's log",
    "executor/sandbox.py": "a service's log",
    "host": "the machine's administrator reads it in Kore's log",
    "ui": "TypeScript: scripts/catalogs.mjs sees to it",
    "hub/authenticator.py": "the hub's log and its own pages, before there is a panel",
    "hub/config.py": "the hub's own settings",
    "hub/login_finish.py": "the hub's own pages, before there is a panel",
    "hub/handlers.py": "the hub's own pages, before there is a panel",
    "hub/keysets.py": "the hub's own pages, before there is a panel",
    "hub/launch_notifier.py": "the hub's log",
    "hub/local_server.py": "the hub's log",
    "hub/pages.py": "the hub's own pages, before there is a panel",
    "hub/platforms.py": "the hub's own pages, before there is a panel",
    "hub/reasons.py": "the hub's own pages, before there is a panel",
    "hub/refusals.py": "the hub's own pages, before there is a panel",
    "singleuser/config": "settings of servers",
    "hub/systemd_server.py": "the hub's log",
    "hub/tokens.py": "the hub's own pages, before there is a panel",
    "singleuser/autograding/extension.py": "answers to Kore, which tells of them in its own words",
    "executor/server.py": "a service's log",
    "singleuser/autograding/outputs.py": "nbgrader's log of a notebook, shown as it is",
    "singleuser/autograding/preprocessor.py": "nbgrader's log of a notebook, shown as it is",
    "executor/runner.py": "nbgrader's log of a notebook, shown as it is",
    "executor/protocol.py": "nbgrader's log of a notebook, shown as it is",
    "service/exchange/command.py": "a command of the container's administrator",
    "service/exchange/folders.py": "a command of the container's administrator",
    "service/exchange/takeover.py": "a command of the container's administrator",
    "shared/lti/claims.py": "answers to the hub's login, which tells of them in its own words",
    "service/lti/keys.py": "the container's administrator reads it in Kore's log",
    "service/serve.py": "the container's administrator reads it in Kore's log",
    "service/settings.py": "the container's administrator reads it in Kore's log",
}
"""Modules and folders below ``kore`` whose words never come to the panel, and where they go."""

NOT_FOR_PEOPLE = re.compile(
    r"(.*\.)?(compile|cast|Field|execute|HTTPError|OpenAPI|ServerLostError|dumps)"
    r"|(log|logger|logging)\.\w+|.*\.log\.\w+"
)
"""What is called with texts that are no sentences: patterns, documentation, logs."""

NO_WORDS = re.compile(
    r"default-src .*|public, max-age=.*|token \0|Bearer \0"  # headers
    r"|\0 \0|c\.\0 = \0"
    r"|.*YOUR CODE HERE.*|(BEGIN|END) SOLUTION|c = get_config\(\).*|# .*"  # nbgrader's settings
    r"|%Y-.*"  # a date in a file
    r"|rate limit",  # looked for in an LMS's answer
    re.DOTALL,
)
"""Texts that are none, as a whole; NUL is a hole."""

ADDED_BY_OTHERS = {
    "{size}": "how large a backup is",
    "{where}: Value error, {words}.": "pydantic says whose value it is",
    "{where}: String should have at least {n} character.": "pydantic",
    "{where}: String should have at least {n} characters.": "pydantic",
    "{where}: String should have at most {n} character.": "pydantic",
    "{where}: String should have at most {n} characters.": "pydantic",
    "{where}: Field required.": "pydantic",
    "The data value transmitted exceeds the capacity limit.": "werkzeug",
    "{words}: {words2}": "what was refused, and why: two sentences of Kore's",
    "{name}: {words}": "what a sentence of Kore's is about",
    "{name} {words}.": "a name, and what is wrong with it",
}
"""Sentences that are composed of what no source has in whole."""

_KINDS = {
    **dict.fromkeys(("n", "given", "maximum", "bytes"), "number"),
    **dict.fromkeys(("status", "line"), "code"),
    **{name: name for name in ("size", "moment", "words", "name")},
}
_HOLE = re.compile(r"\{(\w*)\}")
_WORDS = re.compile(r"[A-Za-z\0]\W*? [^\w\0]*[A-Za-z\0]")
_LETTERS = re.compile(r"[A-Za-z]{2}")
# Where any text is a sentence, one word included: the places of arguments by what is called.
_MESSAGES = {"KoreError": (2, 3), "progress": (2,), "item": (1, 3)}
_CALLED = {"in_words": "size", "shown": "name", "len": "number", "sum": "number"}
_NAMED = {"why": "words", "words": "words"}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text with NUL in its holes. ``kinds`` are those of the holes, "" where not known."""

    file: str
    line: int
    text: str
    kinds: tuple[str, ...] = field(compare=False)

    @property
    def place(self) -> str:
        """Return where it stands."""
        return f"{self.file}:{self.line}"


def kind_of(hole: str) -> str:
    """Return what may stand in a msgid's hole: see ``kore/ui/src/sentences.ts``."""
    return _KINDS.get(hole.rstrip("0123456789"), "text")


def with_holes(msgid: str) -> tuple[str, tuple[str, ...]]:
    """Return a msgid with NUL in its holes, and the kinds of these."""
    return _HOLE.sub("\0", msgid), tuple(kind_of(name) for name in _HOLE.findall(msgid))


def msgids(catalog: Path) -> list[str]:
    """Return what a catalog translates, singular and plural, where it does."""
    with catalog.open("rb") as file:
        messages = [message for message in read_po(file) if message.id]
    return [
        msgid  # type: ignore
        for message in messages
        if all(message.string if message.pluralizable else [message.string])  # type: ignore
        for msgid in (message.id if message.pluralizable else [message.id])
    ]


def uncovered(catalog: Path) -> list[Sentence]:
    """Return the sentences that a catalog lacks, or has with a hole of another kind."""
    known: dict[str, list[tuple[str, ...]]] = {}
    for msgid in msgids(catalog):
        text, kinds = with_holes(msgid)
        known.setdefault(text, []).append(kinds)
    return [
        sentence
        for sentence in said()
        if not any(_fit(sentence.kinds, kinds) for kinds in known.get(sentence.text, []))
    ]


def _fit(here: tuple[str, ...], there: tuple[str, ...]) -> bool:
    return all(kind in {"", other} for kind, other in zip(here, there, strict=True))


def unsaid(catalog: Path) -> list[str]:
    """Return what a catalog translates and nobody says."""
    spoken = {sentence.text for sentence in said()}
    return [
        msgid
        for msgid in msgids(catalog)
        if with_holes(msgid)[0] not in spoken and msgid not in ADDED_BY_OTHERS
    ]


def said() -> Iterator[Sentence]:
    """Yield every sentence of Kore's that can come to the panel."""
    kore = ROOT / "kore"
    for path in sorted(kore.rglob("*.py")):
        own = path.relative_to(kore).as_posix()
        if not any(own == name or own.startswith(f"{name}/") for name in NOT_IN_THE_PANEL):
            yield from in_source(path.read_text(), f"kore/{own}")


def in_source(source: str, file: str) -> Iterator[Sentence]:
    """Yield the sentences in a module's text."""
    finder = _Finder(file)
    finder.visit(ast.parse(source))
    yield from finder.found


class _Finder(ast.NodeVisitor):
    def __init__(self, file: str) -> None:
        self.file, self.found = file, list[Sentence]()
        self._checked_by_pydantic = file.endswith("schemas.py")

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        called = ast.unparse(node.func)
        if NOT_FOR_PEOPLE.fullmatch(called):
            return
        if called == "ValueError" and not self._checked_by_pydantic:
            return
        self.visit(node.func)
        messages = _MESSAGES.get(called.rpartition(".")[2], ())
        for place, argument in enumerate(node.args):
            self._look(argument, any_text=place in messages)
        for keyword in node.keywords:
            self._look(keyword.value, any_text=keyword.arg == "words")

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.expr):
            self._look(node, any_text=False)
        else:
            super().visit(node)

    def _look(self, node: ast.expr, *, any_text: bool) -> None:
        texts = _texts(node)
        if texts is None:
            super().visit(node)
            return
        for hole in _holes(node):
            super().visit(hole)
        for text, kinds in texts:
            if NO_WORDS.fullmatch(text) or not _LETTERS.search(text):
                continue
            if any_text or _WORDS.search(text):
                self.found.append(Sentence(self.file, node.lineno, text, kinds))


Text = tuple[str, tuple[str, ...]]


def _texts(node: ast.expr) -> list[Text] | None:
    """Return all texts that an expression can be; None where it is no text."""
    if isinstance(node, ast.Constant):
        return [with_holes(node.value)] if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return _joined([_texts(part) or [_hole(part)] for part in node.values])
    if isinstance(node, ast.FormattedValue):
        return _texts(node.value)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        both = [node.left, node.right]
    elif isinstance(node, ast.IfExp):
        both = [node.body, node.orelse]
    else:
        return None
    texts = [_texts(side) for side in both]
    if texts == [None, None]:
        return None
    sides = [found or [_hole(side)] for found, side in zip(texts, both, strict=True)]
    return _joined(sides) if isinstance(node, ast.BinOp) else [*sides[0], *sides[1]]


def _holes(node: ast.expr) -> Iterator[ast.expr]:
    """Yield the expressions whose values stand in a text's holes."""
    if isinstance(node, ast.JoinedStr):
        inner = node.values
    elif isinstance(node, ast.FormattedValue):
        inner = [node.value]
    elif isinstance(node, ast.BinOp):
        inner = [node.left, node.right]
    elif isinstance(node, ast.IfExp):
        inner = [node.body, node.orelse]
    else:
        inner = []
        if not isinstance(node, ast.Constant):
            yield node
    for part in inner:
        yield from _holes(part)


def _joined(parts: list[list[Text]]) -> list[Text]:
    return [
        ("".join(text for text, _ in chosen), tuple(kind for _, kinds in chosen for kind in kinds))
        for chosen in product(*parts)
    ]


def _hole(node: ast.expr) -> Text:
    kind, value = "", node
    if isinstance(node, ast.FormattedValue):
        value = node.value
        spec = ast.unparse(node.format_spec) if node.format_spec else ""
        kind = "moment" if "%Y" in spec else "number" if re.search(r"[gf]'?$", spec) else ""
    if isinstance(value, ast.Call):
        kind = _CALLED.get(ast.unparse(value.func), kind)
    elif isinstance(value, ast.Name):
        kind = _NAMED.get(value.id, kind)
    elif isinstance(value, ast.Attribute) and value.attr == "message":
        kind = "words"
    return "\0", (kind,)


def main() -> int:
    """Print what the catalogs lack. Return 1 where that is something."""
    lacking = [(catalog, sentence) for catalog in CATALOGS for sentence in uncovered(catalog)]
    for catalog, sentence in lacking:
        text = sentence.text
        for number, kind in enumerate(sentence.kinds, start=1):
            text = text.replace(
                "\0", f"{{{'n' if kind == 'number' else kind or 'name'}{number}}}", 1
            )
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        print(f'# {catalog.name}: {sentence.place}\nmsgid "{escaped}"\nmsgstr ""\n')  # noqa: T201
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
