"""Grade services, against answers of all kinds."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kore.service.lti import ags as lti
from kore.service.lti.ags_models import Result, Score
from kore.service.lti.errors import NewerScoreError, RefusedError
from kore.service.lti.services import Platforms
from tests.support.embedded_lms import running_lms
from tests.support.raw_platform import QUICK, ags_at, asked, lms, token
from tests.support.raw_server import ResetError, http, raw_server

SCORE = Score("1", 7, 10, datetime(2026, 1, 1, 12, 0, 0, 5000, tzinfo=UTC))


def test_token_that_is_no_longer_accepted_is_replaced_once(keys):
    """After a 401 one new token is fetched, and no more if the 401 stays."""
    with raw_server(lms(http("401 No"), http())) as server:
        ags_at(server, keys).send_score(f"{server.url}/c", SCORE)
        assert (len(asked(server)), len(asked(server, "/c/scores"))) == (2, 2)
    with raw_server(lms(http("401 No"))) as server:
        with pytest.raises(RefusedError) as caught:
            ags_at(server, keys).send_score(f"{server.url}/c", SCORE)
        assert caught.value.http_status == 401
        assert (len(asked(server)), len(asked(server, "/c/scores"))) == (2, 2)


@pytest.mark.parametrize(
    ("column", "scores"),
    [
        ("/c/lineitem", "/c/lineitem/scores"),
        ("/c/lineitem/", "/c/lineitem/scores"),
        ("/c/lineitem?type_id=1", "/c/lineitem/scores?type_id=1"),
        ("/c?a=1&b=%2F&c", "/c/scores?a=1&b=%2F&c"),
        ("/c?a=x#y", "/c/scores?a=x"),
    ],
)
def test_scores_path_goes_before_the_query(keys, column, scores):
    """The scores path is added before a line item's query, whatever its form."""
    with raw_server(lms(http())) as server:
        ags_at(server, keys).send_score(server.url + column, SCORE)
        assert server.seen[-1].path == scores


def test_score_message_follows_the_standard(keys):
    """A score has the standard's type and members, milliseconds and zone, no comment."""
    with raw_server(lms(http("204 No Content"))) as server:
        ags_at(server, keys).send_score(f"{server.url}/c", SCORE)
        sent = server.seen[-1]
    assert sent.headers["content-type"] == "application/vnd.ims.lis.v1.score+json"
    assert json.loads(sent.body) == {
        "userId": "1",
        "scoreGiven": 7,
        "scoreMaximum": 10,
        "timestamp": "2026-01-01T12:00:00.005+00:00",
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
    }


def results(*entries):
    return http("200 OK", json.dumps(entries).encode())


def result(user="1", score=0.7, maximum=1.0):
    return {"userId": user, "resultScore": score, "resultMaximum": maximum}


def test_refusal_after_a_lost_try_is_checked_against_the_result(keys):
    """If a lost try may have arrived, a refusal counts only without our result."""
    with raw_server(lms(ResetError, http("409 Conflict"), results(result()))) as server:
        ags_at(server, keys).send_score(f"{server.url}/c", SCORE)
        assert asked(server, "/c/results")[0].path == "/c/results?user_id=1"
    with (
        raw_server(lms(ResetError, http("409 No"), results(result(score=0.2)))) as server,
        pytest.raises(NewerScoreError),
    ):
        ags_at(server, keys).send_score(f"{server.url}/c", SCORE)


def test_refusal_without_a_lost_try_is_final(keys):
    """Without a lost try a refusal is believed and no result is read."""
    with raw_server(lms(http("409 Conflict"), results(result()))) as server:
        with pytest.raises(NewerScoreError):
            ags_at(server, keys).send_score(f"{server.url}/c", SCORE)
        assert asked(server, "/c/results") == []


def test_unreadable_results_are_left_out(keys):
    """Results without a score or of another form are left out."""
    answer = results(
        result("1"),
        {"userId": "2"},
        result("3", score=None),
        result("4", score="x"),
        result("5", score=True),
        result("6", maximum=None),
        {"userId": 7, "resultScore": "5", "resultMaximum": "10"},
        {"resultScore": 1},
        "odd",
        None,
    )
    with raw_server(lms(answer)) as server:
        assert ags_at(server, keys).list_results(f"{server.url}/c") == {
            "1": Result(0.7, 1),
            "6": Result(0.7, 1),
            "7": Result(5, 10),
        }


