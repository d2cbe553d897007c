"""Finds the files of its assignment that a notebook refers to: images, data, modules.

Links in Markdown and HTML, and strings in code, are taken for paths where a file or a folder
of that name exists. So the programming language does not matter, and a word that is not a path
costs at most a file too many. A folder counts with everything in it, a pattern
(``data/*.csv``, ``f"data/{n}.csv"``) with everything that it matches.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import quote, unquote

from kore.service.coursedir.notebooks import read_source

_MAX_TOKENS, _MAX_PATTERNS = 20_000, 500
_LINKS = (
    re.compile(r"\]\(\s*<?([^)\s<>]{1,500})"),
    re.compile(r"\]\(\s*<([^>\n]{1,500})>"),
    re.compile(r"^\s{0,3}\[[^\]\n]{1,200}\]:\s*<?([^\s<>]{1,500})", re.MULTILINE),
    re.compile(r"(?:src|href|data|poster)\s*=\s*[\"']?([^\"'>\s]{1,500})", re.IGNORECASE),
    re.compile(r"(?:src|href|data|poster)\s*=\s*[\"']([^\"'>\n]{1,500})", re.IGNORECASE),
)
_STRINGS = (
    re.compile(r"\"([^\"\n]{1,500})\""),
    re.compile(r"'([^'\n]{1,500})'"),
    re.compile(r"`([^`\n]{1,500})`"),
)
_MAGICS = re.compile(r"^[ \t]*[%!](.{1,1000})$", re.MULTILINE)
_IMPORTS = re.compile(
    r"^[ \t]*(?:import|from)[ \t]+([\w.]{1,200}(?:[ \t]*,[ \t]*[\w.]{1,200}){0,20})", re.MULTILINE
)
_FIELD = re.compile(r"\{[^{}]{0,200}\}")
_MODULE = ".py"

Read = Callable[[str], str]


def find_references(notebook: dict[str, Any], files: Iterable[str], read: Read) -> list[str]:
    """Return those of an assignment's files that a notebook needs, sorted.

    ``files`` are paths within the assignment; ``read`` returns the text of one of them, and
    is called for Python modules, which may refer to more.
    """
    there = _Files(files)
    found: set[str] = set()
    waiting = list(_find_tokens(notebook))
    while waiting:
        fresh: set[str] = set()
        for token in waiting:
            fresh |= there.find(token)
        fresh -= found
        found |= fresh
        waiting = [
            token
            for path in sorted(fresh)
            if path.endswith(_MODULE)
            for token in _find_in_code(read(path))
        ]
    return sorted(found)


def rename_reference(notebook: dict[str, Any], old: str, new: str) -> None:
    """Make a notebook refer to a file by another name in the same folder, where possible.

    Whether that worked everywhere, ``find_references`` shows: patterns, folders and modules
    still name the old one.
    """
    before, after = old.rpartition("/")[2], new.rpartition("/")[2]
    for cell in notebook["cells"]:
        text = read_source(cell)
        spans: set[tuple[int, int]] = set()
        for pattern in (*_LINKS, *_STRINGS):
            for match in pattern.finditer(text):
                if old in {_resolve(match[1]), _resolve(_read_address(match[1]))}:
                    spans.add(match.span(1))
        for start, end in sorted(spans, reverse=True):
            token = text[start:end]
            for written, instead in ((before, after), (quote(before), quote(after))):
                head, found, tail = token.rpartition(written)
                if found:
                    text = text[:start] + head + instead + tail + text[end:]
                    break
        if spans:
            cell["source"] = text


def _read_address(token: str) -> str:
    """Return the path in an address: it may be written with %20, and go on after # or ?."""
    return unquote(re.split(r"[?#]", token, maxsplit=1)[0])


def _find_tokens(notebook: dict[str, Any]) -> Iterator[str]:
    seen: set[str] = set()
    for cell in notebook["cells"]:
        tokens = _find_in_code if cell.get("cell_type") == "code" else _find_in_text
        for token in tokens(read_source(cell)):
            if len(seen) >= _MAX_TOKENS:
                return
            if token not in seen:
                seen.add(token)
                yield token


def _find_in_text(text: str) -> Iterator[str]:
    for pattern in _LINKS:
        for match in pattern.finditer(text):
            yield match[1]
            yield _read_address(match[1])


def _find_in_code(text: str) -> Iterator[str]:
    for pattern in _STRINGS:
        for match in pattern.finditer(text):
            yield match[1]
            # Code writes HTML and Markdown too.
            yield from _find_in_text(match[1])
    for match in _MAGICS.finditer(text):
        yield from (part.strip("\"'<>|;()") for part in match[1].split())
    for match in _IMPORTS.finditer(text):
        for name in match[1].split(","):
            parts = name.strip().split(".")
            yield parts[0] + _MODULE
            yield parts[0]
            yield "/".join(parts) + _MODULE


class _Files:
    """The files of an assignment, by what can refer to them."""

    def __init__(self, files: Iterable[str]) -> None:
        self._below: dict[str, set[str]] = {}
        self._patterns: dict[str, set[str]] = {}
        self._files = set(files)
        for path in self._files:
            parts = path.split("/")
            for end in range(1, len(parts)):
                self._below.setdefault("/".join(parts[:end]), set()).add(path)

    def find(self, token: str) -> set[str]:
        """Return what a token refers to: a file, what is in a folder, what matches a pattern."""
        path = _resolve(_FIELD.sub("*", token))
        if not any(c in path for c in "*?["):
            return {path} if path in self._files else self._below.get(path, set())
        if not path.strip("*?./"):
            return set()
        if path not in self._patterns and len(self._patterns) < _MAX_PATTERNS:
            fits = re.compile(fnmatch.translate(path)).match
            self._patterns[path] = {name for name in self._files if fits(name)}
        return self._patterns.get(path, set())


def _resolve(token: str) -> str:
    """Return a token as a path in the folder; "" where it cannot be one."""
    if "://" in token or token.startswith(("/", "\\", "~", "data:", "attachment:")):
        return ""
    parts: list[str] = []
    for part in token.replace("\\", "/").split("/"):
        if part == "..":
            if not parts:
                return ""
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)
