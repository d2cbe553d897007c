"""Valid launches: where they lead, and what Kore learns of them."""

from __future__ import annotations

import time
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from kore.shared.lti.identity import derive_course_id, derive_user_name
from tests.support.fake_lms import CLIENT_ID, DEPLOYMENT, GONE, MEMBERSHIP
from tests.support.login_hub import LOGIN_TOKEN, Browser

pytestmark = pytest.mark.slow

TEACHER = [f"{MEMBERSHIP}#Instructor"]


def location(answer: requests.Response) -> str:
    """Return where a launch leads."""
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def course(lms, resource_link: str = "5") -> str:
    return derive_course_id(lms.url, CLIENT_ID, DEPLOYMENT, resource_link)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": [CLIENT_ID]},
        {"aud": ["other", CLIENT_ID], "azp": CLIENT_ID},
        {"azp": CLIENT_ID},
        {"name": GONE, "email": GONE},
        {"context": GONE},
        {"context": {"id": "2", "label": ""}},
        {"roles": GONE},
        {"roles": []},
        {"roles": ["Learner"]},
        {"roles": [f"{MEMBERSHIP}/Learner#GuestLearner"]},
        {"roles": [f"{MEMBERSHIP}#Mentor"]},
        {"launch_presentation": GONE},
        {"launch_presentation": {"return_url": "javascript:alert(1)"}},
        {"target_link_uri": GONE},
        {"resource_link": {"id": "5"}},
        {"resource_link": {"id": "5", "title": "</script>\u202e" + "\U0001f600" * 255}},
        # Seconds from now: the clocks of LMS and hub are never quite the same.
        {"iat": 5},
        {"nbf": -5},
        {"https://purl.imsglobal.org/spec/lti/claim/custom": {"x": "$Unknown"}},
    ],
    ids=str,
)
def test_optional_and_unusual_claims_are_accepted(claims, hub, browser):
    """A learner or an observer gets to their own server, whatever else the LMS omits."""
    moment = int(time.time())
    claims = {n: moment + v if n in {"iat", "nbf"} else v for n, v in claims.items()}
    assert location(browser.launch(**claims)) == "/hub/spawn?next=%2Fuser%2Fu123%2Flab"
    assert "jupyterhub-hub-login" in {cookie.name for cookie in browser.http.cookies}
    assert not [c.name for c in browser.http.cookies if c.name.startswith("ananke-login-")]


@pytest.mark.parametrize(
    "roles",
    [
        TEACHER,
        ["Instructor"],
        [f"{MEMBERSHIP}/Instructor#TeachingAssistant"],
        [
            "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Administrator",
            f"{MEMBERSHIP}#Instructor",
            f"{MEMBERSHIP}#Learner",
        ],
    ],
)
def test_instructors_go_to_their_course(roles, hub, browser):
    """Kore takes an instructor to the server of the launched activity's course."""
    answer = browser.launch(sub="9", roles=roles)
    assert location(answer) == f"/services/kore/launch/{course(browser.lms)}"


SUBS = [
    "123",
    "6f1c2c44-6a5e-4b2f-9d58-0c8f4d2e7a11",
    "ada@example.org",
    "ADA@example.org",
    "Ada@example.org",
    "x" * 200,
    "../x",
    "c-0123456789abcdef",
    "C-0123456789abcdef",
    "abc",
    "Abc",
    "-abc",
    "\u0430bc",
    "<script>alert(1)</script>",
]


def test_each_sub_is_its_own_person(hub, kore, lms):
    """UUIDs, e-mail addresses, paths, long, upper and lower case: all are different people."""
    names = {}
    for sub in SUBS:
        browser = Browser(hub, lms)
        assert location(browser.launch(sub=sub)).startswith("/hub/spawn?next=%2Fuser%2Fu")
        names[sub] = browser.whoami()
    assert names == {sub: derive_user_name(sub, lms.url) for sub in SUBS}
    assert len(set(names.values())) == len(SUBS)
    assert not any(name.startswith("c-") for name in names.values())


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ("/hub/user-redirect/git-pull?repo=https%3A%2F%2Fx.example%2Fy&branch=main", None),
        ("/services/kore/", None),
        ("/user/u123/lab/tree/a.ipynb", "/hub/spawn?next=%2Fuser%2Fu123%2Flab%2Ftree%2Fa.ipynb"),
        ("/", "/hub/spawn?next=%2Fuser%2Fu123%2Flab"),
        ("/hub", "/hub/spawn?next=%2Fuser%2Fu123%2Flab"),
        ("/hub/", "/hub/spawn?next=%2Fuser%2Fu123%2Flab"),
        ("/hub/logout", "/hub/spawn?next=%2Fuser%2Fu123%2Flab"),
        ("/hub/../evil", "/hub/spawn?next=%2Fuser%2Fu123%2Flab"),
        ("//evil.example/user/x", "/hub/spawn?next=%2Fuser%2Fu123%2Flab"),
    ],
)
def test_a_learners_target_link_is_followed_inside_the_hub(target, place, hub, browser):
    """A link to a page of this hub leads there; any other leads to one's own server."""
    answer = browser.launch(target_link_uri=hub.url + target)
    assert location(answer) == (place or target)


