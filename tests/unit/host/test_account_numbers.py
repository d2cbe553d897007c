"""Account numbers are assigned once, to one name each."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from kore.host import HostError
from kore.host.account_numbers import Accounts


def test_each_name_has_one_number_for_ever(tmp_path):
    """Names get different numbers, which stay the same, even for many at once."""
    names = [f"u{number}" for number in range(40)] * 2
    with ThreadPoolExecutor(20) as pool:
        given = list(pool.map(lambda name: Accounts(tmp_path / "a").of(name).uid, names))
    assert given[:40] == given[40:]
    assert len(set(given)) == 40
    assert min(given) >= 20_000


def test_other_names_get_no_account(tmp_path):
    """A name that is neither a person's nor a course's is refused."""
    for name in ("root", "../x", "c-1", ""):
        with pytest.raises(HostError):
            Accounts(tmp_path).of(name)
    assert list(tmp_path.iterdir()) == []