@pytest.mark.parametrize(
    "link",
    [
        '<{url}/c/results?page=2&a=b>; rel="next"',
        "<{url}/c/results?page=2&a=b>; rel=next",
        "<{url}/c/results?page=2&amp;a=b>; rel=\u201cnext\u201d",
        '<{url}/c/results?page=9>; rel="last", <{url}/c/results?page=2&a=b>; rel="next"',
        '<{url}/c/results?page=1>; rel="first",<{url}/c/results?page=2&a=b>;title=x; rel="next"',
        '</c/results?page=2&a=b>; REL="next"',
    ],
)
def test_next_page_is_followed(keys, link):
    """The next page is followed however its link is written."""
    header = link.encode().decode("latin-1")

    def answer(request):
        if request.path == "/token":
            return token()
        if "page=2" in request.path:
            assert request.path.endswith("page=2&a=b")
            return results(result("2"))
        full = header.replace("{url}", server.url)
        body = json.dumps([result("1")]).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nLink: {full}\r\n\r\n"
        return [head.encode("latin-1") + body]

    with raw_server(answer) as server:
        assert set(ags_at(server, keys).list_results(f"{server.url}/c")) == {"1", "2"}


@pytest.mark.parametrize(
    "link",
    [
        "http://evil.example/c/results?page=2",
        "/c/results",
        "javascript:alert(1)",
        "http://[::1",
        "",
    ],
)
def test_unsafe_next_page_is_not_followed(keys, link):
    """A page on another host is never fetched with our token, and no page twice."""
    page = http("200 OK", json.dumps([result("1")]).encode(), {"Link": f'<{link}>; rel="next"'})
    with raw_server(lms(page)) as server:
        assert set(ags_at(server, keys).list_results(f"{server.url}/c")) == {"1"}
        assert len(asked(server, "/c/results")) <= 2


def test_number_of_pages_is_limited(keys, monkeypatch):
    """An LMS whose pages never end is not followed for ever."""
    monkeypatch.setattr(lti, "_MAX_PAGES", 20)
    count = iter(range(10_000))

    def answer(request):
        if request.path == "/token":
            return token()
        return http("200 OK", b"[]", {"Link": f'</c/results?page={next(count)}>; rel="next"'})

    with raw_server(answer) as server:
        assert ags_at(server, keys).list_results(f"{server.url}/c") == {}
        assert len(asked(server, "/c/results")) == 20


def test_line_items_of_other_activities_are_left_out(keys):
    """Line items of other activities are left out where the LMS ignores the filter."""
    entries = [
        {"id": "http://lms/1", "label": "A\nB", "scoreMaximum": 5, "resourceLinkId": "42"},
        {"id": "http://lms/2", "resourceLinkId": "43"},
        {"id": "http://lms/3", "tag": "t", "resourceId": "r"},
        {"id": "javascript:x", "resourceLinkId": "42"},
        {"label": "nowhere"},
        7,
    ]
    with raw_server(lms(results(*entries))) as server:
        found = ags_at(server, keys).list_line_items(
            f"{server.url}/items?a=1", resource_link_id="42"
        )
        assert server.seen[-1].path == "/items?a=1&resource_link_id=42"
        assert server.seen[-1].headers["accept"] == (
            "application/vnd.ims.lis.v2.lineitemcontainer+json"
        )
    assert [(c.url, c.label, c.maximum, c.tag) for c in found] == [
        ("http://lms/1", "A B", 5, ""),
        ("http://lms/3", "", 0, "t"),
    ]


def test_created_line_item_without_id_uses_the_location(keys):
    """The Location header replaces a missing id; without both it is a refusal."""
    made = {"label": "L", "maximum": 5, "resource_link_id": "1", "resource_id": "r", "tag": "t"}
    with raw_server(lms(http("201 C", b"{}", {"Location": "http://lms/9"}))) as server:
        created = ags_at(server, keys).create_line_item(f"{server.url}/items", **made)
        assert created.url == "http://lms/9"
    with raw_server(lms(http("201 C", b"{}"))) as server, pytest.raises(RefusedError):
        ags_at(server, keys).create_line_item(f"{server.url}/items", **made)


def test_results_are_read_over_all_pages(tmp_path):
    """Results of many students are read over all pages, with each profile's links."""
    for profile in ("canvas", "strict"):
        folder = tmp_path / profile
        folder.mkdir()
        with running_lms(folder, profile=profile) as running:
            keys: Any = running.tool.key
            services = Platforms(keys, policy=QUICK).ags(
                issuer="lms",
                client_id=running.config.client_id,
                token_url=running.config.token_url,
            )
            subs = [running.claims(s, "roots")["sub"] for s in STUDENTS]
            column = running.claims("tilda", "roots")[AGS]["lineitem"]
            for index, sub in enumerate(subs):
                moment = datetime.now(UTC) - timedelta(seconds=60)
                services.send_score(column, Score(sub, index, 10, moment))
            found = services.list_results(column)
            assert set(found) == set(subs)
            assert services.list_results(column, sub=subs[3]).keys() == {subs[3]}


AGS = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"


STUDENTS = ("zoe", "mila", "niko", "layla", "noam", "asha", "wen", "thu")
