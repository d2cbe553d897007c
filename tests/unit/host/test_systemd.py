"""The container's machine, as far as it can be seen without one: refusals, and what is given."""

from __future__ import annotations

import os

import pytest

from kore.host import HostError, SystemdHost, open_host, systemd
from kore.host.accounts import Account

COURSE = "c-0123456789abcdef"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


@pytest.fixture
def hub_side(tmp_path):
    for name in ("home", "people"):
        (tmp_path / name).mkdir()
    return SystemdHost(
        homes=tmp_path / "home",
        exchange=tmp_path / "exchange",
        accounts=tmp_path / "accounts",
        people=tmp_path / "people",
    )


@pytest.fixture
def kore_side(tmp_path):
    return open_host(homes=tmp_path / "home", exchange=tmp_path / "exchange", kind="container")


def test_kore_makes_no_course_itself(kore_side, tmp_path):
    """Where the hub did not make a course's folder, Kore says so in words, and makes nothing."""
    with pytest.raises(HostError, match="the hub makes it"):
        kore_side.prepare_course(COURSE)
    assert not (tmp_path / "home").exists()


def test_kore_takes_a_course_that_is_there(kore_side):
    """What the hub made is used as it is."""
    root = kore_side.course_root(COURSE)
    root.mkdir(parents=True)
    assert kore_side.prepare_course(COURSE) == root


@pytest.mark.parametrize("name", ["../etc", "c-x", "root", "", "u/../x"])
def test_only_people_and_courses_have_homes(kore_side, name):
    """A name that is neither never becomes a path."""
    with pytest.raises(HostError):
        kore_side.home(name)


def test_a_persons_home_is_systemds(hub_side, tmp_path):
    """People's homes are state directories; the hub makes none."""
    assert hub_side.prepare_person("u123") == tmp_path / "people" / "private" / "u123"
    assert not list((tmp_path / "people").iterdir())


def test_a_folder_of_the_systems_is_nobodys_home(hub_side, tmp_path):
    """systemd would give the folder to the person: a link to a private one it may, no other."""
    (tmp_path / "people" / "ucf").mkdir()
    with pytest.raises(HostError, match="system's own folders"):
        hub_side.prepare_person("ucf")
    (tmp_path / "people" / "u5").symlink_to("private/u5")
    hub_side.prepare_person("u5")


def test_an_account_of_the_systems_is_nobodys(hub_side, monkeypatch):
    """systemd would run the person's server as that account."""
    entry = type("Entry", (), {"pw_uid": 10})
    monkeypatch.setattr(systemd.pwd, "getpwnam", lambda _: entry)
    with pytest.raises(HostError, match="system's own accounts"):
        hub_side.prepare_person("uucp")


@as_root
def test_only_what_is_kores_is_handed_over(tmp_path):
    """Others' files, links' targets, and files with a second name keep their owner."""
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
    systemd._give(os.open(home, systemd._FOLDER), Account(30_000), 970)
    owners = {name: (home / name).stat().st_uid for name in ("mine", "deep/mine", "twice", "roots")}
    assert owners == {"mine": 30_000, "deep/mine": 30_000, "twice": 970, "roots": 0}
    assert outside.stat().st_uid == 970


def test_a_dismissed_courses_home_is_put_aside(hub_side, tmp_path):
    """Nothing that somebody worked on is deleted; it waits where only root gets."""
    (tmp_path / "home" / COURSE / "course").mkdir(parents=True)
    hub_side.dismiss(COURSE)
    [kept] = (tmp_path / "home" / ".removed").iterdir()
    assert kept.name.startswith(COURSE)
    assert (kept / "course").is_dir()
    assert (tmp_path / "home" / ".removed").stat().st_mode & 0o777 == 0o700


def test_a_dismissed_person_keeps_their_home(hub_side, tmp_path):
    """They find it again should they come back."""
    (tmp_path / "people" / "u1").mkdir()
    hub_side.dismiss("u1")
    assert (tmp_path / "people" / "u1").is_dir()
