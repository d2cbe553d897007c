"""Restored, reset and deleted: what is there afterwards, and that a refusal changes nothing."""

from __future__ import annotations

import os
import re

import pytest
from sqlalchemy import select

from kore.service import jobs
from kore.service.backups import repository
from kore.service.backups.making import BACKUP
from kore.service.coursedir import swap
from kore.service.coursedir.tree import SafeTree
from kore.service.courses.listing import courses_of
from kore.service.courses.provision import formgrade_group, student_group
from kore.service.db.models import Course, Job, JobState, Member, Score, ScoreState, now
from kore.service.errors import KoreError
from kore.service.exchange.store import Store
from kore.service.grades.plans import SEND
from kore.service.hubapi import ServerState
from kore.service.lifecycle import closing, ending, restoring
from kore.service.schemas import JobInfo
from tests.support.keeping import FILES, KeptCourse

SOURCES = {path for path in FILES if path.startswith("source/")}


def run(course: KeptCourse, job: str, state: str = "done") -> JobInfo:
    course.kore.work()
    report = jobs.report(course.kore.db, job)
    assert report.state == state, report
    return report


def reset(course: KeptCourse, **more) -> str:
    told = {"by": course.teacher, "confirm": course.title, "backup": True, **more}
    return ending.queue(course.services, closing.RESET, course.course, **told)


def delete(course: KeptCourse, **more) -> str:
    told = {"by": course.teacher, "confirm": course.title, "backup": True, **more}
    return ending.queue(course.services, closing.DELETE, course.course, **told)


def restore(course: KeptCourse, backup: str, **more) -> str:
    told = {"by": course.teacher, "confirm": course.title, "backup_id": backup, **more}
    return restoring.queue(course.services, course.course, **told)


def backups(course: KeptCourse) -> dict[str, str]:
    listed = repository.listed(course.services, course.course, user=course.teacher)
    return {one.origin: one.id for one in listed.backups}


def left_over(course: KeptCourse) -> list[str]:
    """Return what lies about of work that has ended."""
    folder = course.services.settings.state_dir / "backups/incoming"
    found = [str(path) for path in folder.glob("*") if path.name != "lock"]
    return found + [str(path) for path in course.root.glob(".kore*")]


def test_everything_comes_back(course: KeptCourse):
    """After a restore the course is as it was: files, points, work handed in, feedback."""
    before = course.state()
    backup = course.back_up()
    course.write("source/ps3/new.ipynb", b"{}")
    course.write("source/ps1/squares.ipynb", b"spoilt")
    (course.root / "notes/for me.txt").unlink()
    (course.root / "gradebook.db").unlink()
    course.submit("u3")
    course.kore.hub.servers[course.course] = ServerState.RUNNING
    spoilt = course.state()
    run(course, restore(course, backup.id))
    assert course.state() == before
    assert course.kore.hub.servers == {}
    assert left_over(course) == []
    # What was there right before is kept, and can itself be brought back.
    (course.root / "gradebook.db").unlink()
    run(course, restore(course, backups(course)["before_restore"]))
    after = course.state()
    assert after["files"] == spoilt["files"]
    assert after["exchange"] == spoilt["exchange"]


def test_a_reset_keeps_the_sources_alone(course: KeptCourse):
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
    run(course, reset(course))
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
    assert left_over(course) == []
    # A new term begins: work is handed out and in.
    course.kore.launch("7")
    course.kore.work()
    course.release("ps1")
    course.submit("u7")
    # And the old one can be looked at again.
    run(course, restore(course, backups(course)["before_reset"]))
    assert course.state() == {
        **before,
        "members": ["u2", "u3", "u7"],
        "gradebook": sorted([*before["gradebook"], ("u7",)], key=lambda row: (len(row), row)),
    }


def test_a_deleted_course_is_gone_and_begins_afresh(course: KeptCourse):
    """Files, exchange, hub user, groups, share and rows are gone; a launch makes a new course."""
    hub = course.kore.hub
    hub.servers[course.course] = ServerState.RUNNING
    job = delete(course)
    run(course, job)
    assert course.course not in hub.users
    assert formgrade_group(course.course) not in hub.groups
    assert student_group(course.course) not in hub.groups
    assert course.course not in hub.shares
    assert not course.root.parent.exists()
    assert course.files() == []
    assert courses_of(course.services, course.teacher) == []
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
    assert courses_of(course.services, course.teacher)[0].state == "ready"
    assert sorted(path.name for path in course.root.iterdir()) == [
        "gradebook.db",
        "nbgrader_config.py",
    ]
    # Its backups wait for whoever teaches it.
    run(course, restore(course, backups(course)["before_delete"]))
    assert {path for path in FILES if (course.root / path).exists()} == set(FILES)
    entries = client.get(f"/courses/{course.course}/audit").json["entries"]
    assert [(e["action"], e["outcome"], e["by_name"]) for e in entries if e["job"]][:2] == [
        ("course.restore", "done", ""),
        ("course.delete", "done", ""),
    ]


