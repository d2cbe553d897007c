"""One run of the demo: check, start, wait until all of it answers, watch, end."""

from __future__ import annotations

import json as jsonlib
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TextIO

from rich.console import Console
from rich.status import Status

from ananke.demo import checks
from ananke.demo.parts import TAG, Part, Parts, end, leftovers
from ananke.demo.state import State, default_state_dir
from ananke.errors import AnankeError, Exit
from kore.host import LocalHost

_PRIVATE_UMASK = 0o077
_START_SECONDS = 180.0
_LOOK_SECONDS = 0.2
_WATCH_SECONDS = 2.0
_ANSWER_SECONDS = 5.0
_LOG_LINES = 12
# Direct connections: a machine's web proxy knows nothing of its loopback addresses.
_http = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_HUB_BLAMES = (
    ("service kore exited", "Kore", "kore"),
    ("failed to start service kore", "Kore", "kore"),
    ("cannot connect to managed service kore", "Kore", "kore"),
    ("failed to start proxy", "JupyterHub's proxy", "proxy"),
)
_FOREIGN = ("JUPYTER", "KORE_", "CONFIGPROXY_", "NBGRADER_", "ANANKE_", "GUNICORN_")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked for."""

    port: int = 8000
    lms_port: int = 9090
    state_dir: Path | None = None
    lms_config: Path | None = None
    json: bool = False


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where everything is. No URL has a slash at its end."""

    lms: str
    hub: str
    hub_api: str
    proxy_api: str
    kore_direct: str

    @property
    def kore(self) -> str:
        """Kore as a browser sees it."""
        return f"{self.hub}/services/kore"


def run(options: Options) -> Exit:
    """Run the demo until it is asked to end; raise AnankeError where it cannot."""
    os.umask(_PRIVATE_UMASK)
    with _asked_to_end() as request:
        if options.lms_config is not None:
            issuer = checks.lms_issuer(options.lms_config)
        hub_port = checks.checked_port(options.port, "--port")
        if options.lms_config is None:
            lms_port = checks.checked_port(options.lms_port, "--lms-port")
            if lms_port == hub_port:
                raise AnankeError(
                    Exit.PORT_TAKEN,
                    f"The hub and the LMS cannot both have port {hub_port}.",
                    "Choose two ports with --port and --lms-port.",
                )
            issuer = _loopback(lms_port)
        proxy_command = checks.proxy_command()
        addresses = Addresses(
            lms=issuer,
            hub=_loopback(hub_port),
            hub_api=_loopback(checks.free_port()),
            proxy_api=_loopback(checks.free_port()),
            kore_direct=_loopback(checks.free_port()),
        )
        with State(options.state_dir or default_state_dir()) as state:
            # The numbers in files of a run that was killed may be other processes' by now.
            end(leftovers(state.path))
            (state.hub / "proxy.pid").unlink(missing_ok=True)
            return _Run(options, addresses, state, proxy_command, request).run()


class _Request:
    """Signals, turned into something to wait for."""

    def __init__(self) -> None:
        self.wake = threading.Event()
        self.ending = False

    def end(self, _: int, __: FrameType | None) -> None:
        """Ask for the end."""
        self.ending = True
        self.wake.set()

    def look(self, _: int, __: FrameType | None) -> None:
        """Have the parts looked at: a child ended."""
        self.wake.set()

    def wait(self, seconds: float) -> None:
        """Wait for a signal, at most so long."""
        self.wake.wait(seconds)
        self.wake.clear()


