"""Verifying id_tokens."""

from __future__ import annotations

import pytest

from kore.hub.platforms import Platform
from kore.hub.reasons import Reason
from kore.hub.refusals import Refusal
from kore.hub.tokens import LTI, TimeLimits, check_claims, read_key_id, verify_signature
from tests.support.fake_lms import Key, base64url

NOW = 1_000_000.0
KEY = Key("one")
LMS = Platform("https://lms.example", "tool", "a", "j", "t", frozenset({"7"}))


def claims(**changes):
    made = {
        "iss": "https://lms.example",
        "aud": "tool",
        "sub": "1",
        "nonce": "n",
        "iat": NOW,
        "exp": NOW + 60,
        LTI + "version": "1.3.0",
        LTI + "message_type": "LtiResourceLinkRequest",
        LTI + "deployment_id": "7",
        LTI + "resource_link": {"id": "5"},
    }
    return made | changes


def check(**changes):
    check_claims(claims(**changes), LMS, nonce="n", now=NOW, limits=TimeLimits())


def reason(**changes) -> Reason:
    with pytest.raises(Refusal) as caught:
        check(**changes)
    return caught.value.reason


def test_minimal_claims_are_accepted():
    """Roles, context, names, target link and return URL may all be absent."""
    check()


@pytest.mark.parametrize(
    "changes",
    [
        {"iat": NOW + 10, "exp": NOW + 70},
        {"exp": NOW - 9},
        {"iat": NOW - 609, "exp": NOW + 1},
        {"iat": NOW + 0.5},
        {"nbf": NOW + 10},
        {"nbf": None},
        {"aud": ["x", "tool"], "azp": "tool"},
        {"aud": ["tool"]},
    ],
    ids=str,
)
def test_claims_at_the_limits_are_accepted(changes):
    """Clocks may differ by ten seconds; a token may be ten minutes old; aud may be a list."""
    check(**changes)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"iat": NOW + 11, "exp": NOW + 70}, Reason.FUTURE),
        ({"nbf": NOW + 11}, Reason.FUTURE),
        ({"exp": NOW - 10}, Reason.EXPIRED),
        ({"iat": NOW - 611, "exp": NOW + 1}, Reason.TOO_OLD),
        ({"iat": None}, Reason.MALFORMED),
        ({"iat": "1000000"}, Reason.MALFORMED),
        ({"iat": True}, Reason.MALFORMED),
        ({"exp": float("inf")}, Reason.MALFORMED),
        ({"exp": float("nan")}, Reason.MALFORMED),
        ({"exp": 10**400}, Reason.MALFORMED),
        ({"iss": None}, Reason.ISSUER),
        ({"iss": "https://lms.example/"}, Reason.ISSUER),
        ({"aud": None}, Reason.AUDIENCE),
        ({"aud": {"tool": 1}}, Reason.AUDIENCE),
        ({"aud": []}, Reason.AUDIENCE),
        ({"aud": ["tool", "tool"]}, Reason.AUTHORIZED_PARTY),
        ({"azp": ""}, Reason.AUTHORIZED_PARTY),
        ({"azp": ["tool"]}, Reason.AUTHORIZED_PARTY),
        ({"nonce": ""}, Reason.NO_NONCE),
        ({"nonce": ["n"]}, Reason.NO_NONCE),
        ({"nonce": "N"}, Reason.NONCE),
        ({LTI + "version": 1.3}, Reason.VERSION),
        ({LTI + "deployment_id": ""}, Reason.NO_DEPLOYMENT),
        ({LTI + "deployment_id": 7}, Reason.NO_DEPLOYMENT),
        ({LTI + "deployment_id": "8"}, Reason.DEPLOYMENT),
        ({LTI + "message_type": None}, Reason.MESSAGE_TYPE),
        ({LTI + "resource_link": "5"}, Reason.NO_RESOURCE_LINK),
        ({"sub": ""}, Reason.NO_SUB),
    ],
    ids=str,
)
def test_claims_beyond_the_limits_are_refused(changes, expected):
    """Each claim that is slightly wrong, or has a wrong type, has its own reason."""
    assert reason(**changes) is expected


def test_any_deployment_is_accepted_if_none_is_configured():
    """Without configured deployments any may launch, but the claim is required."""
    lms = Platform("https://lms.example", "tool", "a", "j", "t")
    check_claims(
        claims(**{LTI + "deployment_id": "any"}), lms, nonce="n", now=NOW, limits=TimeLimits()
    )
    with pytest.raises(Refusal, match="no deployment id"):
        check_claims(
            claims(**{LTI + "deployment_id": ""}), lms, nonce="n", now=NOW, limits=TimeLimits()
        )


def test_verifying_a_signature_checks_nothing_else():
    """Any claims are returned if the signature is right."""
    import jwt

    token = jwt.encode({"exp": 1, "aud": 5}, KEY.private, "RS256", headers={"kid": "one"})
    assert read_key_id(token) == "one"
    assert verify_signature(token, KEY.private.public_key()) == {"exp": 1, "aud": 5}
    with pytest.raises(Refusal) as caught:
        verify_signature(token, Key("two").private.public_key())
    assert caught.value.reason is Reason.SIGNATURE


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b'{"alg":"none"}', Reason.UNSIGNED),
        (b'{"alg":"NoNe"}', Reason.UNSIGNED),
        (b'{"alg":""}', Reason.UNSIGNED),
        (b"{}", Reason.UNSIGNED),
        (b'{"alg":["RS256"]}', Reason.UNSIGNED),
        (b'{"alg":"HS256"}', Reason.ALGORITHM),
        (b'{"alg":"rs256"}', Reason.ALGORITHM),
        (b'{"alg":"PS256"}', Reason.ALGORITHM),
        (b'{"alg":"ES256"}', Reason.ALGORITHM),
        (b"[]", Reason.MALFORMED),
        (b"\xff", Reason.MALFORMED),
        (b"[" * 40000, Reason.MALFORMED),
    ],
)
def test_only_rs256_is_accepted(header, expected):
    """Any other header is refused before a key is looked up."""
    with pytest.raises(Refusal) as caught:
        read_key_id(f"{base64url(header)}.e30.AAAA")
    assert caught.value.reason is expected


def test_a_payload_that_is_no_object():
    """A signed list is refused as malformed."""
    import jwt

    token = jwt.api_jws.encode(b"[1]", KEY.private, "RS256")
    with pytest.raises(Refusal) as caught:
        verify_signature(token, KEY.private.public_key())
    assert caught.value.reason is Reason.MALFORMED
