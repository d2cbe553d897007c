"""When work was first sent."""

from __future__ import annotations

from datetime import timedelta

from kore.service.db.models import now
from kore.service.exchange import upload_attempts


def test_the_first_attempt_counts():
    """Attempts within a minute count as of the first; a later one counts by itself."""
    start = now()
    assert upload_attempts.first_attempt(start, "c", "k1") == start
    assert upload_attempts.first_attempt(start + timedelta(seconds=50), "c", "k1") == start
    later = start + timedelta(seconds=70)
    assert upload_attempts.first_attempt(later, "c", "k2") == later
    assert upload_attempts.first_attempt(later, "c", "k1") == later
