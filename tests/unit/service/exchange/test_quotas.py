"""Quotas of a course and of one person."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kore.service.errors import QuotaExceeded
from kore.service.exchange import quotas
from tests.support.course import ExchangeCourse
from tests.support.threads import run_at_once


def limited(exchange: ExchangeCourse, **limits: int) -> None:
    settings = exchange.services.settings
    exchange.kore.services = replace(
        exchange.services, settings=replace(settings, limits=replace(settings.limits, **limits))
    )


@pytest.mark.parametrize(
    ("limit", "code", "setting"),
    [
        ("course", "quota.course", "KORE_LIMIT_COURSE"),
        ("person", "quota.person", "KORE_LIMIT_PERSON"),
    ],
)
def test_a_quota_is_never_exceeded(exchange: ExchangeCourse, limit, code, setting):
    """What goes over a quota is refused and leaves nothing, also when many come at once."""
    exchange.submit(files={"a": b"1"})
    before = exchange.files()
    with exchange.services.db.reading() as session:
        used = {
            "course": quotas.measure_course(session, exchange.course),
            "person": quotas.measure_person(session, exchange.course, "u2"),
        }
    limited(exchange, **{limit: used[limit] + 10_240})

    def try_it(index: int) -> tuple[str, bool]:
        try:
            exchange.submit(files={"a": str(index).encode() * 10})
        except QuotaExceeded as error:
            return error.code, setting in error.hint
        return "", False

    assert sorted(run_at_once(4, try_it)) == [("", False)] + [(code, True)] * 3
    assert len(exchange.files()) == len(before) + 1
