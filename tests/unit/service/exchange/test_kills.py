"""A kill at any moment, and what the next start makes of what it finds."""

from __future__ import annotations

import hashlib
import os
import random
import select
import signal
import subprocess
import sys
import time

import pytest

from kore.service import exchange
from kore.service.exchange import handouts, index, submissions
from kore.service.exchange.store import Store
from tests.support.archives import tar_of
from tests.support.handin import Exchange, pieces
from tests.support.kore import make_kore

pytestmark = pytest.mark.slow


@pytest.fixture
def here(tmp_path):
    """A course whose state lies in the test's folder."""
    with make_kore(tmp_path) as kore:
        yield Exchange(kore)


def _lines_until_killed(arguments: list[str], seconds: float) -> list[str]:
    """Run until the first line and some time more; kill; return what it had said."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.handing_in", *arguments],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], 60)[0], "nothing was handed in"
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    output, _ = process.communicate()
    return output.splitlines()


def test_a_kill_leaves_whole_submissions_only(here: Exchange, tmp_path):
    """After kills at random moments: what was acknowledged is there, and all there is whole."""
    acknowledged: dict[str, str] = {}
    for _ in range(5):
        lines = _lines_until_killed(
            [str(tmp_path), here.course, "u2"],
            random.uniform(0, 0.4),
        )
        acknowledged.update(dict(line.split() for line in lines))
        exchange.sweep(here.services)
        folder = here.services.settings.exchange
        assert [path.name for path in (folder / "incoming").iterdir()] == ["lock"]
        named = set(index.blobs(here.services))
        assert {path.stem for path in (folder / "courses").rglob("*.tar")} == named
    there = {one.id: one for one in here.listed()}
    assert {one: there[one].sha256 for one in acknowledged} == acknowledged
    for one in there.values():
        handle, row = submissions.fetch(here.services, here.course, one.id, "u2")
        with handle:
            assert hashlib.sha256(handle.read()).hexdigest() == row.sha256
        if one.feedback:
            handle, feedback = submissions.fetch_feedback(here.services, here.course, one.id, "u2")
            with handle:
                assert hashlib.sha256(handle.read()).hexdigest() == feedback.sha256
    handle, handout = handouts.fetch(here.services, here.course, "ps1")
    with handle:
        assert hashlib.sha256(handle.read()).hexdigest() == handout.sha256


def test_the_sweep_takes_nothing_from_a_writer(here: Exchange):
    """While work is on its way, in whichever process, nothing is swept; afterwards it is."""
    store = index.store(here.services)
    lost = here.services.settings.exchange / "incoming" / f"{'0' * 32}.tar"
    lost.write_bytes(b"half")

    def slow():
        yield from pieces(tar_of({"a": b"1"}))
        assert exchange.sweep(here.services) == 0

    with store.receiving(here.course, slow()) as archive:
        assert lost.exists()
        assert exchange.sweep(here.services) == 0
    assert exchange.sweep(here.services) == 2
    assert not lost.exists()
    assert archive.blob not in {path.stem for path in (store._courses).rglob("*.tar")}


def test_the_wrong_database_costs_nothing(here: Exchange, tmp_path):
    """Archives that a foreign index does not name come back as soon as the right one does."""
    one = here.submit()
    store = index.store(here.services)
    assert store.sweep([]) == 2
    assert store.sweep([]) == 0
    exchange.sweep(here.services)
    handle, _ = submissions.fetch(here.services, here.course, one.id, "u2")
    handle.close()


def test_what_no_row_names_goes_after_some_days(here: Exchange):
    """Whole archives without a row are removed in the end."""
    store: Store = index.store(here.services)
    store.sweep([])
    kept = list((here.services.settings.exchange / "unnamed").rglob("*.tar"))
    assert len(kept) == 1
    long_ago = time.time() - 15 * 24 * 3600
    os.utime(kept[0], (long_ago, long_ago))
    store.sweep([])
    assert here.files() == []


def test_nobody_else_can_look_in(here: Exchange):
    """Folders are for their owner alone, also where somebody had opened them."""
    folder = here.services.settings.exchange
    folder.chmod(0o777)
    here.submit()
    for path in [folder, *folder.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path
