"""Files change owners without following links, and only those that should."""

from __future__ import annotations

import os

import pytest

from kore.host import LocalHost
from kore.host.account_numbers import Account
from kore.host.ownership import give_tree

COURSE = "c-0123456789abcdef"
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture
def host(tmp_path):
    return LocalHost(
        homes=tmp_path / "homes", exchange=tmp_path / "exchange", accounts=tmp_path / "accounts"
    )


@root_only
def test_roots_files_are_given_to_the_course(host, tmp_path):
    """Files that Kore made become the course's, except links and files with a second name."""
    outside = tmp_path / "outside"
    outside.write_text("root's")
    course_root = host.prepare_course(COURSE)
    (course_root / "gradebook.db").write_text("")
    (course_root / "link").symlink_to(outside)
    os.link(outside, course_root / "second-name")
    host.hand_over(COURSE)
    owner = host.home(COURSE).stat().st_uid
    assert owner >= 20_000
    assert (course_root / "gradebook.db").stat().st_uid == owner
    assert outside.stat().st_uid == 0


@root_only
def test_one_file_is_given_to_the_course(host, tmp_path):
    """No other file changes owners, and no link on the way is followed."""
    course_root = host.prepare_course(COURSE)
    owner = host.home(COURSE).stat().st_uid
    (course_root / ".kore").mkdir()
    for name in ("one", "other"):
        (course_root / ".kore" / name).write_text("")
    host.hand_over_file(COURSE, ".kore/one")
    assert (course_root / ".kore" / "one").stat().st_uid == owner
    assert (course_root / ".kore" / "other").stat().st_uid == 0
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "one").write_text("root's")
    (course_root / "link").symlink_to(outside)
    with pytest.raises(OSError, match=r"Not a directory|Too many levels"):
        host.hand_over_file(COURSE, "link/one")
    assert (outside / "one").stat().st_uid == 0


@root_only
def test_only_files_of_one_account_are_given(tmp_path):
    """Other accounts' files, targets of links, and files with a second name keep their owner."""
    outside = tmp_path / "outside"
    outside.write_text("x")
    home = tmp_path / "home"
    (home / "deep").mkdir(parents=True)
    for name in ("mine", "deep/mine", "twice"):
        (home / name).write_text("x")
        os.chown(home / name, 970, 970)
    os.link(home / "twice", tmp_path / "elsewhere")
    os.chown(outside, 970, 970)
    (home / "link").symlink_to(outside)
    (home / "roots").write_text("x")
    give_tree(home, Account(30_000), from_uid=970)
    owners = {name: (home / name).stat().st_uid for name in ("mine", "deep/mine", "twice", "roots")}
    assert owners == {"mine": 30_000, "deep/mine": 30_000, "twice": 970, "roots": 0}
    assert outside.stat().st_uid == 970