def test_who_comes_while_a_course_is_deleted_finds_a_new_one(here: KeptCourse):
    """A launch between the point of no return and the end makes the course begin afresh."""
    hub, job = here.kore.hub, delete(here)
    launched = []

    def launch(name: str) -> None:
        if name == "delete_user" and not launched:
            launched.append(name)
            here.kore.launch("1", "Instructor")
            here.kore.launch("4")

    hub.before_call = launch
    run(here, job)
    assert launched
    assert here.course in hub.users
    assert hub.shares[here.course] == {here.teacher}
    assert here.state()["members"] == ["u4"]
    assert not (here.root / "source").exists()


@pytest.mark.parametrize("begin", [reset, delete])
def test_without_the_title_nothing_begins(here: KeptCourse, begin):
    """The title is asked for; dashes, case and spaces need not be the same."""
    for typed in ("", "Algebra", here.course):
        with pytest.raises(KoreError, match="not the title") as raised:
            begin(here, confirm=typed)
        assert raised.value.status == 422
    begin(here, confirm=" algebra i -  Homework ")


def test_while_grades_are_sent_nothing_is_ended(here: KeptCourse):
    """Refused with the reason, which the audit keeps; nothing is queued."""
    with here.kore.db.session() as session:
        jobs.enqueue(session, SEND, course_id=here.course, created_by=here.teacher)
    client = here.kore.client_for(here.teacher, via="token")
    for what in ("reset", "delete"):
        answer = client.post(f"/courses/{here.course}/{what}", json={"confirm": here.title})
        assert (answer.status_code, answer.json["error"]["code"]) == (409, "busy")
        assert "being sent" in answer.json["error"]["message"]
    newest = client.get(f"/courses/{here.course}/audit").json["entries"][0]
    assert (newest["action"], newest["outcome"]) == ("course.delete", "refused")


def test_one_reset_at_a_time(here: KeptCourse):
    """A second click is told that the first is under way."""
    reset(here)
    with pytest.raises(KoreError, match="being reset already"):
        reset(here)


def test_handing_in_waits_while_a_course_is_closed(here: KeptCourse):
    """What would be lost is refused, with words to try again; afterwards it goes in."""
    refused = []

    def hand_in(name: str) -> None:
        if name == "stop_server" and not refused:
            with pytest.raises(KoreError) as raised:
                here.submit()
            refused.append((raised.value.status, raised.value.code))

    here.kore.hub.before_call = hand_in
    run(here, reset(here))
    assert refused == [(503, "course_closed")]
    here.kore.launch("2")
    here.release("ps1")
    here.submit()


@pytest.mark.parametrize("begin", [reset, delete])
def test_what_no_backup_holds_is_not_lost(here: KeptCourse, begin):
    """A plain file that cannot be backed up stops what would take it away, if there is a backup."""
    here.write("source/ps1/A.txt", b"1")
    here.write("source/ps1/a.txt", b"2")
    before = here.state()
    assert "would be lost" in run(here, begin(here), "failed").model_dump_json()
    assert here.state() == before
    run(here, begin(here, backup=False))
    assert backups(here) == {}


@pytest.mark.parametrize("begin", [reset, delete])
def test_a_disk_that_fills_up_changes_nothing(here: KeptCourse, monkeypatch, begin):
    """No room for the backup, or for what is got ready: the course is as it was."""
    before = here.state()
    monkeypatch.setattr(Store, "_write", _full)
    assert "disk" in run(here, begin(here), "failed").model_dump_json()
    monkeypatch.undo()
    assert here.state() == before
    assert left_over(here) == []
    assert backups(here) == {}


def test_a_disk_that_fills_up_while_restoring(here: KeptCourse, monkeypatch):
    """Half of what comes back was ready: nothing of it stays, and nothing was exchanged."""
    backup = here.back_up()
    here.write("source/ps1/squares.ipynb", b"newer")
    before, real, written = here.state(), SafeTree.write, []

    def full(self, path, *more, **options):
        written.append(path)
        if len(written) == 5:
            raise OSError(28, "No space left on device")
        return real(self, path, *more, **options)

    monkeypatch.setattr(SafeTree, "write", full)
    assert "disk" in run(here, restore(here, backup.id), "failed").model_dump_json()
    monkeypatch.undo()
    assert here.state() == before
    assert left_over(here) == []


def _full(self, path, pieces):
    next(iter(pieces))
    raise OSError(28, "No space left on device")


def test_a_cancel_in_time_changes_nothing(here: KeptCourse):
    """Cancelled while the server stops: the course is as it was, and the report says so."""
    before, job = here.state(), reset(here, backup=False)

    def cancel(name: str) -> None:
        if name == "stop_server":
            jobs.cancel(here.kore.db, job, by="u1")

    here.kore.hub.before_call = cancel
    assert run(here, job, "cancelled").message == "Stopped before anything was changed."
    assert here.state() == before
    assert left_over(here) == []


