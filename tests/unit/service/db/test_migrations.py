"""Databases of earlier versions: their sentences become messages, and nothing else is lost."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import JSON, DateTime, column, create_engine, insert, select, table

from kore.service.db import engine as db_engine
from kore.service.db.engine import Database, open_database
from kore.service.db.migrations.sentences import read_sentence
from kore.service.db.models import Audit, Job, JobItem, JobState, Score
from kore.shared.messages import Message, message, plain

COURSE = "c-0123456789abcdef"
MANY = 2500
MOMENT = datetime(2026, 11, 1, 10, tzinfo=UTC)
SENTENCES = json.loads(
    (Path(db_engine.__file__).parent / "migrations" / "sentences.json").read_text()
)
JOBS: dict[str, tuple[str, dict[str, Any], str]] = {
    "grades": ("grades.send", {"resend": False}, "26 sent, 2 held back, 1 failed"),
    "copy": ("course.copy", {"request": {"assignments": ["ps1"]}}, "1 copied"),
    "copy-problem": (
        "course.copy",
        {"request": {"assignments": [], "assignment": "ps1", "problem": "squares"}},
        "",
    ),
    "copy-many": ("course.copy", {"request": {"assignments": ["ps1", "ps2"]}}, ""),
    "autograde": ("assignment.autograde", {"assignment": "ps2"}, "3 graded, 1 left out"),
    "reset": ("course.reset", {}, "The course begins anew. Its assignments are there."),
    "delete": ("course.delete", {}, "Given up: it was interrupted again and again."),
    "restore": (
        "course.restore",
        {},
        "Not finished yet, tried again soon: JupyterHub does not answer.",
    ),
    "foreign": ("course.provision", {}, "Something that no version said"),
}
ITEMS = {
    "u1": ("sent", "5.5 of 10 points"),
    "u2": ("refused", "The LMS refused: Übung <b>now</b> (404)."),
    "u3": ("held_back", "Collected, but not graded yet: “ps1”, “ps2”."),
    "u4": ("unchanged", ""),
}
AUDIT = (
    ("course.open", "Started the course's server", "done"),
    ("backup.delete", "Deleted the backup of 2026-11-25 17:01 UTC", "done"),
    ("course.reset", "Reset the course: The course is being deleted already.", "refused"),
)
_TYPES = {"params": JSON, "detail": JSON}


def _insert(connection: Any, name: str, **values: Any) -> None:
    columns = [
        column(key, DateTime(timezone=True) if isinstance(value, datetime) else _TYPES.get(key))
        for key, value in values.items()
    ]
    connection.execute(insert(table(name, *columns)).values(**values))


def _write_rows_of_before(connection: Any) -> None:
    for job_id, (kind, params, words) in JOBS.items():
        _insert(
            connection,
            "jobs",
            id=job_id,
            kind=kind,
            course_id=COURSE,
            created_by="u9",
            created_at=MOMENT,
            state="done",
            params=params,
            done=1,
            total=1,
            message=words,
            hint="Do something.",
            cancel_asked=False,
            attempts=1,
        )
    for user, (outcome, words) in ITEMS.items():
        _insert(
            connection,
            "job_items",
            job_id="grades",
            key=user,
            label="Zoë",
            outcome=outcome,
            words=words,
            detail={"given": 5},
        )
    many = [
        {
            "job_id": "copy-many",
            "key": f"u{number}",
            "label": "",
            "outcome": "sent",
            "words": f"{number} of {MANY} points",
            "detail": {},
        }
        for number in range(MANY)
    ]
    columns = [column(name, _TYPES.get(name)) for name in many[0]]
    connection.execute(insert(table("job_items", *columns)), many)
    _insert(
        connection,
        "platforms",
        id=1,
        issuer="https://lms",
        client_id="a",
        token_url="https://lms/token",
        seen_at=MOMENT,
    )
    _insert(
        connection,
        "courses",
        id=COURSE,
        platform_id=1,
        deployment_id="1",
        resource_link_id="link",
        context_title="Algebra",
        activity_title="Homework",
        ags_scopes="",
        created_at=MOMENT,
        launched_at=MOMENT,
    )
    for user, words in (("u1", ""), ("u2", "The LMS did not answer in time.")):
        _insert(
            connection,
            "scores",
            course_id=COURSE,
            assignment="",
            user=user,
            given=5,
            maximum=10,
            timestamp=MOMENT,
            state="failed",
            words=words,
        )
    for number, (action, words, outcome) in enumerate(AUDIT):
        _insert(
            connection,
            "audit",
            id=number + 1,
            course_id=COURSE,
            at=MOMENT,
            by="u9",
            by_name="Tess",
            action=action,
            words=words,
            outcome=outcome,
        )


@pytest.fixture
def migrated(database_url: str) -> Iterator[Database]:
    """Open a database that the version before has written."""
    engine = create_engine(database_url)
    config = Config()
    config.set_main_option("script_location", str(db_engine._MIGRATIONS))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        _write_rows_of_before(connection)
        connection.commit()
    engine.dispose()
    found = open_database(database_url)
    yield found
    found.close()


def test_jobs_of_before_keep_what_they_said(migrated: Database):
    """Their sentences are messages; one that no version said stays readable as it is."""
    with migrated.reading() as session:
        said = {job_id: session.get_one(Job, job_id).message for job_id in JOBS}
    assert said == {
        "grades": message(
            "counts",
            parts=[
                message("count.sent", n=26),
                message("count.held_back", n=2),
                message("count.failed", n=1),
            ],
        ),
        "copy": message("copy.copied", n=1),
        "copy-problem": None,
        "copy-many": None,
        "autograde": message(
            "counts", parts=[message("count.graded", n=3), message("count.skipped", n=1)]
        ),
        "reset": message("reset.done"),
        "delete": message("job_interrupted.often"),
        "restore": message("job_retried", reason=message("hub_away")),
        "foreign": plain("Something that no version said"),
    }


def test_jobs_of_before_know_what_they_are_about(migrated: Database):
    """The one assignment or problem, and whether they close their course."""
    with migrated.reading() as session:
        jobs = {job_id: session.get_one(Job, job_id) for job_id in JOBS}
    assert {job_id: job.subject for job_id, job in jobs.items() if job.subject} == {
        "copy": "ps1",
        "copy-problem": "squares",
        "autograde": "ps2",
    }
    assert {job_id for job_id, job in jobs.items() if job.closes} == {"reset", "delete", "restore"}
    assert {(job.state, job.created_at) for job in jobs.values()} == {(JobState.DONE, MOMENT)}


def test_reports_scores_and_history_of_before_keep_what_they_said(migrated: Database):
    """With names, points and moments as parameters; an empty text is no message."""
    with migrated.reading() as session:
        items = {user: session.get_one(JobItem, ("grades", user)).message for user in ITEMS}
        scores = {user: session.get_one(Score, (COURSE, "", user)).message for user in ("u1", "u2")}
        history = [session.get_one(Audit, number + 1).message for number in range(len(AUDIT))]
    assert items == {
        "u1": message("grades.points", given=5.5, n=10),
        "u2": message("lms.refused.said", said="Übung <b>now</b>", status="404"),
        "u3": message("grades.not_graded", assignments="“ps1”, “ps2”"),
        "u4": None,
    }
    assert scores == {"u1": None, "u2": message("lms.timeout")}
    assert history == [
        message("audit.open"),
        message("audit.backup_delete", at="2026-11-25T17:01:00+00:00"),
        message("audit.refused", action=message("audit.reset"), reason=message("busy.delete")),
    ]


def test_more_rows_than_are_read_at_once_are_all_read(migrated: Database):
    """A course of thousands has reports that are translated in several parts."""
    with migrated.reading() as session:
        found = session.scalars(select(JobItem).where(JobItem.job_id == "copy-many")).all()
    assert len(found) == MANY
    assert {item.key: item.message for item in found} == {
        f"u{number}": message("grades.points", given=number, n=MANY) for number in range(MANY)
    }


_EXAMPLES = {
    "number": "12",
    "code": "404",
    "size": "1.5 MB",
    "moment": "2026-11-25 17:01",
    "words": "No graded work yet.",
    "name": "“ps1”",
    "names": "“ps1”, “ps2”",
    "text": "Übung",
}


@pytest.mark.parametrize(("pattern", "message_id"), SENTENCES, ids=lambda text: text[:40])
def test_every_sentence_of_before_is_read(pattern: str, message_id: str):
    """With values in its holes it becomes its message, which has a parameter for each."""
    holes = re.findall(r"\{(\w+):(\w+)\}", pattern)
    sentence = re.sub(r"\{\w+:(\w+)\}", lambda hole: _EXAMPLES[hole[1]], pattern)
    found = read_sentence(sentence)
    assert found.id == message_id
    assert set(found.params) == {name for name, _ in holes}


@pytest.mark.parametrize("text", ["", "A", "Foo: bar.", "5 apples, 3 pears", "“quoted”", "{n}"])
def test_what_no_version_said_stays_as_it_is(text: str):
    """Text of others is shown, never taken apart."""
    assert read_sentence(text) == plain(text)
    assert Message.from_data(json.loads(read_sentence(text).to_json())) == plain(text)


@pytest.mark.parametrize(
    "text",
    [
        "The course is as it was on 2026-99-99 at 12:00 UTC.",
        "The backup is made: 9e999 MB",
        "9e999 of 5 points",
    ],
)
def test_what_only_looks_like_a_sentence_stops_no_migration(text: str):
    """A title can say what a version said, with a date or a number that there is not."""
    assert read_sentence(text) == plain(text)
    refused = read_sentence(f"Released ps1: {text}")
    assert json.loads(json.dumps(refused.to_data(), allow_nan=False))
