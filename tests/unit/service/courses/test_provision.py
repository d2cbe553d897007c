"""Courses from their first launch on: recorded, set up, and mended after kills."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from nbgrader.api import Gradebook
from sqlalchemy import func, select

from kore.service import jobs
from kore.service.courses.launches import (
    PROVISION,
    find_standing,
    queue_unfinished_set_ups,
    record_launch,
)
from kore.service.courses.listing import (
    describe_course,
    find_current_course,
    list_courses,
)
from kore.service.courses.provision import (
    formgrade_group,
    is_known_to_hub,
    provision,
    restore_hub_user,
    student_group,
)
from kore.service.db.models import Course, Job, JobState, Member, now
from kore.service.hubapi import ServerState
from kore.service.memberships import find_role
from kore.shared.lti.claims import Launch
from kore.shared.roles import Role

LAUNCH = Launch(
    issuer="https://lms.example",
    client_id="tool",
    deployment_id="1",
    sub="7",
    target_link_uri="https://hub.example/hub",
    resource_link_id="42",
    resource_link_title="Exercises",
    context_title="Numerics",
    context_label="NUM",
    role=Role.LEARNER,
    name="Ada Example",
    given_name="Ada",
    family_name="Example",
    email="ada@example.org",
    ags_lineitem="https://lms.example/lineitems/1?type_id=1",
    ags_lineitems="https://lms.example/lineitems?type_id=1",
    ags_scopes=("https://purl.imsglobal.org/spec/lti-ags/scope/score",),
    memberships_url=None,
    return_url="https://lms.example/course/9",
)
TEACHER = replace(LAUNCH, sub="3", role=Role.INSTRUCTOR, name="Prof. Example")
COURSE = LAUNCH.course_id


class Killed(BaseException):
    """Stands for the end of the process."""


def _launch(services, launch: Launch) -> str:
    user = f"u{launch.sub}"
    services.hub.users.add(user)
    record_launch(services.db, user, launch, token_url="https://lms.example/token")
    return user


def _work(services) -> None:
    """Do what the runner would: the queued set-up, with no other runner about."""
    with services.db.session() as session:
        for job in session.scalars(select(Job).where(Job.state == JobState.QUEUED)):
            job.state = JobState.DONE
            context = jobs.JobContext(
                services=services,
                job_id=job.id,
                kind=job.kind,
                course_id=job.course_id,
                created_by=job.created_by,
                params={},
                attempt=1,
            )
    provision(context)


def _state(services) -> dict:
    root = services.host.course_root(COURSE)
    gradebook = Gradebook(f"sqlite:///{root / 'gradebook.db'}", COURSE)
    students = sorted((s.id, s.first_name, s.lms_user_id) for s in gradebook.students)
    gradebook.close()
    with services.db.reading() as session:
        synced = session.scalars(select(Member.user).where(Member.synced_at.is_not(None))).all()
        ready = session.scalars(select(Course.id).where(Course.ready_at.is_not(None))).all()
    return {
        "users": services.hub.users,
        "groups": services.hub.groups,
        "shares": services.hub.shares,
        "students": students,
        "files": sorted(path.name for path in root.iterdir()),
        "synced": sorted(synced),
        "ready": sorted(ready),
    }


def test_a_teachers_first_launch_makes_a_course(services):
    """After the first launch: hub user, groups, share, gradebook, configuration, title."""
    teacher = _launch(services, TEACHER)
    assert find_standing(services.db, COURSE, teacher) == (Role.INSTRUCTOR, False)
    _work(services)
    assert find_standing(services.db, COURSE, teacher) == (Role.INSTRUCTOR, True)
    state = _state(services)
    assert state["groups"] == {
        formgrade_group(COURSE): {COURSE, "u3"},
        student_group(COURSE): {COURSE},
    }
    assert state["shares"] == {COURSE: {"u3"}}
    assert state["files"] == ["gradebook.db", "nbgrader_config.py"]
    assert state["students"] == []
    found = describe_course(services, COURSE, teacher, Role.INSTRUCTOR)
    assert (found.title, found.opened_by_teacher) == ("Numerics \N{EN DASH} Exercises", True)


def test_a_student_may_come_first(services):
    """A student's launch makes the course and enrols; no teacher has opened it yet."""
    student = _launch(services, LAUNCH)
    _work(services)
    found = describe_course(services, COURSE, student, Role.LEARNER)
    assert (found.state, found.opened_by_teacher, found.people) == ("ready", False, [])
    assert _state(services)["students"] == [("u7", "Ada", "7")]
    _launch(services, TEACHER)
    _work(services)
    assert describe_course(services, COURSE, student, Role.LEARNER).opened_by_teacher


