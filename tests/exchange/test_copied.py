"""Copied assignments in real nbgrader courses: released, handed in, graded like the first."""

from __future__ import annotations

import json

import pytest

from kore.service.copying import copies
from kore.service.copying.schemas import CopyRequest
from kore.service.coursedir import gradebook
from tests.support import notebooks
from tests.support.nbgrader_exchange import Desk, World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ANSWER = "def square(x):\n    return 9 if x == 3 else -1"
RIGHT = "def square(x):\n    return x * x"


def release(school: World, course: str, assignment: str) -> None:
    teacher = school.teachers[course]
    teacher.nbgrader("generate_assignment", assignment, "--course", course)
    teacher.nbgrader("release_assignment", assignment, "--course", course)


def hand_in(school: World, student: Desk, course: str, assignment: str, **answers: str) -> None:
    student.nbgrader("fetch_assignment", assignment, "--course", course)
    for name, answer in answers.items():
        path = student.folder / assignment / f"{name}.ipynb"
        book = json.loads(path.read_text())
        for cell in book["cells"]:
            if cell["metadata"].get("nbgrader", {}).get("grade_id", "").startswith("square"):
                cell["source"] = answer
        path.write_text(json.dumps(book))
    student.nbgrader("submit", assignment, "--course", course)


def grades(school: World, course: str, assignment: str) -> dict[str, tuple[float, float]]:
    """Collect and autograde; return points and their maximum by student."""
    teacher = school.teachers[course]
    teacher.nbgrader("collect", assignment, "--course", course)
    teacher.nbgrader("autograde", assignment, "--course", course)
    return {
        one.student: (one.score, one.max_score)
        for one in gradebook.list_graded(teacher.folder / "gradebook.db", course)
        if one.assignment == assignment
    }


def copy(school: World, **asked) -> None:
    origin = {"kind": "course", "id": school.courses[0]}
    request = CopyRequest.model_validate({"from": origin, **asked})
    job = copies.queue_copy(school.kore.services, school.courses[1], request, by="u900")
    school.kore.work()
    client = school.kore.client_for("u900", via="token")
    assert client.get(f"/jobs/{job}").json["state"] == "done"


def test_a_copied_assignment_grades_like_the_first(school: World):
    """The same answers get the same points in a course and in its copy; so does a lone problem.

    The first course was really released, handed in to and graded before the copy; it is the
    same after it.
    """
    one, other = school.courses
    folder = school.kore.source(one, "ps1", squares=notebooks.assignment(points=3))
    book = notebooks.assignment(points=2)
    book["cells"][2]["source"] += "\nassert open('data/limit.txt').read() == '4'"
    school.kore.source(one, "ps1", with_data=book)
    (folder / "data").mkdir()
    (folder / "data" / "limit.txt").write_text("4")
    students = [school.student, school.others["u102"]]
    answers = [{"squares": ANSWER, "with_data": RIGHT}, {"squares": RIGHT, "with_data": ANSWER}]
    release(school, one, "ps1")
    for student, answer in zip(students, answers, strict=True):
        hand_in(school, student, one, "ps1", **answer)
    first = grades(school, one, "ps1")
    assert first == {"u101": (2, 5), "u102": (3, 5)}

    copy(school, assignment="ps1", into="ps2")
    school.kore.source(other, "ps3", own=notebooks.assignment(points=1))
    copy(school, assignment="ps1", problem="with_data", into="ps3")
    for name in ("ps2", "ps3"):
        release(school, other, name)
    for student, answer in zip(students, answers, strict=True):
        hand_in(school, student, other, "ps2", **answer)
        hand_in(school, student, other, "ps3", with_data=answer["with_data"])
    assert grades(school, other, "ps2") == first
    assert grades(school, other, "ps3") == {"u101": (2, 3), "u102": (0, 3)}
    assert grades(school, one, "ps1") == first
