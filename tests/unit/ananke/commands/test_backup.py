"""Backups: consistent while the hub writes, verified, and brought back under a new name."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import stat
import subprocess
import sys
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from ananke.archive import __main__ as archive_main
from ananke.commands.backup import _COPY_SCRIPT
from tests.support.fake_host import hub_server

pytestmark = pytest.mark.slow


def database(path, rows):
    """Make a database in use: its last changes are only in the journal next to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute("CREATE TABLE scores (value)")
    connection.executemany("INSERT INTO scores VALUES (?)", [(row,) for row in rows])
    connection.commit()
    return connection


def rows(path):
    with closing(sqlite3.connect(path)) as connection:
        return [row for (row,) in connection.execute("SELECT value FROM scores ORDER BY value")]


@pytest.fixture
def data(created):
    """A running hub with databases in use, homes, links, keys and a socket."""
    runtime = created / "runtime"
    course = runtime / "home" / "c-0123456789abcdef" / "course"
    connections = [
        database(runtime / "hub" / "jupyterhub.sqlite", [1, 2]),
        database(runtime / "kore" / "kore.sqlite", [3, 4]),
        database(course / "gradebook.db", [5, 6]),
    ]
    home = runtime / "dyn_home" / "u1"
    home.mkdir()
    (home / "notes.ipynb").write_text("{}")
    (home / "notes.ipynb").chmod(0o640)
    (home / "outside").symlink_to("/etc/passwd")
    os.link(home / "notes.ipynb", home / "same.ipynb")
    os.mkfifo(home / "pipe")
    (runtime / "kore" / "keys").mkdir()
    (runtime / "kore" / "keys" / "key.pem").write_text("secret")
    (runtime / "log" / "journal").write_text("not to be kept")
    yield created
    for connection in connections:
        connection.close()


@pytest.fixture
def backup(data, ananke, tmp_path):
    """A backup of the running hub."""
    file = tmp_path / "bio.ananke.tar.gz"
    ended = ananke("backup", "bio", "--output", str(file), "--json")
    assert ended.code == 0, ended
    assert ended.json["databases"] == 3
    assert ended.json["warnings"] == []
    return file


def test_backup_has_the_last_changes(host, backup):
    """SQLite copies databases in use, as their owner, so that they need no journal."""
    execs = [call for call in host.called("podman", "exec") if "/usr/bin/python3" in call]
    assert len(execs) == 3
    assert all(call[2].startswith("--user=") for call in execs)
    with tarfile.open(backup) as archive:
        names = archive.getnames()
    assert "runtime/kore/kore.sqlite" in names
    assert not [name for name in names if name.endswith(("-wal", "-shm"))]
    assert names[-1] == "manifest.json"
    assert "runtime/dyn_home/u1/pipe" not in names
    assert "runtime/log" not in names


def test_backup_is_private(backup):
    """Only the owner can read it: it has keys and people's work in it."""
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600


def test_restored_hub_has_everything(host, backup, ananke, monkeypatch):
    """The restored hub has the users, grades, keys and files, and answers."""
    with hub_server(host, "bio2") as port:
        ended = ananke("restore", str(backup), "bio2", "--port", str(port), "--json")
    assert ended.code == 0, ended
    assert ended.json["container"]["started"]
    runtime = host.root / "containers" / "bio2" / "runtime"
    assert rows(runtime / "hub" / "jupyterhub.sqlite") == [1, 2]
    assert rows(runtime / "kore" / "kore.sqlite") == [3, 4]
    gradebook = runtime / "home" / "c-0123456789abcdef" / "course" / "gradebook.db"
    assert rows(gradebook) == [5, 6]
    home = runtime / "dyn_home" / "u1"
    assert stat.S_IMODE((home / "notes.ipynb").stat().st_mode) == 0o640
    assert (home / "notes.ipynb").samefile(home / "same.ipynb")
    assert (home / "outside").readlink().as_posix() == "/etc/passwd"
    assert (runtime / "kore" / "keys" / "key.pem").read_text() == "secret"
    assert stat.S_IMODE((runtime / "kore").stat().st_mode) == 0o700


