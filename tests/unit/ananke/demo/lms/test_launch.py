"""Opening the tool: OIDC initiation, authentication, and what a launch says."""

from __future__ import annotations

import re
import threading

import jwt
import pytest
import requests

from tests.support.embedded_lms import keys_fetched, read_form, running_lms

LTI = "https://purl.imsglobal.org/spec/lti/claim"
AGS = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
ROLE = "http://purl.imsglobal.org/vocab/lis/v2"


@pytest.fixture
def browser():
    with requests.Session() as session:
        yield session


def launched(lms, browser, user, activity):
    """Go through a whole launch; return the verified claims."""
    begun = lms.begin(browser, user, activity)
    answer = lms.authenticate(browser, begun)
    token = read_form(answer.text).fields["id_token"]
    key = keys_fetched(lms.url)[jwt.get_unverified_header(token)["kid"]]
    return jwt.decode(
        token, key, algorithms=["RS256"], audience=lms.config.client_id, issuer=lms.url
    )


def test_launch_posts_initiation_to_the_tool(lms, browser):
    """A launch begins with a form to the registered initiation address."""
    begun = lms.begin(browser, "tilda", "roots")
    assert begun.action == lms.config.registration.initiation_url
    assert begun.fields["iss"] == lms.url
    assert begun.fields["login_hint"] == "101"
    assert begun.fields["lti_deployment_id"] == "1"
    assert set(begun.fields) == {
        "iss",
        "target_link_uri",
        "login_hint",
        "lti_message_hint",
        "client_id",
        "lti_deployment_id",
    }


def test_launch_can_begin_with_a_redirect(lms, browser):
    """`via=get` sends the same fields in a redirect."""
    answer = browser.get(
        f"{lms.url}/launch?user=zoe&activity=roots&via=get", allow_redirects=False, timeout=5
    )
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(lms.config.registration.initiation_url + "?iss=")


def test_id_token_holds_what_a_real_launch_holds(lms, browser):
    """A teacher's launch carries who, where, and the services, for 60 seconds."""
    claims = launched(lms, browser, "tilda", "roots")
    assert claims["sub"] == "101"
    assert claims["aud"] == lms.config.client_id
    assert claims["exp"] - claims["iat"] == 60
    assert claims["nonce"] == "nonce-1"
    assert claims["name"] == "Tilda Lindenström"
    assert claims[f"{LTI}/roles"] == [f"{ROLE}/membership#Instructor"]
    assert claims[f"{LTI}/resource_link"]["title"] == "Roots and fixed points"
    assert claims[f"{LTI}/context"]["title"] == "Numerical Methods"
    assert claims[f"{LTI}/deployment_id"] == "1"
    assert claims[AGS]["lineitem"].endswith("/lineitem?type_id=1")
    assert claims[AGS]["lineitems"].endswith("/lineitems?type_id=1")


def test_state_comes_back_in_the_form(lms, browser):
    """The state is returned, without what looks like HTML in it."""
    for sent, returned in (("abc_-=", "abc_-="), ('S<"1', "S")):
        begun = lms.begin(browser, "tilda", "roots")
        form = read_form(lms.authenticate(browser, begun, state=sent).text)
        assert form.action == lms.config.registration.redirect_uris[0]
        assert form.fields["state"] == returned


def test_hint_is_good_once(lms, browser):
    """Pressing Back ends on the LMS's own error page, status 404."""
    begun = lms.begin(browser, "tilda", "roots")
    assert lms.authenticate(browser, begun).status_code == 200
    again = lms.authenticate(browser, begun)
    assert again.status_code == 404
    assert "text/html" in again.headers["Content-Type"]
    assert "id_token" not in again.text


def test_hint_belongs_to_its_browser_and_person(lms, browser):
    """Another browser cannot use a hint, nor this one after signing in as someone else."""
    begun = lms.begin(browser, "tilda", "roots")
    with requests.Session() as other:
        assert lms.authenticate(other, begun).status_code == 404
        lms.begin(other, "tilda", "roots")
        assert lms.authenticate(other, begun).status_code == 404
    lms.begin(browser, "zoe", "roots")
    assert lms.authenticate(browser, begun).status_code == 404


