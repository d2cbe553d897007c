"""Kore served over HTTP, and people who use nbgrader; no hub and no kernel."""

from __future__ import annotations

import pytest

from tests.support.kore import make_kore
from tests.support.nbgrader_exchange import over_folders, over_kore


@pytest.fixture
def school(tmp_path):
    """Two courses over Kore."""
    with make_kore(tmp_path) as kore, kore.serving() as url:
        yield over_kore(kore, url, tmp_path / "desks")


@pytest.fixture(params=["kore", "folders"])
def world(request, tmp_path):
    """Two courses over Kore, then two over nbgrader's own exchange, which behave the same."""
    if request.param == "folders":
        yield over_folders(tmp_path)
    else:
        yield request.getfixturevalue("school")
