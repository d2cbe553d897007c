"""The management API: what it changes, who may use it, and what programs and people read."""

from __future__ import annotations

import pytest
import requests

from tests.support.grade_tool import GradeTool


def test_state_lists_who_and_what_there_is(lms):
    """Two courses, three activities, and people in every part."""
    state = lms.api("GET", "state")
    assert [course["slug"] for course in state["courses"]] == ["numerics", "text"]
    assert [a["slug"] for a in state["activities"]] == ["roots", "systems", "words"]
    roles = [set(user["courses"].values()) for user in state["users"]]
    assert roles.count({"teacher"}) == 2
    assert roles.count({"assistant"}) == 1
    assert roles.count({"student"}) == 8
    assert sum(user["admin"] for user in state["users"]) == 1
    registration = state["registration"]
    assert registration["issuer"] == lms.url
    assert registration["token_url"] == f"{lms.url}/lti/token"
    assert registration["redirect_uris"] == [f"{lms.tool.url}/hub/lti13/oauth_callback"]


def test_subs_follow_the_profile(lms):
    """State and gradebook use the same sub as launches."""
    lms.behave(profile="canvas")
    subs = {user["slug"]: user["sub"] for user in lms.api("GET", "state")["users"]}
    assert subs["zoe"] == lms.claims("zoe", "roots")["sub"] != "201"


def test_gradebook_gives_columns_and_grades(lms):
    """Points, maximum, person, comment and time, by course slug or number."""
    GradeTool(lms).score(comment="Fine")
    for course in ("numerics", "2"):
        column = lms.api("GET", f"gradebook?course={course}")["line_items"][0]
        assert (column["label"], column["maximum"]) == ("Roots and fixed points", 100.0)
        grade = column["grades"][0]
        assert (grade["user"], grade["sub"], grade["points"]) == ("zoe", "201", 80.0)
        assert grade["name"] == "Zoë Weißenfels-Ångström"
        assert grade["comment"] == "Fine"
        assert grade["when"] == "2026-01-01T12:00:00.250000+00:00"


def test_unknown_course_answers_with_a_json_error(lms):
    """404 and 400 with a message."""
    assert "nowhere" in lms.api("GET", "gradebook?course=nowhere", status=404)["error"]["message"]
    assert lms.api("GET", "gradebook", status=400)["error"]["message"]
    assert lms.api("GET", "nothing", status=404)["error"]["message"]


def test_everything_can_be_made(lms):
    """A course with people, a person, an activity without grade service."""
    user = lms.api("POST", "users", {"name": "New Person", "email": "n@linden.example"})
    assert user["sub"].isdigit()
    people = {"marek": "teacher", user["slug"]: "student"}
    course = lms.api("POST", "courses", {"title": "Logic", "slug": "logic", "people": people})
    body = {"course": "logic", "title": "Truth", "maximum": 7, "custom": {"a": "b"}}
    activity = lms.api("POST", "activities", body)
    assert lms.gradebook("logic")[0]["maximum"] == 7
    claims = lms.claims(user["slug"], activity["slug"])
    assert claims["https://purl.imsglobal.org/spec/lti/claim/custom"]["a"] == "b"
    assert course["people"][1]["role"] == "student"
    bare = lms.api(
        "POST",
        "activities",
        {"course": "logic", "title": "Bare", "ags": False, "nrps": False, "context": False},
    )
    claims = lms.claims("marek", bare["slug"])
    assert not [name for name in claims if "ags" in name or "nrps" in name or "context" in name]
    assert len(lms.gradebook("logic")) == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "users", {"sub": "201"}, 409),
        ("POST", "users", {"slug": "zoe"}, 409),
        ("POST", "users", {"slug": "../x"}, 400),
        ("POST", "users", {"sub": ""}, 400),
        ("POST", "users", {"colour": "red"}, 400),
        ("POST", "users", [], 400),
        ("POST", "courses", {}, 400),
        ("POST", "courses", {"title": "x", "people": {"nobody": "student"}}, 404),
        ("POST", "courses", {"title": "x", "people": {"zoe": "king"}}, 400),
        ("POST", "activities", {"course": "nowhere", "title": "x"}, 404),
        ("POST", "activities", {"course": "text", "title": "x", "maximum": 0}, 400),
        ("PUT", "users/nobody", {"suspended": True}, 404),
        ("PUT", "users/zoe", {"sub": "5"}, 400),
        ("PUT", "enrolments", {"user": "zoe"}, 400),
        ("PUT", "enrolments", {"user": "zoe", "course": "text", "role": "king"}, 400),
        ("PUT", "grades", {"user": "zoe", "activity": "words", "points": 1}, 404),
        ("PUT", "grades", {"user": "zoe", "line_item": 999, "points": 1}, 404),
        ("PUT", "lineitems/999", {"locked": True}, 404),
    ],
)
def test_invalid_changes_are_refused_with_a_message(lms, method, path, body, status):
    """Each refusal has the right status and a message."""
    assert lms.api(method, path, body, status=status)["error"]["message"]


