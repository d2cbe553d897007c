"""Line items, scores and results, as each profile has them."""

from __future__ import annotations

import datetime as dt
import json

import pytest
import requests

from tests.support.grade_tool import CONTAINER, ITEM, SCORE, GradeTool

pytestmark = pytest.mark.slow

SCOPE = "https://purl.imsglobal.org/spec/lti-ags/scope"
all_profiles = pytest.mark.parametrize("lms", ["moodle", "canvas", "strict"], indirect=True)
canvas = pytest.mark.parametrize("lms", ["canvas"], indirect=True)
strict = pytest.mark.parametrize("lms", ["strict"], indirect=True)


@pytest.fixture
def grader(lms):
    return GradeTool(lms)


@all_profiles
def test_score_is_rescaled_and_read_back(lms, grader):
    """8 of 10 becomes 80 of 100 in the gradebook and in the results."""
    answer = grader.score(comment="Well done")
    assert answer.status_code in (200, 204)
    assert lms.points("numerics") == {"zoe": 80.0}
    result = grader.results(user_id=grader.sub("zoe")).json()
    assert len(result) == 1
    assert (result[0]["resultScore"], result[0]["resultMaximum"]) == (80.0, 100.0)
    assert result[0]["comment"] == "Well done"
    assert result[0]["userId"] == grader.sub("zoe")


def test_moodle_answers_with_an_empty_body(grader):
    """A score answers 200 and nothing else."""
    answer = grader.score()
    assert (answer.status_code, answer.content) == (200, b"")


@canvas
def test_canvas_answers_with_the_address_of_the_result(grader):
    """Canvas gives the result's address."""
    assert "/results" in grader.score().json()["resultUrl"]


@all_profiles
def test_points_are_clamped_and_kept_to_five_decimals(lms, grader):
    """More than the maximum is the maximum; thirds end after five decimals."""
    grader.score(scoreGiven=25)
    grader.score("mila", scoreGiven=1, scoreMaximum=3)
    assert lms.points("numerics") == {"zoe": 100.0, "mila": 33.33333}


def test_moodle_refuses_a_second_score_in_the_same_second(lms, grader):
    """Timestamps are compared in whole seconds; the cause stands in the reason phrase."""
    assert grader.score().status_code == 200
    for at in (0, 0.5, -5):
        again = grader.score(at=at, scoreGiven=9)
        assert again.status_code == 409
        assert again.reason.startswith("Refusing score with an earlier timestamp for item")
        assert again.text == "[]"
    assert lms.points("numerics") == {"zoe": 80.0}
    assert grader.score(at=1, scoreGiven=9).status_code == 200


@strict
def test_strict_lms_compares_with_subsecond_precision(grader):
    """A later millisecond is later; the same one is not."""
    assert grader.score().status_code == 204
    answer = grader.score()
    assert answer.status_code == 409
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == 409
    assert grader.score(at=0.001).status_code == 204


@canvas
def test_canvas_takes_an_equal_timestamp_and_refuses_an_older_one(grader):
    """Canvas answers 400 with a message in JSON."""
    assert grader.score().status_code == 200
    assert grader.score().status_code == 200
    answer = grader.score(at=-1)
    assert answer.status_code == 400
    assert "before last updated timestamp" in answer.json()["errors"]["message"]


def test_teachers_edit_counts_as_newer(lms, grader):
    """A grade set in the gradebook has the time of the edit, and resists the tool."""
    lms.api("PUT", "grades", {"activity": "roots", "user": "zoe", "points": 12, "comment": "mine"})
    assert grader.score().status_code == 409
    later = (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=5)).isoformat()
    assert grader.score(timestamp=later).status_code == 200
    assert lms.points("numerics") == {"zoe": 12.0}


@all_profiles
@pytest.mark.parametrize("whole", [False, True])
def test_locked_grade_or_column_is_refused(lms, grader, whole):
    """Locks answer with an error and change nothing."""
    number = lms.gradebook("numerics")[0]["id"]
    if whole:
        lms.api("PUT", f"lineitems/{number}", {"locked": True})
    else:
        lms.api("PUT", "grades", {"line_item": number, "user": "zoe", "locked": True})
    later = (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=5)).isoformat()
    expected = {"moodle": 500, "canvas": 422, "strict": 403}[lms.platform.profile.name]
    assert grader.score(timestamp=later).status_code == expected
    assert lms.points("numerics").get("zoe") is None


def test_only_students_have_grades(lms, grader):
    """Scores for anyone but enrolled students get 400, with the body as reason."""
    lms.behave(refuse_users=["203"])
    lms.api("PUT", "enrolments", {"user": "noam", "course": "numerics", "role": "none"})
    for sub in ("101", "103", "999", "203", "205"):
        answer = grader.score(userId=sub)
        assert answer.status_code == 400
        assert answer.reason.startswith("Incorrect score received{")


