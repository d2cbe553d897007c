"""Access tokens: what a client assertion must hold, and what comes back."""

from __future__ import annotations

import json
import time

import jwt
import pytest

from ananke.demo.lms.config import ALL_SCOPES
from ananke.demo.lms.keys import SigningKey

SCORE = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
all_profiles = pytest.mark.parametrize("lms", ["moodle", "canvas", "strict"], indirect=True)


@all_profiles
def test_good_assertion_gets_a_token(lms):
    """A signed assertion gives a bearer token for the scopes asked for."""
    answer = lms.tool.ask(lms)
    assert answer.status_code == 200
    body = answer.json()
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 3600
    assert set(body["scope"].split()) == set(ALL_SCOPES)


def test_moodle_labels_its_json_as_html(lms):
    """Moodle's token answer is JSON that calls itself text/html."""
    answer = lms.tool.ask(lms)
    assert answer.headers["Content-Type"].startswith("text/html")
    assert json.loads(answer.text)["access_token"]


def test_ungranted_scopes_are_dropped_in_silence(lms):
    """What is not granted is left out; nothing granted at all is an error."""
    lms.behave(granted_scopes=[SCORE])
    assert lms.tool.ask(lms).json()["scope"] == SCORE
    lms.behave(granted_scopes=[])
    answer = lms.tool.ask(lms)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


@all_profiles
@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "someone"},
        {"sub": "someone"},
        {"aud": "http://elsewhere.example/token"},
        {"aud": None},
        {"exp": int(time.time()) - 1000, "iat": int(time.time()) - 1060},
        {"exp": None},
        {"iat": None},
        {"jti": None},
        {"jti": ""},
        {"jti": 5},
        {"exp": int(time.time()) + 90_000},
    ],
)
def test_wrong_claims_are_refused(lms, changes):
    """Each claim of the assertion is checked."""
    answer = lms.tool.ask(lms, lms.tool.key.sign(lms.tool.claims(lms, **changes)))
    assert answer.status_code in (400, 401)
    assert "invalid_client" in answer.text


def ask_too_early(lms):
    """The answer to an assertion from the future: from as near as the machine's speed allows."""
    for ahead in (3, 9, 27):
        issued = int(time.time()) + ahead
        answer = lms.tool.ask(lms, lms.tool.key.sign(lms.tool.claims(lms, iat=issued)))
        if time.time() < issued:
            return answer
    raise AssertionError("the LMS takes longer to answer than it can be asked ahead of time")


@all_profiles
def test_issued_in_the_future_is_refused_without_leeway(lms):
    """Two seconds ahead is too early."""
    assert ask_too_early(lms).status_code == 400


def test_moodle_error_can_be_invalid_json(lms):
    """A refused signature or time gives a body that no JSON parser takes."""
    with pytest.raises(ValueError, match="delimiter"):
        json.loads(ask_too_early(lms).text)


@all_profiles
def test_assertion_is_good_once(lms):
    """The same jti twice is a replay."""
    assertion = lms.tool.key.sign(lms.tool.claims(lms))
    assert lms.tool.ask(lms, assertion).status_code == 200
    assert lms.tool.ask(lms, assertion).status_code == 400


@all_profiles
def test_algorithm_and_key_are_checked(lms):
    """No kid, a foreign key, alg none and HS256 are refused."""
    claims = lms.tool.claims(lms)
    key = lms.tool.key
    foreign = SigningKey.generate()
    assertions = [
        jwt.encode(claims, key.private, algorithm="RS256"),
        jwt.encode(claims, foreign.private, algorithm="RS256", headers={"kid": key.kid}),
        foreign.sign(claims),
        jwt.encode(claims, "", algorithm="none", headers={"kid": key.kid}),
        jwt.encode(claims, "x" * 64, algorithm="HS256", headers={"kid": key.kid}),
        "no.jwt.here",
        "",
    ]
    for assertion in assertions:
        answer = lms.tool.ask(lms, client_assertion=assertion)
        assert answer.status_code == 400, assertion


@all_profiles
def test_form_is_checked(lms):
    """Grant type, assertion type and scope must be there and right."""
    for form in (
        {"grant_type": "password"},
        {"client_assertion_type": "jwt"},
        {"scope": ""},
    ):
        assert lms.tool.ask(lms, **form).status_code == 400


def test_keys_are_cached_and_fetched_again_for_an_unknown_kid(lms):
    """One fetch serves many tokens; a new key of the tool is found without a restart."""
    for _ in range(3):
        assert lms.tool.ask(lms).status_code == 200
    assert lms.tool.requests == 1
    lms.tool.key = SigningKey.generate()
    assert lms.tool.ask(lms).status_code == 200
    assert lms.tool.requests == 2


def test_unreachable_keys(lms):
    """Moodle answers 404 with an HTML page, the others an OAuth error."""
    lms.tool.status = 500
    answer = lms.tool.ask(lms)
    assert answer.status_code == 404
    assert answer.text.startswith("<!DOCTYPE html>")
    lms.behave(profile="strict")
    answer = lms.tool.ask(lms)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.slow
def test_token_ends(lms):
    """After its lifetime a token is refused."""
    lms.behave(token_lifetime_s=3)
    session = lms.tool.session(lms)
    url = f"{lms.url}/lti/services/2/lineitems?type_id=1"
    session.headers["Accept"] = "application/vnd.ims.lis.v2.lineitemcontainer+json"
    assert session.get(url, timeout=5).status_code == 200
    deadline = time.monotonic() + 15
    while session.get(url, timeout=5).status_code == 200:
        assert time.monotonic() < deadline
    assert session.get(url, timeout=5).status_code == 401