def test_titles_follow_teachers_only(services):
    """A teacher's launch brings the new title; a student's does not change it."""
    _launch(services, TEACHER)
    _launch(services, replace(LAUNCH, resource_link_title="Forged"))
    assert list_courses(services, "u3")[0].activity_title == "Exercises"
    _launch(services, replace(TEACHER, resource_link_title="Renamed"))
    assert list_courses(services, "u7")[0].activity_title == "Renamed"


def test_the_label_stands_in_for_a_missing_context_title(services):
    """A course has a title as long as the LMS says anything about its context."""
    _launch(services, replace(TEACHER, context_title=""))
    assert list_courses(services, "u3")[0].title == "NUM \N{EN DASH} Exercises"


def test_twenty_at_once_make_one_course(services):
    """Teachers and students who launch a new activity together end in one complete course."""
    launches = [
        replace(LAUNCH, sub=str(n), role=Role.INSTRUCTOR if n % 4 == 0 else Role.LEARNER)
        for n in range(100, 120)
    ]
    barrier = threading.Barrier(20)

    def launch(one: Launch) -> None:
        barrier.wait()
        _launch(services, one)

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(launch, launches))
    _work(services)
    with services.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Course)) == 1
        assert session.scalar(select(func.count()).select_from(Member)) == 20
    state = _state(services)
    assert len(state["students"]) == 15
    assert len(state["shares"][COURSE]) == 5
    assert len(state["synced"]) == 20


def test_repeating_everything_changes_nothing(services):
    """A second set-up of a finished course leaves it as it is, and a known launch queues none."""
    _launch(services, TEACHER)
    _launch(services, LAUNCH)
    _work(services)
    before = repr(_state(services))
    assert not record_launch(
        services.db, "u7", LAUNCH, token_url="https://lms.example/token"
    ).queued
    with services.db.session() as session:
        jobs.enqueue(session, PROVISION, course_id=COURSE, created_by="u3")
    _work(services)
    assert repr(_state(services)) == before


@pytest.mark.slow
def test_a_kill_between_any_two_steps_is_mended(services, tmp_path):
    """Killed before each single hub call in turn, the next run completes what is missing."""
    _launch(services, TEACHER)
    _launch(services, LAUNCH)
    _work(services)
    whole = _state(services)
    calls = len(services.hub.calls)
    assert calls > 8
    for fatal in range(calls):
        with services.db.session() as session:
            session.query(Member).delete()
            session.query(Course).delete()
            session.query(Job).delete()
        services.hub.__init__()
        services.host._homes = tmp_path / f"homes-{fatal}"
        left = [fatal]

        def count(_name, left=left) -> None:
            if left[0] == 0:
                left[0] = -1
                raise Killed
            left[0] -= 1

        _launch(services, TEACHER)
        _launch(services, LAUNCH)
        services.hub.before_call = count
        with pytest.raises(Killed):
            _work(services)
        assert not find_standing(services.db, COURSE, "u3")[1]
        assert queue_unfinished_set_ups(services.db) == 1
        _work(services)
        assert _state(services) == whole, f"killed before call {fatal}"


def test_a_teacher_who_becomes_a_student_loses_the_course(services):
    """A changed role takes share and group away and stops the course's server."""
    _launch(services, TEACHER)
    _work(services)
    services.hub.servers[COURSE] = ServerState.RUNNING
    _launch(services, replace(TEACHER, role=Role.LEARNER))
    _work(services)
    state = _state(services)
    assert state["shares"] == {COURSE: set()}
    assert state["groups"][formgrade_group(COURSE)] == {COURSE}
    assert state["groups"][student_group(COURSE)] == {COURSE, "u3"}
    assert services.hub.servers == {}
    with services.db.reading() as session:
        assert find_role(session, COURSE, "u3") is Role.LEARNER


