"""What jobs say of themselves over the API."""

from __future__ import annotations

from nbgrader.api import Gradebook

from kore.service.auth import guards
from kore.service.db.models import Course, Member
from kore.service.memberships import find_role
from tests.support.kore import Harness, make_kore


def _deletion(kore: Harness) -> tuple[str, str, str]:
    """A course whose deletion is queued: the course, its title, the job."""
    course, teacher = kore.launch("1", "Instructor")
    kore.work()
    with kore.db.reading() as session:
        title = session.get_one(Course, course).title
    asked = kore.client_for(teacher, via="token").post(
        f"/courses/{course}/delete", json={"confirm": title}
    )
    assert asked.status_code == 202, asked.json
    return course, teacher, asked.json["id"]


def test_a_grading_names_its_assignment(tmp_path):
    """At once, in its report, and in the course's and the person's lists."""
    with make_kore(tmp_path) as kore:
        course, _ = kore.launch("1", "Instructor")
        kore.work()
        book = kore.services.host.course_root(course) / "gradebook.db"
        with Gradebook(f"sqlite:///{book}", course) as gradebook:
            gradebook.add_assignment("ps1")
        teacher = kore.client_for("u1", via="token")
        asked = teacher.post(f"/courses/{course}/autograde", json={"assignment": "ps1"})
        assert (asked.status_code, asked.json["subject"]) == (202, "ps1")
        assert teacher.get(f"/jobs/{asked.json['id']}").json["subject"] == "ps1"
        for path in (f"/jobs?course={course}", "/jobs"):
            told = {job["kind"]: job["subject"] for job in teacher.get(path).json["jobs"]}
            assert told["assignment.autograde"] == "ps1"
            assert told["course.provision"] is None


def test_a_course_that_goes_while_the_guard_looks_takes_no_report_with_it(tmp_path, monkeypatch):
    """Who watches a deletion sees its end, even where a look meets the very moment."""
    with make_kore(tmp_path) as kore:
        course, teacher, job = _deletion(kore)
        looked = []

        def delete_first(session, course_id, user):
            if not looked:
                looked.append(course_id)
                kore.work()
            with kore.db.reading() as later:
                return find_role(later, course_id, user)

        monkeypatch.setattr(guards, "find_role", delete_first)
        told = kore.client_for(teacher, via="token").get(f"/jobs/{job}")
        assert (looked, told.status_code) == ([course], 200)
        assert told.json["state"] == "done"
        with kore.db.reading() as session:
            assert session.get(Course, course) is None


def test_who_deletes_a_course_reads_how_it_ended_though_others_opened_it_again(tmp_path):
    """The course lives on for a student; its new report is for the one who asked, not for them."""
    with make_kore(tmp_path) as kore:
        course, teacher, job = _deletion(kore)
        stopping = kore.services.hub.delete_user

        def launched_meanwhile(name):
            kore.launch("2")
            stopping(name)

        kore.services.hub.delete_user = launched_meanwhile
        kore.work()
        with kore.db.reading() as session:
            assert session.get(Course, course) is not None
            assert session.get(Member, (course, teacher)) is None
        assert kore.client_for(teacher, via="token").get(f"/jobs/{job}").json["state"] == "done"
        for other in ("u2", "u3"):
            assert kore.client_for(other, via="token").get(f"/jobs/{job}").status_code in {403, 404}
        assert kore.client_for(teacher, via="token").get(f"/courses/{course}").status_code == 404


def test_a_service_with_the_name_of_a_person_reads_none_of_their_jobs(tmp_path):
    """Names of services are not names of people, whatever became of the course."""
    with make_kore(tmp_path) as kore:
        _, teacher, job = _deletion(kore)
        for _ in ("queued", "done"):
            service = kore.client_for(teacher, via="token", kind="service")
            answer = service.get(f"/jobs/{job}")
            assert (answer.status_code, answer.json["error"]["code"]) == (403, "users_only")
            assert service.post(f"/jobs/{job}/cancel").status_code == 403
            kore.work()
        assert kore.client_for(teacher, via="token").get(f"/jobs/{job}").json["state"] == "done"
