"""Kore's process, as far as jobs go, to be killed: over a folder that outlives it."""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import cast

from kore.service.courses.provision import formgrade_group, student_group
from kore.service.hubapi import HubApi
from kore.service.job_kinds import HANDLERS
from kore.service.jobs import Runner
from kore.service.jobs import runner as jobs_runner
from kore.service.services import Services
from tests.support.fake_hub import FakeHub
from tests.support.graded_course import open_kore


@contextmanager
def opened(folder: Path, course: str, people: list[str]) -> Iterator[Services]:
    """Open a Kore without its application, over a hub that knows a course and its people."""
    hub = FakeHub([course, *people])
    hub.groups = {
        formgrade_group(course): {course, people[0]},
        student_group(course): {course, *people[1:]},
    }
    services = replace(open_kore(folder), hub=cast(HubApi, hub))
    try:
        yield services
    finally:
        services.db.close()


def work(folder: Path, course: str, people: list[str]) -> None:
    """Do every job that waits."""
    logging.disable(logging.CRITICAL)
    jobs_runner._MAX_ATTEMPTS = 1000
    with opened(folder, course, people) as services:
        runner = Runner(services, HANDLERS, threads=1)
        while (job := runner._claim()) is not None:
            runner._run(job)


def start(folder: Path, course: str, people: list[str]) -> BaseProcess:
    """Start a process that works through the queue, and ends then."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.job_process"])
    process = context.Process(target=work, args=(folder, course, people), daemon=True)
    process.start()
    return process
