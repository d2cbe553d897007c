"""A real JupyterHub with our sign-in, and browsers that launch into it."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from ananke.demo.ports import find_free_port
from tests.support.fake_lms import CLIENT_ID, FakeLms
from tests.support.waiting import wait_until

_ROOT = Path(__file__).parents[2]
_PROXY = _ROOT / ".venv/share/proxy/node_modules/.bin/configurable-http-proxy"
KORE_TOKEN, LOGIN_TOKEN = "kore-token-" + "0" * 32, "login-token-" + "0" * 32

_CONFIG = """
c = get_config()
c.JupyterHub.bind_url = {url!r}
c.JupyterHub.hub_port = {hub_port}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy_port}"
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.JupyterHub.cleanup_servers = True
c.JupyterHub.cookie_secret = b"0" * 32
c.JupyterHub.db_url = "sqlite:///{directory}/hub.sqlite"
c.JupyterHub.pid_file = ""
c.JupyterHub.authenticator_class = {authenticator!r}
c.LTI13Authenticator.client_id = [{client_id!r}]
c.LTI13Authenticator.issuer = {lms!r}
c.LTI13Authenticator.authorize_url = {lms!r} + "/auth"
c.LTI13Authenticator.jwks_endpoint = {lms!r} + "/jwks"
c.LTI13Authenticator.access_token_url = {lms!r} + "/token"
c.Authenticator.blocked_users = {{"ulocked"}}
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{directory}/{{username}}"
c.Spawner.cmd = [{python!r}, "-m", "tests.support.whoami_server"]
c.Spawner.environment = {{"PYTHONPATH": {root!r}}}
c.JupyterHub.services = [
    {{"name": "kore", "url": {kore!r}, "api_token": {kore_token!r}, "oauth_no_confirm": True}},
    {{"name": "hub-login", "api_token": {login_token!r}}},
]
c.JupyterHub.load_roles = [
    {{"name": "user", "scopes": ["self", "access:services!service=kore"]}},
]
{more}
"""
_THEIRS = """
c.LTI13Authenticator.username_key = "sub"
c.Authenticator.allow_all = True
"""
_OURS = """
c.LTI13Authenticator.deployment_ids = {"7"}
c.KoreAuthenticator.kore_url = %r
c.KoreAuthenticator.launch_token = %r
"""


@dataclass
class Ports:
    """Where a hub and its service ``kore`` listen."""

    public: int = field(default_factory=find_free_port)
    hub: int = field(default_factory=find_free_port)
    proxy: int = field(default_factory=find_free_port)
    kore: int = field(default_factory=find_free_port)

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.hub}/hub/api"


class LoginHub:
    """The hub process. With ``parent`` it uses the authenticator from which ours is derived.

    Something must listen on the port for ``kore`` already: the hub waits for it.
    """

    def __init__(
        self, directory: Path, lms_url: str, ports: Ports, *, parent: bool = False, more: str = ""
    ) -> None:
        self.url = f"http://127.0.0.1:{ports.public}"
        kore = f"http://127.0.0.1:{ports.kore}"
        ours = "kore.hub.authenticator.KoreAuthenticator"
        theirs = "ltiauthenticator.lti13.auth.LTI13Authenticator"
        config = directory / "jupyterhub_config.py"
        config.write_text(
            _CONFIG.format(
                url=self.url,
                hub_port=ports.hub,
                proxy_port=ports.proxy,
                proxy=str(_PROXY),
                directory=directory,
                authenticator=theirs if parent else ours,
                client_id=CLIENT_ID,
                lms=lms_url,
                python=sys.executable,
                root=str(_ROOT),
                kore=kore,
                kore_token=KORE_TOKEN,
                login_token=LOGIN_TOKEN,
                more=(_THEIRS if parent else _OURS % (kore, LOGIN_TOKEN)) + more,
            )
        )
        self._log = directory / "hub.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", "-f", str(config)],
                cwd=directory,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
                | {"PYTHONPATH": str(_ROOT), "HOME": str(directory)},
            )
        self._wait_until_up()

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                if requests.get(f"{self.url}/hub/health", timeout=5).ok:
                    return
            except requests.RequestException:
                pass
            time.sleep(0.05)
        self.close()
        raise AssertionError(f"the hub did not start:\n{self.log}")

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def wait_for_log(self, text: str, timeout: float = 20) -> None:
        wait_until(lambda: text in self.log, f"not in the log: {text}", seconds=timeout)

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@dataclass
class StartedLogin:
    """A login that the LMS has to answer."""

    state: str
    nonce: str
    question: dict[str, str]
    authorize_url: str


@dataclass
class Page:
    """What a person sees."""

    status: int
    text: str
    heading: str
    reference: str
    back: str


def read_page(answer: requests.Response) -> Page:
    def first(pattern: str) -> str:
        found = re.search(pattern, answer.text, re.DOTALL)
        return html.unescape(found.group(1)) if found else ""

    return Page(
        answer.status_code,
        html.unescape(answer.text),
        first("<h1>(.*?)</h1>"),
        first("<code>(.*?)</code>"),
        first('class="back" href="(.*?)"'),
    )


class Browser:
    """A browser with its cookies.

    A post from the LMS's site sends only the cookies of a login, as if all others were
    ``SameSite=Lax``.
    """

    def __init__(self, hub: LoginHub, lms: FakeLms) -> None:
        self.hub, self.lms = hub, lms
        self.http = requests.Session()
        self.http.trust_env = False

    def begin(self, method: str = "POST", **changes: Any) -> requests.Response:
        form = {
            "iss": self.lms.url,
            "client_id": CLIENT_ID,
            "login_hint": "123",
            "lti_message_hint": "hint-1",
            "target_link_uri": f"{self.hub.url}/hub",
            "lti_deployment_id": "7",
        } | changes
        form = {name: value for name, value in form.items() if isinstance(value, str)}
        where: dict[str, Any] = {"data": form} if method == "POST" else {"params": form}
        return self.http.request(
            method,
            f"{self.hub.url}/hub/lti13/oauth_login",
            allow_redirects=False,
            timeout=20,
            **where,
        )

    def start_login(self, **changes: Any) -> StartedLogin:
        answer = self.begin(**changes)
        assert answer.status_code in {302, 303}, answer.text
        parts = urlsplit(answer.headers["Location"])
        question = {name: values[0] for name, values in parse_qs(parts.query).items()}
        target = f"{parts.scheme}://{parts.netloc}{parts.path}"
        return StartedLogin(question["state"], question["nonce"], question, target)

    def post_answer(self, **form: str) -> requests.Response:
        """Post what the LMS lets the browser post; do not follow redirects."""
        url = f"{self.hub.url}/hub/lti13/oauth_callback"
        request = self.http.prepare_request(requests.Request("POST", url, data=form))
        sent = request.headers.get("Cookie", "").split("; ")
        young = [c for c in sent if c.startswith(("ananke-login-", "lti13authenticator-"))]
        request.headers.pop("Cookie", None)
        if young:
            request.headers["Cookie"] = "; ".join(young)
        return self.http.send(request, allow_redirects=False, timeout=30)

    def launch(self, **claims: Any) -> requests.Response:
        """Launch; return the answer that redirects the browser into the hub."""
        login = self.start_login()
        token = self.lms.sign(self.lms.claims(login.nonce, **claims))
        return self.finish(self.post_answer(state=login.state, id_token=token))

    def finish(self, answer: requests.Response) -> requests.Response:
        """Follow the redirect to the end of the login."""
        if "/lti13/enter" not in answer.headers.get("Location", ""):
            return answer
        return self.http.get(
            self.hub.url + answer.headers["Location"], allow_redirects=False, timeout=20
        )

    def whoami(self, path: str = "/services/kore/whoami") -> str:
        """Return the user that this browser is to a service or server, "" if nobody."""
        answer = self.http.get(self.hub.url + path, timeout=30)
        try:
            return str(answer.json()["user"])
        except ValueError:
            return ""

    def start_server(self, user: str) -> None:
        """Start one's own server, and wait until it runs."""
        self.http.get(f"{self.hub.url}/hub/spawn", timeout=30)
        progress = f"{self.hub.url}/hub/api/users/{user}/server/progress"
        with self.http.get(progress, stream=True, timeout=30) as events:
            assert any(b'"ready": true' in line for line in events.iter_lines())
