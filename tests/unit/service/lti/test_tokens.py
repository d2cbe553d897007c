"""Access tokens, against answers of all kinds."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import jwt
import pytest

from kore.service.lti import ags as lti
from kore.service.lti.errors import RefusedError
from kore.shared.messages import message
from tests.support.raw_platform import token, tokens_at
from tests.support.raw_server import ResetError, http, raw_server, replay


def test_assertion_has_what_an_lms_checks(keys):
    """Issuer and subject are the client, iat is early, jti is new, the kid is published."""
    with raw_server(replay(token(expires_in=1))) as server:
        tokens_at(server, keys).get([lti.SCORE])
        tokens_at(server, keys).get([lti.SCORE])
    forms = [dict(p.split("=", 1) for p in r.body.decode().split("&")) for r in server.seen]
    claims = [
        jwt.decode(
            form["client_assertion"],
            jwt.PyJWK(keys.jwks()["keys"][0]).key,
            algorithms=["RS256"],
            audience=f"{server.url}/token",
        )
        for form in forms
    ]
    assert {(c["iss"], c["sub"]) for c in claims} == {("client", "client")}
    assert all(c["iat"] < datetime.now(UTC).timestamp() - 5 for c in claims)
    assert claims[0]["jti"] != claims[1]["jti"]
    assert forms[0]["grant_type"] == "client_credentials"


def test_one_token_serves_many_threads(keys):
    """Threads that need a token at once cause one request."""
    with raw_server(replay(token())) as server:
        tokens = tokens_at(server, keys)
        threads = [threading.Thread(target=tokens.get, args=([lti.SCORE],)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        tokens.get([lti.RESULT])
        assert len(server.seen) == 2


@pytest.mark.parametrize("life", [None, "3600", 0, -1, True, "x", 1e300, [1]])
def test_invalid_lifetime_counts_as_a_short_one(keys, life):
    """A token is used, and kept for a while, whatever its stated lifetime."""
    with raw_server(replay(token(expires_in=life))) as server:
        tokens = tokens_at(server, keys)
        assert tokens.get([lti.SCORE]).value == "t"
        tokens.get([lti.SCORE])
        assert len(server.seen) == 1


def test_granted_scopes_count(keys):
    """A token has the scopes that were granted, not those that were asked for."""
    with raw_server(replay(token(scope=f"{lti.RESULT} other"))) as server:
        assert tokens_at(server, keys).get([lti.SCORE, lti.RESULT]).scopes == {lti.RESULT}
    with raw_server(replay(token())) as server:
        assert tokens_at(server, keys).get([lti.SCORE]).scopes == {lti.SCORE}


@pytest.mark.parametrize(
    "answer",
    [
        http("200 OK", b"<html>"),
        http("200 OK", b"[]"),
        http("200 OK", b'{"access_token": 7}'),
        http("200 OK", b'{"access_token": "a\\nb"}'),
        http("200 OK", b'{"access_token": ""}'),
        http("302 Found"),
    ],
)
def test_answer_without_a_token_is_a_refusal(keys, answer):
    """An answer without a usable token raises RefusedError."""
    with raw_server(replay(answer)) as server, pytest.raises(RefusedError):
        tokens_at(server, keys).get([lti.SCORE])


def test_refused_token_has_the_reason(keys):
    """A refusal has the LMS's words, also where its error is broken JSON or a page."""
    broken = http("400 Bad", b'{"error":"invalid_client","error_description":"a "b""}')
    with raw_server(replay(broken)) as server, pytest.raises(RefusedError) as caught:
        tokens_at(server, keys).get([lti.SCORE])
    denied = message("lms.access_denied.said", status=400, said="Bad")
    assert caught.value.message == denied
    page = http("404 Not Found", b"<html>")
    with raw_server(replay(page)) as server, pytest.raises(RefusedError) as caught:
        tokens_at(server, keys).get([lti.SCORE])
    assert caught.value.message == message("lms.no_key_set", status=404)


def test_lost_token_request_is_repeated_with_a_new_assertion(keys):
    """An LMS that has seen the first assertion refuses it, so a second one is signed."""
    used = http("400 Bad", b'{"error": "invalid_client"}')
    with raw_server(replay(ResetError, used, token())) as server:
        assert tokens_at(server, keys).get([lti.SCORE]).value == "t"
        assert server.seen[0].body == server.seen[1].body != server.seen[2].body
