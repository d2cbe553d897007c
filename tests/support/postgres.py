"""A PostgreSQL cluster of the tests' own, on a Unix socket, with nothing synced to disk."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def find_binaries() -> Path | None:
    """Return the folder with ``initdb`` and ``postgres``, the newest where there are several."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: p.parts[-3])
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


@contextmanager
def running_postgres(binaries: Path) -> Iterator[str]:
    """Start a cluster; yield the SQLAlchemy URL of its database; remove everything."""
    # PostgreSQL refuses to run as root.
    account = "postgres" if os.getuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="kore-pg-", dir="/tmp"))
    try:
        if account:
            owner = pwd.getpwnam(account)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        data = folder / "data"

        def run(*argv: str) -> None:
            subprocess.run(
                argv, check=True, capture_output=True, user=account, cwd=folder, timeout=60
            )

        run(str(binaries / "initdb"), "-D", str(data), "-U", "kore", "--no-sync", "-A", "trust")
        options = f"-k {folder} -c listen_addresses= -c fsync=off"
        control = str(binaries / "pg_ctl")
        run(control, "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql+psycopg://kore@/postgres?host={folder}"
        finally:
            run(control, "-D", str(data), "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
