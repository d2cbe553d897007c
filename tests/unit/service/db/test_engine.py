"""The database: migrations, snapshots, and writers that race."""

from __future__ import annotations

import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from kore.service.db.base import Base
from kore.service.db.engine import Database, open_database
from kore.service.db.models import Course, Member, Platform
from kore.shared.roles import Role


def _platform(session, db, issuer="https://lms"):
    db.upsert(session, Platform, {"issuer": issuer, "client_id": "a"}, {"token_url": "https://t"})
    return session.scalars(select(Platform.id).where(Platform.issuer == issuer)).one()


def test_migrations_make_what_the_models_say(db: Database):
    """A migrated database has the models' tables: no change is missing a migration."""
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, Base.metadata) == []


def test_opening_twice_changes_nothing(database_url: str):
    """A second start finds the tables and the rows of the first."""
    first = open_database(database_url)
    with first.session() as session:
        _platform(session, first)
    first.close()
    second = open_database(database_url)
    with second.reading() as session:
        assert session.scalar(select(func.count()).select_from(Platform)) == 1
    second.close()


def _open(url: str, started) -> None:
    started.wait()
    open_database(url).close()


@pytest.mark.slow
def test_processes_that_start_at_once_migrate_once(database_url: str):
    """Several processes that open a new database at the same moment all succeed."""
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(3)
    processes = [spawn.Process(target=_open, args=(database_url, barrier)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]


def test_an_error_rolls_everything_back(db: Database):
    """A session that ends with an error leaves nothing behind."""

    def fail() -> None:
        with db.session() as session:
            _platform(session, db)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Platform)) == 0


def test_upserts_that_race_end_with_one_row(db: Database):
    """Twenty writers of the same key make one row, and none fails."""
    barrier = threading.Barrier(20)

    def write(number: int) -> None:
        barrier.wait()
        with db.session() as session:
            _platform(session, db)
            session.execute(
                text("UPDATE platforms SET token_url = :url"), {"url": f"https://{number}"}
            )

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(write, range(20)))
    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Platform)) == 1


def test_read_then_write_waits_for_the_other_writer(db: Database):
    """Two transactions that read and then write both succeed, and neither update is lost."""
    with db.session() as session:
        _platform(session, db)

    def count(_number: int) -> None:
        for _ in range(10):
            with db.session() as session:
                row = session.scalars(select(Platform).with_for_update()).one()
                row.token_url += "x"

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, range(4)))
    with db.reading() as session:
        assert session.scalars(select(Platform.token_url)).one() == "https://t" + "x" * 40


def test_a_reader_on_sqlite_cannot_hold_up_writers(tmp_path):
    """A reader sees its snapshot while others write, and they do not wait for it."""
    db = open_database(f"sqlite:///{tmp_path / 'a b?.sqlite'}")
    with db.reading() as reading:
        assert reading.scalar(select(func.count()).select_from(Platform)) == 0
        with db.session() as session:
            _platform(session, db)
        assert reading.scalar(select(func.count()).select_from(Platform)) == 0
    db.close()


def test_foreign_keys_hold_and_cascade(db: Database):
    """A course needs its platform, and takes its members with it."""
    orphan = Course(id="c-0", platform_id=99, deployment_id="d", resource_link_id="r")
    with pytest.raises(IntegrityError), db.session() as session:
        session.add(orphan)
    with db.session() as session:
        platform_id = _platform(session, db)
        course = Course(id="c-0", platform_id=platform_id, deployment_id="d", resource_link_id="r")
        course.members.append(Member(user="u1", sub="1", role=Role.LEARNER))
        session.add(course)
    with db.session() as session:
        session.delete(session.get_one(Course, "c-0"))
    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Member)) == 0


def test_times_come_back_aware(db: Database):
    """Times are in UTC whatever the database keeps; naive ones are refused."""
    with db.session() as session:
        _platform(session, db)
    with db.reading() as session:
        assert session.scalars(select(Platform.seen_at)).one().utcoffset().total_seconds() == 0


def test_a_missing_database_says_so(tmp_path):
    """A path that cannot be opened raises, and makes no half of a database."""
    with pytest.raises((OSError, OperationalError)):
        open_database(f"sqlite:///{tmp_path}/none/kore.sqlite")
