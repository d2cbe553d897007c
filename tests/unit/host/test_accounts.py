"""Accounts are given out once, and what is given to them is theirs alone."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from kore.host import HostError, SeparateHost
from kore.host.accounts import Accounts

COURSE = "c-0123456789abcdef"
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give accounts")


@pytest.fixture
def host(tmp_path):
    return SeparateHost(
        homes=tmp_path / "homes", exchange=tmp_path / "exchange", accounts=tmp_path / "accounts"
    )


def test_each_name_has_one_number_for_ever(tmp_path):
    """Names get different numbers, the same again later, and also of many at once."""
    names = [f"u{number}" for number in range(40)] * 2
    with ThreadPoolExecutor(20) as pool:
        given = list(pool.map(lambda name: Accounts(tmp_path / "a").of(name).uid, names))
    assert given[:40] == given[40:]
    assert len(set(given)) == 40
    assert min(given) >= 20_000


def test_no_account_for_other_names(tmp_path):
    """A name that is neither a person's nor a course's gets none."""
    for name in ("root", "../x", "c-1", ""):
        with pytest.raises(HostError):
            Accounts(tmp_path).of(name)
    assert list(tmp_path.iterdir()) == []


@root_only
def test_what_root_made_is_handed_over(host, tmp_path):
    """What Kore made in a course becomes the course's; links and shared files are let be."""
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
def test_one_file_is_handed_over(host, tmp_path):
    """That alone, and no link on the way to it is followed."""
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
def test_a_program_enters_its_account_and_nothing_else(host, tmp_path):
    """A program of an account has no rights of root's, and reaches its own home only."""
    assert host.why_not() == ""
    mine, other = host.prepare_person("u1"), host.prepare_person("u2")
    (other / "work").write_text("secret")
    (tmp_path / "kept").write_text("root's")
    code = (
        "import os, sys\n"
        "print(os.getuid(), os.getgroups(), os.getcwd())\n"
        "for path in sys.argv[1:]:\n"
        "    try: print(open(path).read())\n"
        "    except OSError: print('no')\n"
        "open('mine', 'w').close()\n"
    )
    done = subprocess.run(
        [
            *host.enter("u1", mine),
            *(sys.executable, "-c", code, str(other / "work"), str(tmp_path / "kept")),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    uid = mine.stat().st_uid
    assert done.stdout.splitlines() == [f"{uid} [] {mine}", "no", "no"]
    assert (mine / "mine").stat().st_uid == uid
    assert (mine / "mine").stat().st_mode & 0o077 == 0
