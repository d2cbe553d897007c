"""A server that says which user the hub recognises: a stand-in for JupyterLab and Kore.

``python -m tests.support.whoami_server`` runs it as a single-user server. ``KoreStandIn`` runs it
in the tests, as the hub's service ``kore``, and keeps the launches that it receives.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import threading
from typing import Any
from urllib.parse import urlparse

from jupyterhub.services.auth import HubOAuth, HubOAuthCallbackHandler, HubOAuthenticated
from tornado.web import Application, RequestHandler, authenticated


class _Own:
    def initialize(self, hub_auth: HubOAuth) -> None:
        self.hub_auth = hub_auth


class WhoAmI(_Own, HubOAuthenticated, RequestHandler):
    @authenticated
    def get(self) -> None:
        self.write({"user": self.get_current_user()["name"], "path": self.request.path})


class Callback(_Own, HubOAuthCallbackHandler):
    pass


def make_app(hub_auth: HubOAuth, *more: Any) -> Application:
    rest = {"hub_auth": hub_auth}
    return Application(
        [*more, (".*/oauth_callback", Callback, rest), (".*", WhoAmI, rest)],
        cookie_secret=os.urandom(32),
    )


class KoreStandIn:
    """The service ``kore``. ``stop`` and ``start`` simulate a restart."""

    def __init__(self, port: int, hub_api: str, token: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.launches: list[dict[str, Any]] = []
        self.status = 202
        self._arrived = threading.Condition()
        self._port = port
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._hub_auth = HubOAuth(
            api_url=hub_api,
            api_token=token,
            base_url="/services/kore/",
            hub_prefix="/hub/",
            oauth_client_id="service-kore",
            oauth_redirect_uri="/services/kore/oauth_callback",
            access_scopes={"access:services!service=kore"},
        )
        self._server: Any = None
        self.start()

    def start(self) -> None:
        async def listen() -> None:
            receiver = (".*/launches", _Receiver, {"kore": self})
            self._server = make_app(self._hub_auth, receiver).listen(self._port, "127.0.0.1")

        asyncio.run_coroutine_threadsafe(listen(), self._loop).result(10)

    def stop(self) -> None:
        async def close() -> None:
            self._server.stop()
            await self._server.close_all_connections()

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(10)

    def receive(self, launch: dict[str, Any]) -> None:
        with self._arrived:
            self.launches.append(launch)
            self._arrived.notify_all()

    def wait_for(self, user: str, timeout: float = 20) -> dict[str, Any]:
        """Return the newest launch by a user, waiting for one."""

        def newest() -> dict[str, Any] | None:
            return next((n for n in reversed(self.launches) if n["user"] == user), None)

        with self._arrived:
            found = self._arrived.wait_for(newest, timeout)
        assert found, f"Kore received no launch by {user}"
        return found


class _Receiver(RequestHandler):
    def initialize(self, kore: KoreStandIn) -> None:
        self.kore = kore

    def post(self) -> None:
        self.set_status(self.kore.status)
        if self.kore.status == 202:
            launch = json.loads(self.request.body)
            launch["authorization"] = self.request.headers.get("Authorization")
            self.kore.receive(launch)


def main() -> None:
    async def serve() -> None:
        url = urlparse(os.environ["JUPYTERHUB_SERVICE_URL"])
        make_app(HubOAuth()).listen(url.port, url.hostname)
        await asyncio.Event().wait()

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve())


if __name__ == "__main__":
    main()
