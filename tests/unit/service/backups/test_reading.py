"""Backups as a source: listed, read file by file, by those who may."""

from __future__ import annotations

import pytest

from kore.service.backups.reading import OpenBackup, find_source, list_sources, may_read
from kore.service.errors import KoreError
from tests.support.course import FILES, FullCourse


def test_assignments_are_read_from_a_backup(here: FullCourse):
    """Listed from the database alone; each file is read by itself, and a damaged one refused."""
    backup = here.back_up()
    here.back_up("sources")
    found = list_sources(here.services, [here.course])
    assert len(found) == 2
    one = find_source(here.services, backup.id)
    assert {file.assignment for file in one.files} == {"ps1", "ps2", ""}
    assert {f"source/{file.path}" for file in one.files} == {
        path for path in FILES if path.startswith("source/")
    }
    with OpenBackup(here.services, backup.id) as opened:
        for file in one.files:
            assert opened.read_bytes(file, limit=10**6) == FILES[f"source/{file.path}"]
    damaged = bytearray(here.archive(backup).read_bytes())
    at = next(file.at for file in one.files if file.path == "ps1/data/numbers.csv")
    damaged[at] ^= 1
    here.archive(backup).write_bytes(damaged)
    with OpenBackup(here.services, backup.id) as opened:
        [file] = [file for file in one.files if file.at == at]
        with pytest.raises(KoreError, match="damaged"):
            opened.read_bytes(file, limit=10**6)


def test_who_may_read_a_backup(here: FullCourse):
    """Teachers of its course; once that is gone, its creator; nobody else."""
    backup = here.back_up()

    def may(user, *teaches):
        return may_read(here.services, backup.id, user=user, teaches=teaches)

    assert may(here.teacher, here.course)
    assert may(here.course)
    assert not may(here.teacher)
    assert not may("u9", "c-" + "0" * 16)
