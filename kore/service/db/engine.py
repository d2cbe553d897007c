"""Opens Kore's database and brings its tables up to date."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session, sessionmaker

from kore.service.db.base import Base

_MIGRATIONS = Path(__file__).with_name("migrations")
_BUSY_SECONDS = 30
# Any fixed number: it names Kore's own lock among PostgreSQL's advisory locks.
_MIGRATION_LOCK, _QUEUE_LOCK = 0x4B6F7265, 0x4B6F7266


class Database:
    """One database, its engine and its sessions. Safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writing = sessionmaker(engine, expire_on_commit=False)
        self._reading = sessionmaker(
            engine.execution_options(kore_read_only=True), expire_on_commit=False
        )

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Yield a session that may write: committed at the end, rolled back on an error.

        On SQLite it holds the one write lock from its start, so keep it short: nothing that
        waits for a network belongs inside.
        """
        with self._writing.begin() as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Yield a session over one consistent snapshot, which must not write."""
        with self._reading() as session:
            yield session

    def upsert(
        self,
        session: Session,
        model: type[Base],
        key: Mapping[str, Any],
        values: Mapping[str, Any],
        *,
        only_new: Mapping[str, Any] | None = None,
    ) -> None:
        """Insert the row that ``key`` names, or update ``values`` in it, in one statement.

        ``only_new`` are values that an existing row keeps as they are. Callers that race
        end with one row.
        """
        dialect = postgresql if self.engine.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(model).values({**key, **values, **(only_new or {})})
        columns: Sequence[str] = list(key)
        if values:
            session.execute(statement.on_conflict_do_update(index_elements=columns, set_=values))
        else:
            session.execute(statement.on_conflict_do_nothing(index_elements=columns))

    def lock_queue(self, session: Session) -> None:
        """Let one transaction at a time look for work. It ends with the transaction."""
        session.connection()  # on SQLite, only now the write lock is taken
        if self.engine.dialect.name == "postgresql":
            session.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": _QUEUE_LOCK})

    def check(self) -> None:
        """Raise the driver's error when the database does not answer."""
        with self.reading() as session:
            session.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close the pool's connections."""
        self.engine.dispose()


def open_database(url: str) -> Database:
    """Open the database at a SQLAlchemy URL and migrate it to this version's tables."""
    engine = create_engine(url, pool_pre_ping=True, pool_size=20, max_overflow=20)
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    _migrate(engine)
    return Database(engine)


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        # The driver's own transactions begin too late to give one snapshot; ours begin below.
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout = {_BUSY_SECONDS * 1000}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and writes later is refused at once, without
        # waiting, when another wrote in between. So writers take the lock at the start.
        read_only = connection.get_execution_options().get("kore_read_only")
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _migrate(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with _migration_lock(engine), engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


@contextmanager
def _migration_lock(engine: Engine) -> Iterator[None]:
    """Let one process at a time migrate."""
    path = make_url(str(engine.url)).database
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:id)"), {"id": _MIGRATION_LOCK})
            try:
                yield
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(:id)"), {"id": _MIGRATION_LOCK})
                connection.commit()
    elif not path or path == ":memory:":
        yield
    else:
        with Path(f"{path}.lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
