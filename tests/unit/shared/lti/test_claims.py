"""Reading launches."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kore.shared.lti.claims import ClaimError, Launch, clean_text, clean_url
from kore.shared.roles import Role

LTI = "https://purl.imsglobal.org/spec/lti/claim/"
AGS = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
NRPS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"


def claims(**changes: Any) -> dict[str, Any]:
    """Return claims as Moodle sends them; a change to None omits the claim."""
    full = {
        "iss": "https://moodle.example.edu",
        "aud": "client",
        "sub": "123",
        "name": "Ada Lovelace",
        "given_name": "Ada",
        "family_name": "Lovelace",
        "email": "ada@example.edu",
        LTI + "message_type": "LtiResourceLinkRequest",
        LTI + "version": "1.3.0",
        LTI + "deployment_id": "1",
        LTI + "target_link_uri": "https://hub.example.edu/",
        LTI + "resource_link": {"id": "42", "title": "Sheet 1"},
        LTI + "context": {"id": "7", "title": "Analysis", "label": "ANA"},
        LTI + "roles": ["http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"],
        LTI + "launch_presentation": {"locale": "en", "return_url": "https://m.example/return"},
        AGS: {
            "scope": ["https://purl.imsglobal.org/spec/lti-ags/scope/score"],
            "lineitems": "https://m.example/42/lineitems?type_id=1",
            "lineitem": "https://m.example/42/lineitems/5/lineitem?type_id=1",
        },
        NRPS: {"context_memberships_url": "https://m.example/members"},
    }
    names = {"sub": "sub", "iss": "iss"}
    for key, value in changes.items():
        name = (
            names.get(key)
            or {"ags": AGS, "nrps": NRPS}.get(key)
            or (key if key in full else LTI + key)
        )
        full[name] = value
    return {k: v for k, v in full.items() if v is not None}


def launch(**changes: Any) -> Launch:
    return Launch.from_claims(claims(**changes), client_id="client")


def test_a_complete_launch():
    """Each claim becomes its field."""
    it = launch()
    assert it == Launch(
        issuer="https://moodle.example.edu",
        client_id="client",
        deployment_id="1",
        sub="123",
        target_link_uri="https://hub.example.edu/",
        resource_link_id="42",
        resource_link_title="Sheet 1",
        context_title="Analysis",
        context_label="ANA",
        role=Role.INSTRUCTOR,
        name="Ada Lovelace",
        given_name="Ada",
        family_name="Lovelace",
        email="ada@example.edu",
        ags_lineitem="https://m.example/42/lineitems/5/lineitem?type_id=1",
        ags_lineitems="https://m.example/42/lineitems?type_id=1",
        ags_scopes=("https://purl.imsglobal.org/spec/lti-ags/scope/score",),
        memberships_url="https://m.example/members",
        return_url="https://m.example/return",
    )


def test_a_minimal_launch():
    """Names, context, roles and grades may be absent."""
    people = ["name", "given_name", "family_name", "email", "roles"]
    places = ["context", "ags", "nrps", "launch_presentation", "target_link_uri"]
    absent = dict.fromkeys(people + places)
    it = launch(**absent, resource_link={"id": "42"})
    assert (it.name, it.email, it.context_title) == ("", "", "")
    assert (it.ags_lineitem, it.ags_lineitems, it.ags_scopes) == (None, None, ())
    assert (it.memberships_url, it.return_url, it.target_link_uri) == (None, None, "")
    assert it.role is Role.LEARNER


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"iss": None}, "no issuer"),
        ({"sub": None}, "no user id"),
        ({"sub": "  "}, "no user id"),
        ({"sub": 123}, "no user id"),
        ({"sub": "x" * 256}, "longer than 255"),
        ({"sub": "a\x00b"}, "invalid characters"),
        ({"sub": "a\ud800"}, "invalid characters"),
        ({"deployment_id": None}, "no deployment id"),
        ({"resource_link": None}, "no resource link id"),
        ({"resource_link": {"id": ["42"]}}, "no resource link id"),
        ({"resource_link": "42"}, "no resource link id"),
        ({"message_type": "LtiDeepLinkingRequest"}, "LtiDeepLinkingRequest"),
        ({"message_type": None}, "“none”"),
        ({"version": "1.1"}, "not 1.3.0"),
    ],
)
def test_missing_and_invalid_ids_are_refused(changes, message):
    """The message says which claim is wrong."""
    with pytest.raises(ClaimError, match=message):
        launch(**changes)


def test_the_name_is_composed_of_its_parts():
    """A platform may send given and family name without the full name."""
    assert launch(name=None).name == "Ada Lovelace"
    assert launch(name=None, family_name=None).name == "Ada"


def test_an_activity_is_a_course():
    """Launches of one activity have one course id, those of another have a different one."""
    assert launch().course_id == launch(sub="9", roles=None).course_id
    assert launch().course_id != launch(resource_link={"id": "43"}).course_id
    assert launch().course_id != launch(deployment_id="2").course_id


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("  Sheet\n1\t", "Sheet 1"),
        ("a\x00b\x1b[31mc\x85d", "a b [31mc d"),
        ("a\u2028b\u2029c", "a b c"),
        ("abc\u202etxt.exe", "abctxt.exe"),
        ("\u2066x\u2069", "x"),
        ("שלום\u200f עולם", "שלום\u200f עולם"),
        (
            "👩‍🔬 <script>alert(1)</script> {{x}} \"'/\\",
            "👩‍🔬 <script>alert(1)</script> {{x}} \"'/\\",
        ),
        ("a\ud800b", "a\ufffdb"),
        ("x" * 300, "x" * 255),
        (None, ""),
        (7, ""),
        (["x"], ""),
    ],
)
def test_titles_are_one_harmless_line(raw, clean):
    """Only characters that break lines, order or storage are removed."""
    assert clean_text(raw) == clean


@given(st.text(st.characters(exclude_categories=()), max_size=600))
def test_any_title_is_one_line_that_can_be_stored(raw):
    """One line, at most 255 characters, in UTF-8, and cleaning again changes nothing."""
    text = clean_text(raw)
    assert len(text) <= 255
    assert text == text.strip()
    assert not any(unicodedata.category(c) in {"Cc", "Zl", "Zp"} for c in text)
    text.encode("utf-8")
    assert clean_text(text) == text


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "//m.example/x",
        "/x",
        "https://",
        "https:///x",
        "https://m.example/a b",
        "https://m.example/\r\nX: y",
        "https://[::1/x",
        "https://m.example:99999/",
        "https://m.example:x/",
        "https://m.example/" + "x" * 2048,
        "https://m\u00fcnchen.example/",
        7,
        None,
        {},
    ],
)
def test_unusable_urls_are_dropped(url):
    """Anything but a plain absolute http(s) URL becomes None."""
    assert clean_url(url) is None


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9090/x?type_id=1", "https://[::1]:8/", "HTTPS://m.example/?a=1&b=2"]
)
def test_usable_urls_are_unchanged(url):
    """Line item URLs are compared and extended, so they must not be rewritten."""
    assert clean_url(url) == url


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text() | st.sampled_from(["id", "title", "scope", "lineitem", "locale"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_a_launch_or_a_claim_error(value):
    """JSON that is not a launch raises ClaimError, and nothing else."""
    with pytest.raises(ClaimError):
        Launch.from_claims(value, client_id="client")


@given(st.dictionaries(st.sampled_from(sorted(claims())), JSON, max_size=6))
def test_any_value_of_a_claim_is_cleaned_or_refused(changes):
    """Unexpected values in a valid launch raise ClaimError or are cleaned."""
    try:
        it = Launch.from_claims({**claims(), **changes}, client_id="client")
    except ClaimError:
        return
    for text in (it.name, it.context_title, it.resource_link_title, it.email):
        assert text == clean_text(text)
    for url in (it.ags_lineitem, it.ags_lineitems, it.memberships_url, it.return_url):
        assert url is None or url == clean_url(url)
