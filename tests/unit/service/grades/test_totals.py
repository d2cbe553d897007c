"""Totals: how many points each student gets, who is held back, and why."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kore.service.catalog import render
from kore.service.coursedir.gradebook import GradedSubmission
from kore.service.grades.totals import Student, compute_totals
from kore.shared.messages import message

ADA, BOB = Student("u1", "Ada", "1"), Student("u2", "Bob", "2")


def work(user="u1", assignment="a", score=5.0, maximum=10.0, penalty=0.0, *, by_hand=False):
    return GradedSubmission(user, assignment, score, maximum, penalty, by_hand)


def given_to(found):
    return {line.student.user: line.given for line in found.lines}


def reasons(found):
    return {line.student.user: line.reason and line.reason.id for line in found.lines}


def test_total_is_the_sum_over_counted_assignments():
    """Points and maxima of the counted assignments add up."""
    found = compute_totals([ADA], [work(), work(assignment="b", score=2.5, maximum=4)], {})
    assert (found.maximum, found.assignments, given_to(found)) == (14, ["a", "b"], {"u1": 7.5})


def test_late_penalty_is_subtracted_and_never_below_zero():
    """Each assignment is at least 0, whatever its penalty."""
    found = compute_totals(
        [ADA], [work(score=5, penalty=2), work(assignment="b", score=1, penalty=9)], {}
    )
    assert given_to(found) == {"u1": 3}


def test_missing_counted_assignment_is_zero():
    """A student with graded work gets 0 for a counted assignment that they did not submit."""
    found = compute_totals([ADA, BOB], [work(), work("u2"), work("u2", "b", 4, 4)], {})
    assert given_to(found) == {"u1": 5, "u2": 9}
    assert found.maximum == 14


def test_assignment_without_graded_work_or_points_does_not_count():
    """An assignment that nobody was graded for, or that is worth nothing, changes no total."""
    found = compute_totals([ADA, BOB], [work(), work(assignment="survey", score=0, maximum=0)], {})
    assert (found.maximum, found.assignments) == (10, ["a"])


def test_student_without_graded_work_is_held_back():
    """A student without graded work is held back instead of getting 0."""
    found = compute_totals([ADA, BOB], [work()], {})
    assert given_to(found)["u2"] is None
    assert reasons(found)["u2"] == "grades.no_graded_work"


def test_work_without_points_is_no_graded_work():
    """Work in an assignment without points gives no total."""
    found = compute_totals([ADA], [work(maximum=0)], {})
    assert reasons(found)["u1"] == "grades.no_graded_work"


def test_work_that_needs_manual_grading_is_held_back():
    """A total that a teacher has yet to complete is not sent."""
    found = compute_totals([ADA], [work(), work(assignment="essay", by_hand=True)], {})
    assert found.lines[0].reason == message("grades.needs_manual", assignments=["essay"])


def test_ungraded_work_is_held_back_only_in_counted_assignments():
    """Collected work holds a total back once its assignment counts."""
    graded = [work(), work("u2"), work("u2", "b")]
    found = compute_totals([ADA, BOB], graded, {"u1": {"b", "not-counted"}})
    assert found.lines[0].reason == message("grades.not_graded", assignments=["b"])
    found = compute_totals([ADA], [work()], {"u1": {"not-counted"}})
    assert given_to(found) == {"u1": 5}


def test_student_without_lms_id_is_held_back():
    """A student whose LMS user id is unknown is held back."""
    found = compute_totals([Student("x", "x", None)], [work("x")], {})
    assert reasons(found)["x"] == "grades.no_lms_id"


def test_work_of_others_does_not_count():
    """A teacher's submission does not make an assignment count for students."""
    found = compute_totals([ADA], [work(), work("teacher", "b")], {})
    assert (found.maximum, given_to(found)) == (10, {"u1": 5})


def test_hostile_assignment_name_stays_one_line():
    """Line breaks and direction marks in an assignment's name are escaped in the reason."""
    found = compute_totals([ADA], [work(assignment="a\n\u202eb", by_hand=True)], {})
    reason = found.lines[0].reason
    assert reason is not None
    assert render(reason) == r"Waiting for manual grading: “a\n\u202eb”."


@given(
    st.lists(
        st.builds(
            work,
            st.sampled_from(["u1", "u2", "u3", "stranger"]),
            st.sampled_from(["a", "b", "c"]),
            st.floats(-5, 100),
            st.just(10.0),
            st.floats(0, 200),
            by_hand=st.booleans(),
        ),
        max_size=20,
        unique_by=lambda w: (w.student, w.assignment),
    )
)
def test_every_student_has_points_or_a_reason(submissions):
    """Each student has a line, with points that are not negative or with a reason."""
    students = [ADA, BOB, Student("u3", "Cy", None)]
    found = compute_totals(students, submissions, {})
    assert {line.student for line in found.lines} == set(students)
    for line in found.lines:
        assert (line.given is None) == (line.reason is not None)
        assert line.given is None or (line.given >= 0 and line.student.sub is not None)
