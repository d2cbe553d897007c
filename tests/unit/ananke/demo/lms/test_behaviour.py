"""The behaviour that tests can set in the LMS, and its request log."""

from __future__ import annotations

import threading
import time

import pytest
import requests

from tests.support.embedded_lms import running_lms
from tests.support.grade_tool import GradeTool

canvas = pytest.mark.parametrize("lms", ["canvas"], indirect=True)


@pytest.mark.parametrize("kind", ["429", "503", "500", "403"])
def test_faults_with_a_status_come_so_often_and_then_end(lms, kind):
    """A fault ends after its number of times, and sends its Retry-After."""
    grader = GradeTool(lms)
    lms.behave(fail_next=[{"kind": kind, "times": 2, "retry_after": 3}])
    for _ in range(2):
        answer = grader.score()
        assert answer.status_code == int(kind)
        assert answer.headers["Retry-After"] == "3"
    assert grader.score().status_code == 200
    assert lms.api("GET", "behaviour")["fail_next"] == []


@pytest.mark.parametrize("kind", ["reset", "bad_status_line"])
def test_broken_connections(lms, kind):
    """The client gets no HTTP answer, and nothing was stored."""
    grader = GradeTool(lms)
    lms.behave(fail_next=[{"kind": kind}])
    with pytest.raises(requests.ConnectionError):
        grader.score()
    assert lms.points("numerics") == {}
    assert grader.score().status_code == 200


def test_lost_answer(lms):
    """With `when` after, the score is stored although its answer is lost."""
    grader = GradeTool(lms)
    lms.behave(fail_next=[{"kind": "reset", "when": "after"}])
    with pytest.raises(requests.ConnectionError):
        grader.score()
    assert lms.points("numerics") == {"zoe": 80.0}
    assert lms.gradebook("numerics")[0]["grades"][0]["writes"] == 1


def test_fault_for_one_person_or_service(lms):
    """Others are served while one person's scores, or another service, fail."""
    grader = GradeTool(lms)
    lms.behave(fail_next=[{"kind": "500", "user": "202", "times": 9}])
    assert grader.score("zoe").status_code == 200
    assert grader.score("mila").status_code == 500
    lms.behave(fail_next=[{"kind": "503", "service": "token"}])
    assert grader.score("niko").status_code == 200
    assert lms.tool.ask(lms).status_code == 503
    assert lms.tool.ask(lms).status_code == 200


def test_slow_answers(lms):
    """`slow` waits and then serves; score_delay_ms slows every score."""
    grader = GradeTool(lms)
    lms.behave(fail_next=[{"kind": "slow", "seconds": 0.2}])
    started = time.monotonic()
    assert grader.score().status_code == 200
    assert time.monotonic() - started >= 0.2
    lms.behave(score_delay_ms=150)
    started = time.monotonic()
    assert grader.score(at=1).status_code == 200
    assert time.monotonic() - started >= 0.15


def statuses_of(grader, count):
    """Send that many scores at once."""
    users = ("zoe", "mila", "niko", "layla", "noam", "asha", "wen", "thu")[:count]
    found = []

    def send(user):
        answer = GradeTool.score(grader, user)
        found.append((answer.status_code, answer.headers.get("Retry-After")))

    threads = [threading.Thread(target=send, args=(user,)) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@canvas
@pytest.mark.parametrize(("status", "expected"), [(None, 429), (403, 403)])
def test_canvas_throttles_too_many_at_once(lms, status, expected):
    """More than three at once are refused with Retry-After; the rest is taken."""
    lms.behave(score_delay_ms=400, throttle_status=status)
    found = statuses_of(GradeTool(lms), 8)
    assert (expected, "1") in found
    assert (200, None) in found


@pytest.mark.slow
def test_moodle_does_not_throttle(lms):
    """Eight at once are fine."""
    lms.behave(score_delay_ms=50)
    assert statuses_of(GradeTool(lms), 8) == [(200, None)] * 8


def test_requests_are_remembered_until_forgotten(lms):
    """The log has method, path, person and status; DELETE empties it."""
    GradeTool(lms).score()
    log = lms.api("GET", "requests")["requests"]
    assert [(e["service"], e["method"], e["status"]) for e in log] == [
        ("token", "POST", 200),
        ("score", "POST", 200),
    ]
    assert log[1]["user"] == "201"
    assert log[1]["path"].endswith("/lineitem/scores?type_id=1")
    assert log[0]["timestamp"] <= log[1]["timestamp"] <= time.time()
    lms.api("DELETE", "requests")
    assert lms.api("GET", "requests") == {"requests": []}


@pytest.mark.parametrize(
    "settings",
    [
        {"profile": "blackboard"},
        {"score_delay_ms": -1},
        {"score_delay_ms": "5"},
        {"token_lifetime_s": 0},
        {"refuse_users": "201"},
        {"fail_next": {}},
        {"fail_next": ["429"]},
        {"fail_next": [{"kind": "418"}]},
        {"fail_next": [{"kind": "429", "when": "never"}]},
        {"fail_next": [{"kind": "429", "times": -1}]},
        {"fail_next": [{"kind": "429", "service": "cake"}]},
        {"fail_next": [{"kind": "429", "colour": "red"}]},
        {"throttle_status": 500},
        {"cake": 1},
        [],
    ],
)
def test_invalid_behaviour_is_refused_with_a_message(lms, settings):
    """A wrong setting is a 400 with a message, and changes nothing."""
    before = lms.api("GET", "behaviour")
    mixed = {"score_delay_ms": 7, **settings} if isinstance(settings, dict) else settings
    answer = lms.api("PUT", "behaviour", mixed, status=400)
    assert answer["error"]["message"]
    assert lms.api("GET", "behaviour") == before


def test_state_survives_a_restart(tmp_path):
    """Grades, people, key and a begun launch are there again; behaviour is not."""
    with running_lms(tmp_path) as lms:
        port = int(lms.url.rpartition(":")[2])
        GradeTool(lms).score()
        kid = lms.key.kid
        lms.behave(score_delay_ms=500)
        browser = requests.Session()
        begun = lms.begin(browser, "tilda", "roots")
    with running_lms(tmp_path, port=port) as lms:
        assert lms.points("numerics") == {"zoe": 80.0}
        assert lms.key.kid == kid
        assert lms.api("GET", "behaviour")["score_delay_ms"] == 0
        answer = lms.authenticate(browser, begun)
        assert answer.status_code == 200
        assert "id_token" in answer.text
        assert len(lms.api("GET", "state")["users"]) == 12