def test_unregistered_redirect_uri_gets_nothing(lms, browser):
    """Neither token nor error goes to an address that is not registered exactly."""
    exact = lms.config.registration.redirect_uris[0]
    for wrong in (exact + "/", exact + "?x=1", "http://evil.example/", ""):
        begun = lms.begin(browser, "tilda", "roots")
        answer = lms.authenticate(browser, begun, redirect_uri=wrong)
        assert answer.status_code == 404
        assert "<form" not in answer.text
    lms.behave(profile="strict")
    begun = lms.begin(browser, "tilda", "roots")
    assert lms.authenticate(browser, begun, redirect_uri=exact + "/").status_code == 400


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": "openid email"}, "invalid_scope"),
        ({"scope": None}, "invalid_request"),
        ({"response_type": "code"}, "unsupported_response_type"),
        ({"response_mode": "query"}, "invalid_request"),
        ({"response_mode": None}, "invalid_request"),
        ({"prompt": "login"}, "invalid_request"),
        ({"client_id": "someone"}, "unauthorized_client"),
        ({"login_hint": "102"}, "access_denied"),
        ({"nonce": None}, "invalid_request"),
        ({"nonce": ""}, "invalid_request"),
    ],
)
def test_wrong_authentication_request_comes_back_as_error_form(lms, browser, changes, error):
    """A wrong request is answered with error and state at the registered address."""
    begun = lms.begin(browser, "tilda", "roots")
    form = read_form(lms.authenticate(browser, begun, **changes).text)
    assert form.action == lms.config.registration.redirect_uris[0]
    assert form.fields["error"] == error
    assert form.fields["state"] == "state-1"
    assert "id_token" not in form.fields


def test_strict_lms_wants_prompt_none_and_sends_audience_list(tmp_path, browser):
    """The strict profile insists on prompt and sends `aud` as a list with `azp`."""
    with running_lms(tmp_path, profile="strict") as lms:
        begun = lms.begin(browser, "tilda", "roots")
        form = read_form(lms.authenticate(browser, begun, prompt=None).text)
        assert form.fields["error"] == "invalid_request"
        claims = launched(lms, browser, "tilda", "roots")
        assert claims["aud"] == [lms.config.client_id]
        assert claims["azp"] == lms.config.client_id


def test_roles_by_person_and_profile(tmp_path, browser):
    """Administrators bring several roles; an assistant's role depends on the LMS."""
    with running_lms(tmp_path) as lms:
        admin = launched(lms, browser, "admin", "roots")[f"{LTI}/roles"]
        assert admin == [
            f"{ROLE}/institution/person#Administrator",
            f"{ROLE}/membership#Instructor",
            f"{ROLE}/system/person#Administrator",
        ]
        assistant = launched(lms, browser, "sefi", "roots")[f"{LTI}/roles"]
        assert assistant == [f"{ROLE}/membership#Instructor"]
        student = launched(lms, browser, "wen", "roots")[f"{LTI}/roles"]
        assert student == [f"{ROLE}/membership#Learner"]
        lms.behave(profile="canvas")
        assistant = launched(lms, browser, "sefi", "roots")[f"{LTI}/roles"]
        assert f"{ROLE}/membership/Instructor#TeachingAssistant" in assistant
        assert f"{ROLE}/membership#Instructor" not in assistant


def test_names_are_absent_where_privacy_says_so(lms, browser):
    """A person who shares nothing launches with neither name nor email."""
    claims = launched(lms, browser, "thu", "roots")
    assert not {"name", "given_name", "family_name", "email"} & set(claims)


def test_canvas_knows_people_by_uuid_and_urls_have_no_query(tmp_path, browser):
    """Canvas's subjects are UUIDs; its service addresses carry no parameters."""
    with running_lms(tmp_path, profile="canvas") as lms:
        claims = launched(lms, browser, "zoe", "roots")
        assert re.fullmatch(r"[0-9a-f-]{36}", claims["sub"])
        assert "?" not in claims[AGS]["lineitems"] + claims[AGS]["lineitem"]


