"""What the tests of the LTI services share."""

from __future__ import annotations

import pytest

from kore.service.lti.keys import KeyStore


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Return Kore's signing key."""
    return KeyStore(tmp_path_factory.mktemp("keys"))