def test_a_target_link_elsewhere_is_not_followed(hub, browser):
    """A launch never leads to another host, even if the LMS says so."""
    answer = browser.launch(target_link_uri="https://evil.example/user/x/lab")
    assert location(answer) == "/hub/spawn?next=%2Fuser%2Fu123%2Flab"


def test_next_in_the_request_is_ignored(hub, browser):
    """Only what the LMS signed decides where a launch leads."""
    begun = browser.start_login(next="https://evil.example/")
    token = browser.lms.sign(browser.lms.claims(begun.nonce))
    answer = browser.finish(browser.post_answer(state=begun.state, id_token=token, next="//evil"))
    assert location(answer) == "/hub/spawn?next=%2Fuser%2Fu123%2Flab"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_authentication_request(method, hub, browser):
    """For GET and POST: hints are unaltered, state and nonce are URL-safe."""
    hint = 'a b&c=%7B"d"+'
    answer = browser.begin(method, login_hint=hint, lti_message_hint=hint)
    url = urlsplit(answer.headers["Location"])
    question = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert question.pop("state").replace("-", "").replace("_", "").isalnum()
    assert question.pop("nonce").isalnum()
    assert question == {
        "response_type": "id_token",
        "response_mode": "form_post",
        "scope": "openid",
        "prompt": "none",
        "client_id": CLIENT_ID,
        "redirect_uri": f"{hub.url}/hub/lti13/oauth_callback",
        "login_hint": hint,
        "lti_message_hint": hint,
    }
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "Path=/hub/lti13/" in cookie
    assert "Max-Age=600" in cookie
    assert "Secure" not in cookie


def test_client_id_and_message_hint_are_optional(hub, browser):
    """An LMS may omit the client id if only one is configured, and the message hint."""
    begun = browser.start_login(client_id=None, lti_message_hint=None)
    assert begun.question["client_id"] == CLIENT_ID
    assert "lti_message_hint" not in begun.question


def test_over_https_the_cookie_is_sent_from_other_sites(hub, browser):
    """Behind TLS, the LMS's post from another site carries the login's cookie."""
    answer = requests.post(
        f"{hub.url}/hub/lti13/oauth_login",
        data={
            "iss": browser.lms.url,
            "login_hint": "1",
            "target_link_uri": f"{hub.url}/hub",
        },
        headers={"Forwarded": "proto=https"},
        allow_redirects=False,
        timeout=20,
    )
    cookie = answer.headers["Set-Cookie"]
    assert "SameSite=None" in cookie
    assert "Secure" in cookie
    assert "redirect_uri=https%3A%2F%2F" in answer.headers["Location"]


def test_launches_in_several_tabs_do_not_disturb_each_other(hub, browser):
    """Ten logins started at once in one browser succeed in any order."""
    begun = [browser.start_login() for _ in range(10)]
    for login in [*begun[5:], *reversed(begun[:5])]:
        token = browser.lms.sign(browser.lms.claims(login.nonce))
        answer = browser.finish(browser.post_answer(state=login.state, id_token=token))
        assert location(answer) == "/hub/spawn?next=%2Fuser%2Fu123%2Flab"


def test_unfinished_logins_are_limited(hub, browser):
    """A browser keeps a bounded number of unfinished logins, the newest ones."""
    for _ in range(40):
        newest = browser.start_login()
    kept = [c for c in browser.http.cookies if c.name.startswith("ananke-login-")]
    assert len(kept) <= 25
    token = browser.lms.sign(browser.lms.claims(newest.nonce))
    location(browser.finish(browser.post_answer(state=newest.state, id_token=token)))


