"""The hub's side of a container's machine, as far as it works without one."""

from __future__ import annotations

import pwd

import pytest

from kore.host import HostError, SystemdHost

COURSE = "c-0123456789abcdef"


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


def test_systemd_makes_peoples_homes(hub_side, tmp_path):
    """People's homes are state directories; the hub makes none."""
    assert hub_side.prepare_person("u123") == tmp_path / "people" / "private" / "u123"
    assert not list((tmp_path / "people").iterdir())


def test_a_system_folder_is_nobodys_home(hub_side, tmp_path):
    """systemd would give the folder to the person; only its own links are accepted."""
    (tmp_path / "people" / "ucf").mkdir()
    with pytest.raises(HostError, match="system's own folders"):
        hub_side.prepare_person("ucf")
    (tmp_path / "people" / "u5").symlink_to("private/u5")
    hub_side.prepare_person("u5")


def test_a_system_account_is_nobodys(hub_side, monkeypatch):
    """systemd would run the person's server as that account."""
    entry = type("Entry", (), {"pw_uid": 10})
    monkeypatch.setattr(pwd, "getpwnam", lambda _: entry)
    with pytest.raises(HostError, match="system's own accounts"):
        hub_side.prepare_person("uucp")


def test_a_deleted_courses_home_is_moved_away(hub_side, tmp_path):
    """A course's files are not deleted, but moved where only root has access."""
    (tmp_path / "home" / COURSE / "course").mkdir(parents=True)
    hub_side.delete_user(COURSE)
    [kept] = (tmp_path / "home" / ".removed").iterdir()
    assert kept.name.startswith(COURSE)
    assert (kept / "course").is_dir()
    assert (tmp_path / "home" / ".removed").stat().st_mode & 0o777 == 0o700


def test_a_deleted_person_keeps_their_home(hub_side, tmp_path):
    """They find it again if they come back."""
    (tmp_path / "people" / "u1").mkdir()
    hub_side.delete_user("u1")
    assert (tmp_path / "people" / "u1").is_dir()
