"""Formgrader's autograde with a hostile notebook, where root runs the demo."""

from __future__ import annotations

import json
import os

import psutil
import pytest

from tests.support import notebooks
from tests.support.waiting import wait_until
from tests.support.web_user import WebUser

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("demo"),
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can give accounts"),
]

BURGLARY = """
import json, os, socket, subprocess
got = []
def attempt(what, act):
    try:
        got.append([what, str(act())[:60]])
    except Exception:
        pass
course = COURSE
for path in ("gradebook.db", "source/apart/squares.ipynb", "submitted", "../.jupyter"):
    attempt(path, lambda: os.stat(f"{course}/{path}"))
attempt("list", lambda: os.listdir(course))
attempt("token", lambda: os.environ["JUPYTERHUB_API_TOKEN"])
for pid in [p for p in os.listdir("/proc") if p.isdigit()]:
    attempt("environ", lambda: [open(f"/proc/{pid}/environ").read()].index("JUPYTERHUB") )
    attempt("tokens", lambda: "JUPYTERHUB_API_TOKEN" in open(f"/proc/{pid}/environ").read() or 1/0)
for port in PORTS:
    attempt(f"port {port}", lambda: socket.create_connection(("127.0.0.1", port), 2))
subprocess.Popen(["sleep", "817263"], start_new_session=True)
print("GOT" + json.dumps(got))
def square(x):
    return x * x
"""


def test_a_hostile_notebook_is_graded_and_finds_nothing(demo):
    """The points are right, what it found is nothing, and nothing of it is left running."""
    teacher, student = WebUser(demo, "tilda"), WebUser(demo, "zoe")
    teacher.launch("systems")
    student.launch("systems")
    [course] = [
        c["id"]
        for c in teacher.kore("GET", "/courses").json()["courses"]
        if c["activity_title"] == "Linear systems"
    ]
    desk = teacher.server(course)
    desk.write("source/apart/squares.ipynb", notebooks.assignment(points=5))
    desk.formgrader("POST", "assignment/apart/assign")
    desk.formgrader("POST", "assignment/apart/release")
    student.enrolled(course)
    server = student.server()
    work = {"course_id": course, "assignment_id": "apart"}
    server.json("POST", "/assignments/fetch", json=work)
    path = f"{course}/apart/squares.ipynb"
    ports = [int(url.split(":")[2].split("/")[0]) for url in (demo.hub, demo.lms)]
    code = BURGLARY.replace("COURSE", repr(str(demo.state_dir / "homes" / course / "course")))
    answer = code.replace("PORTS", repr(ports))
    server.write(path, notebooks.solve(server.read(path), answer))
    assert server.json("POST", "/assignments/submit", json=work)["success"]
    desk.formgrader("POST", "assignment/apart/collect")
    name = student.hub_name()
    desk.formgrader("POST", f"submission/apart/{name}/autograde")
    [graded] = desk.formgrader("GET", "submissions/apart")
    assert (graded["score"], graded["max_score"]) == (5, 5)
    made = desk.read(f"autograded/{name}/apart/squares.ipynb")
    printed = "".join(
        output.get("text", "") for cell in made["cells"] for output in cell.get("outputs", [])
    )
    assert json.loads(printed.partition("GOT")[2]) == []
    # The answer comes before the program that gave it has ended.
    wait_until(lambda: not _running("817263"), "a student's program goes on")


def _running(words: str) -> bool:
    found = [p.info["cmdline"] or [] for p in psutil.process_iter(["cmdline"])]
    return any(words in line for line in found)
