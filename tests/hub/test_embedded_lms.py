"""Sign-in from the demo's LMS, an LMS that is not made for tests."""

from __future__ import annotations

import pytest
import requests

from kore.shared.lti.identity import derive_course_id, derive_user_name
from tests.support.embedded_lms import read_form, running_lms
from tests.support.login_hub import LoginHub, Ports, read_page

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ports():
    """Where the module's hub and Kore listen."""
    return Ports()


@pytest.fixture(scope="module")
def linden(ports, tmp_path_factory):
    """The demo's LMS, which knows the module's hub as its tool."""
    state = tmp_path_factory.mktemp("lms")
    with running_lms(state, tool_url=f"http://127.0.0.1:{ports.public}") as lms:
        yield lms


@pytest.fixture(scope="module")
def hub(linden, kore, ports, tmp_path_factory):
    """A hub that is connected to the demo's LMS."""
    more = f"""
c.LTI13Authenticator.client_id = [{linden.config.client_id!r}]
c.LTI13Authenticator.authorize_url = {linden.config.authorize_url!r}
c.LTI13Authenticator.jwks_endpoint = {linden.config.jwks_url!r}
c.LTI13Authenticator.deployment_ids = [{linden.config.deployment_id!r}]
"""
    process = LoginHub(tmp_path_factory.mktemp("hub"), linden.url, ports, more=more)
    yield process
    process.close()


def launch(lms, user: str, activity: str, **changes: str) -> requests.Response:
    """Launch as a browser does; return the answer to the last step in the hub."""
    browser = requests.Session()
    begun = lms.begin(browser, user, activity)
    authenticated = browser.post(begun.action, data=begun.fields, timeout=20)
    answer = read_form(authenticated.text)
    verified = browser.post(
        answer.action, data=answer.fields | changes, timeout=20, allow_redirects=False
    )
    if "Location" not in verified.headers:
        return verified
    enter = requests.compat.urljoin(answer.action, verified.headers["Location"])
    return browser.get(enter, timeout=20, allow_redirects=False)


@pytest.mark.parametrize("profile", ["moodle", "canvas", "strict"])
def test_people_sign_in_from_each_kind_of_lms(profile, hub, kore, linden):
    """A teacher, an assistant, a student, and a student whose name the LMS does not send."""
    linden.behave(profile=profile)
    for person, activity in [
        ("tilda", "roots"),
        ("sefi", "roots"),
        ("zoe", "roots"),
        ("thu", "systems"),
    ]:
        claims = linden.claims(person, activity)
        answer = launch(linden, person, activity)
        assert answer.status_code == 303, answer.text
        name = derive_user_name(claims["sub"], linden.url)
        link = claims["https://purl.imsglobal.org/spec/lti/claim/resource_link"]["id"]
        course = derive_course_id(
            linden.url, linden.config.client_id, linden.config.deployment_id, link
        )
        places = {
            "tilda": f"/services/kore/launch/{course}",
            "sefi": f"/services/kore/launch/{course}",
        }
        own = f"/hub/spawn?next=%2Fuser%2F{name}%2Flab"
        assert answer.headers["Location"] == places.get(person, own)
        assert kore.wait_for(name)["claims"]["sub"] == claims["sub"]


def test_an_error_of_the_lms_is_shown(hub, linden):
    """An authentication request that the LMS refuses ends on our page, with its message."""
    linden.behave(profile="moodle")
    browser = requests.Session()
    begun = linden.begin(browser, "zoe", "roots")
    begun.fields["login_hint"] = "someone-else"
    refused = read_form(browser.post(begun.action, data=begun.fields, timeout=20).text)
    assert "id_token" not in refused.fields
    page = read_page(browser.post(refused.action, data=refused.fields, timeout=20))
    assert (page.status, page.heading) == (403, "Your LMS did not sign you in")
    assert "access_denied" in page.text
    assert "platform_error: the LMS answered with the error 'access_denied'" in hub.log
