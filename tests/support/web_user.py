"""Someone with a browser, over plain HTTP: cookies, redirects, and self-sending forms."""

from __future__ import annotations

import threading
import time
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import requests
from bs4 import BeautifulSoup

from tests.support.waiting import wait_until

_PATIENCE = 90


class _Browser(requests.Session):
    """Follows redirections, but not to addresses with ``stops_before`` in them."""

    stops_before = ""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return where an answer sends on to, if this browser goes there."""
        target = super().get_redirect_target(resp)
        return None if target and self.stops_before and self.stops_before in target else target


class WebUser:
    """One person in one browser. Ends where a browser would end."""

    def __init__(self, demo: Any, user: str) -> None:
        self.demo = demo
        self.user = user
        self.browser = _Browser()
        self.browser.trust_env = False
        self.browser.verify = getattr(demo, "ca", "") or True
        self.browser.headers["Accept"] = "text/html,application/xhtml+xml,*/*;q=0.8"

    def launch(self, activity: str, *, before: str = "") -> requests.Response:
        """Click an activity in the LMS; return the page where the person ends.

        With ``before`` the way ends one step before an address with that in it: the answer
        is the redirection to there.
        """
        self.browser.stops_before = before
        return self.settle(
            self.browser.get(
                f"{self.demo.lms}/launch",
                params={"user": self.user, "activity": activity},
                timeout=30,
            ),
        )

    def settle(self, response: requests.Response) -> requests.Response:
        """Do what a browser does by itself: send forms, follow refreshes, wait for servers."""
        deadline = time.monotonic() + _PATIENCE
        beat = threading.Event()
        while time.monotonic() < deadline:
            if response.is_redirect:
                return response
            form = _own_form(response)
            if form is not None:
                response = self._send(response.url, form)
            elif refresh := response.headers.get("Refresh"):
                beat.wait(0.2)
                target = refresh.partition("url=")[2]
                response = self.browser.get(urljoin(response.url, target), timeout=30)
            elif "/spawn-pending/" in response.url:
                beat.wait(0.2)
                response = self.browser.get(response.url, timeout=30)
            else:
                return response
        raise AssertionError(f"{self.user} never arrived; the last page was {response.url}")

    def _send(self, base: str, form: Any) -> requests.Response:
        fields = {
            field["name"]: field.get("value", "")
            for field in form.find_all("input")
            if field.get("name")
        }
        url = urljoin(base, form.get("action", ""))
        if form.get("method", "get").lower() == "post":
            return self.browser.post(url, data=fields, timeout=60)
        return self.browser.get(url, params=fields, timeout=60)

    def server(self, owner: str | None = None) -> Server:
        """Return a single-user server that the person may enter: their own, or a course's."""
        return Server(self, owner or self.hub_name())

    def hub_name(self) -> str:
        """Return the person's name in the hub, as the LMS's id makes it."""
        state = requests.get(f"{self.demo.lms}/api/state", timeout=30).json()
        sub = next(u["sub"] for u in state["users"] if u["slug"] == self.user)
        return f"u{sub}"

    def kore(self, method: str, path: str, *, csrf: bool = True, **more: Any) -> requests.Response:
        """Ask Kore as a script on one of its pages would."""
        headers = {"Accept": "application/json", "Sec-Fetch-Mode": "cors"}
        if method not in {"GET", "HEAD"} and csrf:
            headers["X-CSRFToken"] = self.csrf()
        return self.browser.request(
            method, self.demo.kore + path, headers=headers, timeout=60, **more
        )

    def wait_for_end(self, job: str, *, seconds: float = 180) -> dict[str, Any]:
        """Wait for the end of a job; return its report."""

        def ended() -> dict[str, Any] | None:
            report = dict(self.kore("GET", f"/jobs/{job}").json())
            return report if report["state"] in {"done", "failed", "cancelled"} else None

        return wait_until(ended, f"job {job} did not end", seconds=seconds)

    def enrolled(self, course: str) -> None:
        """Wait until Kore knows the person as one of a course.

        The hub tells it of a launch beside the person's way, which does not wait for that
        where their server runs already.
        """
        wait_until(
            lambda: self.kore("GET", f"/courses/{course}").ok,
            f"Kore does not know {self.user} in {course}",
            seconds=_PATIENCE,
        )

    def csrf(self) -> str:
        """Return the proof that Kore gives to its own pages."""
        answer = self.browser.get(
            f"{self.demo.kore}/session", headers={"Sec-Fetch-Mode": "cors"}, timeout=30
        )
        return str(answer.json()["csrf"])


class Server:
    """A single-user server as a page on it sees it."""

    def __init__(self, person: WebUser, owner: str) -> None:
        self.person = person
        self.url = f"{person.demo.hub}/user/{owner}"

    def request(self, method: str, path: str, **more: Any) -> requests.Response:
        """Send a request with the server's own CSRF token."""
        browser = self.person.browser
        token = next((c.value for c in browser.cookies if self._is_token(c)), None)
        if token is None:
            browser.get(f"{self.url}/lab", timeout=30)
            token = next(c.value for c in browser.cookies if self._is_token(c))
        return browser.request(
            method, self.url + path, headers={"X-XSRFToken": token}, timeout=180, **more
        )

    def _is_token(self, cookie: Any) -> bool:
        return cookie.name == "_xsrf" and cookie.path == urlsplit(self.url).path + "/"

    def json(self, method: str, path: str, **more: Any) -> Any:
        """Send a request that must succeed; return the answer."""
        answer = self.request(method, path, **more)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.content else None

    def write(self, path: str, content: Any) -> None:
        """Write a notebook, making its folders."""
        parts = path.split("/")
        for depth in range(1, len(parts)):
            folder = "/".join(parts[:depth])
            self.json("PUT", f"/api/contents/{quote(folder)}", json={"type": "directory"})
        self.json(
            "PUT", f"/api/contents/{quote(path)}", json={"type": "notebook", "content": content}
        )

    def read(self, path: str) -> Any:
        """Return a notebook's content."""
        return self.json("GET", f"/api/contents/{quote(path)}?content=1")["content"]

    def formgrader(self, method: str, path: str) -> Any:
        """Call formgrader's API; its actions say themselves whether they succeeded."""
        answer = self.json(method, f"/formgrader/api/{path}")
        if isinstance(answer, dict) and "success" in answer:
            assert answer["success"], answer.get("log") or answer
        return answer


def _own_form(response: requests.Response) -> Any:
    """Return the form that a page sends by itself, if it has one."""
    if "html" not in response.headers.get("Content-Type", "") or "<form" not in response.text:
        return None
    page = BeautifulSoup(response.text, "html.parser")
    form = page.find("form", {"data-auto-submit": True}) or page.find("form", id="auto-submit")
    if form is None and page.find("input", {"name": ["id_token", "login_hint"]}):
        form = page.find("form")
    return form
