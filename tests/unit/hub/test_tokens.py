"""What an id_token must say, without a hub."""

from __future__ import annotations

import pytest

from kore.hub.platforms import Platform
from kore.hub.refusals import Reason, Refusal
from kore.hub.tokens import LTI, Times, check_claims, key_id, verified_claims
from tests.support.forge import Key, base64url

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
    check_claims(claims(**changes), LMS, nonce="n", now=NOW, times=Times())


def reason(**changes) -> Reason:
    with pytest.raises(Refusal) as caught:
        check(**changes)
    return caught.value.reason


def test_the_least_that_a_launch_says_is_enough():
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
def test_the_edges_of_what_is_accepted(changes):
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
def test_the_edges_of_what_is_refused(changes, expected):
    """Each claim that is wrong, by a little or by its type, has its own reason."""
    assert reason(**changes) is expected


def test_any_deployment_of_the_registration():
    """Without configured deployments, each one is served, but the claim must be there."""
    lms = Platform("https://lms.example", "tool", "a", "j", "t")
    check_claims(claims(**{LTI + "deployment_id": "any"}), lms, nonce="n", now=NOW, times=Times())
    with pytest.raises(Refusal, match="no deployment id"):
        check_claims(claims(**{LTI + "deployment_id": ""}), lms, nonce="n", now=NOW, times=Times())


def test_a_signature_is_all_that_reading_checks():
    """Claims of any kind come back once the signature fits."""
    import jwt

    token = jwt.encode({"exp": 1, "aud": 5}, KEY.private, "RS256", headers={"kid": "one"})
    assert key_id(token) == "one"
    assert verified_claims(token, KEY.private.public_key()) == {"exp": 1, "aud": 5}
    with pytest.raises(Refusal) as caught:
        verified_claims(token, Key("two").private.public_key())
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
def test_only_rs256_is_looked_at(header, expected):
    """Any other header is refused before a key is even looked for."""
    with pytest.raises(Refusal) as caught:
        key_id(f"{base64url(header)}.e30.AAAA")
    assert caught.value.reason is expected


def test_a_payload_that_is_no_object():
    """A signed list is a token that cannot be read, not a trace."""
    import jwt

    token = jwt.api_jws.encode(b"[1]", KEY.private, "RS256")
    with pytest.raises(Refusal) as caught:
        verified_claims(token, KEY.private.public_key())
    assert caught.value.reason is Reason.MALFORMED
