"""Invalid launches: each ends on a page, and the log has the reason."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support import fake_lms
from tests.support.fake_lms import GONE, Key
from tests.support.login_hub import Browser, StartedLogin, read_page

pytestmark = pytest.mark.slow

STRANGER = Key("stranger")


def answer(make: Callable[[Browser, StartedLogin], dict[str, str]]):
    """Return a request that answers a login of this browser."""

    def send(browser):
        begun = browser.start_login()
        return browser.post_answer(**make(browser, begun))

    return send


def token(sign: Callable[..., str] | None = None, **changes: Any):
    """Return a request with a token whose claims are changed."""

    def make(browser, begun):
        values = {name: v() if callable(v) else v for name, v in changes.items()}
        claims = browser.lms.claims(begun.nonce, **values)
        signed = sign(browser, claims) if sign else browser.lms.sign(claims)
        return {"state": begun.state, "id_token": signed}

    return answer(make)


def seconds_ago(seconds: float) -> Callable[[], int]:
    """Return a time that is computed when it is used."""
    return lambda: int(time.time() - seconds)


def used_twice(browser):
    begun = browser.start_login()
    form = {
        "state": begun.state,
        "id_token": browser.lms.sign(browser.lms.claims(begun.nonce)),
    }
    assert browser.finish(browser.post_answer(**form)).status_code == 303
    return browser.post_answer(**form)


def used_twice_with_its_cookie(browser):
    begun = browser.start_login()
    kept = browser.http.cookies.copy()
    form = {
        "state": begun.state,
        "id_token": browser.lms.sign(browser.lms.claims(begun.nonce)),
    }
    assert browser.finish(browser.post_answer(**form)).status_code == 303
    browser.http.cookies = kept
    return browser.post_answer(**form)


def used_for_another_login(browser):
    first, second = browser.start_login(), browser.start_login()
    return browser.post_answer(
        state=second.state, id_token=browser.lms.sign(browser.lms.claims(first.nonce))
    )


def other_browsers_state(browser):
    begun = Browser(browser.hub, browser.lms).start_login()
    return browser.post_answer(
        state=begun.state, id_token=browser.lms.sign(browser.lms.claims(begun.nonce))
    )


def other_browsers_verified_login(browser):
    other = Browser(browser.hub, browser.lms)
    begun = other.start_login()
    sent = other.post_answer(
        state=begun.state, id_token=browser.lms.sign(browser.lms.claims(begun.nonce))
    )
    assert sent.status_code == 303
    return browser.finish(sent)


def forged_cookie(browser):
    begun = browser.start_login()
    for cookie in browser.http.cookies:
        cookie.value = cookie.value[:-3] + "abc"
    return browser.post_answer(
        state=begun.state, id_token=browser.lms.sign(browser.lms.claims(begun.nonce))
    )


def tampered(browser, claims):
    signed = browser.lms.sign(claims)
    other = browser.lms.sign({**claims, "sub": "1"})
    return ".".join([*other.split(".")[:2], signed.split(".")[2]])


@dataclass
class Case:
    name: str
    send: Callable[[Browser], Any]
    status: int
    heading: str
    log: str
    also: tuple[str, ...] = field(default=())


CASES = [
    Case(
        "start by hand",
        lambda b: b.http.get(f"{b.hub.url}/hub/lti13/oauth_login"),
        400,
        "Open Jupyter from your course",
        "by_hand: the URL that starts a login was opened by hand",
    ),
    Case(
        "start from an unknown LMS",
        lambda b: b.begin(iss="https://other.example"),
        401,
        "This LMS is not connected to this service",
        "unknown_issuer: issuer 'https://other.example' is not configured here",
    ),
    Case(
        "start with a slash too many",
        lambda b: b.begin(iss=b.lms.url + "/"),
        401,
        "This LMS is not connected to this service",
        "they differ by a trailing slash",
    ),
    Case(
        "start with an unknown client id",
        lambda b: b.begin(client_id="other"),
        401,
        "This LMS is not connected to this service",
        "unknown_client: client id 'other' is not configured here",
    ),
    Case(
        "start without a login hint",
        lambda b: b.begin(login_hint=None),
        400,
        "Your LMS sent an incomplete request",
        "incomplete_start: the request to start a login has no login_hint",
    ),
    Case(
        "start without an issuer",
        lambda b: b.begin(iss=None),
        400,
        "Your LMS sent an incomplete request",
        "incomplete_start: the request to start a login has no iss",
    ),
    Case(
        "start with a script for a target",
        lambda b: b.begin(target_link_uri="javascript:alert(1)"),
        400,
        "Your LMS sent an incomplete request",
        "target_link_uri 'javascript:alert(1)' is not an http(s) URL",
    ),
    Case(
        "start with endless text",
        lambda b: b.begin(lti_message_hint="x" * 5000),
        400,
        "Your LMS sent an incomplete request",
        "lti_message_hint has 5000 characters",
    ),
    Case(
        "start with bytes that are no text",
        lambda b: b.http.get(f"{b.hub.url}/hub/lti13/oauth_login?iss=%ff%fe"),
        400,
        "The sign-in could not be read",
        "malformed: cannot read the request",
    ),
    Case(
        "answer by GET",
        lambda b: b.http.get(f"{b.hub.url}/hub/lti13/oauth_callback?id_token=x&state=y"),
        405,
        "Open Jupyter from your course",
        "method: this URL does not accept GET",
    ),
    Case(
        "token in the address instead of the form",
        lambda b: b.http.post(f"{b.hub.url}/hub/lti13/oauth_callback?id_token=x&state=y"),
        400,
        "Your LMS sent an incomplete answer",
        "no_state: the LMS's answer has no state",
    ),
    Case(
        "error answer",
        answer(
            lambda b, begun: {
                "state": begun.state,
                "error": "login_required",
                "error_description": "Please <b>sign in</b>\nfirst",
            }
        ),
        403,
        "Your LMS did not sign you in",
        "platform_error: the LMS answered with the error 'login_required'",
        ('The LMS says: <q dir="auto">Please <b>sign in</b> first</q>',),
    ),
    Case(
        "error answer for no login of this browser",
        lambda b: b.post_answer(state="A" * 32, error="x", error_description="call 0900"),
        403,
        "This browser did not start this sign-in",
        "other_browser: the state belongs to no login of this browser",
    ),
    Case(
        "no state",
        answer(lambda b, begun: {"id_token": b.lms.sign(b.lms.claims(begun.nonce))}),
        400,
        "Your LMS sent an incomplete answer",
        "no_state: the LMS's answer has no state",
    ),
    Case(
        "a state that is not ours",
        answer(lambda b, begun: {"state": 'S<"1', "id_token": "x"}),
        400,
        "Your LMS sent an incomplete answer",
        "no_state: the LMS's answer has a state that is not ours",
    ),
    Case(
        "another browser's state",
        other_browsers_state,
        403,
        "This browser did not start this sign-in",
        "other_browser: the state belongs to no login of this browser",
    ),
    Case(
        "another browser's verified login",
        other_browsers_verified_login,
        403,
        "This browser did not start this sign-in",
        "other_browser: this browser did not start the verified login",
    ),
    Case(
        "a cookie that was tampered with",
        forged_cookie,
        403,
        "This browser did not start this sign-in",
        "other_browser: the state belongs to no login of this browser",
    ),
    Case(
        "used twice",
        used_twice,
        403,
        "This sign-in has already been used",
        "used_twice: the id_token's login was used before",
    ),
    Case(
        "used twice, cookie kept",
        used_twice_with_its_cookie,
        403,
        "This sign-in has already been used",
        "used_twice: the id_token's login was used before",
    ),
    Case(
        "used for another login",
        used_for_another_login,
        401,
        "The answer belongs to another sign-in",
        "nonce: the id_token's nonce belongs to another login",
    ),
    Case(
        "no token",
        answer(lambda b, begun: {"state": begun.state}),
        400,
        "Your LMS sent an incomplete answer",
        "no_token: the LMS's answer has no id_token",
    ),
    Case(
        "not a token",
        answer(lambda b, begun: {"state": begun.state, "id_token": "a.b"}),
        400,
        "The sign-in could not be read",
        "malformed: the id_token is not a JWT",
    ),
    Case(
        "a token of nothing but brackets",
        answer(
            lambda b, begun: {
                "state": begun.state,
                "id_token": f"{fake_lms.base64url(b'[' * 40000)}.e30.e30",
            }
        ),
        400,
        "The sign-in could not be read",
        "malformed: the id_token is not a JWT",
    ),
    Case(
        "a huge token",
        answer(lambda b, begun: {"state": begun.state, "id_token": "a" * 70000}),
        400,
        "The sign-in could not be read",
        "malformed: the id_token has 70000 characters",
    ),
    Case(
        "alg none",
        token(lambda b, claims: fake_lms.unsigned(claims, b.lms.key.kid)),
        401,
        "The sign-in is not signed",
        "unsigned: the id_token is not signed (alg none)",
    ),
    Case(
        "HS256 with the public key",
        token(lambda b, claims: fake_lms.signed_with_public_key(claims, b.lms.key)),
        401,
        "The sign-in has an unsupported signature",
        "algorithm: the id_token is signed with 'HS256', not RS256",
    ),
    Case(
        "unknown key",
        token(lambda b, claims: b.lms.sign(claims, key=STRANGER)),
        401,
        "The signature could not be verified",
        "unknown_key: key 'stranger' is not one of the 1 that the LMS publishes",
    ),
    Case(
        "unknown key under a known name",
        token(lambda b, claims: b.lms.sign(claims, key=STRANGER, kid=b.lms.key.kid)),
        401,
        "The signature is wrong",
        "signature: the id_token's signature does not match its key",
    ),
    Case(
        "tampered with",
        token(tampered),
        401,
        "The signature is wrong",
        "signature: the id_token's signature does not match its key",
    ),
    Case(
        "wrong issuer",
        token(iss="https://other.example"),
        401,
        "The sign-in comes from another LMS",
        "issuer: the id_token's issuer 'https://other.example' is not",
    ),
    Case(
        "wrong audience",
        token(aud="other"),
        401,
        "The sign-in is for another service",
        "audience: the id_token's audience 'other' does not name 'tool-1'",
    ),
    Case(
        "no audience",
        token(aud=GONE),
        401,
        "The sign-in is for another service",
        "audience: the id_token's audience 'None' does not name 'tool-1'",
    ),
    Case(
        "azp of another tool",
        token(aud=["tool-1", "other"], azp="other"),
        401,
        "The sign-in is for another service",
        "authorized_party: the id_token's azp 'other' is not 'tool-1'",
    ),
    Case(
        "several audiences without azp",
        token(aud=["tool-1", "other"]),
        401,
        "The sign-in is for another service",
        "authorized_party: the id_token names 2 audiences and no azp",
    ),
    Case(
        "expired",
        token(iat=seconds_ago(400), exp=seconds_ago(340)),
        401,
        "The sign-in took too long",
        "expired: the id_token expired 34",
    ),
    Case(
        "too old",
        token(iat=seconds_ago(3000), exp=seconds_ago(-3000)),
        401,
        "The sign-in took too long",
        "too_old: the id_token was issued 300",
    ),
    Case(
        "from the future",
        token(iat=seconds_ago(-300), exp=seconds_ago(-360)),
        401,
        "The clocks do not agree",
        "future: the id_token becomes valid ",
    ),
    Case(
        "no expiry",
        token(exp=GONE),
        400,
        "The sign-in could not be read",
        "malformed: the id_token's exp is 'None', not a time",
    ),
    Case(
        "an expiry beyond all numbers",
        token(exp=10**400),
        400,
        "The sign-in could not be read",
        "malformed: the id_token's exp is '1000000",
    ),
    Case(
        "no nonce",
        token(nonce=GONE),
        401,
        "Your LMS sent an incomplete answer",
        "no_nonce: the id_token has no nonce",
    ),
    Case(
        "wrong version",
        token(version="1.1"),
        400,
        "This version of LTI is not supported",
        "version: the LTI version is '1.1', not '1.3.0'",
    ),
    Case(
        "wrong message type",
        token(message_type="LtiSubmissionReviewRequest"),
        400,
        "The LMS asked for something that is not supported",
        "message_type: the message type is 'LtiSubmissionReviewRequest'",
    ),
    Case(
        "deep linking",
        token(message_type="LtiDeepLinkingRequest", resource_link=GONE),
        422,
        "Choosing content is not supported yet",
        "deep_linking: deep linking is not supported yet",
    ),
    Case(
        "wrong deployment",
        token(deployment_id="8"),
        403,
        "This deployment is not connected to this service",
        "deployment: deployment id '8' is not configured here",
    ),
    Case(
        "no deployment",
        token(deployment_id=GONE),
        400,
        "Your LMS sent an incomplete answer",
        "no_deployment: the id_token has no deployment id",
    ),
    Case(
        "no resource link",
        token(resource_link=GONE),
        400,
        "The LMS did not say which activity this is",
        "no_resource_link: the id_token has no resource link id",
    ),
    Case(
        "a resource link without id",
        token(resource_link={"title": "x"}),
        400,
        "The LMS did not say which activity this is",
        "no_resource_link: the id_token has no resource link id",
    ),
    Case(
        "nobody",
        token(sub=GONE),
        400,
        "The LMS did not say who you are",
        "no_sub: the id_token has no sub: an anonymous launch",
    ),
    Case(
        "a number for a person",
        token(sub=["123"]),
        400,
        "The sign-in could not be used",
        "claims: a claim is invalid: 'The launch has no user id (sub).'",
    ),
    Case(
        "a locked person",
        lambda b: b.launch(sub="locked"),
        403,
        "You are not allowed to use this service",
        "not_allowed: the hub's configuration blocks this person (sub 'locked')",
    ),
    Case(
        "the last step by hand",
        lambda b: b.http.get(f"{b.hub.url}/hub/lti13/enter"),
        400,
        "Open Jupyter from your course",
        "by_hand: the URL that finishes a login was opened by hand",
    ),
    Case(
        "a form on the hub's sign-in page",
        lambda b: b.http.post(f"{b.hub.url}/hub/login", data={"sub": "1", "username": "u1"}),
        403,
        "Open Jupyter from your course",
        "password: a form was sent to the sign-in page",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_invalid_launch_ends_on_a_page_and_in_the_log(case, hub, browser):
    """Each has its status, heading and advice, and one log line with the same reference."""
    before = len(hub.log)
    page = read_page(case.send(browser))
    written = hub.log[before:]

    assert (page.status, page.heading) == (case.status, case.heading)
    assert "What you can do" in page.text
    for text in case.also:
        assert text in page.text
    refused = [line for line in written.splitlines() if "Launch refused" in line]
    assert len(refused) == 1
    assert case.log in refused[0]
    assert f"[{page.reference}]" in refused[0]
    assert re.fullmatch(r"[0-9A-F]{4}-[0-9A-F]{4}", page.reference)
    assert "Traceback" not in written
    assert "eyJ" not in written, "a token in the log"
    assert "ada@" not in written
    assert "Ada Example" not in written
    # Nobody is signed in by it.
    assert "jupyterhub-hub-login" not in {c.name for c in browser.http.cookies} or "twice" in (
        case.name
    )


def test_only_a_verified_return_url_is_linked(hub, browser):
    """A page links the return URL if the LMS signed it, else the LMS's front page."""
    signed = read_page(token(version="1.1")(browser))
    assert signed.back == f"{browser.lms.url}/course/2"
    evil = {"return_url": "https://evil.example"}
    forged = token(
        lambda b, claims: b.lms.sign(claims, key=STRANGER, kid=b.lms.key.kid),
        launch_presentation=evil,
    )
    assert read_page(forged(browser)).back == browser.lms.url
    script = token(version="1.1", launch_presentation={"return_url": "javascript:alert(1)"})
    assert read_page(script(browser)).back == browser.lms.url


