"""Kore is killed while it sends: in the end each score is in the LMS, written once."""

from __future__ import annotations

import random
import time

import pytest

from tests.support.graded_course import counts, graded_course, start_kore

pytestmark = pytest.mark.slow


def send_with_kills(course, slugs, kills, seed):
    """Send in processes, of which some are killed at random moments; return the report."""
    rng = random.Random(seed)
    job_id = course.queue()
    for _ in range(kills):
        before = len(course.lms.service_requests())
        process = start_kore(course.folder, job_id)
        # At a moment after some requests, anywhere between two of them or in one.
        wanted = before + rng.randint(0, max(1, len(slugs) // kills))
        while len(course.lms.service_requests()) < wanted and process.is_alive():
            time.sleep(0.002)
        time.sleep(rng.uniform(0, 0.04))
        process.kill()
        process.join()
    last = start_kore(course.folder, job_id)
    last.join(timeout=60)
    assert last.exitcode == 0
    return course.report(job_id)


def check(folder, profile, students, kills, seed):
    with graded_course(folder, profile=profile, students=()) as course:
        slugs = course.fill(students)
        course.assignment("ps1", 10)
        course.grade({slug: 1 + index % 9 for index, slug in enumerate(slugs)})
        course.lms.behave(score_delay_ms=15, max_concurrent=0)
        report = send_with_kills(course, slugs, kills, seed)
        assert (report.state, report.message) == ("done", counts(sent=students))
        assert set(report.outcomes) == set(slugs)
        assert course.held() == {
            slug: ((1 + index % 9) * 10, 1) for index, slug in enumerate(slugs)
        }
        # What Kore believes is what there is: nothing is left in doubt or sent again.
        assert {course.score(slug).state for slug in slugs} == {"sent"}
        assert course.send().message == counts(unchanged=students)


@pytest.mark.parametrize("profile", ["moodle", "canvas", "strict"])
@pytest.mark.parametrize("seed", range(2))
def test_each_score_arrives_once_after_many_kills(tmp_path, profile, seed):
    """Each kill finds several scores on their way, so each moment of that way is hit."""
    check(tmp_path, profile, students=60, kills=12, seed=seed)
