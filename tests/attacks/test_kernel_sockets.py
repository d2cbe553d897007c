"""Kernels listen where only their own account can connect: on Unix sockets in a private folder."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import nbformat
import pytest
from nbgrader.preprocessors import Execute
from traitlets.config import PyFileConfigLoader

import kore
from kore.executor import protocol
from kore.singleuser.autograding.preprocessor import SandboxedExecute
from tests.support import kernel
from tests.support.course_server import COURSE, variables
from tests.support.demo import running_demo
from tests.support.web_user import WebUser

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

_SECRET = "the answer is forty-two"
_PUBLISH = f"import time\nfor _ in range(100):\n    print({_SECRET!r}, flush=True); time.sleep(0.2)"
_EAVESDROP = """
import time, zmq
socket = zmq.Context.instance().socket(zmq.SUB)
socket.subscribe(b"")
for line in open("/proc/net/tcp").read().splitlines()[1:]:
    address, state = line.split()[1], line.split()[3]
    if state == "0A":
        socket.connect(f"tcp://127.0.0.1:{int(address.rpartition(':')[2], 16)}")
heard, deadline = b"", time.monotonic() + 15
while time.monotonic() < deadline and SECRET not in heard:
    if socket.poll(1000):
        heard = b"".join(socket.recv_multipart())
print("heard" if SECRET in heard else "nothing")
"""
_WHERE = """
import json, os, stat
from ipykernel.connect import get_connection_info
info = get_connection_info(unpack=True)
folder = os.stat(os.path.dirname(info["ip"]) or "/")
print(json.dumps([info["transport"], stat.S_IMODE(folder.st_mode), len(info["ip"])]))
"""


@pytest.mark.xdist_group("demo")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give accounts")
def test_a_student_cannot_read_a_teachers_outputs(tmp_path):
    """A student who connects to every port of the machine hears nothing of a teacher's kernel."""
    with running_demo(tmp_path / "state") as demo:
        teacher, student = WebUser(demo, "tilda"), WebUser(demo, "zoe")
        teacher.launch("systems")
        [course] = [
            found["id"]
            for found in teacher.kore("GET", "/courses").json()["courses"]
            if found["activity_title"] == "Linear systems"
        ]
        desk = teacher.server(course)
        student.launch("systems")
        student.enrolled(course)
        publisher = kernel.Kernel(desk)
        thread = threading.Thread(target=publisher.run, args=(_PUBLISH,), daemon=True)
        thread.start()
        code = _EAVESDROP.replace("SECRET", repr(_SECRET.encode()))
        assert kernel.run_once(student.server(), code).strip() == "nothing"
        thread.join(60)
        assert json.loads(kernel.run_once(desk, _WHERE))[:2] == ["ipc", 0o700]


@pytest.mark.parametrize(
    ("kind", "execute"), [("person", Execute), ("course", Execute), ("course", SandboxedExecute)]
)
def test_nbgraders_kernels_listen_on_private_sockets(kind, execute, tmp_path, monkeypatch):
    """Validating, generating and autograding run kernels on sockets in a private folder."""
    for name, value in variables(tmp_path / COURSE / "course").items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv(protocol.SOCKET_VARIABLE, raising=False)
    folder = Path(kore.__file__).parent / "singleuser" / "config" / kind
    config = PyFileConfigLoader("nbgrader_config.py", path=str(folder)).load_config()
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(_WHERE)])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    made, _ = execute(config=config).preprocess(notebook, {"metadata": {"path": str(tmp_path)}})
    transport, mode, length = json.loads(made.cells[0].outputs[0].text)
    assert (transport, mode) == ("ipc", 0o700)
    # Linux limits a socket's path to 107 bytes; a number follows the name.
    assert length < 90
