"""Courses that are reset and deleted: what is left, and that a refusal changes nothing."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from kore.service import jobs
from kore.service.backups.job import BACKUP
from kore.service.coursedir import gradebook
from kore.service.coursedir.safe_tree import SafeTree
from kore.service.courses.listing import list_courses
from kore.service.courses.provision import formgrade_group, student_group
from kore.service.db.models import Course, Job, JobState, Member, Score, ScoreState, now
from kore.service.errors import Unavailable
from kore.service.exchange.store import Store
from kore.service.hubapi import ServerState
from kore.shared.messages import message
from tests.support.course import FILES, FullCourse
from tests.support.lifecycle import (
    code_of,
    find_left_over,
    leave_final,
    list_backups,
    queue_delete,
    queue_reset,
    queue_restore,
    run_job,
)

SOURCES = {path for path in FILES if path.startswith("source/")}


def test_a_reset_keeps_the_sources_alone(course: FullCourse):
    """Students, work, points, feedback and the exchange are gone, sources and notes stay."""
    with course.kore.db.session() as session:
        session.add(
            Score(
                course_id=course.course,
                user="u2",
                given=1,
                maximum=1,
                timestamp=now(),
                state=ScoreState.SENT,
            )
        )
    before = course.state()
    course.kore.hub.servers[course.course] = ServerState.RUNNING
    run_job(course, queue_reset(course))
    after = course.state()
    kept = {path for path in after["files"] if (course.root / path).is_file()}
    assert kept == SOURCES | {"notes/for me.txt", "nbgrader_config.py"}
    assert (after["gradebook"], after["exchange"], after["members"]) == ([], [], [])
    assert course.files() == []
    assert course.kore.hub.servers == {}
    assert course.kore.hub.groups[student_group(course.course)] == {course.course}
    assert course.kore.hub.shares[course.course] == {course.teacher}
    with course.kore.db.reading() as session:
        assert session.scalars(select(Score)).all() == []
    assert find_left_over(course) == []
    # A new term begins: work is handed out and in.
    course.kore.launch("7")
    course.kore.work()
    course.release("ps1")
    course.submit("u7")
    # And the old one can be looked at again.
    run_job(course, queue_restore(course, list_backups(course)["before_reset"]))
    assert course.state() == {
        **before,
        "members": ["u2", "u3", "u7"],
        "gradebook": sorted([*before["gradebook"], ("u7",)], key=lambda row: (len(row), row)),
    }


def test_a_deleted_course_is_gone_and_can_start_again(course: FullCourse):
    """Files, exchange, hub user, groups, share and rows are gone; a launch makes a new course."""
    hub = course.kore.hub
    hub.servers[course.course] = ServerState.RUNNING
    job = queue_delete(course)
    run_job(course, job)
    assert course.course not in hub.users
    assert formgrade_group(course.course) not in hub.groups
    assert student_group(course.course) not in hub.groups
    assert course.course not in hub.shares
    assert not course.root.parent.exists()
    assert course.files() == []
    assert list_courses(course.services, course.teacher) == []
    with course.kore.db.reading() as session:
        assert session.get(Course, course.course) is None
        assert session.scalars(select(Member)).all() == []
    # Who began it still reads the report, and what was backed up.
    client = course.kore.client_for(course.teacher, via="token")
    assert client.get(f"/jobs/{job}").json["state"] == "done"
    assert client.get(f"/backups/{job}/archive").status_code == 200
    assert course.kore.client_for("u2", via="token").get(f"/jobs/{job}").status_code == 404
    assert (
        course.kore.client_for("u2", via="token").get(f"/backups/{job}/archive").status_code == 404
    )

    course.kore.launch("1", "Instructor")
    course.kore.work()
    assert list_courses(course.services, course.teacher)[0].state == "ready"
    assert sorted(path.name for path in course.root.iterdir()) == [
        "gradebook.db",
        "nbgrader_config.py",
    ]
    # Its backups wait for its teachers.
    run_job(course, queue_restore(course, list_backups(course)["before_delete"]))
    assert {path for path in FILES if (course.root / path).exists()} == set(FILES)
    entries = client.get(f"/courses/{course.course}/audit").json["entries"]
    assert [(e["action"], e["outcome"], e["by_name"]) for e in entries if e["job"]][:2] == [
        ("course.restore", "done", ""),
        ("course.delete", "done", ""),
    ]


def test_a_launch_during_a_deletion_starts_a_new_course(here: FullCourse):
    """A launch between the point of no return and the end makes the course start again."""
    hub, job = here.kore.hub, queue_delete(here)
    launched = []

    def launch(name: str) -> None:
        if name == "delete_user" and not launched:
            launched.append(name)
            here.kore.launch("1", "Instructor")
            here.kore.launch("4")

    hub.before_call = launch
    run_job(here, job)
    assert launched
    assert here.course in hub.users
    assert hub.shares[here.course] == {here.teacher}
    assert here.state()["members"] == ["u4"]
    assert not (here.root / "source").exists()


@pytest.mark.parametrize("begin", [queue_reset, queue_delete])
def test_files_that_cannot_be_backed_up_are_not_lost(here: FullCourse, begin):
    """Such a file stops a reset or a deletion, unless no backup is wanted."""
    here.write("source/ps1/A.txt", b"1")
    here.write("source/ps1/a.txt", b"2")
    before = here.state()
    assert code_of(run_job(here, begin(here), "failed")) == "not_whole"
    assert here.state() == before
    run_job(here, begin(here, backup=False))
    assert list_backups(here) == {}


@pytest.mark.parametrize("begin", [queue_reset, queue_delete])
def test_a_full_disk_changes_nothing(here: FullCourse, monkeypatch, begin):
    """No room for the backup, or for what is prepared: the course is as it was."""
    before = here.state()
    monkeypatch.setattr(Store, "_write", _full)
    assert code_of(run_job(here, begin(here), "failed")) == "disk_full"
    monkeypatch.undo()
    assert here.state() == before
    assert find_left_over(here) == []
    assert list_backups(here) == {}


def _full(self, path, pieces):
    next(iter(pieces))
    raise OSError(28, "No space left on device")


def test_an_unavailable_hub_delays_the_end(here: FullCourse):
    """Past the point of no return the job waits for the hub, says so, and then completes."""
    job, away = queue_delete(here), [True]

    def fail(name: str) -> None:
        if name == "delete_user" and away[0]:
            raise Unavailable("course_closed")

    here.kore.hub.before_call = fail
    here.kore.work()
    report = jobs.read_report(here.kore.db, job)
    assert (report.state, report.ended_at) == ("running", None)
    assert code_of(report) == "job_retried"
    assert report.message is not None
    assert report.message.params["reason"] == message("course_closed").to_data()
    away[0] = False
    with here.kore.db.session() as session:
        session.get_one(Job, job).lease_until = now()
    run_job(here, job)
    assert here.course not in here.kore.hub.users


def test_a_hub_admin_manages_a_course_without_being_in_it(here: FullCourse):
    """Backed up, reset, restored and deleted over the API."""
    here.kore.make_admin("u5")
    client = here.kore.client_for("u5", via="token")
    before, path = here.state(), f"/courses/{here.course}"

    def ask(what: str, **body) -> str:
        answer = client.post(f"{path}/{what}", json=body)
        assert answer.status_code == 202, answer.text
        run_job(here, answer.json["id"])
        return answer.json["id"]

    backup = ask("backups", contents="everything")
    ask("reset", confirm=here.title)
    assert here.state() != before
    ask("restore", confirm=here.title, backup=backup)
    assert here.state() == before
    ask("delete", confirm=here.title, backup=False)
    listed = client.get("/backups", query_string={"course": here.course}).json["backups"]
    assert {one["origin"] for one in listed} == {"made", "before_reset", "before_restore"}
    for one in listed:
        assert client.open(f"/backups/{one['id']}", method="DELETE").status_code == 204
    entries = client.get(f"{path}/audit").json["entries"]
    assert {entry["by"] for entry in entries if entry["action"].startswith("course.")} == {"u5"}


def test_a_folder_that_is_closed_to_kore_stops_a_reset(here: FullCourse, monkeypatch):
    """What cannot be moved stops a reset while all is still as it was; root can move anything."""
    before = here.state()
    monkeypatch.setattr(SafeTree, "may_move", lambda _, path: path != "submitted")
    report = run_job(here, queue_reset(here, backup=False), "failed")
    assert code_of(report) == "special_file"
    assert here.state() == before
    assert find_left_over(here) == []


def test_jobs_that_wait_for_a_deleted_course_end_with_a_reason(here: FullCourse):
    """A backup that was queued behind the delete fails with the course's 404."""
    job = queue_delete(here, backup=False)
    with here.kore.db.session() as session:
        waiting = jobs.enqueue(
            session,
            BACKUP,
            course_id=here.course,
            created_by=here.teacher,
            params={"contents": "sources"},
            message=message("audit.backup.sources"),
        ).id
    run_job(here, job)
    assert jobs.read_report(here.kore.db, waiting).state == JobState.FAILED


def test_a_reset_that_an_earlier_version_began_is_completed(here: FullCourse):
    """Killed between two moves, with no journal of them: the other moves are made."""
    job = queue_reset(here)
    staging = here.root / ".kore" / job
    (staging / "new").mkdir(parents=True)
    (staging / "old").mkdir()
    gradebook.create(staging / "new/gradebook.db", here.course)
    (here.root / "release").rename(staging / "old/release")
    (here.root / "gradebook.db").rename(staging / "old/gradebook.db")
    leave_final(here, job, since=now().isoformat())
    run_job(here, job)
    after = here.state()
    assert (after["gradebook"], after["exchange"], after["members"]) == ([], [], [])
    assert not (here.root / "submitted").exists()
    assert {path for path in SOURCES if (here.root / path).is_file()} == SOURCES
    assert find_left_over(here) == []
