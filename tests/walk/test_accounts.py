"""Two students and a course on Unix accounts of their own, where root runs the demo."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from contextlib import suppress

import psutil
import pytest
import requests

from tests.support import kernel, notebooks
from tests.support.web_user import WebUser

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("demo"),
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can give accounts"),
]

BURGLARY = """
import glob, json, os, signal, urllib.error, urllib.request
told = {"uid": os.getuid(), "groups": os.getgroups(), "got": []}
told["own"] = os.listdir(os.path.expanduser("~"))

def attempt(what, act):
    try:
        told["got"].append([what, str(act())[:80]])
    except Exception:
        pass

def read(path):
    with open(path, "rb") as file:
        return file.read(100)

def write(path):
    with open(path, "ab"):
        return "written"

state, victim = STATE, VICTIM
home = f"{state}/homes/{victim}"
for path in (home, f"{state}/hub", f"{state}/kore", f"{state}/exchange", f"{state}/logs",
             f"{state}/accounts", f"{state}/lms", f"{state}/homes/COURSE"):
    attempt(f"list {path}", lambda: os.listdir(path))
for path in FILES:
    attempt(f"read {path}", lambda: read(path))
    attempt(f"write {path}", lambda: write(path))
attempt("put into home", lambda: write(home + "/planted"))
attempt("put into state", lambda: write(state + "/planted"))
attempt("take home's place", lambda: os.rename(home, home + ".old"))
for pid in PIDS:
    attempt(f"environment of {pid}", lambda: read(f"/proc/{pid}/environ"))
    attempt(f"root of {pid}", lambda: os.listdir(f"/proc/{pid}/root" + home))
    attempt(f"end {pid}", lambda: os.kill(pid, signal.SIGTERM))
attempt("become another", lambda: os.setuid(UID))

def ask(path, method="GET", body=None):
    headers = {"Authorization": "token " + os.environ["JUPYTERHUB_API_TOKEN"]}
    request = urllib.request.Request(
        os.environ["KORE_URL"] + path, method=method, data=body, headers=headers)
    return urllib.request.urlopen(request, timeout=20).read()

for path in ("", "/feedback"):
    attempt("fetch the other's work", lambda: ask("/exchange/COURSE/submissions/ID" + path))
attempt("feedback", lambda: ask("/exchange/COURSE/submissions/ID/feedback", "PUT", b""))
attempt("release", lambda: ask("/exchange/COURSE/assignments/vault", "PUT", b""))
attempt("grades", lambda: ask("/grades?course=COURSE"))
listed = json.loads(ask("/exchange/COURSE/submissions?user=" + victim))["submissions"]
told["listed"] = sorted({one["user"] for one in listed})
print(json.dumps(told))
"""


def burgle(server, course, theirs, **facts):
    """Let a student's kernel try everything; return what it says."""
    code = BURGLARY.replace("COURSE", course).replace("submissions/ID", f"submissions/{theirs}")
    for name, value in facts.items():
        code = code.replace(name, repr(value))
    printed = kernel.run_once(server, code)
    assert printed.startswith("{"), printed
    return json.loads(printed)