def test_restored_definition_has_the_options(host, backup, ananke):
    """Port and image of the command line are in the definition, for all later commands."""
    argv = ["--no-create", "--port", "127.0.0.1:8123", "--image", "ananke-nbgrader"]
    assert ananke("restore", str(backup), "bio2", *argv).code == 0
    [found] = [c for c in ananke("list", "--json").json["containers"] if c["name"] == "bio2"]
    assert (found["port"], found["image"]) == ("127.0.0.1:8123", "ananke-nbgrader")


def test_restore_without_a_container(host, backup, ananke):
    """``--no-create`` only restores the files."""
    ended = ananke("restore", str(backup), "bio2", "--no-create", "--json")
    assert ended.code == 0
    assert ended.json["container"] is None
    assert ended.json["original_name"] == "bio"
    assert not host.quadlet("bio2").exists()


def test_backup_of_a_stopped_hub(host, data, ananke, tmp_path):
    """If nothing runs, databases are packed as plain files with their journals."""
    ananke("stop", "bio")
    file = tmp_path / "stopped.tar.gz"
    ended = ananke("backup", "bio", "-o", str(file), "--json")
    assert ended.code == 0
    assert not ended.json["running"]
    assert ananke("restore", str(file), "bio3", "--no-create").code == 0
    runtime = host.root / "containers" / "bio3" / "runtime"
    assert rows(runtime / "kore" / "kore.sqlite") == [3, 4]


def test_invalid_gradebook_is_a_warning(host, data, ananke, tmp_path):
    """A course's broken database is a warning and does not stop the backup."""
    other = data / "runtime" / "home" / "c-ffffffffffffffff" / "course"
    other.mkdir(parents=True)
    (other / "gradebook.db").write_text("no database, whatever its owner says")
    ended = ananke("backup", "bio", "-o", str(tmp_path / "b.tar.gz"), "--json")
    assert ended.code == 0
    [warning] = ended.json["warnings"]
    assert "c-ffffffffffffffff" in warning
    assert "not a database" in warning


def test_invalid_database_of_kore_stops_the_backup(host, data, ananke, tmp_path):
    """Without Kore's own database there is no backup and no partial file."""
    path = data / "runtime" / "kore" / "kore.sqlite"
    for file in path.parent.glob("kore.sqlite*"):
        file.unlink()
    path.write_text("broken, and longer than a header of a hundred bytes would be" * 3)
    ended = ananke("backup", "bio", "-o", str(tmp_path / "b.tar.gz"), "--json")
    assert ended.code == 11
    assert not list(tmp_path.glob("*b.tar.gz*"))


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("(?s)podman exec .*kore.sqlite", "output: OSError: [Errno 28] No space left on device"),
        ("podman unshare .* pack", '{"message": "The disk is full: /x", "hint": "Free some"}'),
    ],
)
def test_full_disk_is_named(host, data, ananke, tmp_path, command, message):
    """A full disk ends the backup in words that name it, and leaves nothing behind."""
    host.fail(command, message, 16)
    ended = ananke("backup", "bio", "-o", str(tmp_path / "b.tar.gz"), "--json")
    assert ended.code == 16
    assert "The disk is full: /" in ended.json["error"]["message"]
    assert "image prune" not in ended.json["error"]["hint"]
    assert not list(tmp_path.glob("*b.tar.gz*"))


