"""Text for people as messages: an id with parameters instead of English sentences."""

from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from alembic import op

from kore.service.db.migrations.sentences import read_sentence

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_CHUNK = 1000
# Table, what identifies a row, and the column that held sentences.
_SENTENCES = (
    ("job_items", ("job_id", "key"), "words"),
    ("scores", ("course_id", "assignment", "user"), "words"),
    ("audit", ("id",), "words"),
)


def upgrade() -> None:
    """Bring the tables to this version."""
    op.add_column("jobs", sa.Column("subject", sa.Text(), nullable=True))
    op.add_column("jobs", sa.Column("closes", sa.Boolean(), nullable=False, server_default="0"))
    _describe_jobs()
    for table, key, column in _SENTENCES:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {column} TO message")
        _translate(table, key, "message")
    _translate("jobs", ("id",), "message")
    op.drop_column("jobs", "hint")


def _describe_jobs() -> None:
    """Write into old rows what jobs of their kind are about, and which close their course."""
    jobs = sa.table(
        "jobs",
        sa.column("id", sa.String),
        sa.column("kind", sa.String),
        sa.column("params", sa.JSON),
        sa.column("subject", sa.Text),
        sa.column("closes", sa.Boolean),
    )
    bind = op.get_bind()
    closing = ("course.reset", "course.delete", "course.restore")
    bind.execute(sa.update(jobs).where(jobs.c.kind.in_(closing)).values(closes=sa.true()))
    about = sa.select(jobs.c.id, jobs.c.kind, jobs.c.params).where(
        jobs.c.kind.in_(("assignment.autograde", "course.copy"))
    )
    for job_id, kind, params in bind.execute(about).all():
        subject = _subject(kind, params or {})
        if subject is not None:
            bind.execute(sa.update(jobs).where(jobs.c.id == job_id).values(subject=subject))


def _subject(kind: str, params: dict[str, Any]) -> str | None:
    if kind == "assignment.autograde":
        return params.get("assignment")
    asked = params.get("request") or {}
    some = asked.get("assignments") or []
    if len(some) == 1:
        return str(some[0])
    return asked.get("problem") or asked.get("assignment")


def _translate(table: str, key: tuple[str, ...], column: str) -> None:
    """Replace each row's sentence by the message that it was, some rows at a time."""
    rows = sa.table(table, *(sa.column(name) for name in (*key, column)))
    own = [rows.c[name] for name in key]
    bind = op.get_bind()
    change = (
        sa.update(rows)
        .where(*(rows.c[name] == sa.bindparam(f"key_{name}") for name in key))
        .values({column: sa.bindparam("new")})
    )
    chunk = sa.select(*own, rows.c[column]).where(rows.c[column] != "").order_by(*own).limit(_CHUNK)
    after = chunk
    while found := bind.execute(after).all():
        changes = [
            {f"key_{name}": value for name, value in zip(key, row, strict=False)}
            | {"new": _read(row[-1])}
            for row in found
        ]
        bind.execute(change, changes)
        after = chunk.where(sa.tuple_(*own) > sa.tuple_(*map(sa.literal, found[-1][:-1])))


@lru_cache(maxsize=10_000)
def _read(sentence: str) -> str:
    return read_sentence(sentence).to_json()
