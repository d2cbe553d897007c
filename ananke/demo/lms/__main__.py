"""Serve the LMS: `python -m ananke.demo.lms --port 9090 --tool-url URL --state-dir DIR`."""

from __future__ import annotations

import argparse
import ipaddress
import logging
import socket
import sys
from pathlib import Path

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from ananke.demo.lms import LmsConfig, create_app
from ananke.demo.lms.profiles import PROFILES
from ananke.demo.lms.store import StoreError

THREADS = 32
STOP_SECONDS = 1


class QuickArbiter(Arbiter):  # type: ignore[misc]
    """Gunicorn's master, except that it does not wait for idle connections to end."""

    def handle_term(self) -> None:
        """End at once: requests that are cut off leave no half-written data."""
        self.handle_quit()


class Server(BaseApplication):  # type: ignore[misc]
    """One worker with threads: the LMS asks the tool for its keys while the tool waits for it."""

    def __init__(self, config: LmsConfig, host: str, port: int) -> None:
        self._lms = config
        name = f"[{host}]" if ":" in host else host
        self._options = {
            "bind": [f"{name}:{port}"],
            "workers": 1,
            "worker_class": "gthread",
            "threads": THREADS,
            "keepalive": 75,
            "graceful_timeout": STOP_SECONDS,
            "control_socket_disable": True,
            "loglevel": "warning",
            "proc_name": "ananke-demo-lms",
        }
        super().__init__()

    def load_config(self) -> None:
        """Pass the settings to gunicorn, which reads neither files nor arguments here."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def run(self) -> None:
        """Serve until a signal arrives."""
        QuickArbiter(self).run()

    def load(self) -> Flask:
        """Make the application in the worker: database connections must not survive a fork."""
        return create_app(self._lms)


def _parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ananke.demo.lms", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=9090)
    parser.add_argument("--url", help="URL for browsers; default: http://HOST:PORT")
    parser.add_argument("--tool-url", default="http://127.0.0.1:8000", help="URL of the hub")
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--profile", choices=sorted(PROFILES), default="moodle")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Serve until a signal arrives; return 2 with a one-line message if that is impossible."""
    given = _parse_arguments(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        config = _make_config(given)
        # Once here, so that an unusable state directory ends in a message and not in a worker.
        create_app(config).extensions["lms"].store.close()
    except (ValueError, OSError, StoreError) as error:
        return _print_error(str(error))
    Server(config, given.host, given.port).run()
    return 0


def _make_config(given: argparse.Namespace) -> LmsConfig:
    """Check the arguments; ValueError or OSError with a message if they cannot work."""
    if not ipaddress.ip_address(given.host).is_loopback:
        msg = "The demo's LMS has no sign-in, so it only listens on a loopback address."
        raise ValueError(msg)
    family = socket.AF_INET6 if ":" in given.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((given.host, given.port))
        except OSError as error:
            msg = f"Port {given.port} is taken ({error.strerror}). Choose another one with --port."
            raise OSError(msg) from error
    name = f"[{given.host}]" if ":" in given.host else given.host
    return LmsConfig(
        url=given.url or f"http://{name}:{given.port}",
        tool_url=given.tool_url,
        state_dir=given.state_dir,
        profile=given.profile,
    )


def _print_error(message: str) -> int:
    print(f"The LMS cannot start: {message}", file=sys.stderr)  # noqa: T201
    return 2


if __name__ == "__main__":
    sys.exit(main())
