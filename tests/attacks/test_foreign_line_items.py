"""Access tokens and scores go to hosts of the registered LMS only, whatever a launch names."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from kore.service.courses.launches import record_launch
from kore.service.lti.ags_models import Score
from kore.service.lti.errors import RefusedError
from kore.service.lti.keys import KeyStore
from kore.service.lti.services import Platforms
from kore.shared.lti.claims import Launch
from tests.support.graded_course import QUICK, TEACHER, graded_course
from tests.support.raw_server import http, raw_server, replay

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

AGS = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
_TOKEN = http("200 OK", json.dumps({"access_token": "secret", "token_type": "Bearer"}).encode())
_SCORE = Score("1", 8, 10, datetime(2026, 11, 27, tzinfo=UTC))


@pytest.mark.parametrize("names", ["lineitem", "lineitems"])
def test_a_launch_cannot_send_scores_elsewhere(tmp_path, names):
    """A launch that names another host as line item gets neither token nor scores, but words."""
    with (
        graded_course(tmp_path) as course,
        raw_server(replay(http("200 OK", b"[]"))) as thief,
    ):
        course.assignment("ps1")
        course.launch("zoe")
        course.grade("zoe", "ps1", 7)
        claims = course.lms.claims(TEACHER, course.activity)
        for name in ("lineitem", "lineitems"):
            claims[AGS].pop(name, None)
        claims[AGS][names] = f"{thief.url}/column"
        launch = Launch.from_claims(claims, client_id=course.lms.config.client_id)
        teacher = course.users[TEACHER]
        record_launch(course.services.db, teacher, launch, token_url=course.lms.config.token_url)
        report = course.send()
        assert thief.seen == []
        assert report.state == "failed"
        assert report.message is not None
        reason = report.message.params.get("reason", report.message)
        assert (reason.id, reason.params["host"]) == ("lms.foreign_host", thief.url)


def test_hosts_that_an_administrator_named_get_scores(tmp_path):
    """Grade services at a host in ``service_hosts`` are used, as where an LMS has several."""
    with graded_course(tmp_path) as course, raw_server(replay(http("200 OK", b"{}"))) as other:
        course.assignment("ps1")
        course.launch("zoe")
        course.grade("zoe", "ps1", 7)
        claims = course.lms.claims(TEACHER, course.activity)
        claims[AGS]["lineitem"] = f"{other.url}/column"
        record_launch(
            course.services.db,
            course.users[TEACHER],
            Launch.from_claims(claims, client_id=course.lms.config.client_id),
            token_url=course.lms.config.token_url,
            service_hosts=[other.url],
        )
        course.send(resend=True)
        assert other.seen


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(tmp_path, status):
    """An LMS that redirects a score to another host gets a refusal; nothing is sent there."""
    with raw_server(replay(http())) as thief:
        moved = http(f"{status} Moved", headers={"Location": f"{thief.url}/scores"})
        with raw_server(replay(_TOKEN, moved)) as lms:
            services = Platforms(KeyStore(tmp_path), policy=QUICK).ags(
                issuer=lms.url, client_id="client", token_url=f"{lms.url}/token"
            )
            with pytest.raises(RefusedError):
                services.send_score(f"{lms.url}/column", _SCORE)
        assert thief.seen == []
