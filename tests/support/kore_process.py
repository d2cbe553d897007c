"""Kore as the hub runs it: a process of its own, with a stand-in for the hub's user API.

Everything between the socket and the disk is real, the way of a token through
``HubOAuth`` too: only the hub's answer about a token is made up.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TypeVar

import requests

from ananke.demo.ports import find_free_port
from kore.service.courses.launches import record_launch
from kore.service.db.engine import open_database
from kore.service.db.models import Course, now
from kore.shared.lti.claims import Launch
from kore.shared.lti.identity import derive_user_name

PREFIX = "/services/kore"
ISSUER = "https://lms.example"
_LTI = "https://purl.imsglobal.org/spec/lti/claim/"
_ROLES = "http://purl.imsglobal.org/vocab/lis/v2/membership#"


class _Hub(BaseHTTPRequestHandler):
    """Knows every token ``token-<user>`` as that user's."""

    protocol_version = "HTTP/1.1"
    # Head and body leave as one packet: else each answer waits 40 ms for the other side.
    wbufsize = -1

    def do_GET(self) -> None:
        name = self.headers.get("Authorization", "").partition("token-")[2]
        model = {
            "kind": "user",
            "name": name,
            "admin": False,
            "groups": [],
            "scopes": ["access:services!service=kore"],
        }
        body = json.dumps(model).encode()
        self.send_response(200 if name else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        pass


class KoreProcess:
    """Kore on a free port of this machine, over a folder that outlives it."""

    def __init__(self, folder: Path, hub_url: str, **environment: str) -> None:
        self.folder = folder
        self.exchange = folder / "exchange"
        (folder / "kore").mkdir(mode=0o700, parents=True, exist_ok=True)
        port = find_free_port()
        self.url = f"http://127.0.0.1:{port}{PREFIX}"
        self.database = f"sqlite:///{folder / 'kore' / 'kore.sqlite'}"
        self.environment = {
            **os.environ,
            "KORE_STATE_DIR": str(folder / "kore"),
            "KORE_HOMES": str(folder / "homes"),
            "KORE_EXCHANGE": str(self.exchange),
            "JUPYTERHUB_SERVICE_NAME": "kore",
            "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{port}",
            "JUPYTERHUB_SERVICE_PREFIX": PREFIX + "/",
            "JUPYTERHUB_API_URL": hub_url,
            "JUPYTERHUB_API_TOKEN": "kore-token",
            "JUPYTERHUB_CLIENT_ID": "service-kore",
            "JUPYTERHUB_OAUTH_ACCESS_SCOPES": '["access:services!service=kore"]',
            **environment,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "kore"],
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if requests.get(f"{self.url}/health", timeout=5).ok:
                    return
            except requests.RequestException:
                threading.Event().wait(0.05)
        raise AssertionError("Kore did not start:\n" + self.log())

    def kill(self) -> None:
        """End it as the kernel does when memory is short."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)

    def stop(self) -> None:
        """End it as the hub does."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def log(self) -> str:
        """Return what it has said."""
        return (self.folder / "log").read_text("utf-8", "replace")

    def worker(self) -> int:
        """Return the process id of the one that serves."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return int(children.split()[0])

    def session(self, user: str) -> requests.Session:
        """Return a client that is signed in as a user, by token."""
        session = requests.Session()
        session.trust_env = False
        session.headers.update({"Authorization": f"token token-{user}"})
        return session

    def enrol(self, students: int, *, link: str = "link") -> tuple[str, str, list[str]]:
        """Let a teacher and students launch a link; return its course, and who they are."""
        db = open_database(self.database)
        users = []
        for number in range(students + 1):
            role = "Learner" if number else "Instructor"
            claims = {
                "iss": ISSUER,
                "sub": str(number + 1),
                _LTI + "message_type": "LtiResourceLinkRequest",
                _LTI + "version": "1.3.0",
                _LTI + "deployment_id": "1",
                _LTI + "resource_link": {"id": link, "title": "Homework"},
                _LTI + "roles": [_ROLES + role],
            }
            user = derive_user_name(str(number + 1), ISSUER)
            launch = Launch.from_claims(claims, client_id="client")
            course = record_launch(db, user, launch, token_url=f"{ISSUER}/token").course_id
            users.append(user)
        with db.session() as session:
            session.get_one(Course, course).ready_at = now()
        db.close()
        return course, users[0], users[1:]


Process = TypeVar("Process", bound=KoreProcess)


@contextmanager
def kore_process(folder: Path, kind: type[Process], **environment: str) -> Iterator[Process]:
    """Run Kore over a folder; the block starts it, kills it and starts it again at will."""
    hub = subprocess.Popen(
        [sys.executable, "-m", "tests.support.kore_process"], stdout=subprocess.PIPE, text=True
    )
    assert hub.stdout is not None
    port = int(hub.stdout.readline())
    kore = kind(folder, f"http://127.0.0.1:{port}/hub/api", **environment)
    try:
        yield kore
    finally:
        kore.stop()
        hub.kill()
        hub.wait()
        hub.stdout.close()


def _serve_hub() -> None:
    """Answer for the hub: in a process of its own, as the hub has one."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    server.request_queue_size = 128
    print(server.server_port, flush=True)  # noqa: T201
    server.serve_forever()


if __name__ == "__main__":
    _serve_hub()