@contextmanager
def _asked_to_end() -> Iterator[_Request]:
    request = _Request()
    before = {
        number: signal.signal(number, handler)
        for number, handler in (
            (signal.SIGTERM, request.end),
            (signal.SIGINT, request.end),
            (signal.SIGHUP, request.end),
            (signal.SIGCHLD, request.look),
        )
    }
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Run:
    """The parts, from their start to their end."""

    def __init__(
        self,
        options: Options,
        addresses: Addresses,
        state: State,
        proxy_command: list[str],
        request: _Request,
    ) -> None:
        self._options = options
        self._addresses = addresses
        self._state = state
        self._proxy_command = proxy_command
        self._request = request
        self._parts = Parts()
        self._log_sizes: dict[Path, int] = {}
        self._accounts = _accounts(state)

    def run(self) -> Exit:
        """Start, tell where, watch; whatever happens, leave nothing running."""
        try:
            with _Progress() as progress:
                self._start(progress)
            if self._request.ending:
                return Exit.INTERRUPTED
            self._announce()
            self._watch()
        finally:
            self._parts.stop()
        return Exit.OK

    def _start(self, progress: _Progress) -> None:
        embedded = self._options.lms_config is None
        lms_config = self._lms_file() if embedded else self._options.lms_config
        deadline = time.monotonic() + _START_SECONDS
        waits = []
        if embedded:
            self._parts.start(self._lms_part())
            waits.append(("the LMS", f"{self._addresses.lms}/api/state"))
        assert lms_config is not None
        self._parts.start(self._hub_part(lms_config))
        # First past the proxy: until it knows the hub it answers each question with an error.
        waits.append(("JupyterHub", f"{self._addresses.hub_api}/hub/api"))
        waits.append(("Kore", f"{self._addresses.kore_direct}/services/kore/health"))
        waits.append(("Kore", f"{self._addresses.kore}/health"))
        for title, url in waits:
            progress.say(f"Starting {title}")
            while not _answers(url) and not self._request.ending:
                self._raise_if_ended()
                if time.monotonic() > deadline:
                    raise self._did_not_start(title, f"does not answer at {url}")
                self._request.wait(_LOOK_SECONDS)
        if not self._request.ending:
            progress.done()

    def _watch(self) -> None:
        while not self._request.ending:
            ended = self._parts.ended()
            if ended is not None:
                part, status = ended
                raise AnankeError(
                    Exit.PROCESS_ENDED,
                    f"{part.title} ended by itself ({_status_words(status)}).",
                    f"Its log is {part.log}. Starting the demo again goes on where it was.",
                    _last_lines(self._new_text(part.log)),
                )
            self._parts.reap()
            self._request.wait(_WATCH_SECONDS)

    def _announce(self) -> None:
        addresses = self._addresses
        if self._options.json:
            line = {
                "lms": addresses.lms,
                "hub": addresses.hub,
                "kore": addresses.kore,
                "state_dir": str(self._state.path),
                "pid": os.getpid(),
            }
            _print(jsonlib.dumps(line), sys.stdout)
            return
        if self._options.lms_config is None:
            first = f"Open {addresses.lms} and choose who to be and what to open."
        else:
            first = f"Launch an activity of {addresses.lms}; the hub is {addresses.hub}."
        _print(
            f"\nAnanke is running.\n\n  {first}\n\n"
            f"  Hub    {addresses.hub}\n"
            f"  Kore   {addresses.kore}/\n"
            f"  State  {self._state.path} (logs in {self._state.logs})\n\n"
            "Ctrl-C ends it; the next start finds everything as it was.",
            sys.stdout,
        )

    def _environment(self) -> dict[str, str]:
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)
        }
        return {
            **inherited,
            "PATH": checks.search_path(),
            "PYTHONUNBUFFERED": "1",
            **_direct(inherited),
            TAG: str(self._state.path),
        }

    def _lms_part(self) -> Part:
        return Part(
            title="The LMS",
            argv=[
                sys.executable,
                "-m",
                "ananke.demo.lms",
                f"--port={self._addresses.lms.rpartition(':')[2]}",
                f"--tool-url={self._addresses.hub}",
                f"--state-dir={self._state.lms}",
            ],
            log=self._log("lms"),
            cwd=self._state.lms,
            environment=self._environment(),
        )

    def _hub_part(self, lms_config: Path) -> Part:
        for name in ("kore", "proxy", "culler", "executor"):
            self._log(name)
        environment = self._environment()
        told = {
            "state_dir": str(self._state.path),
            "hub": self._addresses.hub,
            "hub_api": self._addresses.hub_api,
            "proxy_api": self._addresses.proxy_api,
            "kore": self._addresses.kore_direct,
            "proxy_command": self._proxy_command,
            "lms_config": str(lms_config.resolve()),
            "accounts": self._accounts,
            # The hub hands little of its own environment on.
            "environment": {
                name: environment[name] for name in (TAG, *_direct(environment), "PYTHONUNBUFFERED")
            },
        }
        return Part(
            title="JupyterHub",
            argv=[
                sys.executable,
                "-m",
                "jupyterhub",
                "-f",
                str(Path(__file__).parent / "jupyterhub_config.py"),
            ],
            log=self._log("hub"),
            cwd=self._state.hub,
            environment={**environment, "ANANKE_DEMO": jsonlib.dumps(told)},
        )

    def _lms_file(self) -> Path:
        from ananke.demo.lms import LmsConfig  # noqa: PLC0415

        lms = LmsConfig(
            url=self._addresses.lms, tool_url=self._addresses.hub, state_dir=self._state.lms
        )
        path = self._state.hub / "30_lms.py"
        path.write_text(
            "# The embedded LMS, in the form of a container's 30_lms.py. Written at each start.\n\n"
            "c = get_config()\n\n"
            f"c.LTI13Authenticator.client_id = [{lms.client_id!r}]\n"
            f"c.LTI13Authenticator.issuer = {lms.issuer!r}\n"
            f"c.LTI13Authenticator.authorize_url = {lms.authorize_url!r}\n"
            f"c.LTI13Authenticator.jwks_endpoint = {lms.jwks_url!r}\n"
            f"c.LTI13Authenticator.access_token_url = {lms.token_url!r}\n"
            f"c.LTI13Authenticator.deployment_ids = [{lms.deployment_id!r}]\n",
            "utf-8",
        )
        return path

    def _log(self, name: str) -> Path:
        path = self._state.log(name)
        self._log_sizes[path] = path.stat().st_size if path.exists() else 0
        return path

    def _new_text(self, path: Path) -> str:
        """Return what this run wrote into a log."""
        try:
            with path.open("rb") as log:
                log.seek(self._log_sizes.get(path, 0))
                return log.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def _raise_if_ended(self) -> None:
        ended = self._parts.ended()
        if ended is not None:
            part, status = ended
            raise self._did_not_start(part.title, f"ended ({_status_words(status)})")

    def _did_not_start(self, title: str, why: str) -> AnankeError:
        names = {"JupyterHub": "hub", "The LMS": "lms", "the LMS": "lms", "Kore": "kore"}
        name = names[title]
        hub_words = self._new_text(self._state.logs / "hub.log")
        # The hub gives up when what it starts does not run: that one is to blame.
        if name == "hub":
            for words, blamed, its_log in _HUB_BLAMES:
                if words in hub_words.lower():
                    title, name = blamed, its_log
        log = self._state.logs / f"{name}.log"
        details = _last_lines(self._new_text(log) or hub_words)
        if "EADDRINUSE" in details or "Address already in use" in details:
            hint = "Another program took a port in that moment: start the demo again."
        elif "No space left" in details:
            hint = f"Make room on the file system of {self._state.path}, and start again."
        else:
            hint = (
                f"The whole log is {log}. A fresh --state-dir shows whether its state is to blame."
            )
        title = title[0].upper() + title[1:]
        return AnankeError(
            Exit.PROCESS_NOT_STARTED, f"{title} did not start: it {why}.", hint, details
        )


