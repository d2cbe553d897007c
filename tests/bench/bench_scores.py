"""500 scores at 30 ms answer time: as Kore sends them, against one after another.

    python -m tests.bench.bench_scores [--scores N] [--answer-ms MS]

The other way opens a connection and gets a token for each score. Both senders are processes
of their own, both talk to the same LMS in one run. One JSON line on standard output; the
ratio is how many times longer the other way takes.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kore.db.models import Job
from kore.lti.ags import Score
from kore.lti.http import Patience
from kore.lti.keys import KeyStore
from kore.lti.services import Platforms
from tests.support.gradedcourse import GradedCourse, graded_course, start_kore


def one_after_another(
    keys_dir: Path, platform: dict[str, str], column: str, scores: list[Score], results: Any
) -> None:
    """Send scores, each on a new connection with a token of its own; put the seconds."""
    keys = KeyStore(keys_dir)
    keys.jwks()
    began = time.monotonic()
    for score in scores:
        Platforms(keys).ags(**platform).send(column, score)
    results.put(time.monotonic() - began)


def measure_kore(course: GradedCourse, number: int) -> float:
    """Send as Kore does; return the job's seconds, from its claim to its end."""
    job_id = course.queue()
    process = start_kore(course.folder, job_id)
    process.join()
    with course.services.db.reading() as session:
        job = session.get_one(Job, job_id)
    assert job.message == f"{number} sent", job.message
    assert job.started_at is not None
    assert job.ended_at is not None
    return (job.ended_at - job.started_at).total_seconds()


def measure_other(course: GradedCourse, slugs: list[str]) -> float:
    """Send the same scores one after another; return the seconds."""
    claims = course.lms.claims("tilda", course.activity)
    column = claims["https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"]["lineitem"]
    config = course.lms.config
    platform = {
        "issuer": config.url,
        "client_id": config.client_id,
        "token_url": config.token_url,
    }
    later = datetime.now(UTC) + timedelta(seconds=60)
    scores = [Score(course.lms.claims(s, course.activity)["sub"], 5, 10, later) for s in slugs]
    context = multiprocessing.get_context("forkserver")
    results = context.Queue()
    arguments = (course.folder / "kore" / "keys", platform, column, scores, results)
    process = context.Process(target=one_after_another, args=arguments)
    process.start()
    seconds: float = results.get()
    process.join()
    return seconds


def main() -> None:
    """Measure both ways and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scores", type=int, default=500)
    parser.add_argument("--answer-ms", type=int, default=30)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        graded_course(Path(folder), students=(), patience=Patience()) as course,
    ):
        slugs = course.fill(options.scores)
        course.assignment("ps1", 10)
        course.grade(dict.fromkeys(slugs, 7))
        course.lms.behave(score_delay_ms=options.answer_ms)
        kore = measure_kore(course, options.scores)
        tokens = len(course.lms.requests("token"))
        other = measure_other(course, slugs)
    print(  # noqa: T201
        json.dumps(
            {
                "bench": "scores",
                "scores": options.scores,
                "answer_ms": options.answer_ms,
                "at_once": 4,
                "tokens": tokens,
                "kore_s": round(kore, 2),
                "one_after_another_s": round(other, 2),
                "ratio": round(other / kore, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
