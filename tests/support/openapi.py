"""Makes Kore's application without a server, for what is written from its code.

``python -m tests.support.openapi`` prints the description of the API (OpenAPI 3.1).
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kore.service.app import create_app
from kore.service.job_kinds import HANDLERS
from kore.service.jobs import Runner
from kore.service.services import open_services
from kore.service.settings import Settings

if TYPE_CHECKING:
    from flask import Flask


@contextmanager
def kore_app() -> Iterator[Flask]:
    """Make Kore's application, with a state directory that lasts as long as the block."""
    with tempfile.TemporaryDirectory() as folder:
        services = open_services(
            Settings.from_environment(
                {
                    "KORE_STATE_DIR": folder,
                    "KORE_HOMES": f"{folder}/homes",
                    "KORE_EXCHANGE": f"{folder}/exchange",
                    "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:1",
                    "JUPYTERHUB_SERVICE_PREFIX": "/services/kore/",
                    "JUPYTERHUB_API_URL": "http://127.0.0.1:1/hub/api",
                    "JUPYTERHUB_API_TOKEN": "none",
                }
            )
        )
        try:
            yield create_app(services, Runner(services, HANDLERS, threads=1))
        finally:
            services.db.close()


def api_document() -> dict[str, Any]:
    """Return the description of the API, as ``/openapi.json`` answers it."""
    with kore_app() as app:
        return app.api_doc  # type: ignore[attr-defined]


if __name__ == "__main__":
    json.dump(api_document(), sys.stdout)
