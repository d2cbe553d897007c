"""Names and roles of a course's people."""

from __future__ import annotations

import pytest

NRPS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
TYPE = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"


@pytest.fixture
def people(lms):
    """A function that fetches one page of members, and the session it uses."""
    session = lms.tool.session(lms)
    session.headers["Accept"] = TYPE
    url = lms.claims("tilda", "roots")[NRPS]["context_memberships_url"]

    def fetch(address=None, **params):
        return session.get(address or url, params=params, timeout=5)

    return fetch


def test_moodle_members_have_short_roles(lms, people):
    """Everyone with short roles; the assistant is a Learner here."""
    body = people().json()
    members = {entry["user_id"]: entry for entry in body["members"]}
    assert len(members) == 10
    assert members["101"]["roles"] == ["Instructor"]
    assert members["103"]["roles"] == ["Learner"]
    assert members["204"]["name"] == "ليلى المثالية"
    assert not {"name", "email", "status"} & set(members["208"])
    assert body["context"]["title"] == "Numerical Methods"


def test_moodle_next_page_forgets_the_role(people):
    """The first page is filtered; the next one, reached by its link, is not."""
    first = people(role="Instructor", limit=1)
    assert [entry["user_id"] for entry in first.json()["members"]] == ["101"]
    learners = people(role="Learner", limit=3)
    address = learners.links["next"]["url"]
    assert "role" not in address
    assert people(address).status_code == 200


@pytest.mark.parametrize("lms", ["strict", "canvas"], indirect=True)
def test_pages_lead_through_all_members(people):
    """Following `next` gives each member once, with the filter kept."""
    for role, expected in (("", 10), ("Learner", 8)):
        seen = []
        answer = people(role=role) if role else people()
        while True:
            seen += [entry["user_id"] for entry in answer.json()["members"]]
            if "next" not in answer.links:
                break
            answer = people(answer.links["next"]["url"])
        assert len(seen) == len(set(seen)) == expected


def test_suspended_people_are_left_out(lms, people):
    """Moodle does not list them; the strict LMS says Inactive."""
    lms.api("PUT", "users/zoe", {"suspended": True})
    assert "201" not in [entry["user_id"] for entry in people().json()["members"]]
    lms.behave(profile="strict")
    url = lms.claims("tilda", "roots")[NRPS]["context_memberships_url"]
    found = []
    while url:
        answer = people(url)
        found += answer.json()["members"]
        url = answer.links.get("next", {}).get("url")
    status = {entry["user_id"]: entry["status"] for entry in found}
    assert (status["201"], status["202"]) == ("Inactive", "Active")


def test_accept_and_scope_are_checked(lms, people):
    """The exact media type and the scope are needed."""
    reader = lms.tool.session(lms, "https://purl.imsglobal.org/spec/lti-ags/scope/score")
    url = lms.claims("tilda", "roots")[NRPS]["context_memberships_url"]
    assert reader.get(url, headers={"Accept": TYPE}, timeout=5).status_code == 401
    full = lms.tool.session(lms)
    assert full.get(url, timeout=5).status_code == 400
    assert people(rlid="999").status_code == 404
