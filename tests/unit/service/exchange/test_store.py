"""The store of archives: what is swept, what is kept, and for whom."""

from __future__ import annotations

import os
import time

import pytest

from kore.service.exchange import index, submissions
from kore.service.exchange.store import Store
from tests.support.archives import tar_of
from tests.support.course import ExchangeCourse, pieces
from tests.support.kore import make_kore


@pytest.fixture
def here(tmp_path):
    """A course whose state lies in the test's folder."""
    with make_kore(tmp_path) as kore:
        yield ExchangeCourse(kore)


def test_nothing_is_swept_while_someone_writes(here: ExchangeCourse):
    """During a write in any process nothing is swept; afterwards it is."""
    store = index.open_store(here.services)
    lost = here.services.settings.exchange / "incoming" / f"{'0' * 32}.tar"
    lost.write_bytes(b"half")

    def slow():
        yield from pieces(tar_of({"a": b"1"}))
        assert index.sweep(here.services) == 0

    with store.receiving(here.course, slow()) as archive:
        assert lost.exists()
        assert index.sweep(here.services) == 0
    assert index.sweep(here.services) == 2
    assert not lost.exists()
    assert archive.blob not in {path.stem for path in (store._courses).rglob("*.tar")}


def test_a_start_with_the_wrong_database_loses_nothing(here: ExchangeCourse, tmp_path):
    """Archives that a foreign index does not name come back as soon as the right one does."""
    one = here.submit()
    store = index.open_store(here.services)
    assert store.sweep([]) == 2
    assert store.sweep([]) == 0
    index.sweep(here.services)
    handle, _ = submissions.open_submission(here.services, here.course, one.id, "u2")
    handle.close()


def test_archives_without_a_row_are_removed_after_days(here: ExchangeCourse):
    """Whole archives without a row are removed in the end."""
    store: Store = index.open_store(here.services)
    store.sweep([])
    kept = list((here.services.settings.exchange / "unnamed").rglob("*.tar"))
    assert len(kept) == 1
    long_ago = time.time() - 15 * 24 * 3600
    os.utime(kept[0], (long_ago, long_ago))
    store.sweep([])
    assert here.files() == []


def test_only_kores_account_can_read_the_store(here: ExchangeCourse):
    """Folders are for their owner alone, also where someone had opened them."""
    folder = here.services.settings.exchange
    folder.chmod(0o777)
    here.submit()
    for path in [folder, *folder.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path
