"""A course's own server, configured as the hub starts it, without a hub and open to all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import nbformat
import requests
from nbformat import NotebookNode
from nbgrader.api import Gradebook

import kore
from ananke.demo.ports import find_free_port
from kore.service.coursedir import gradebook as course_gradebook
from kore.service.services import Services
from tests.support import notebooks

COURSE = "c-0123456789abcdef"
_CONFIG = Path(kore.__file__).parent / "singleuser" / "config"
_START_SECONDS = 60


@dataclass
class CourseServer:
    """A running server, and the course's files."""

    url: str
    root: Path
    log: Path

    def post(self, path: str) -> requests.Response:
        """Send a POST request as a script on its own page does."""
        with requests.Session() as session:
            session.get(self.url + "/formgrader", timeout=60)
            headers = {"X-XSRFToken": session.cookies.get("_xsrf", ""), "Referer": self.url}
            return session.post(self.url + path, headers=headers, timeout=120)

    def get(self, path: str, **more: Any) -> requests.Response:
        """Send a GET request as its own page does."""
        return requests.get(self.url + path, headers={"Referer": self.url}, timeout=60, **more)


def only_files(root: Path) -> Services:
    """Return as much of Kore as it needs for the files of the course at ``root``."""
    host = SimpleNamespace(course_root=lambda _: root, hand_over_file=lambda *_: None)
    return cast(Services, SimpleNamespace(host=host))


def variables(root: Path) -> dict[str, str]:
    """Return the environment of a course's programs."""
    home = root.parent
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "NBGRADER"))},
        "HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "JUPYTER_CONFIG_PATH": str(_CONFIG / "course"),
        "JUPYTER_PATH": str(_CONFIG / "kernels"),
        "JUPYTERHUB_USER": COURSE,
        "KORE_COURSE_ID": COURSE,
        "KORE_COURSE_ROOT": str(root),
        "KORE_URL": "http://127.0.0.1:9/services/kore",
        "JUPYTERHUB_API_TOKEN": "none",
    }


def add_submission(root: Path, student: str, change: Any, *, first: str, last: str) -> str:
    """Write an autograded submission and its rows in the gradebook; return its id.

    ``change`` gets the notebook and returns the student's version. No kernel runs.
    """
    made = nbformat.from_dict(notebooks.assignment(points=5, manual=3))
    for cell in made.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata.nbgrader.points = cell.metadata.nbgrader.get("points", 0)
    folder = root / "autograded" / student / "ps1"
    folder.mkdir(parents=True)
    (folder / "p1.ipynb").write_text(json.dumps(change(made)))
    (folder / "timestamp.txt").write_text("2026-11-24 10h00m00.000000s UTC")
    if not (root / "gradebook.db").exists():
        course_gradebook.create(root / "gradebook.db", COURSE)
    path = os.environ["PATH"]
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{path}"
    try:
        with Gradebook(f"sqlite:///{root / 'gradebook.db'}", COURSE) as book:
            book.update_or_create_assignment("ps1")
            book.update_or_create_notebook("p1", "ps1")
            for name, points, kind in (("test-square", 5, "code"), ("why", 3, "markdown")):
                book.update_or_create_grade_cell(
                    name, "p1", "ps1", max_score=points, cell_type=kind
                )
            for name in ("square", "why"):
                book.update_or_create_solution_cell(name, "p1", "ps1")
            book.update_or_create_student(student, first_name=first, last_name=last)
            submission = book.update_or_create_submission("ps1", student)
            return str(submission.notebooks[0].id)
    finally:
        os.environ["PATH"] = path


@contextmanager
def serving(root: Path, *, cwd: Path | None = None) -> Iterator[CourseServer]:
    """Run the server of a course whose files are in ``root``, in that folder or another."""
    port, log = find_free_port(), root.parent / "server.log"
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
        *(f"--port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={root}"),
        *("--IdentityProvider.token=", "--ServerApp.password=", "--ServerApp.base_url=/user/c/"),
    ]
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, cwd=cwd or root, env=variables(root), stdout=output, stderr=subprocess.STDOUT
        ) as process,
    ):
        server = CourseServer(f"http://127.0.0.1:{port}/user/c", root, log)
        try:
            _wait(server, process)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(server: CourseServer, process: subprocess.Popen[bytes]) -> None:
    deadline, beat = time.monotonic() + _START_SECONDS, threading.Event()
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if server.get("/api/status").ok:
                return
        except requests.ConnectionError:
            beat.wait(0.2)
    raise AssertionError(f"the server did not start:\n{server.log.read_text()[-3000:]}")


def generate_feedback(root: Path, student: str) -> Path:
    """Let nbgrader generate feedback with the course's configuration; return the page."""
    command = [sys.executable, "-m", "nbgrader", "generate_feedback", "ps1", f"--student={student}"]
    done = subprocess.run(
        command, cwd=root, env=variables(root), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return root / "feedback" / student / "ps1" / "p1.html"


def unchanged(notebook: NotebookNode) -> NotebookNode:
    """Return a notebook unchanged."""
    return notebook
