"""Containers on a network of their own, and an LMS beside them. Started by `run` alone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.container import Box, podman, wait_for

BASE_URL = "/uni/math/hub-1"
HUB = f"http://127.0.0.1:8000{BASE_URL}"
LMS = "http://127.0.0.1:9090"

if os.environ.get("ANANKE_CONTAINER_VIEW") != "1":
    # Nothing here runs on the machine's own network and cgroups.
    collect_ignore_glob = ["test_*.py"]

CONFIG = {
    "00_base.py": f"c = get_config()\nc.JupyterHub.base_url = '{BASE_URL}/'\n",
    "30_lms.py": f"""c = get_config()
c.LTI13Authenticator.client_id = ['linden-ananke']
c.LTI13Authenticator.issuer = '{LMS}'
c.LTI13Authenticator.authorize_url = '{LMS}/lti/auth'
c.LTI13Authenticator.jwks_endpoint = '{LMS}/lti/jwks'
c.LTI13Authenticator.access_token_url = '{LMS}/lti/token'
""",
}


@pytest.fixture(scope="session")
def lms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the embedded LMS outside the container; the hub is below several segments."""
    state = tmp_path_factory.mktemp("lms")
    argv = [sys.executable, "-m", "ananke.demo.lms", "--port=9090", f"--tool-url={HUB}"]
    with subprocess.Popen([*argv, f"--state-dir={state}"]) as process:
        try:
            wait_for(f"{LMS}/api/state", 60)
            yield LMS
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def definition(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a container definition's folder."""
    folder = tmp_path_factory.mktemp("definition")
    (folder / "jupyterhub_config.d").mkdir()
    for name, text in CONFIG.items():
        (folder / "jupyterhub_config.d" / name).write_text(text)
    return folder


@pytest.fixture(scope="session")
def box(lms: str, definition: Path, record_figures) -> Iterator[Box]:
    """Boot ananke-nbgrader."""
    box = Box("ananke-test", "localhost/ananke-nbgrader", definition, HUB, lms)
    podman("rm", "--force", "--ignore", box.name)
    try:
        record_figures["boot to hub and Kore ready, s"] = box.start()
        yield box
    finally:
        box.remove()


@pytest.fixture(scope="session")
def record_figures() -> Iterator[dict[str, float]]:
    """Collect what was measured, for `run` to print."""
    figures: dict[str, float] = {}
    yield figures
    lines = [f"{name}: {value:.1f}\n" for name, value in figures.items()]
    Path(os.environ["ANANKE_CONTAINER_FIGURES"]).write_text("".join(lines))
