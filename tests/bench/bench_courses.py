"""What courses cost: the first launch, the hub's start, and a course that nobody uses.

    python -m tests.bench.bench_courses [--courses N] [--starts N]

One run compares the same demo with no course and with many: starts of the hub (from its
process to "is now running", by its own log), processes and memory (proportional set size)
when idle. One JSON line on standard output; ratios are many courses to none.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import requests

from tests.support.demo import Demo, running_demo
from tests.support.web_user import WebUser

_LTI = "https://purl.imsglobal.org/spec/lti/claim/"
_STAMP = re.compile(r"\[I (\S+ \S+) JupyterHub")


def _hub_start(demo: Demo, logged_before: int) -> float:
    """Return the seconds between the first and the "now running" line of the latest start."""
    lines = demo.log("hub")[logged_before:].splitlines()
    stamps = [
        (datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC), line)
        for line in lines
        if (match := _STAMP.match(line))
    ]
    ready = next(when for when, line in stamps if "is now running" in line)
    return (ready - stamps[0][0]).total_seconds()


def _start(state: Path) -> tuple[float, int, float]:
    """Start and stop a demo; return the hub's start, and processes and MiB when idle."""
    log = state / "logs" / "hub.log"
    before = len(log.read_text(errors="replace")) if log.exists() else 0
    with running_demo(state) as demo:
        family = psutil.Process(demo.process.pid).children(recursive=True)
        memory = sum(process.memory_full_info().pss for process in family) / 2**20
        return _hub_start(demo, before), len(family), memory


def _tell(demo: Demo, number: int) -> None:
    """Tell Kore of a teacher's first launch of an activity, as the hub's login would."""
    token = (demo.state_dir / "hub" / "hub-login.token").read_text().strip()
    claims = {
        "iss": "https://lms.example",
        "sub": "101",
        _LTI + "message_type": "LtiResourceLinkRequest",
        _LTI + "version": "1.3.0",
        _LTI + "deployment_id": "1",
        _LTI + "resource_link": {"id": f"many-{number}", "title": f"Course {number}"},
        _LTI + "roles": ["http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"],
    }
    notice = {
        "user": "u101",
        "user_created_at": "2026-01-01T00:00:00Z",
        "client_id": "bench",
        "claims": claims,
        "platform": {
            "issuer": "https://lms.example",
            "client_id": "bench",
            "token_url": "https://lms.example/token",
        },
    }
    requests.post(
        f"{demo.kore}/launches",
        json=notice,
        headers={"Authorization": f"token {token}"},
        timeout=60,
    ).raise_for_status()


def _first_launches(demo: Demo, number: int) -> list[float]:
    """Return the seconds from a teacher's click to a new course that stands ready."""
    times = []
    for _ in range(number):
        made = requests.post(
            f"{demo.lms}/api/activities",
            json={"course": "numerics", "title": f"Bench {time.monotonic()}"},
            timeout=30,
        ).json()
        teacher = WebUser(demo, "tilda")
        began = time.monotonic()
        landed = teacher.launch(made["slug"], before="/hub/spawn")
        times.append(time.monotonic() - began)
        assert "/c-" in landed.headers["Location"], landed.url
    return times


def _fill(demo: Demo, courses: int) -> None:
    teacher = WebUser(demo, "tilda")
    teacher.launch("roots", before="/hub/spawn")
    for number in range(courses):
        _tell(demo, number)
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        listed = teacher.kore("GET", "/courses").json()["courses"]
        if len(listed) > courses and all(course["state"] == "ready" for course in listed):
            return
        time.sleep(1)
    raise TimeoutError("the courses did not get ready")


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--courses", type=int, default=100)
    parser.add_argument("--starts", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-courses-") as folder:
        empty, full = Path(folder) / "empty", Path(folder) / "full"
        with running_demo(empty):
            pass
        with running_demo(full) as demo:
            launches = _first_launches(demo, 5)
            _fill(demo, options.courses)
        none: list[Any] = []
        many: list[Any] = []
        # Alternately, so that a busy minute of the machine meets both.
        for _ in range(options.starts):
            none.append(_start(empty))
            many.append(_start(full))
    middle = [
        [statistics.median(column) for column in zip(*rows, strict=True)] for rows in (none, many)
    ]
    print(  # noqa: T201
        json.dumps(
            {
                "bench": "courses",
                "courses": options.courses + 6,
                "first_launch_s": [round(t, 2) for t in launches],
                "hub_start_s": {"none": round(middle[0][0], 2), "many": round(middle[1][0], 2)},
                "hub_start_ratio": round(middle[1][0] / middle[0][0], 2),
                "idle_processes": {"none": middle[0][1], "many": middle[1][1]},
                "idle_pss_mib": {"none": round(middle[0][2]), "many": round(middle[1][2])},
            }
        )
    )


if __name__ == "__main__":
    main()