@pytest.mark.parametrize("closed_meanwhile", [False, True])
@pytest.mark.parametrize(("first", "second"), [("700", "701"), ("701", "700")])
def test_another_person_in_the_same_browser(first, second, closed_meanwhile, browser):
    """After the second launch, Kore and the first person's server see only the second person.

    Even if the browser was closed in between: it keeps its cookies, but forgets the session.
    """
    roles = {"700": TEACHER, "701": [f"{MEMBERSHIP}#Learner"]}
    browser.launch(sub=first, roles=roles[first])
    assert browser.whoami() == f"u{first}"
    browser.start_server(f"u{first}")
    assert browser.whoami(f"/user/u{first}/lab") == f"u{first}"
    old = browser.http.cookies.copy()
    if closed_meanwhile:
        browser.http.cookies.clear(domain="127.0.0.1", path="/", name="jupyterhub-session-id")

    browser.launch(sub=second, roles=roles[second])

    assert browser.whoami() == f"u{second}"
    assert browser.whoami(f"/user/u{first}/lab") == ""
    # The earlier cookies do not help either: their tokens are revoked.
    browser.http.cookies = old
    for cookie in list(old):
        if cookie.name in {"jupyterhub-hub-login", "jupyterhub-session-id"}:
            old.clear(cookie.domain, cookie.path, cookie.name)
    assert browser.whoami() == ""


def test_the_same_person_again_keeps_the_session(hub, kore, browser):
    """A second launch by the same person ends no session."""
    browser.launch(sub="702")
    assert browser.whoami() == "u702"
    before = {
        c.name: c.value
        for c in browser.http.cookies
        if c.name in {"jupyterhub-session-id", "service-kore"}
    }
    browser.launch(sub="702")
    after = {c.name: c.value for c in browser.http.cookies if c.name in before}
    assert after == before
    assert len(before) == 2
    assert browser.whoami() == "u702"


def test_a_session_survives_closing_the_browser(hub, kore, browser):
    """Logging out after a restart of the browser revokes the earlier tokens."""
    browser.launch(sub="703")
    assert browser.whoami() == "u703"
    browser.http.cookies.clear_session_cookies()
    assert browser.whoami() == "u703"
    browser.http.get(f"{hub.url}/hub/logout", timeout=20)
    assert browser.whoami() == ""


def test_other_browsers_keep_their_sessions(hub, kore, lms):
    """A launch ends no session in another browser."""
    one, other = Browser(hub, lms), Browser(hub, lms)
    one.launch(sub="704")
    assert one.whoami() == "u704"
    cookies = one.http.cookies.copy()
    other.launch(sub="705")
    other.launch(sub="706")
    assert one.whoami() == "u704"
    assert one.http.cookies.get("service-kore") == cookies.get("service-kore")


def test_kore_is_notified(hub, kore, lms, browser):
    """Kore gets user, client id, claims and platform, with the login's own token."""
    browser.launch(sub="800", name="Äda Éxample")
    launch = kore.wait_for("u800")
    assert launch["client_id"] == CLIENT_ID
    assert launch["claims"]["name"] == "Äda Éxample"
    assert launch["platform"] == {
        "issuer": lms.url,
        "client_id": CLIENT_ID,
        "token_url": f"{lms.url}/token",
        "service_hosts": [f"{lms.url}/auth", f"{lms.url}/jwks", lms.url],
    }
    assert launch["authorization"] == f"token {LOGIN_TOKEN}"


def test_login_works_without_kore_which_is_notified_later(hub, kore, browser):
    """People can sign in while Kore is down; it is notified when it is back."""
    kore.stop()
    try:
        begun = time.monotonic()
        assert location(browser.launch(sub="801")) == "/hub/spawn?next=%2Fuser%2Fu801%2Flab"
        # A login that waited for Kore would take until it is back.
        assert time.monotonic() - begun < 15
    finally:
        kore.start()
    kore.wait_for("u801", timeout=30)


def test_a_final_refusal_by_kore_is_logged_once(hub, kore, browser):
    """A launch that Kore refuses is not sent again."""
    kore.status = 422
    try:
        location(browser.launch(sub="802"))
        line = "Could not notify Kore of the launch by u802: it answered 422"
        hub.wait_for_log(line)
    finally:
        kore.status = 202
    assert hub.log.count("launch by u802") == 1
