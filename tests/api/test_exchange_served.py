"""The exchange as the hub runs it: a process of its own, behind real sockets."""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from tests.support.archives import END, TAR, block, tar_of
from tests.support.kore_process import KoreProcess, kore_process
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

MB = 10**6
TASK = tar_of({"squares.ipynb": b"{}"})


class ExchangeProcess(KoreProcess):
    """Kore with one course, and the address of its exchange."""

    course: str
    teacher: str
    students: list[str]
    base: str
    others: set[Path]


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExchangeProcess]:
    """Kore, running, for all tests: each has its own course."""
    with kore_process(tmp_path_factory.mktemp("kore"), ExchangeProcess) as made:
        made.start()
        yield made


@pytest.fixture
def kore(process: ExchangeProcess) -> ExchangeProcess:
    """Kore with a course of a teacher and four students, in which ``ps1`` is released."""
    process.others = set(process.exchange.rglob("*.tar"))
    process.course, process.teacher, process.students = process.enrol(4, link=secrets.token_hex(4))
    process.base = f"{process.url}/exchange/{process.course}"
    put = process.session(process.teacher).put(
        f"{process.base}/assignments/ps1", data=TASK, headers=TAR, timeout=30
    )
    put.raise_for_status()
    return process


def submit(kore: ExchangeProcess, user: str, body, **headers: str) -> requests.Response:
    return kore.session(user).post(
        f"{kore.base}/assignments/ps1/submissions",
        data=body,
        headers={**TAR, **headers},
        timeout=120,
    )


def zeros(size: int) -> Iterator[bytes]:
    """An archive with one file of zeros, made as it is sent."""
    yield block(b"zeros.bin", size=size)
    for _ in range(size // MB):
        yield bytes(MB)
    yield bytes(-size % 512) + END


def memory(process: int) -> int:
    """The most memory that a process has had, in bytes."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def archives(kore: ExchangeProcess) -> list[Path]:
    """Return what lies in the exchange since the course began."""
    return sorted(set(kore.exchange.rglob("*.tar")) - kore.others)


def test_large_work_streams_both_ways(kore: ExchangeProcess):
    """Three students submit and fetch 90 MB each at once: Kore's memory hardly grows."""
    submit(kore, kore.students[3], tar_of({"a": b"1"})).raise_for_status()
    # What it had at most is counted from here.
    Path(f"/proc/{kore.worker()}/clear_refs").write_text("5")
    before = memory(kore.worker())

    def both_ways(user: str) -> None:
        handed = submit(kore, user, zeros(90 * MB))
        assert handed.status_code == 201, handed.text
        one = handed.json()
        digest = hashlib.sha256()
        url = f"{kore.base}/submissions/{one['id']}"
        with kore.session(user).get(url, stream=True, timeout=60) as answer:
            for piece in answer.iter_content(MB):
                digest.update(piece)
        assert digest.hexdigest() == one["sha256"]

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(both_ways, kore.students[:3]))
    assert memory(kore.worker()) - before < 60 * MB


@pytest.mark.parametrize("length", ["known", "in chunks"])
def test_too_large_is_answered_with_the_limit(kore: ExchangeProcess, length):
    """A client that sends too much is told the limit, and gets no broken connection."""
    body = b"".join(zeros(280 * MB)) if length == "known" else zeros(280 * MB)
    answer = submit(kore, kore.students[0], body)
    assert answer.status_code == 413
    assert answer.json()["error"]["code"].startswith("too_large.")
    assert len(archives(kore)) == 1


def raw_request(
    kore: ExchangeProcess, user: str, method: str, path: str, *more: str
) -> socket.socket:
    parts = urlsplit(kore.base)
    connection = socket.create_connection((parts.hostname, parts.port), timeout=60)
    head = [
        f"{method} {parts.path}{path} HTTP/1.1",
        f"Host: {parts.netloc}",
        f"Authorization: token token-{user}",
        *more,
    ]
    connection.sendall("\r\n".join([*head, "", ""]).encode())
    return connection


