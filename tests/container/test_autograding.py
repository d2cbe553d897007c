"""Students' notebooks in a container are autograded apart from the course and all else."""

from __future__ import annotations

import threading
import time

import pytest

from tests.support import notebooks
from tests.support.container import Box
from tests.support.kernel import Kernel
from tests.support.web_user import WebUser

pytestmark = [pytest.mark.container, pytest.mark.timeout(400)]

SOCKET = "/run/ananke-execute/socket"
LEFT = "918273"
BURGLARY = """
import glob, json, os, signal, socket, subprocess
got = []
def attempt(what, act):
    try:
        got.append([what, str(act())[:60]])
    except Exception:
        pass
def ask(path):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
for path in PATHS:
    attempt("read " + path, lambda: os.listdir(path) if os.path.isdir(path) else open(path).read(9))
    attempt("write " + path, lambda: open(path, "a"))
    attempt("connect " + path, lambda: ask(path))
for path in ("/etc/x", "/usr/x", "/opt/x", "/var/x", "/var/lib/x", "/run/x", "/run/lock/x", "/x"):
    attempt("make " + path, lambda: open(path, "w"))
for path in glob.glob("/home/*") + glob.glob("/var/lib/private/*"):
    got.append(["home", path])
for pid in filter(str.isdigit, os.listdir("/proc")):
    if os.stat(f"/proc/{pid}").st_uid != os.getuid():
        got.append(["process", pid])
attempt("end", lambda: os.kill(1, signal.SIGTERM))
for name in os.environ:
    if name.startswith(("KORE_", "JUPYTERHUB_")):
        got.append(["environment", name])
for port in (8000, 8001, 8002, 8081, 9090):
    attempt("loopback", lambda: socket.create_connection(("127.0.0.1", port), 2))
attempt("outside", lambda: socket.create_connection(("10.77.0.1", 443), 2))
if [name for _, name in socket.if_nameindex()] != ["lo"]:
    got.append(["network", str(socket.if_nameindex())])
for line in open("/proc/self/status"):
    if line.startswith("Cap") and not line.startswith("CapBnd") and int(line.split()[1], 16):
        got.append(["capability", line])
for kind in ("--net", "--user", "--mount"):
    attempt("namespace", lambda: subprocess.check_output(["unshare", kind, "true"]))
attempt("root", lambda: os.setuid(0))
subprocess.Popen(["sleep", "LEFT"], start_new_session=True)
open("/tmp/left", "w").write("x"), open("/dev/shm/left", "w").write("x")
print(json.dumps(got))
""".replace("LEFT", LEFT)


def test_a_hostile_notebook_finds_nothing(box: Box):
    """Gradebook, others' work, hidden tests, token, network, processes: none is reached."""
    teacher = WebUser(box, "tilda")
    course = teacher.launch("systems").url.split("/user/")[1].split("/")[0]
    desk, what = teacher.server(course), {"course_id": course, "assignment_id": "hostile"}
    desk.write("source/hostile/squares.ipynb", notebooks.assignment(points=5))
    desk.formgrader("POST", "assignment/hostile/assign")
    desk.formgrader("POST", "assignment/hostile/release")

    root = f"/home/{course}/course"
    kept = [
        *("/home", f"/home/{course}", root, f"{root}/gradebook.db"),
        *(f"{root}/source/hostile/squares.ipynb", f"{root}/submitted"),
        *("/var/lib/private", "/var/lib/kore", "/var/lib/jupyterhub", "/opt/nbgrader_exchange"),
        *("/etc/jupyterhub/jupyterhub_config.d", "/etc/shadow", "/run/jupyterhub"),
        *("/run/dbus/system_bus_socket", "/run/systemd/private", "/var/log/journal", SOCKET),
    ]
    theirs = {
        "mila": BURGLARY.replace("PATHS", repr(kept)) + "def square(x):\n    return x * x",
        "zoe": "def square(x):\n    return 9",
    }
    names = {}
    for slug, answer in theirs.items():
        student = WebUser(box, slug)
        student.launch("systems")
        server, path = student.server(), f"{course}/hostile/squares.ipynb"
        server.json("POST", "/assignments/fetch", json=what)
        server.write(path, notebooks.solve(server.read(path), answer))
        assert server.json("POST", "/assignments/submit", json=what)["success"]
        names[slug] = student.hub_name()
    desk.formgrader("POST", "assignment/hostile/collect")
    for path in kept:
        box.root("test", "-e", path)
    for name in names.values():
        desk.formgrader("POST", f"submission/hostile/{name}/autograde")

    graded = desk.read(f"autograded/{names['mila']}/hostile/squares.ipynb")
    outputs = [output for cell in graded["cells"] for output in cell.get("outputs", [])]
    printed = [output["text"] for output in outputs if output.get("name") == "stdout"]
    assert printed == ["[]\n"]
    given = {one["student"]: one["score"] for one in desk.json(
        "GET", "/formgrader/api/submissions/hostile")}  # fmt: skip
    assert given == {names["mila"]: 5, names["zoe"]: 0}
    _is_over(box)
    for path in ("/tmp/left", "/dev/shm/left"):
        assert box.shell(f"test -e {path} || echo none") == "none"


def _is_over(box: Box) -> None:
    """Wait until nothing of an execution is there any more."""
    units = ("systemctl", "list-units", "--all", "--no-legend", "ananke-execute@*")
    deadline, beat = time.monotonic() + 30, threading.Event()
    while left := box.root(*units) + box.shell(f"pgrep -f '[s]leep {LEFT}' || true"):
        assert time.monotonic() < deadline, left
        beat.wait(0.3)


def test_only_courses_may_have_notebooks_run(box: Box):
    """People's servers do not see the executor; other accounts that ask get no answer."""
    student = WebUser(box, "zoe")
    student.launch("systems")
    book = Kernel(student.server())
    try:
        assert book.run(f"import os; print(os.path.exists({SOCKET!r}))").strip() == "False"
    finally:
        book.close()
    asking = (
        "import socket; s = socket.socket(socket.AF_UNIX); s.settimeout(60); "
        f"s.connect({SOCKET!r}); print(s.recv(1))"
    )
    said = box.root(
        *("setpriv", "--reuid=hub-helper", "--regid=hub-helper", "--clear-groups"),
        *("/opt/hub/bin/python", "-c", asking),
    )
    assert said == "b''"
    journal = box.journal("--identifier=executor", "--output=cat")
    assert "Refused: account 971 is not a course's" in journal