def test_pages_are_isolated(browser):
    """No scripts, frames, caching, or referrer with a state."""
    response = browser.begin(iss="https://other.example")
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Content-Type"].startswith("text/html")
    assert "<script" not in response.text


def test_an_error_description_is_escaped(browser):
    """The LMS's message cannot put markup into the page."""
    begun = browser.start_login()
    page = browser.post_answer(
        state=begun.state, error="x", error_description="<script>alert(1)</script>"
    )
    assert "<script" not in page.text
    assert "&lt;script&gt;" in page.text


def test_the_sign_in_page_explains_where_to_go(hub, browser):
    """Without an LMS, the hub explains how to sign in and asks for no password."""
    page = read_page(browser.http.get(f"{hub.url}/hub/", timeout=20))
    assert (page.status, page.heading) == (200, "Open Jupyter from your course")
    assert page.back == browser.lms.url
    assert "<form" not in page.text


def test_json_credentials_give_no_token(hub, browser):
    """The hub's API accepts credentials as JSON, but only a launch signs anyone in."""
    browser.launch(sub="123")
    response = Browser(hub, browser.lms).http.post(
        f"{hub.url}/hub/api/users/u123/tokens",
        json={"auth": {"sub": "123", "name": "u123"}},
        timeout=20,
    )
    assert response.status_code == 403
