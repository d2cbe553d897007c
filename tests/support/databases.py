"""Fixtures for tests that run on every database that Kore supports."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from kore.service.db.engine import Database, open_database


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


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Start one PostgreSQL for a test process."""
    binaries = find_binaries()
    if binaries is None:
        if os.environ.get("CI"):
            pytest.fail("PostgreSQL is not installed; `make setup` installs it")
        pytest.skip("PostgreSQL is not installed")
    with running_postgres(binaries) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Yield the URL of an empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'kore.sqlite'}"
        return
    server = request.getfixturevalue("postgres_url")
    name = f"t{secrets.token_hex(6)}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """Yield a migrated database of each kind."""
    database = open_database(database_url)
    yield database
    database.close()