def test_full_container_is_named(host, data, ananke, tmp_path):
    """If the container has no space for a copy, the remedy is about the container's disk."""
    message = "container: OperationalError: database or disk is full"
    host.fail("(?s)podman exec .*gradebook", message, 1)
    ended = ananke("backup", "bio", "-o", str(tmp_path / "b.tar.gz"), "--json")
    assert ended.code == 16
    assert "ananke build --prune" in ended.json["error"]["hint"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_full_disk_ends_the_copy_without_a_traceback(tmp_path):
    """The program in the container says where there was no space, in one line."""
    database(tmp_path / "x.sqlite", [1]).close()
    with Path("/dev/full").open("wb") as full:
        argv = [sys.executable, "-I", "-c", _COPY_SCRIPT, str(tmp_path / "x.sqlite")]
        ended = subprocess.run(argv, stdout=full, stderr=subprocess.PIPE, check=False, text=True)
    assert ended.returncode == 1
    assert ended.stderr == "output: OSError: [Errno 28] No space left on device\n"


def test_full_disk_while_packing(tmp_path, monkeypatch, capsys):
    """What packs the archive names the full disk, with the exit code for a host."""

    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archive_main, "pack", fail)
    (tmp_path / "staged").write_text("{}")
    argv = ["pack", str(tmp_path), str(tmp_path / "b.part"), str(tmp_path / "staged")]
    assert archive_main.main(argv) == 16
    assert "The disk is full: /" in json.loads(capsys.readouterr().err)["message"]


def test_damage_is_found(host, backup, ananke, tmp_path):
    """The checksum finds one changed bit, gzip's own larger damage; nothing is restored."""
    data = bytearray(backup.read_bytes())
    data[len(data) // 2] ^= 1
    backup.write_bytes(data)
    ended = ananke("restore", str(backup), "bio2", "--json")
    assert ended.code == 15
    assert not (host.root / "containers" / "bio2").exists()
    (tmp_path / "bio.ananke.tar.gz.sha256").unlink()
    # More than one bit: a single one may be one that gzip does not use.
    middle = slice(len(data) // 2, len(data) // 2 + 64)
    data[middle] = bytes(byte ^ 0xFF for byte in data[middle])
    backup.write_bytes(data)
    ended = ananke("restore", str(backup), "bio2", "--json")
    assert ended.code == 15
    assert "damaged" in ended.json["error"]["message"]
    assert sorted(p.name for p in (host.root / "containers").iterdir() if "bio" in p.name) == [
        "bio"
    ]


def test_truncated_backup_is_refused(host, backup, ananke, tmp_path):
    """A truncated copy is found even without a checksum file."""
    short = tmp_path / "short.tar.gz"
    short.write_bytes(backup.read_bytes()[:-200])
    assert ananke("restore", str(short), "bio2", "--json").code == 15
    assert not (host.root / "containers" / "bio2").exists()


def test_refusals(host, backup, ananke, tmp_path):
    """Existing files are never overwritten, and missing ones are reported."""
    assert ananke("backup", "bio", "-o", str(backup), "--json").code == 13
    assert ananke("backup", "bio", "-o", str(tmp_path / "none" / "b"), "--json").code == 12
    assert ananke("restore", str(backup), "bio", "--json").code == 13
    assert ananke("restore", str(tmp_path / "none"), "bio2", "--json").code == 12
    assert ananke("restore", str(backup), "../bio2", "--json").code == 2
    assert ananke("restore", str(backup), "--json").code == 2
    assert ananke("restore", str(backup), "bio2", "--sha256", "0" * 64, "--json").code == 15


def test_backup_dry_run(host, data, ananke, tmp_path):
    """A dry run lists the copies and writes no file."""
    file = tmp_path / "b.tar.gz"
    steps = ananke("backup", "bio", "-o", str(file), "--dry-run", "--json").json["steps"]
    assert len(steps) == 4
    assert "ananke.archive pack" in steps[-1]
    assert not file.exists()


def test_restore_dry_run(host, backup, ananke):
    """A dry run unpacks nothing."""
    steps = ananke("restore", str(backup), "bio2", "--dry-run", "--json").json["steps"]
    assert "ananke.archive unpack" in steps[0]
    assert not (host.root / "containers" / "bio2").exists()


def test_restore_asks_for_the_name(host, backup):
    """On a terminal the name is asked for."""
    ended = host.terminal(
        "restore", str(backup), "--no-create", answers=[("Name of the container", "bio9")]
    )
    assert ended.code == 0
    assert (host.root / "containers" / "bio9" / "config.py").exists()