def test_an_observer_is_in_no_group(services):
    """A mentor sees that the course exists, and is neither student nor teacher of it."""
    _launch(services, replace(LAUNCH, role=Role.OBSERVER))
    _work(services)
    assert _state(services)["groups"][student_group(COURSE)] == {COURSE}
    assert _state(services)["students"] == []
    assert list_courses(services, "u7")[0].role == "observer"


def test_someone_the_hub_does_not_know_holds_nobody_up(services):
    """A member whose hub user is gone stays out; the others are enrolled."""
    _launch(services, LAUNCH)
    _launch(services, replace(LAUNCH, sub="8"))
    services.hub.users.discard("u8")
    _work(services)
    assert find_standing(services.db, COURSE, "u7") == (Role.LEARNER, True)
    assert find_standing(services.db, COURSE, "u8") == (Role.LEARNER, False)


def test_someone_made_anew_in_the_hub_is_enrolled_anew(services):
    """Whom a hub admin deleted gets groups and share again with the next launch."""
    _launch(services, TEACHER)
    _work(services)
    services.hub.groups[formgrade_group(COURSE)].discard("u3")
    services.hub.shares[COURSE].clear()
    told = {"token_url": "https://lms.example/token"}
    before = now() - timedelta(days=1)
    assert not record_launch(services.db, "u3", TEACHER, user_created_at=before, **told).queued
    assert record_launch(services.db, "u3", TEACHER, user_created_at=now(), **told).queued
    _work(services)
    state = _state(services)
    assert state["shares"] == {COURSE: {"u3"}}
    assert state["groups"][formgrade_group(COURSE)] == {COURSE, "u3"}


def test_who_comes_again_while_being_enrolled_is_looked_at_once_more(services):
    """What a launch tells in the middle of a set-up is not taken for done by that set-up."""
    _launch(services, TEACHER)
    told = {"token_url": "https://lms.example/token"}
    again = []

    def launch_again(call: str) -> None:
        if call == "share_server" and not again:
            again.append(call)
            record_launch(services.db, "u3", TEACHER, user_created_at=now(), **told)

    services.hub.before_call = launch_again
    _work(services)
    assert again
    assert _state(services)["synced"] == []
    _work(services)
    assert _state(services)["synced"] == ["u3"]


def test_a_course_whose_user_is_gone_is_set_up_again(services):
    """A course's hub user that was deleted comes back with everyone in it."""
    _launch(services, TEACHER)
    _launch(services, LAUNCH)
    _work(services)
    assert not restore_hub_user(services, COURSE)
    whole = repr(_state(services))
    services.hub.users.discard(COURSE)
    services.hub.groups.clear()
    services.hub.shares.clear()
    assert not is_known_to_hub(services, COURSE)
    assert restore_hub_user(services, COURSE)
    assert find_standing(services.db, COURSE, "u3") == (Role.INSTRUCTOR, False)
    _work(services)
    assert repr(_state(services)) == whole


def test_the_way_back_is_ones_own(services):
    """Each person's link back to the LMS is the one from their own launch."""
    _launch(services, replace(TEACHER, return_url="https://lms.example/?as=teacher"))
    _launch(services, LAUNCH)
    _work(services)
    assert (
        describe_course(services, COURSE, "u3", Role.LEARNER).return_url
        == "https://lms.example/?as=teacher"
    )
    assert describe_course(services, COURSE, "u7", Role.LEARNER).return_url == LAUNCH.return_url


def test_lists_show_only_ones_own(services):
    """Strangers see nothing; a hub admin who asks sees everything; the account its course."""
    _launch(services, TEACHER)
    assert list_courses(services, "u999") == []
    assert [c.role for c in list_courses(services, "u999", everything=True)] == ["admin"]
    assert find_current_course(services, "u999") is None
    assert find_current_course(services, "u3").id == COURSE
    assert find_current_course(services, COURSE).id == COURSE


def test_services_of_a_launch_without_grades(services):
    """A student's launch without the grade service keeps it; a teacher's takes it away."""
    _launch(services, TEACHER)
    _launch(services, replace(LAUNCH, ags_lineitem=None, ags_lineitems=None))
    assert list_courses(services, "u3")[0].grades_enabled
    _launch(services, replace(TEACHER, ags_lineitem=None, ags_lineitems=None))
    assert not list_courses(services, "u3")[0].grades_enabled
