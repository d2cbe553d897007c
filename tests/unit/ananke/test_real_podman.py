"""The manager with Podman itself, where this machine has one that root may use.

Nothing is started: what these machines lack for that is a systemd. Images and containers lie
in a storage of the test's own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest

REAL = shutil.which("podman", path="/usr/bin:/usr/local/bin")
CONFIGURATION = """
[containers]
default_ulimits = []
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(REAL is None or os.getuid() != 0, reason="needs Podman, and root for it"),
]


@pytest.fixture
def podman(host, tmp_path):
    """Podman with an image that holds next to nothing, instead of the played one."""
    own = tmp_path / "podman"
    own.mkdir()
    # Podman takes no run root whose path is longer than 50 characters.
    run = tempfile.mkdtemp(prefix="ananke-")
    (own / "containers.conf").write_text(CONFIGURATION)
    (host.bin / "podman").write_text(
        "#!/bin/sh\n"
        f"export CONTAINERS_CONF={own}/containers.conf\n"
        # Root needs no namespace to be the container's accounts.
        'if [ "$1" = unshare ]; then shift; exec "$@"; fi\n'
        f'exec {REAL} --root {own}/storage --runroot {run} --storage-driver vfs "$@"\n'
    )
    (own / "hello").write_text("hello")
    with tarfile.open(own / "image.tar", "w") as archive:
        archive.add(own / "hello", "hello")
    argv = [
        host.bin / "podman",
        "import",
        "--change",
        'CMD ["/sbin/init"]',
        own / "image.tar",
        "localhost/ananke-base:latest",
    ]
    subprocess.run(argv, check=True, capture_output=True)
    yield host.bin / "podman"
    for folder in (own / "storage", Path(run)):
        for mounted in folder.rglob("merged"):
            subprocess.run(["umount", mounted], check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.timeout(300)
def test_a_life_without_a_start(host, podman, hub, ananke, tmp_path, monkeypatch):
    """Create, list, save, load, back up, restore and remove go well with the real program."""
    monkeypatch.setenv("ANANKE_QUADLET", "/nonexistent")
    images = ananke("list", "--images", "--json").json["images"]
    assert [image["name"] for image in images] == ["ananke-base:latest"]
    ended = ananke("create", "bio", "--no-start", "--memory", "1g", "--json")
    assert ended.code == 0, ended
    text = (host.config / "systemd" / "user" / "ananke-bio.service").read_text()
    for words in ("--cap-add=SYS_ADMIN", "--memory=1g", "--rm", "localhost/ananke-hub/bio:current"):
        assert words in text
    again = ananke("create", "bio", "--json")
    assert again.code == 13
    assert ananke("create", "chem", "--json").code == 12
    assert ananke("update", "bio", "--json").json["changed"] is False
    assert ananke("logs", "bio", "--json").code == 11
    file = tmp_path / "image.tar"
    assert ananke("save", "ananke-base", "-o", str(file), "--json").code == 0
    assert ananke("load", str(file), "--json").json["images"] == ["ananke-base:latest"]
    backup = tmp_path / "b.tar.gz"
    assert ananke("backup", "bio", "-o", str(backup), "--json").code == 0
    assert ananke("restore", str(backup), "bio2", "--no-create", "--json").code == 0
    assert ananke("remove", "bio", "--yes", "--data", "--json").code == 0
    images = ananke("list", "--images", "--json").json["images"]
    assert [image["name"] for image in images] == ["ananke-base:latest"]