@pytest.mark.parametrize("framing", ["Content-Length: 3000000", "Transfer-Encoding: chunked"])
def test_a_broken_connection_leaves_nothing(kore: ExchangeProcess, framing):
    """A client that goes away in the middle leaves nothing, and can send it again."""
    archive = tar_of({"a.bin": os.urandom(2_900_000)})
    user = kore.students[0]
    path = "/assignments/ps1/submissions"
    connection = raw_request(
        kore, user, "POST", path, "Content-Type: application/x-tar", framing, "Idempotency-Key: k"
    )
    if "chunked" in framing:
        connection.sendall(b"100000\r\n" + archive[:0x100000])
    else:
        connection.sendall(archive[:1_000_000])
    wait_until(lambda: len(archives(kore)) == 2)
    connection.close()
    wait_until(lambda: len(archives(kore)) == 1)
    assert submit(kore, user, archive, **{"Idempotency-Key": "k"}).status_code == 201
    listed = kore.session(user).get(f"{kore.base}/submissions", timeout=30).json()
    assert len(listed["submissions"]) == 1
    assert "Traceback" not in kore.log()


def test_stalled_connections_do_not_keep_others_out(kore: ExchangeProcess):
    """One student's many stalled uploads and unread downloads leave Kore to the others."""
    large = submit(kore, kore.students[0], zeros(60 * MB)).json()["id"]
    held = []
    for _ in range(20):
        held.append(
            raw_request(
                kore, kore.students[0], "POST", "/assignments/ps1/submissions",
                "Content-Type: application/x-tar", "Content-Length: 3000000",
            )
        )  # fmt: skip
        held.append(raw_request(kore, kore.students[0], "GET", f"/submissions/{large}"))
    begin = time.monotonic()
    assert submit(kore, kore.students[1], tar_of({"a": b"1"})).status_code == 201
    assert requests.get(f"{kore.url}/health", timeout=30).ok
    assert time.monotonic() - begin < 30
    for connection in held:
        connection.close()


def have_ended(results: list[Future], number: int) -> bool:
    return sum(result.done() for result in results) >= number


def test_killed_while_many_submit(kore: ExchangeProcess):
    """Kore is killed and started again meanwhile: what was acknowledged is there, whole."""
    work = {
        (user, number): tar_of({"a.bin": os.urandom(400_000)})
        for user in kore.students
        for number in range(12)
    }

    def submit_until_stored(item) -> tuple[str, str]:
        (user, number), archive = item
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                answer = submit(kore, user, archive, **{"Idempotency-Key": f"k{number}"})
            except requests.RequestException:
                threading.Event().wait(0.2)
                continue
            if answer.status_code == 201:
                return answer.json()["id"], hashlib.sha256(archive).hexdigest()
            assert answer.status_code in {429, 503}, answer.text
            threading.Event().wait(0.1)
        raise AssertionError("it could not be submitted")

    with ThreadPoolExecutor(8) as pool:
        results = [pool.submit(submit_until_stored, item) for item in work.items()]
        for done in (5, 15, 25):
            wait_until(partial(have_ended, results, done))
            kore.kill()
            kore.start()
        acknowledged = dict(result.result() for result in results)
    assert len(acknowledged) == len(work)
    teacher = kore.session(kore.teacher)
    listed = teacher.get(f"{kore.base}/submissions", timeout=30).json()["submissions"]
    assert {one["id"]: one["sha256"] for one in listed} == acknowledged
    kore.stop()
    kore.start()
    courses = kore.exchange / "courses"
    kept = [path for path in archives(kore) if path.is_relative_to(courses)]
    assert len(kept) == len(work) + 1
    assert [path.name for path in (kore.exchange / "incoming").iterdir()] == ["lock"]
    for one in listed:
        got = teacher.get(f"{kore.base}/submissions/{one['id']}", timeout=30).content
        assert hashlib.sha256(got).hexdigest() == one["sha256"]
