from __future__ import annotations

import pytest

from tests.support.fake_lms import FakeLms
from tests.support.login_hub import KORE_TOKEN, Browser, LoginHub, Ports
from tests.support.whoami_server import KoreStandIn


@pytest.fixture(scope="module")
def lms():
    """An LMS that signs whatever a test wants."""
    platform = FakeLms()
    yield platform
    platform.close()


@pytest.fixture(scope="module")
def ports():
    """Where the module's hub and Kore listen."""
    return Ports()


@pytest.fixture(scope="module")
def kore(ports):
    """A stand-in for Kore: it receives launches, and says which user a browser is."""
    stand_in = KoreStandIn(ports.kore, ports.api, KORE_TOKEN)
    yield stand_in
    stand_in.stop()


@pytest.fixture(scope="module")
def hub(lms, kore, ports, tmp_path_factory):
    """A hub with our sign-in, one for a module."""
    process = LoginHub(tmp_path_factory.mktemp("hub"), lms.url, ports)
    yield process
    process.close()


@pytest.fixture
def browser(hub, lms):
    """A browser without cookies."""
    return Browser(hub, lms)
