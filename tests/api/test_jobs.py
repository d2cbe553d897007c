"""What jobs say of themselves over the API."""

from __future__ import annotations

from nbgrader.api import Gradebook

from tests.support.kore import make_kore


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