class _Progress:
    """Says on standard error what is being started: a spinner, or plain lines."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._status: Status | None = None
        self._begun = time.monotonic()
        self._words = ""

    def __enter__(self) -> _Progress:
        """Begin."""
        if self._console.is_terminal:
            self._status = self._console.status("Starting")
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Clear the line."""
        if self._status is not None:
            self._status.stop()

    def say(self, words: str) -> None:
        """Say what is done now."""
        if words == self._words:
            return
        self._words = words
        if self._status is not None:
            self._status.update(words)
        else:
            self._console.print(words)

    def done(self) -> None:
        """Say how long it took."""
        self._console.print(f"Started in {time.monotonic() - self._begun:.1f} s")


def _last_lines(text: str) -> str:
    return "\n".join(text.rstrip().splitlines()[-_LOG_LINES:])


def _accounts(state: State) -> str:
    """Return the folder of given-out accounts; nothing where all must run as one.

    Only root can start programs as other accounts.
    """
    if os.geteuid() != 0:
        return ""
    state.let_through()
    host = LocalHost(homes=state.homes, exchange=state.exchange, accounts=state.accounts)
    reason = host.check_accounts()
    if not reason:
        return str(state.accounts)
    _print(
        "People are not separated from each other: their servers all run as root, because "
        f"this machine does not let other accounts run them ({reason}).",
        sys.stderr,
    )
    return ""


def _answers(url: str) -> bool:
    try:
        with _http.open(url, timeout=_ANSWER_SECONDS) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004
    except (OSError, urllib.error.URLError, ValueError):
        return False


def _loopback(port: int) -> str:
    return f"http://{checks.LOOPBACK}:{port}"


def _direct(environment: dict[str, str]) -> dict[str, str]:
    """Return variables that keep loopback connections off a machine's web proxy."""
    known = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    hosts = ",".join(filter(None, [known, checks.LOOPBACK, "localhost"]))
    return {"no_proxy": hosts, "NO_PROXY": hosts}


def _status_words(status: int) -> str:
    if status < 0:
        return f"signal {signal.Signals(-status).name}"
    return f"exit status {status}"


def _print(text: str, stream: TextIO) -> None:
    # Whoever read the line may have closed the pipe since: the demo runs on.
    with suppress(BrokenPipeError):
        print(text, file=stream, flush=True)