def test_suspended_students_are_scored_by_moodle(lms, grader):
    """Moodle takes the score of a suspended person; the strict LMS does not."""
    lms.api("PUT", "enrolments", {"user": "zoe", "course": "numerics", "suspended": True})
    assert grader.score().status_code == 200
    lms.behave(profile="strict")
    assert GradeTool(lms).score(at=5).status_code == 404


def test_user_id_that_is_not_a_number_breaks_moodles_status_line(lms, grader):
    """The answer is not HTTP; the next request on a new connection works."""
    with pytest.raises(requests.ConnectionError):
        grader.score(userId="2b1c-uuid")
    assert grader.score().status_code == 200
    assert [entry["message"] for entry in lms.service_requests("score")] == ["bad_status_line", ""]


def test_unfinished_grading_clears_the_grade_in_moodle(lms, grader):
    """Anything but FullyGraded empties the cell, and results then lack a score."""
    grader.score()
    assert grader.score(at=1, gradingProgress="Pending").status_code == 200
    assert lms.points("numerics") == {"zoe": None}
    assert "resultScore" not in grader.results().json()[0]


def test_comment_left_out_is_removed(lms, grader):
    """Moodle forgets the earlier comment, Canvas keeps it."""
    grader.score(comment="first")
    grader.score(at=1)
    assert lms.gradebook("numerics")[0]["grades"][0]["comment"] == ""
    lms.behave(profile="canvas")
    fresh = GradeTool(lms)
    fresh.score(at=2, comment="second")
    fresh.score(at=3)
    assert lms.gradebook("numerics")[0]["grades"][0]["comment"] == "second"


@all_profiles
@pytest.mark.parametrize(
    "changes",
    [
        {"userId": None},
        {"timestamp": None},
        {"timestamp": "yesterday"},
        {"scoreMaximum": None},
        {"scoreGiven": "8"},
        {"scoreGiven": True},
        {"scoreGiven": -1},
        {"scoreMaximum": 0},
        {"activityProgress": None},
        {"gradingProgress": "Done"},
        {"comment": 5},
    ],
)
def test_malformed_scores_are_refused(lms, grader, changes):
    """Each field of a score is checked."""
    answer = grader.score(**changes) if "userId" not in changes else grader.score(user=None)
    assert answer.status_code == 400
    assert lms.points("numerics") == {}


@strict
def test_strict_timestamps_need_zone_and_fraction(grader):
    """The standard asks for sub-second precision and a zone."""
    assert grader.score(timestamp="2026-01-01T12:00:00+00:00").status_code == 400
    assert grader.score(timestamp="2026-01-01T12:00:00.000").status_code == 400
    assert grader.score(timestamp="2026-01-01T12:00:00.000Z").status_code == 204


@all_profiles
def test_body_must_be_an_object_without_nan(grader):
    """Broken JSON, lists and NaN are refused."""
    for body in ("{", "[]", '{"userId": NaN}', ""):
        answer = grader.http.post(
            grader.below("scores"), data=body, headers={"Content-Type": SCORE}, timeout=5
        )
        assert answer.status_code == 400


def test_moodle_takes_only_the_exact_media_types(grader):
    """Wildcards, lists and other types give 400."""
    for accept in ("*/*", "application/json", f"{CONTAINER}, */*", f"{CONTAINER};q=1"):
        answer = grader.http.get(grader.items, headers={"Accept": accept}, timeout=5)
        assert (answer.status_code, answer.text) == (400, "[]")
    answer = grader.http.post(
        grader.below("scores"), data="{}", headers={"Content-Type": "application/json"}, timeout=5
    )
    assert answer.status_code == 400
    assert grader.list().headers["Content-Type"] == CONTAINER


@strict
def test_strict_media_types_use_the_right_status(grader):
    """406 and 415, while a list that names the type is fine."""
    get = grader.http.get
    assert get(grader.items, headers={"Accept": "*/*"}, timeout=5).status_code == 406
    accept = f"application/json;q=0.5, {CONTAINER}"
    assert get(grader.items, headers={"Accept": accept}, timeout=5).status_code == 200
    answer = grader.http.post(
        grader.below("scores"), data="{}", headers={"Content-Type": "application/json"}, timeout=5
    )
    assert answer.status_code == 415


@pytest.mark.parametrize("lms", ["moodle", "strict"], indirect=True)
def test_service_urls_need_their_parameters(grader):
    """A tool that drops the query of a line item's URL gets a 404."""
    bare = grader.items.partition("?")[0]
    answer = grader.http.get(bare, headers={"Accept": CONTAINER}, timeout=5)
    assert answer.status_code == 404


