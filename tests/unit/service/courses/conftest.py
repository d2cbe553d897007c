from __future__ import annotations

from types import SimpleNamespace

import pytest

from kore.host import LocalHost
from tests.support.databases import database_url, db, postgres_url
from tests.support.fake_hub import FakeHub

__all__ = ["database_url", "db", "postgres_url"]


@pytest.fixture
def services(db, tmp_path):
    """Kore's services with a hub in memory and folders of the test's own."""
    return SimpleNamespace(
        db=db,
        hub=FakeHub(),
        host=LocalHost(homes=tmp_path / "homes", exchange=tmp_path / "exchange"),
        settings=SimpleNamespace(base_url="/"),
    )
