"""Who gets how many points, who is held back, and why."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kore.service.coursedir.gradebook import GradedSubmission
from kore.service.grades.totals import Student, totals

ADA, BOB = Student("u1", "Ada", "1"), Student("u2", "Bob", "2")


def work(user="u1", assignment="a", score=5.0, maximum=10.0, penalty=0.0, *, by_hand=False):
    return GradedSubmission(user, assignment, score, maximum, penalty, by_hand)


def given_to(found):
    return {line.student.user: line.given for line in found.lines}


def reasons(found):
    return {line.student.user: line.reason for line in found.lines}


def test_the_total_is_the_sum_over_counted_assignments():
    """Points add up, and so do the maxima."""
    found = totals([ADA], [work(), work(assignment="b", score=2.5, maximum=4)], {})
    assert (found.maximum, found.assignments, given_to(found)) == (14, ["a", "b"], {"u1": 7.5})


def test_late_penalty_is_subtracted_and_never_below_zero():
    """Each assignment is at least 0, whatever its penalty."""
    found = totals([ADA], [work(score=5, penalty=2), work(assignment="b", score=1, penalty=9)], {})
    assert given_to(found) == {"u1": 3}


def test_a_counted_assignment_that_a_student_lacks_is_zero():
    """Whoever has graded work gets nothing for what they did not hand in."""
    found = totals([ADA, BOB], [work(), work("u2"), work("u2", "b", 4, 4)], {})
    assert given_to(found) == {"u1": 5, "u2": 9}
    assert found.maximum == 14


def test_an_assignment_without_graded_work_or_points_does_not_count():
    """Nobody's total suffers from what has not been graded for anyone, or is worth nothing."""
    found = totals([ADA, BOB], [work(), work(assignment="survey", score=0, maximum=0)], {})
    assert (found.maximum, found.assignments) == (10, ["a"])


def test_no_graded_work_is_held_back_and_not_zero():
    """A student who handed nothing in gets no 0 from us."""
    found = totals([ADA, BOB], [work()], {})
    assert given_to(found)["u2"] is None
    assert reasons(found)["u2"] == "No graded work yet."


def test_only_unrated_work_is_no_graded_work():
    """Work in an assignment without points gives no total."""
    found = totals([ADA], [work(maximum=0)], {})
    assert reasons(found)["u1"] == "No graded work yet."


def test_waiting_for_a_hand_is_held_back():
    """A total that a teacher has yet to complete is not sent."""
    found = totals([ADA], [work(), work(assignment="essay", by_hand=True)], {})
    assert reasons(found)["u1"] == "Waits for grading by hand: essay."


def test_waiting_for_the_autograder_is_held_back_only_for_counted_assignments():
    """Collected work counts once its assignment is being graded."""
    graded = [work(), work("u2"), work("u2", "b")]
    found = totals([ADA, BOB], graded, {"u1": {"b", "not-counted"}})
    assert reasons(found)["u1"] == "Collected, but not graded yet: b."
    found = totals([ADA], [work()], {"u1": {"not-counted"}})
    assert given_to(found) == {"u1": 5}


def test_somebody_who_never_came_from_the_lms_is_held_back():
    """Without the LMS's id there is nobody to send to."""
    found = totals([Student("x", "x", None)], [work("x")], {})
    assert reasons(found)["x"].startswith("Has never come from the LMS")


def test_strangers_count_for_nothing():
    """A teacher's try of an assignment makes it count for no student."""
    found = totals([ADA], [work(), work("teacher", "b")], {})
    assert (found.maximum, given_to(found)) == (10, {"u1": 5})


def test_a_hostile_assignment_name_stays_one_line():
    """Names are folders' names, and anybody's."""
    found = totals([ADA], [work(assignment="a\n\u202eb", by_hand=True)], {})
    assert reasons(found)["u1"] == "Waits for grading by hand: a b."


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
def test_every_student_has_a_line_with_points_or_a_reason(submissions):
    """Nobody is lost, nothing is negative, and each line says either how much or why not."""
    students = [ADA, BOB, Student("u3", "Cy", None)]
    found = totals(students, submissions, {})
    assert {line.student for line in found.lines} == set(students)
    for line in found.lines:
        assert (line.given is None) == bool(line.reason)
        assert line.given is None or (line.given >= 0 and line.student.sub is not None)