@all_profiles
def test_tokens_and_scopes_are_checked(lms, grader):
    """No token, a wrong one, and one without the scope are refused."""
    headers = {"Accept": CONTAINER}
    assert requests.get(grader.items, headers=headers, timeout=5).status_code == 401
    headers["Authorization"] = "Bearer nonsense"
    assert requests.get(grader.items, headers=headers, timeout=5).status_code == 401
    reader = lms.tool.session(lms, f"{SCOPE}/lineitem.readonly")
    assert reader.get(grader.items, headers={"Accept": CONTAINER}, timeout=5).status_code == 200
    refused = {"moodle": 401, "canvas": 401, "strict": 403}[lms.platform.profile.name]
    answer = reader.post(
        grader.items, json={"label": "x"}, headers={"Content-Type": ITEM}, timeout=5
    )
    assert answer.status_code == refused


@all_profiles
def test_line_items_are_made_found_changed_and_deleted(lms, grader):
    """A tool creates, finds, changes and deletes a line item."""
    words = GradeTool(lms, "words")
    link = lms.claims("tilda", "words")["https://purl.imsglobal.org/spec/lti/claim/resource_link"]
    made = words.make(resourceId="c-1", tag="ananke-total", resourceLinkId=link["id"])
    assert made.status_code == 201
    url = made.json()["id"]
    assert made.json()["resourceLinkId"] == link["id"]
    again = words.make(resourceId="c-1", tag="ananke-total").json()["id"]
    assert again != url
    assert [item["id"] for item in words.list(tag="ananke-total").json()] == [url, again]
    found = words.list(resource_link_id=link["id"], resource_id="c-1").json()
    assert [item["id"] for item in found] == [url]
    assert words.list(tag="other").json() == []
    words.score(item=url)
    changed = words.put(url, {"label": "New", "scoreMaximum": 100})
    assert changed.status_code == 200
    assert "resourceLinkId" not in changed.json()
    assert lms.points("text") == {"zoe": 80.0}
    shown = words.http.get(url, headers={"Accept": ITEM}, timeout=5)
    assert shown.json()["label"] == "New"
    assert words.http.delete(url, timeout=5).status_code == 204
    assert words.http.get(url, headers={"Accept": ITEM}, timeout=5).status_code == 404


def test_changed_maximum_touches_all_grades(lms, grader):
    """Rescaling counts as a change now: an older timestamp is then refused."""
    grader.score()
    link = lms.claims("tilda", "roots")["https://purl.imsglobal.org/spec/lti/claim/resource_link"]
    body = {"label": "Roots", "scoreMaximum": 10, "resourceLinkId": link["id"]}
    assert grader.put(grader.item, body).status_code == 200
    assert lms.points("numerics") == {"zoe": 8.0}
    assert grader.score(at=60).status_code == 409


@all_profiles
def test_own_line_item_cannot_be_deleted(grader):
    """The LMS keeps the line item that it created with an activity."""
    assert grader.http.delete(grader.item, timeout=5).status_code == 403


@all_profiles
@pytest.mark.parametrize(
    "body",
    [
        {"scoreMaximum": 5},
        {"label": "x"},
        {"label": "", "scoreMaximum": 5},
        {"label": "x", "scoreMaximum": 0},
        {"label": "x", "scoreMaximum": "5"},
        {"label": "x" * 256, "scoreMaximum": 5},
        {"label": "x", "scoreMaximum": 5, "resourceLinkId": "none"},
        {"label": "x", "scoreMaximum": 5, "startDateTime": "soon"},
    ],
)
def test_malformed_line_items_are_refused(grader, body):
    """POST and PUT need a label and a maximum."""
    answer = grader.http.post(
        grader.items, data=json.dumps(body), headers={"Content-Type": ITEM}, timeout=5
    )
    assert answer.status_code == 400
    assert grader.put(grader.item, body).status_code == 400


def test_moodle_pages_line_items_with_spoilt_links(grader):
    """Curly quotes and entities in Link, as observed."""
    link = grader.list(limit=1).headers["Link"].encode("latin-1").decode()
    assert "rel=“next”" in link
    assert "&amp;from=1" in link
    assert len(grader.list(limit=1).json()) == 1
    assert "Link" not in grader.list().headers


@strict
def test_strict_pages_lead_through_everything(grader):
    """Following `next` gives each column once."""
    for number in range(9):
        grader.make(label=f"Column {number}")
    seen, url = [], grader.items
    while url:
        answer = grader.http.get(url, headers={"Accept": CONTAINER}, timeout=5)
        seen += [item["label"] for item in answer.json()]
        url = answer.links.get("next", {}).get("url")
    assert len(seen) == len(set(seen)) == 11


def test_moodle_results_fail_with_limit(grader):
    """A limit together with type_id answers 404 in HTML."""
    answer = grader.results(limit=5)
    assert answer.status_code == 404
    assert "text/html" in answer.headers["Content-Type"]


def test_line_items_of_other_courses_are_not_found(lms, grader):
    """A line item is only found in its own course."""
    elsewhere = grader.item.replace("/services/2/", "/services/3/")
    assert grader.http.get(elsewhere, headers={"Accept": ITEM}, timeout=5).status_code == 404
    assert grader.score(item=elsewhere).status_code == 404
