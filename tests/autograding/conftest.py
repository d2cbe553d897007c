"""An executor as in a demo that root runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.executor_process import COURSE, Executor, running_executor


@pytest.fixture(scope="module")
def executor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executor]:
    """Run an executor; only root can."""
    if os.geteuid() != 0:
        pytest.skip("only root can give accounts")
    state = tmp_path_factory.mktemp("executor")
    state.chmod(0o711)
    with running_executor(state) as running:
        yield running


@pytest.fixture
def work(executor: Executor) -> Path:
    """An empty folder of the course."""
    folder = executor.host.course_root(COURSE) / "empty"
    folder.mkdir(exist_ok=True)
    executor.host.hand_over(COURSE)
    return folder
