"""Runs Kore: gunicorn with threads in one worker, and the job runner with it.

Threads, because an LMS fetches our key set while we wait for its token. One worker,
because the runner's threads live in it.
"""

from __future__ import annotations

import logging
import sys
from typing import Any
from urllib.parse import urlsplit

from gunicorn.app.base import BaseApplication

from kore.service.app import create_app, mount
from kore.service.backups import repository
from kore.service.courses.launches import queue_unfinished_set_ups
from kore.service.exchange import index
from kore.service.job_kinds import HANDLERS
from kore.service.jobs import Runner
from kore.service.services import open_services
from kore.service.settings import Settings, SettingsError


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._runner: Runner | None = None
        super().__init__()

    def load_config(self) -> None:
        listen = urlsplit(self._settings.listen)
        options: dict[str, Any] = {
            "bind": f"{listen.hostname}:{listen.port}",
            "worker_class": "gthread",
            "workers": 1,
            "threads": self._settings.threads,
            "keepalive": 30,
            "graceful_timeout": 5,
            "control_socket_disable": True,
            "forwarded_allow_ips": "127.0.0.1",
            "limit_request_field_size": 16380,
            "proc_name": "kore",
            "worker_exit": lambda _server, _worker: self._stop(),
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Open everything; gunicorn calls this in the worker."""
        services = open_services(self._settings)
        services.keys.jwks()
        self._runner = Runner(services, HANDLERS, threads=self._settings.job_threads)
        app = create_app(services, self._runner)
        queue_unfinished_set_ups(services.db)
        index.sweep(services)
        repository.sweep(services)
        self._runner.start()
        return mount(app, self._settings.prefix)

    def _stop(self) -> None:
        if self._runner is not None:
            self._runner.stop()


def main() -> int:
    """Serve until asked to stop. Return the exit code: 2 for settings that make no sense."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        settings = Settings.from_environment()
    except SettingsError as error:
        print(f"Kore cannot start: {error}.", file=sys.stderr)  # noqa: T201
        return 2
    _Server(settings).run()
    return 0
