"""What outlives a container: it is removed, recreated from the image, and all is found again."""

from __future__ import annotations

import sqlite3
import time

import pytest
import requests

from tests.container.conftest import CONFIG
from tests.support.container import Box
from tests.support.web_user import WebUser

pytestmark = [pytest.mark.container, pytest.mark.timeout(400)]


EMPTY = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def _jwks(box: Box) -> dict:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(f"{box.kore}/jwks", timeout=30).json()


def test_a_container_made_anew_finds_everything(box: Box, record_figures):
    """Sessions, users, courses with their accounts' numbers, files, grades' key: all is there."""
    teacher, student = WebUser(box, "tilda"), WebUser(box, "layla")
    course = teacher.launch("systems").url.split("/user/")[1].split("/")[0]
    teacher.server(course).write("source/kept/kept.ipynb", EMPTY)
    student.launch("systems")
    student.server().write("own.ipynb", EMPTY)
    keys = _jwks(box)
    before = box.root("stat", "-c", "%u %g", f"/home/{course}", f"/home/{course}/course")

    box.remove()
    # A restored backup may have lost access lists and, for files of Kore's, the owner.
    box.state("kore").chmod(0o777)
    record_figures["boot of a container recreated, s"] = box.start()

    assert _jwks(box) == keys
    assert box.root("stat", "-c", "%u %g", f"/home/{course}", f"/home/{course}/course") == before
    assert box.root("stat", "-c", "%U %a", "/var/lib/kore") == "kore 700"
    assert box.root("id", "--user", "--name", before.split()[0]) == course
    # The browser of before the end is still signed in.
    found = teacher.kore("GET", f"/courses/{course}")
    assert found.status_code == 200, found.text
    assert "kept" in [a["name"] for a in found.json()["assignments"]]
    teacher.launch("systems")
    assert teacher.server(course).read("source/kept/kept.ipynb")["nbformat"] == 4
    student.launch("systems")
    assert student.server().read("own.ipynb")["nbformat"] == 4


def test_a_restarted_hub_leaves_servers_alone(box: Box, record_figures):
    """People work on while the hub is restarted, and the hub finds their servers again."""
    student = WebUser(box, "wen")
    begun = time.monotonic()
    student.launch("systems")
    record_figures["from a click in the LMS to a new JupyterLab, s"] = time.monotonic() - begun
    unit = "jupyter-u207-singleuser"
    before = box.root("systemctl", "show", unit, "-p", "MainPID")
    box.root("systemctl", "restart", "jupyterhub")
    box.wait()
    assert box.root("systemctl", "show", unit, "-p", "MainPID") == before
    assert student.server().json("GET", "/api/status")["kernels"] == 0


def test_a_deleted_courses_files_are_put_aside(box: Box):
    """Deleting a course's user takes its account away; its files only root sees from then on."""
    course = "c-00000000000000aa"
    box.as_admin("POST", f"users/{course}")
    uid = box.root("id", "-u", course)
    box.root("touch", f"/home/{course}/course/work")
    box.as_admin("DELETE", f"users/{course}")
    assert box.shell(f"id {course} 2>/dev/null || echo none") == "none"
    assert box.shell(f"test -e /home/{course} || echo none") == "none"
    assert box.shell(f"ls /home/.removed/{course}.*/course") == "work"
    assert box.root("stat", "-c", "%U %a", "/home/.removed") == "root 700"
    # The number is not given to anybody else.
    box.as_admin("POST", "users/c-00000000000000ab")
    assert box.root("id", "-u", "c-00000000000000ab") != uid
    box.as_admin("DELETE", "users/c-00000000000000ab")


@pytest.mark.parametrize("name", ["ucf", "uucp"])
def test_names_of_the_systems_own_are_nobodys(box: Box, name: str):
    """A person who is called like an account or folder of the system gets neither."""
    box.shell("mkdir -p /var/lib/ucf; touch /var/lib/ucf/kept")
    box.as_admin("POST", f"users/{name}")
    answer = box.as_admin("POST", f"users/{name}/server", check=False)
    assert answer.status_code >= 400
    assert box.root("stat", "-c", "%U", "/var/lib/ucf/kept") == "root"
    box.as_admin("DELETE", f"users/{name}")


def test_an_idle_container_and_fifty_courses(box: Box, record_figures):
    """Courses that nobody works on cost no process; their accounts come back at the next boot."""
    box.remove()
    box.start()
    courses = int(box.shell("ls /home | grep -c ^c- || true"))
    record_figures[f"memory of the idle container with {courses} courses, MiB"] = box.memory()
    for number in range(50):
        box.as_admin("POST", f"users/c-{number:016x}")
    box.remove()
    record_figures["boot with 50 courses more, s"] = box.start()
    record_figures["memory with 50 courses more, MiB"] = box.memory()
    assert box.shell("getent passwd | grep -c ^c-0000000000000") == "50"
    with sqlite3.connect(box.state("hub") / "jupyterhub.sqlite") as hub:
        assert hub.execute("select count(*) from users where name like 'c-%'").fetchone()[0] >= 50
    assert set(CONFIG) <= {p.name for p in (box.folder / "jupyterhub_config.d").iterdir()}
