"""Moments: UTC for machines, local time for people."""

from __future__ import annotations

import time

import pytest

from ananke.times import to_iso, to_local


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "1970-01-01T00:00:00Z"),
        ("2026-11-24T11:00:00.123456789+01:00", "2026-11-24T10:00:00Z"),
        ("2026-11-24T10:00:00Z", "2026-11-24T10:00:00Z"),
        ("2026-11-24", "2026-11-24T00:00:00Z"),
        ("", ""),
        (None, ""),
        ("soon", ""),
        (True, ""),
        (10**20, ""),
    ],
)
def test_machines_get_utc(value, expected):
    """Podman's numbers and texts become ISO 8601 in UTC; anything else is empty."""
    assert to_iso(value) == expected


def test_people_get_local_time(monkeypatch):
    """A person reads the time of this host's zone, with the name of the zone."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        assert to_local("2026-11-24T10:00:00Z") == "2026-11-24 11:00 CET"
        assert to_local("") == ""
    finally:
        monkeypatch.undo()
        time.tzset()
