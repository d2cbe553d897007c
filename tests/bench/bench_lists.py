"""Lists of assignments and problems over many courses, against one course.

    python -m tests.bench.bench_lists [--courses N] [--assignments N] [--requests N]

One teacher has N courses of 30 assignments, each with two notebooks and a data file; another
has one. Requests of both go through Kore's application in this process, in turns: pages of 50
of assignments and of problems, and a search that has to know every notebook's title. The first
requests, which read all notebooks, are told apart. One JSON line; ratios are of 95th percentiles.
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import tempfile
import time
from pathlib import Path

from tests.support import notebooks
from tests.support.kore import Client, Harness, make_kore

LISTS = {
    "assignments": "/assignments?page=2",
    "problems": "/problems?page=2",
    "search": "/problems?search=squares",
}


def _fill(kore: Harness, courses: list[str], assignments: int) -> None:
    text = json.dumps(notebooks.assignment())
    for course in courses:
        root = kore.services.host.prepare_course(course)
        for number in range(assignments):
            folder = root / "source" / f"ps{number:02}"
            folder.mkdir(parents=True)
            (folder / "p1.ipynb").write_text(text)
            (folder / "p2.ipynb").write_text(text.replace("# Squares", f"# Part {number}"))
            (folder / "data.csv").write_bytes(b"1,2,3\n" * 1000)


def _ask(client: Client, path: str) -> float:
    began = time.perf_counter()
    answer = client.get(path)
    took = time.perf_counter() - began
    if answer.status_code != 200 or not answer.json["total"]:
        raise AssertionError(answer.text)
    return took


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--courses", type=int, default=200)
    parser.add_argument("--assignments", type=int, default=30)
    parser.add_argument("--requests", type=int, default=100)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as place, make_kore(Path(place)) as kore:
        many = [
            kore.launch("1", "Instructor", link=f"many-{number}")[0]
            for number in range(options.courses)
        ]
        one, _ = kore.launch("2", "Instructor", link="one")
        _fill(kore, [*many, one], options.assignments)
        # What was written within this tick of the clock is not remembered.
        time.sleep(0.2)
        clients = {who: kore.client_for(who, via="token") for who in ("u1", "u2")}
        result: dict[str, object] = {
            "bench": "lists",
            "courses": options.courses,
            "assignments_each": options.assignments,
            "requests": options.requests,
        }
        for name, path in LISTS.items():
            path_of = {"u1": path, "u2": path.replace("page=2", "page=1")}
            first = _ask(clients["u1"], path)
            _ask(clients["u2"], path_of["u2"])
            times: dict[str, list[float]] = {"u1": [], "u2": []}
            for _ in range(options.requests):
                for who, taken in times.items():
                    taken.append(_ask(clients[who], path_of[who]))
            result[name] = {
                "first_seconds": round(first, 3),
                "p95_ms": round(_p95(times["u1"]) * 1000, 1),
                "median_ms": round(statistics.median(times["u1"]) * 1000, 1),
                "one_course_p95_ms": round(_p95(times["u2"]) * 1000, 1),
                "ratio": round(_p95(times["u1"]) / _p95(times["u2"]), 1),
            }
    print(json.dumps(result))  # noqa: T201


if __name__ == "__main__":
    main()
