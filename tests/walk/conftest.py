"""One demo for all that walk through it: each module has its own activities in the LMS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.browser import chromium
from tests.support.demo import Demo, running_demo

__all__ = ["chromium"]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Start the whole system, for all tests of this process."""
    with running_demo(tmp_path_factory.mktemp("demo") / "state") as running:
        yield running