def test_case_differences_make_different_people(lms):
    """Subs that differ only in case belong to two people."""
    for sub in ("Same", "same"):
        lms.api("POST", "users", {"slug": f"p-{len(sub)}{sub.islower():d}", "sub": sub})
    users = [user for user in lms.api("GET", "state")["users"] if user["sub"].lower() == "same"]
    assert len({user["slug"] for user in users}) == 2


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:8000"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Host": "evil.example"}, 421),
    ],
)
def test_other_sites_cannot_control(lms, headers, status):
    """Neither forms, nor scripts of other origins, nor a rebound name get through."""
    sent = {"Content-Type": "application/json", **headers}
    answer = requests.put(
        f"{lms.url}/api/behaviour", data='{"score_delay_ms": 9}', headers=sent, timeout=5
    )
    assert answer.status_code == status
    assert lms.api("GET", "behaviour")["score_delay_ms"] == 0
    if "Content-Type" not in headers:
        answer = requests.delete(f"{lms.url}/api/requests", headers=headers, timeout=5)
        assert answer.status_code == status


def test_own_page_may_control(lms):
    """The LMS's own origin is allowed, as is a program without an Origin."""
    headers = {"Origin": lms.url, "Sec-Fetch-Site": "same-origin"}
    answer = requests.put(
        f"{lms.url}/api/behaviour", json={"score_delay_ms": 9}, headers=headers, timeout=5
    )
    assert answer.status_code == 200


def test_other_names_of_this_machine_lead_to_the_right_one(lms):
    """A page asked for at localhost redirects, so that the session's cookie fits later."""
    other = lms.url.replace("127.0.0.1", "localhost")
    host = {"Host": other.removeprefix("http://")}
    answer = requests.get(
        f"{lms.url}/launch?user=zoe&activity=roots", headers=host, timeout=5, allow_redirects=False
    )
    assert answer.headers["Location"] == f"{lms.url}/launch?user=zoe&activity=roots"


@pytest.mark.parametrize(
    "path", ["/", "/?as=layla", "/?as=admin", "/gradebook/numerics", "/gradebook/text", "/nothing"]
)
def test_pages_hold_no_script_and_a_policy(lms, path):
    """Pages work without script; the policy allows nothing from elsewhere."""
    answer = requests.get(lms.url + path, timeout=5)
    assert answer.status_code == (404 if path == "/nothing" else 200)
    assert "<script" not in answer.text
    assert "style=" not in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_home_shows_the_persons_courses(lms):
    """A teacher of one course sees that course; the administrator sees all."""
    page = requests.get(f"{lms.url}/?as=marek", timeout=5).text
    assert "Text as Data" in page
    assert "Numerical Methods" not in page
    assert "/launch?user=marek&amp;activity=words" in page
    page = requests.get(f"{lms.url}/?as=admin", timeout=5).text
    assert "Text as Data" in page
    assert "Numerical Methods" in page
    assert requests.get(f"{lms.url}/?as=nobody", timeout=5).status_code == 404


def test_gradebook_page_shows_grades_of_any_script(lms):
    """Names keep their direction, comments are text and never markup."""
    lms.api(
        "PUT",
        "grades",
        {"activity": "roots", "user": "layla", "points": 61.25, "comment": "<b>أحسنت</b>"},
    )
    page = requests.get(f"{lms.url}/gradebook/numerics", timeout=5).text
    assert "<bdi>ليلى المثالية</bdi>" in page
    assert "<strong>61.25</strong>" in page
    assert "&lt;b&gt;أحسنت&lt;/b&gt;" in page
    assert requests.get(f"{lms.url}/gradebook/nowhere", timeout=5).status_code == 404