def test_lineitem_claim_vanishes_with_a_second_column(lms, browser):
    """`lineitem` is there with exactly one column only; without AGS the claim is absent."""
    assert "lineitem" not in launched(lms, browser, "tilda", "words")[AGS]
    session = lms.tool.session(lms)
    session.headers["Content-Type"] = "application/vnd.ims.lis.v2.lineitem+json"
    claims = launched(lms, browser, "tilda", "roots")
    column = {
        "label": "Second",
        "scoreMaximum": 10,
        "resourceLinkId": claims[f"{LTI}/resource_link"]["id"],
    }
    assert session.post(claims[AGS]["lineitems"], json=column, timeout=5).status_code == 201
    assert "lineitem" not in launched(lms, browser, "tilda", "roots")[AGS]
    lms.api("POST", "activities", {"course": "text", "title": "Free", "slug": "free", "ags": False})
    assert AGS not in launched(lms, browser, "tilda", "free")


HOSTILE = 'Ünit "1" {x} / <script>alert(1)</script> 😀 \u202eRTL\u202c\nnext ' + "y" * 180


def test_hostile_titles_and_subs_pass_through(lms, browser):
    """Whatever a title or sub holds arrives unharmed but for tags, which Moodle strips."""
    lms.api("POST", "activities", {"course": "text", "title": HOSTILE, "slug": "odd"})
    for number, sub in enumerate(("../x", "a@b.example", "A@b.example", "x" * 200)):
        slug = f"odd-{number}"
        lms.api("POST", "users", {"slug": slug, "sub": sub, "name": 'O"<b>'})
        lms.api("PUT", "enrolments", {"user": slug, "course": "text", "role": "student"})
        claims = launched(lms, browser, slug, "odd")
        assert claims["sub"] == sub
        assert claims["name"] == 'O"<b>'
        stripped = HOSTILE.replace("<script>", "").replace("</script>", "")
        assert claims[f"{LTI}/resource_link"]["title"] == stripped
    page = browser.get(f"{lms.url}/?as=odd-0", timeout=5).text
    assert "<script>alert" not in page


def test_roles_can_be_anything_or_nothing(lms, browser):
    """Roles set through the API replace the claim verbatim."""
    for roles in ([], ["Instructor"], [f"{ROLE}/membership#Mentor"]):
        lms.api("PUT", "enrolments", {"user": "zoe", "course": "text", "roles": roles})
        assert launched(lms, browser, "zoe", "words")[f"{LTI}/roles"] == roles


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("user=nobody&activity=roots", 404),
        ("user=tilda&activity=nothing", 404),
        ("user=tilda", 400),
        ("activity=roots", 400),
        ("", 400),
        ("user=marek&activity=roots", 403),
    ],
)
def test_impossible_launch_ends_on_a_page_with_a_message(lms, browser, query, status):
    """Unknown people or activities, and people of other courses, get an explaining page."""
    answer = browser.get(f"{lms.url}/launch?{query}", timeout=5)
    assert answer.status_code == status
    assert "This did not work" in answer.text


def test_suspended_people_cannot_launch(lms, browser):
    """A suspended account or enrolment ends on a page."""
    lms.api("PUT", "enrolments", {"user": "zoe", "course": "text", "suspended": True})
    lms.api("PUT", "users/mila", {"suspended": True})
    for user in ("zoe", "mila"):
        answer = browser.get(f"{lms.url}/launch?user={user}&activity=words", timeout=5)
        assert answer.status_code == 403


def test_many_launch_at_once(lms):
    """Twenty browsers open the same activity at the same time; each gets its own token."""
    people = [entry["slug"] for entry in lms.api("GET", "state")["users"]][:1] * 10 + ["zoe"] * 10
    tokens = []

    def go(user):
        with requests.Session() as browser:
            begun = lms.begin(browser, user, "roots")
            form = read_form(lms.authenticate(browser, begun).text)
            tokens.append(form.fields["id_token"])

    threads = [threading.Thread(target=go, args=(user,)) for user in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    subs = [jwt.decode(token, options={"verify_signature": False})["sub"] for token in tokens]
    assert sorted(subs) == ["101"] * 10 + ["201"] * 10