def test_a_hub_that_is_away_delays_the_end(here: KeptCourse):
    """Past the point of no return the job waits for the hub, says so, and then completes."""
    job, away = delete(here), [True]

    def fail(name: str) -> None:
        if name == "delete_user" and away[0]:
            raise KoreError(503, "hub_away", "JupyterHub does not answer.")

    here.kore.hub.before_call = fail
    here.kore.work()
    report = jobs.report(here.kore.db, job)
    assert (report.state, report.ended_at) == ("running", None)
    assert "JupyterHub does not answer" in report.model_dump_json()
    away[0] = False
    with here.kore.db.session() as session:
        session.get_one(Job, job).lease_until = now()
    run(here, job)
    assert here.course not in here.kore.hub.users


def test_what_cannot_be_restored_is_refused_at_once(here: KeptCourse):
    """A backup of assignments only, or of another course, or of nobody's."""
    sources = here.back_up("sources")
    with pytest.raises(KoreError, match="assignments only"):
        restore(here, sources.id)
    everything = here.back_up()
    with here.kore.db.session() as session:
        session.merge(everything).source_course = "c-" + "0" * 16
    with pytest.raises(KoreError, match="another course"):
        restore(here, everything.id)
    client = here.kore.client_for(here.teacher, via="token")
    other, _ = here.kore.launch("1", "Instructor", link="link-2")
    body = {"backup": everything.id, "confirm": "Algebra I - Homework"}
    assert client.post(f"/courses/{other}/restore", json=body).status_code == 404


def test_a_hub_admin_manages_a_course_that_nobody_opens_any_more(here: KeptCourse):
    """Without being in it: backed up, reset, restored and deleted by the API."""
    here.kore.make_admin("u5")
    client = here.kore.client_for("u5", via="token")
    before, path = here.state(), f"/courses/{here.course}"

    def ask(what: str, **body) -> str:
        answer = client.post(f"{path}/{what}", json=body)
        assert answer.status_code == 202, answer.text
        run(here, answer.json["id"])
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


def test_a_damaged_backup_changes_nothing(here: KeptCourse):
    """A flipped byte anywhere in a stored archive fails the restore before anything is moved."""
    backup = here.back_up()
    whole = here.archive(backup).read_bytes()
    before = here.state()
    for part in (0.3, 0.6, 0.8, 0.97):
        damaged = bytearray(whole)
        at = int(len(whole) * part)
        while not damaged[at]:
            at += 1
        damaged[at] ^= 0x55
        here.archive(backup).write_bytes(damaged)
        job = restore(here, backup.id)
        here.kore.work()
        report = jobs.report(here.kore.db, job)
        if report.state == "failed":
            assert re.search("amaged|put into", report.model_dump_json())
        assert here.state() == before
        assert left_over(here) == []


def test_a_folder_that_is_closed_to_kore_is_told_before(here: KeptCourse, monkeypatch):
    """What cannot be moved stops a reset while all is still as it was; root can move anything."""
    before, real = here.state(), os.access
    closed = here.root / "submitted"

    def access(path, mode):
        return path != closed and real(path, mode)

    monkeypatch.setattr(os, "access", access)
    report = run(here, reset(here, backup=False), "failed")
    assert report.message.startswith("submitted is a link, a pipe, a device or closed")
    assert here.state() == before
    assert left_over(here) == []


def test_a_move_that_was_interrupted_goes_on(tmp_path):
    """Killed between any two moves, the next attempt ends with exactly what was to come."""

    class Killed(BaseException):
        pass

    for fatal in range(12):
        root = tmp_path / str(fatal)
        for path in ("a/old", "b", "c/old", "stays"):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text("old")
        moves = 0
        with SafeTree(root) as tree:
            for path in ("a/new", "b", "d"):
                tree.write(f"{swap.staging('j')}/{path}", [b"new"])
            real = tree.rename

            def rename(old, new, real=real, fatal=fatal):
                nonlocal moves
                if moves == fatal:
                    raise Killed
                moves += 1
                real(old, new)

            tree.rename = rename
            try:
                swap.put_in_place(tree, "j", gone=["c", "x"])
            except Killed:
                del tree.rename
                # A program that still ran has made one of them anew.
                (root / "b").exists() or (root / "b").write_text("meanwhile")
                swap.put_in_place(tree, "j", gone=["c", "x"])
            tree.__dict__.pop("rename", None)
            swap.clear(tree, "j")
        found = {
            str(path.relative_to(root)): path.read_text()
            for path in root.rglob("*")
            if path.is_file()
        }
        assert found == {"a/new": "new", "b": "new", "d": "new", "stays": "old"}, fatal


def test_jobs_that_wait_for_a_deleted_course_end_in_words(here: KeptCourse):
    """A backup that was queued behind the delete fails with the course's 404."""
    job = delete(here, backup=False)
    with here.kore.db.session() as session:
        waiting = jobs.enqueue(
            session,
            BACKUP,
            course_id=here.course,
            created_by=here.teacher,
            params={"contents": "sources"},
        ).id
    run(here, job)
    assert jobs.report(here.kore.db, waiting).state == JobState.FAILED
