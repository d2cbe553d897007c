"""Where a launch may lead."""

from __future__ import annotations

import pytest

from kore.hub.redirects import find_inner_path


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
    """Only to pages of this hub, and never to what a browser could read differently."""
    expected = "/user/x/lab?a=b%20c" if path is None else path
    assert find_inner_path(target, host="hub.example", base_url="/") == expected


def test_a_target_link_below_a_base_url():
    """A hub that lives below a path does not lead out of it."""
    place = "http://hub.example/jupyter/user/x/lab"
    assert find_inner_path(place, host="hub.example", base_url="/jupyter/") == "/jupyter/user/x/lab"
    assert not find_inner_path(
        "http://hub.example/user/x", host="hub.example", base_url="/jupyter/"
    )
