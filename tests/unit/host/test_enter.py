"""A program runs as another account, with that account's rights only."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from kore.host import LocalHost

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")


@pytest.fixture
def host(tmp_path):
    return LocalHost(
        homes=tmp_path / "homes", exchange=tmp_path / "exchange", accounts=tmp_path / "accounts"
    )


@root_only
def test_a_program_has_only_its_accounts_rights(host, tmp_path):
    """A program of an account has no rights of root, and can read only its own home."""
    assert host.check_accounts() == ""
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
            *host.enter_command("u1", mine),
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
