"""The authenticator's settings, and whom it signs in."""

from __future__ import annotations

import asyncio

import pytest
from traitlets.config import Config

from kore.hub.authenticator import KoreAuthenticator
from kore.hub.platforms import Platform


def test_configuration_as_in_a_containers_30_lms():
    """The keys of ``30_lms.py`` reach the platform; everyone from the LMS may sign in."""
    c = Config()
    base = "http://192.0.2.1:9090/moodle"
    c.LTI13Authenticator.client_id = ["SomeRandomString"]
    c.LTI13Authenticator.issuer = base
    c.LTI13Authenticator.authorize_url = f"{base}/mod/lti/auth.php"
    c.LTI13Authenticator.jwks_endpoint = f"{base}/mod/lti/certs.php"
    c.LTI13Authenticator.access_token_url = f"{base}/mod/lti/token.php"
    c.LTI13Authenticator.deployment_ids = ["1", "2"]
    authenticator = KoreAuthenticator(config=c)
    assert authenticator.platforms == (
        Platform(
            issuer=base,
            client_id="SomeRandomString",
            authorize_url=f"{base}/mod/lti/auth.php",
            jwks_url=f"{base}/mod/lti/certs.php",
            token_url=f"{base}/mod/lti/token.php",
            deployment_ids=frozenset({"1", "2"}),
            home_url=base,
        ),
    )
    assert authenticator.allow_all


@pytest.mark.parametrize("data", [None, {}, {"sub": "1"}, {"name": "u1", "email": "x"}, "u1"])
def test_only_a_verified_launch_signs_someone_in(data):
    """Forms and JSON that the hub passes on sign nobody in."""
    assert asyncio.run(KoreAuthenticator().authenticate(None, data)) is None
