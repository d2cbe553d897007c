"""A student's notebook in the executor inherits no file, log or socket of ours."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.executor_process import COURSE, Executor, running_executor

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can give accounts"),
]

# The parent too: it runs as the same account, so this code could take its descriptors.
_LIST_DESCRIPTORS = """
import json, os
def targets(pid):
    found = {}
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            found[name] = os.readlink(f"/proc/{pid}/fd/{name}")
        except OSError:
            pass
    return found
print(json.dumps([targets("self"), targets(os.getppid())]))
"""
_FORGE = """
import os
for pid in [name for name in os.listdir("/proc") if name.isdigit()]:
    try:
        names = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        continue
    for name in names:
        path = f"/proc/{pid}/fd/{name}"
        try:
            if os.path.isfile(path):
                with open(path, "ab") as file:
                    file.write(b"FORGED")
        except OSError:
            pass
for number in range(256):
    try:
        if os.path.isfile(f"/proc/self/fd/{number}"):
            os.write(number, b"FORGED")
            os.ftruncate(number, 0)
    except OSError:
        pass
"""


@pytest.fixture(scope="module")
def executor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executor]:
    """Run an executor as a demo does."""
    state = tmp_path_factory.mktemp("executor")
    state.chmod(0o711)
    with running_executor(state) as running:
        yield running


@pytest.fixture
def work(executor: Executor) -> Path:
    """A folder of the course."""
    folder = executor.host.course_root(COURSE) / "work"
    folder.mkdir(exist_ok=True)
    executor.host.hand_over(COURSE)
    return folder


def test_a_kernel_inherits_nothing_of_ours(executor, work):
    """A notebook's kernel and its parent hold the null device, their own files, and no log."""
    (printed,) = executor.outputs([_LIST_DESCRIPTORS], work)
    kernel, parent = json.loads(printed)
    files = {target for target in (*kernel.values(), *parent.values()) if target[0] == "/"}
    assert {name for name in files if not name.startswith("/tmp/run-")} == {"/dev/null"}
    # Not the connection to the course either.
    shared = set(kernel.values()) & set(parent.values())
    assert not [name for name in shared if name.startswith(("socket:", "pipe:"))]


def test_a_notebook_cannot_write_to_the_executors_log(executor, work):
    """A notebook that writes to and truncates every file it holds leaves the log as it was."""
    before = executor.log.read_bytes()
    assert before
    executor.outputs([_FORGE], work)
    after = executor.log.read_bytes()
    assert after.startswith(before)
    assert b"FORGED" not in after
