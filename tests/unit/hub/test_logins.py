"""Logins under way: state, nonce, cookie, one use, and where they may lead."""

from __future__ import annotations

import json

import pytest

from kore.hub import pending_logins
from kore.hub.authenticator import KoreAuthenticator
from kore.hub.pages import render
from kore.hub.pending_logins import Logins, VerifiedLaunch
from kore.hub.platforms import Platform, find_platform
from kore.hub.redirects import inner_path
from kore.hub.refusals import SIGN_IN, Reason, Refusal, shown

ONE = Platform("https://lms.example", "one", "a", "j", "t")
TWO = Platform("https://lms.example", "two", "a", "j", "t")
OTHER = Platform("https://other.example", "one", "a", "j", "t")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_states_are_url_safe_and_differ():
    """Platforms drop other characters (lms-behaviour: `S<"1` came back as `S`)."""
    states = {pending_logins.new_state() for _ in range(1000)}
    assert len(states) == 1000
    assert all(pending_logins.is_state(state) for state in states)
    assert not pending_logins.is_state("S")
    assert not pending_logins.is_state("A" * 32 + "\n")


def test_a_nonce_follows_from_state_and_secret():
    """Nobody without the secret can tell it; the hub need not remember it."""
    nonce = pending_logins.nonce_of("s", b"secret")
    assert nonce == pending_logins.nonce_of("s", b"secret")
    assert nonce.isalnum()
    assert (
        len(
            {nonce, pending_logins.nonce_of("t", b"secret"), pending_logins.nonce_of("s", b"other")}
        )
        == 3
    )


def test_a_cookie_belongs_to_its_state():
    """The cookie of another login does not vouch for this one."""
    value = pending_logins.cookie_value("s" * 32, ONE).encode()
    assert pending_logins.read_cookie(value, "s" * 32) == ("https://lms.example", "one")
    assert pending_logins.read_cookie(value, "s" * 31 + "t") is None
    assert pending_logins.read_cookie(None, "s" * 32) is None


def test_a_login_is_used_once_and_forgotten_when_its_cookie_is_dead():
    """The memory of used logins ends with the time in which they could be used."""
    clock = Clock()
    memory = Logins(clock)
    assert memory.use("s")
    assert not memory.use("s")
    assert memory.is_used("s")
    clock.now = pending_logins.LIFETIME
    memory.use("other")
    assert not memory.is_used("s")


def test_a_verified_launch_waits_for_a_minute_and_is_taken_once(monkeypatch):
    """The last step follows at once, or not at all; the memory is bounded."""
    clock = Clock()
    memory = Logins(clock)
    launch = VerifiedLaunch({}, None, ONE)  # type: ignore[arg-type]
    memory.hold("s", launch)
    assert memory.take("s") is launch
    assert memory.take("s") is None
    memory.hold("s", launch)
    clock.now = 61
    assert memory.take("s") is None
    monkeypatch.setattr(pending_logins, "_MAX_USED", 10)
    for number in range(100):
        memory.use(str(number))
    assert sum(memory.is_used(str(number)) for number in range(100)) == 10


@pytest.mark.parametrize(
    ("platforms", "issuer", "client_id", "found"),
    [
        ((ONE,), "https://lms.example", "one", ONE),
        ((ONE,), "https://lms.example", "", ONE),
        ((ONE, TWO), "https://lms.example", "two", TWO),
        ((ONE, OTHER), "https://other.example", "", OTHER),
        ((ONE, TWO), "https://lms.example", "", Reason.UNKNOWN_CLIENT),
        ((ONE,), "https://lms.example", "three", Reason.UNKNOWN_CLIENT),
        ((ONE,), "https://LMS.example", "one", Reason.UNKNOWN_ISSUER),
        ((), "https://lms.example", "one", Reason.UNKNOWN_ISSUER),
    ],
)
def test_which_registration_a_login_is_for(platforms, issuer, client_id, found):
    """By issuer and client id; without a client id only where there is no doubt."""
    if isinstance(found, Platform):
        assert find_platform(platforms, issuer, client_id) is found
        return
    with pytest.raises(Refusal) as caught:
        find_platform(platforms, issuer, client_id)
    assert caught.value.reason is found


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("http://hub.example/hub/user-redirect/lab", "/hub/user-redirect/lab"),
        ("https://hub.example:443/user/x/lab?a=b%20c", None),
        ("http://hub.example:80/user/x/lab?a=b%20c", "/user/x/lab?a=b%20c"),
        ("https://hub.example/user/x/", "/user/x/"),
        ("http://HUB.example/services/x/", "/services/x/"),
        ("http://hub.example/user/", ""),
        ("http://hub.example/user", ""),
        ("http://hub.example", ""),
        ("http://hub.example/hub/api/shutdown", ""),
        ("http://hub.example/hub/lti13/oauth_login", ""),
        ("http://hub.example/hub/logout", ""),
        ("http://hub.example/user/../hub/logout", ""),
        ("http://hub.example/user/%2e%2e/hub/logout", ""),
        ("http://hub.example/user/x//evil.example", ""),
        ("http://hub.example//evil.example/user/x", ""),
        ("http://hub.example\\@evil.example/user/x", ""),
        ("http://hub.example@evil.example/user/x", ""),
        ("http://evil.example/user/x", ""),
        ("http://hub.example.evil.example/user/x", ""),
        ("http://hub.example:99999/user/x", ""),
        ("http://hub.example/user/x\r\nSet-Cookie: a=b", ""),
        ("//hub.example/user/x", ""),
        ("/user/x", ""),
        ("javascript:alert(1)", ""),
        ("http://[::1/user/x", ""),
        ("", ""),
    ],
)
def test_where_a_target_link_may_lead(target, path):
    """Only to places of this hub, and never where a browser might read it differently."""
    expected = "/user/x/lab?a=b%20c" if path is None else path
    assert inner_path(target, host="hub.example", base_url="/") == expected


def test_a_target_link_below_a_base_url():
    """A hub that lives below a path does not lead out of it."""
    place = "http://hub.example/jupyter/user/x/lab"
    assert inner_path(place, host="hub.example", base_url="/jupyter/") == "/jupyter/user/x/lab"
    assert not inner_path("http://hub.example/user/x", host="hub.example", base_url="/jupyter/")


def test_configuration_as_in_a_containers_30_lms():
    """The keys of ``30_lms.py`` reach the platform; defaults let everybody of the LMS in."""
    from traitlets.config import Config

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
def test_nothing_but_a_verified_launch_is_anybody(data):
    """Forms and JSON that the hub hands over do not sign anybody in."""
    import asyncio

    assert asyncio.run(KoreAuthenticator().authenticate(None, data)) is None


def test_pages_hold_text_only():
    """What comes from outside is escaped, wherever it is shown."""
    evil = "</q><script>alert(1)</script>"
    page, policy = render(SIGN_IN, reference=evil, back='http://x/"onclick=', lms_words=evil)
    assert "<script" not in page
    assert 'http://x/"' not in page
    assert "script-src" not in policy
    assert "default-src 'none'" in policy


def test_every_reason_makes_a_page():
    """Each has a proper status, and says what to do."""
    for reason in Reason:
        page, _ = render(reason.value, reference="0000-0000")
        assert 400 <= reason.value.status < 600
        assert reason.value.heading in page.replace("&#39;", "'")
        assert reason.value.remedy


def test_log_text_is_one_short_line():
    """Text from outside cannot start a line of its own in the log, nor fill it."""
    assert "\n" not in shown("a\nLaunch refused")
    assert len(shown("x" * 10_000)) < 110
    assert shown(json.loads('"\\ud800"')) == "'\\ud800'"
