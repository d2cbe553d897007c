"""A platform of raw answers: an LMS's access tokens and grade services, byte by byte."""

from __future__ import annotations

import json

from kore.service.lti.client import PlatformClient, RetryPolicy
from kore.service.lti.services import Platforms
from kore.service.lti.tokens import Tokens
from tests.support.raw_server import http, replay

QUICK = RetryPolicy(connect=1, read=1, answer=2, max_tries=3, first_wait=0.01, max_wait=2, budget=5)


def token(**changes):
    """Return an answer with an access token; a change to None leaves a member out."""
    body = {"access_token": "t", "token_type": "Bearer", "expires_in": 3600, **changes}
    return http("200 OK", json.dumps({k: v for k, v in body.items() if v is not None}).encode())


def tokens_at(server, keys):
    """Return the tokens of a client of the server."""
    return Tokens(
        PlatformClient(policy=QUICK), keys, client_id="client", token_url=f"{server.url}/token"
    )


def ags_at(server, keys):
    """Return the grade services of the server."""
    return Platforms(keys, policy=QUICK).ags(
        issuer="lms", client_id="client", token_url=f"{server.url}/token"
    )


def lms(*answers, token_answer=None):
    """Return an LMS that gives tokens, and answers all else with one after the other."""
    following = replay(*answers)

    def answer(request):
        if request.path == "/token":
            return token_answer or token()
        return following(request)

    return answer


def asked(server, path="/token"):
    """Return the requests that the server saw for a path."""
    return [r for r in server.seen if r.path.partition("?")[0] == path]
