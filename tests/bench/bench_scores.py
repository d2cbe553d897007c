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
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from kore.service.db.models import Course, Job
from kore.service.lti.ags_models import Score
from kore.service.lti.client import RetryPolicy
from kore.service.lti.keys import KeyStore
from kore.service.lti.services import Platforms
from tests.support.graded_course import GradedCourse, counts, graded_course, start_kore


def one_after_another(
    keys_dir: Path, platform: dict[str, Any], column: str, scores: list[Score], results: Any
) -> None:
    """Send scores, each on a new connection with a token of its own; put the seconds."""
    keys = KeyStore(keys_dir)
    keys.jwks()
    began = time.monotonic()
    for score in scores:
        Platforms(keys).ags(**platform).send_score(column, score)
    results.put(time.monotonic() - began)


def measure_kore(course: GradedCourse, number: int) -> float:
    """Send as Kore does; return the job's seconds, from its claim to its end."""
    job_id = course.queue()
    process = start_kore(course.folder, job_id)
    process.join()
    with course.services.db.reading() as session:
        job = session.get_one(Job, job_id)
    assert job.message == counts(sent=number), job.message
    assert job.started_at is not None
    assert job.ended_at is not None
    return (job.ended_at - job.started_at).total_seconds()


def measure_other(course: GradedCourse, slugs: list[str]) -> float:
    """Send the same scores one after another; return the seconds."""
    with course.services.db.reading() as session:
        it = session.get_one(Course, course.course_id)
    assert it.lineitem is not None
    platform = {
        "issuer": it.platform.issuer,
        "client_id": it.platform.client_id,
        "token_url": it.platform.token_url,
    }
    later = datetime.now(UTC) + timedelta(seconds=60)
    scores = [Score(course.lms.claims(s, course.activity)["sub"], 5, 10, later) for s in slugs]
    context = multiprocessing.get_context("forkserver")
    results = context.Queue()
    arguments = (course.folder / "kore" / "keys", platform, it.lineitem, scores, results)
    process = context.Process(target=one_after_another, args=arguments)
    process.start()
    seconds: float = results.get()
    process.join()
    return seconds


@contextmanager
def real_server(course: GradedCourse) -> Iterator[str]:
    """Serve the LMS as the demo does, which keeps connections, and send the course there."""
    config = course.lms.config
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    arguments = ["--port", str(port), "--tool-url", config.tool_url]
    arguments += ["--state-dir", str(config.state_dir)]
    server = subprocess.Popen([sys.executable, "-m", "ananke.demo.lms", *arguments])
    try:
        for _ in range(600):
            try:
                requests.get(f"{url}/api/state", timeout=5)
                break
            except requests.ConnectionError:
                time.sleep(0.1)
        with course.services.db.session() as session:
            it = session.get_one(Course, course.course_id)
            it.platform.token_url = it.platform.token_url.replace(config.url, url)
            it.lineitem = (it.lineitem or "").replace(config.url, url)
        yield url
    finally:
        server.terminate()
        server.wait()


def main() -> None:
    """Measure both ways and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scores", type=int, default=500)
    parser.add_argument("--answer-ms", type=int, default=30)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        graded_course(Path(folder), students=(), policy=RetryPolicy()) as course,
    ):
        slugs = course.fill(options.scores)
        course.assignment("ps1", 10)
        course.grade(dict.fromkeys(slugs, 7))
        with real_server(course) as url:
            behaviour = {"score_delay_ms": options.answer_ms}
            requests.put(f"{url}/api/behaviour", json=behaviour, timeout=10).raise_for_status()
            kore = measure_kore(course, options.scores)
            seen = requests.get(f"{url}/api/requests", timeout=10).json()["requests"]
            tokens = sum(request["service"] == "token" for request in seen)
            other = measure_other(course, slugs)
    print(  # noqa: T201
        json.dumps(
            {
                "bench": "scores",
                "scores": options.scores,
                "answer_ms": options.answer_ms,
                "max_concurrent": 4,
                "tokens": tokens,
                "kore_s": round(kore, 2),
                "one_after_another_s": round(other, 2),
                "ratio": round(other / kore, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