def test_two_students_who_cannot_reach_each_other(demo):
    """Neither reads, lists, replaces, or guesses the other's work, whoever's server runs."""
    teacher = WebUser(demo, "tilda")
    teacher.launch("systems")
    [course] = [
        c["id"]
        for c in teacher.kore("GET", "/courses").json()["courses"]
        if c["activity_title"] == "Linear systems"
    ]
    desk = teacher.server(course)
    desk.write("source/vault/squares.ipynb", notebooks.assignment(points=5))
    desk.formgrader("POST", "assignment/vault/assign")
    desk.formgrader("POST", "assignment/vault/release")

    students = [WebUser(demo, "zoe"), WebUser(demo, "mila")]
    names = [student.hub_name() for student in students]
    work = {"course_id": course, "assignment_id": "vault"}
    ids = []
    for student in students:
        student.launch("systems")
        student.enrolled(course)
        server = student.server()
        server.json("POST", "/assignments/fetch", json=work)
        assert server.json("POST", "/assignments/submit", json=work)["success"]
        token = kernel.run_once(
            server, "import os; print(os.environ['JUPYTERHUB_API_TOKEN'])"
        ).strip()
        mine = _submissions(demo, course, token)
        assert {one["user"] for one in mine} == {student.hub_name()}
        ids += [one["id"] for one in mine if one["assignment"] == "vault"]

    homes = {name: demo.state_dir / "homes" / name for name in (*names, course)}
    owners = {name: home.stat().st_uid for name, home in homes.items()}
    assert len({*owners.values(), 0}) == 4
    assert {stat.S_IMODE(home.stat().st_mode) for home in homes.values()} == {0o700}
    for name in homes:
        for process in _processes(demo, name):
            with suppress(psutil.NoSuchProcess):
                assert process.uids().real == owners[name], process.cmdline()

    thief, victim = names
    files = [
        *(f"{homes[victim]}/{course}/vault/squares.ipynb", f"{demo.state_dir}/hub/kore.token"),
        *(f"{demo.state_dir}/hub/jupyterhub.sqlite", f"{demo.state_dir}/kore/kore.sqlite"),
        *(f"{demo.state_dir}/hub/jupyterhub_cookie_secret", f"{demo.state_dir}/logs/hub.log"),
        *(f"{homes[course]}/course/gradebook.db", f"{demo.state_dir}/demo.lock"),
        *(str(path) for path in (demo.state_dir / "exchange").rglob("*") if path.is_file()),
    ]
    facts = {
        "STATE": str(demo.state_dir),
        "VICTIM": victim,
        "FILES": files,
        "UID": owners[victim],
    }
    pids = [p.pid for name in (victim, course) for p in _processes(demo, name)]
    pids += [
        demo.process.pid,
        *(p.pid for p in psutil.Process(demo.process.pid).children(True) if _is_roots(p)),
    ]
    server = students[0].server()
    for moment in ("during", "after", "before the next"):
        if moment == "after":
            assert _stop(demo, students[1]).status_code in {202, 204}
        told = burgle(server, course, ids[1], PIDS=pids if moment == "during" else [], **facts)
        assert told["uid"] == owners[thief]
        assert told["groups"] in ([], [owners[thief]])
        assert told["got"] == [], moment
        assert told["listed"] == [thief]
        assert course in told["own"]
    students[1].launch("systems")
    assert {home.stat().st_uid for home in homes.values()} == set(owners.values())

    writable = subprocess.run(
        [
            *("find", str(demo.state_dir), "-ignore_readdir_race"),
            *("-perm", "-o+w", "-not", "-type", "l", "-not", "-type", "s"),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert writable == ""


def _is_roots(process: psutil.Process) -> bool:
    try:
        return process.uids().real == 0
    except psutil.NoSuchProcess:
        return False


def _submissions(demo, course, token):
    return requests.get(
        f"{demo.kore}/exchange/{course}/submissions",
        headers={"Authorization": f"token {token}"},
        timeout=30,
    ).json()["submissions"]


def _processes(demo, name):
    """Return the processes whose home is someone's."""
    home = str(demo.state_dir / "homes" / name)
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("HOME") == home:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    assert found
    return found


def _stop(demo, person):
    """Stop a person's server as the hub's own page does."""
    browser = person.browser
    browser.get(f"{demo.hub}/hub/home", timeout=30)
    token = next(c.value for c in browser.cookies if c.name == "_xsrf" and c.path == "/hub/")
    return browser.delete(
        f"{demo.hub}/hub/api/users/{person.hub_name()}/server",
        headers={"X-XSRFToken": token, "Referer": f"{demo.hub}/hub/home"},
        timeout=60,
    )
