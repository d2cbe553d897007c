"""A course as its people see it."""

from __future__ import annotations

import pytest

from kore.service.courses import listing
from tests.support.kore import make_kore


@pytest.mark.parametrize("linked", ["source", "submitted"])
def test_a_link_shows_no_folders_of_others(tmp_path, linked):
    """A course's account that links a folder elsewhere learns no name of what Kore can read."""
    with make_kore(tmp_path) as kore:
        course, _ = kore.launch("1", "Instructor")
        kore.work()
        (tmp_path / "private" / "u9" / "exam").mkdir(parents=True)
        root = kore.services.host.course_root(course)
        kore.source(course, "ps1")
        (root / linked).rename(root / "before") if (root / linked).exists() else None
        (root / linked).symlink_to(tmp_path / "private")
        found = {one.name: one for one in listing.list_assignments(kore.services, course)}
        assert found.keys() == (set() if linked == "source" else {"ps1"})
        assert all(one.collected == 0 for one in found.values())
