"""The documentation's pages, and the module that fills them from the code."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "doc" / "src"


@cache
def _from_code():
    spec = importlib.util.spec_from_file_location("from_code", SOURCE / "_ext" / "from_code.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def _pages() -> dict[str, str]:
    written = {
        str(path.relative_to(SOURCE)): path.read_text("utf-8") for path in SOURCE.rglob("*.md")
    }
    filled = {name: _from_code().fill(text) for name, text in written.items()}
    first = {path.name: path.read_text("utf-8") for path in ROOT.glob("*.md")}
    return filled | first


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's first folder."""
    return ROOT


@pytest.fixture(scope="session")
def source() -> Path:
    """The folder of the pages."""
    return SOURCE


@pytest.fixture(scope="session")
def from_code():
    """The module that fills pages from the code."""
    return _from_code()


@pytest.fixture(scope="session")
def pages() -> dict[str, str]:
    """Every page as it is rendered, by its path below ``doc/src``; README and its like too."""
    return _pages()


@pytest.fixture(scope="session")
def kore_app(from_code):
    """Kore's application, for its routes."""
    with from_code.kore_app() as app:
        yield app
