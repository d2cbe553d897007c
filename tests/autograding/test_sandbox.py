"""Students' notebooks run in a sandbox: with an account, files and network of their own."""

from __future__ import annotations

import json
import socket
import stat

import nbformat
import psutil
import pytest

from kore.executor.accounts import borrow_account
from tests.support.executor_process import COURSE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

BURGLARY = """
import json, os, signal, socket
got = []
def attempt(what, act):
    try:
        got.append([what, str(act())[:60]])
    except Exception:
        pass
for path in PATHS:
    attempt("read " + path, lambda: os.listdir(path) if os.path.isdir(path) else open(path).read(9))
    attempt("write " + path, lambda: open(path, "a"))
for path in ("/etc/x", "/usr/x", "/var/x", "/run/lock/x", "/dev/mqueue/x", "/x"):
    attempt("make " + path, lambda: open(path, "w"))
for pid in PIDS:
    attempt("environment", lambda: open(f"/proc/{pid}/environ", "rb").read(9))
    attempt("end", lambda: os.kill(pid, signal.SIGTERM))
attempt("token", lambda: os.environ["JUPYTERHUB_API_TOKEN"])
attempt("kore", lambda: [n for n in os.environ if n.startswith(("KORE_", "JUPYTERHUB_"))][0])
attempt("loopback", lambda: socket.create_connection(("127.0.0.1", PORT), 2))
attempt("outside", lambda: socket.create_connection(("192.0.2.1", 80), 2))
def ask():
    with socket.socket(socket.AF_UNIX) as again:
        again.connect(NAME)
attempt("executor", ask)
attempt("root", lambda: os.setuid(0))
print(json.dumps(got))
"""


def test_a_hostile_notebook_reaches_nothing(executor, work):
    """No gradebook, other work, hidden tests, processes, token or network is reachable."""
    root = executor.host.course_root(COURSE)
    for name in ("gradebook.db", "submitted/u1/ps1/p.ipynb", "source/ps2/hidden.ipynb"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("secret")
    executor.host.hand_over(COURSE)
    paths = [str(path) for path in (root, *sorted(root.rglob("*")), root.parent)]
    with socket.create_server(("127.0.0.1", 0)) as kore:
        facts = {
            "PATHS": paths,
            "PIDS": [executor.process.pid, *(p.pid for p in psutil.process_iter() if p.pid > 50)],
            "PORT": kore.getsockname()[1],
            "NAME": "\0" + executor.name[1:],
        }
        code = BURGLARY
        for name, value in facts.items():
            code = code.replace(name, repr(value))
        # PIDs in its namespace mean other processes outside.
        [printed, own] = executor.outputs(
            [code, "import os; print(sorted(p for p in os.listdir('/proc') if p.isdigit()))"],
            work,
        )
    assert json.loads(printed) == []
    assert len(own.split(",")) <= 3


def test_outputs_come_back_and_files_are_available(executor):
    """Outputs, errors and timeouts are as in nbgrader; files next to the notebook exist."""
    root = executor.host.course_root(COURSE)
    (root / "data").mkdir(exist_ok=True)
    (root / "data" / "numbers.csv").write_text("1,2")
    executor.host.hand_over(COURSE)
    printed = executor.outputs(
        [
            "print(open('data/numbers.csv').read())",
            "1 / 0",
            "import time; time.sleep(60)",
            "open('made', 'w').write('x'); print('after')",
        ],
        root,
        timeout=6,
    )
    assert printed[0] == "1,2\n"
    assert printed[1] == "ZeroDivisionError"
    assert "CellTimeoutError" in printed[2]
    assert printed[3] == "after\n"
    assert not (root / "made").exists()


def test_only_outputs_change(executor, work):
    """An execution changes neither sources nor metadata."""
    cell = nbformat.v4.new_code_cell("print('x')", metadata={"nbgrader": {"points": 3}})
    notebook = nbformat.v4.new_notebook(cells=[cell, nbformat.v4.new_markdown_cell("text")])
    done = executor.run(notebook, work)
    made = json.loads(done.stdout)
    assert [c["source"] for c in made["cells"]] == ["print('x')", "text"]
    assert made["cells"][0]["metadata"] == {"nbgrader": {"points": 3}}
    assert made["cells"][0]["execution_count"] == 1


def test_leftover_processes_and_files_are_removed(executor, work):
    """A process in its own session, and its files in /tmp, are gone afterwards."""
    code = """
import subprocess
subprocess.Popen(["sleep", "918273"], start_new_session=True)
open("/tmp/left", "w").write("x"); open("/dev/shm/left", "w").write("x")
print("left")
"""
    assert executor.outputs([code], work) == ["left\n"]
    with borrow_account() as (uid, folder):
        assert folder.stat().st_uid == uid
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for process in psutil.process_iter(["cmdline"]):
        assert "918273" not in (process.info["cmdline"] or [])
    assert executor.outputs(["import os; print(os.path.exists('/tmp/left'))"], work) == ["False\n"]


def test_a_dead_kernel_is_reported(executor, work):
    """A notebook that ends its kernel fails with that message."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("import os; os._exit(1)")])
    done = executor.run(notebook, work)
    assert done.returncode != 0
    assert "DeadKernelError" in done.stderr


def test_people_are_refused(executor, work):
    """A student's account that knows the socket cannot run notebooks."""
    executor.host.prepare_person("u101")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
    done = executor.run(notebook, work, user="u101")
    assert done.returncode != 0
    assert "ExecutionError" in done.stderr
