"""Profiles of LMSs: how they differ where the standard leaves room, or where they deviate.

Each field is one observed difference. The code asks for the difference, never for a name.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LmsProfile:
    """The differences of one LMS."""

    name: str
    product: str
    version: str
    # Parameters of every service URL that a request must repeat.
    query: tuple[tuple[str, str], ...] = ()
    # UUID subjects, opaque course and link ids.
    opaque_ids: bool = False
    audience_list: bool = False
    sub_roles: bool = False
    plain_titles: bool = False
    # "reason": `[]` with the cause in the reason phrase; "json"; "problem" (RFC 9457).
    errors: str = "problem"
    token_type: str = "application/json"  # noqa: S105 (a media type)
    broken_token_errors: bool = False
    # Media types: "exact" (only the type), "named" (the type must be in the list), "any".
    types: str = "named"
    require_prompt: bool = False
    whole_seconds: bool = False
    # Ids must be texts, and times must have a zone and a fraction of a second.
    exact_values: bool = False
    # Status of the page for an unregistered redirect address.
    unregistered_status: int = 400
    # Status for a timestamp that is not newer than the stored one.
    stale_status: int = 409
    equal_is_stale: bool = True
    keeps_comment: bool = False
    clears_unfinished: bool = False
    silent_override: bool = False
    suspended_scored: bool = False
    suspended_listed: bool = False
    short_roles: bool = False
    crashing_user_ids: bool = False
    unknown_user_status: int = 404
    locked_status: int = 403
    score_status: int = 204
    score_body: bool = False
    own_lineitem_always: bool = False
    page_size: int | None = None
    broken_links: bool = False
    forgets_role_filter: bool = False
    results_limit_fails: bool = False
    missing_scope_status: int = 403
    result_time: bool = False
    max_concurrent: int | None = None
    throttle_status: int = 429
    institution_roles: bool = False


MOODLE = LmsProfile(
    name="moodle",
    product="moodle",
    version="2024100706",
    query=(("type_id", "1"),),
    plain_titles=True,
    errors="reason",
    token_type="text/html; charset=utf-8",  # noqa: S106
    broken_token_errors=True,
    unregistered_status=404,
    types="exact",
    whole_seconds=True,
    clears_unfinished=True,
    silent_override=True,
    suspended_scored=True,
    short_roles=True,
    crashing_user_ids=True,
    unknown_user_status=400,
    locked_status=500,
    score_status=200,
    broken_links=True,
    forgets_role_filter=True,
    results_limit_fails=True,
    missing_scope_status=401,
    result_time=True,
)

CANVAS = LmsProfile(
    name="canvas",
    product="canvas",
    version="cloud",
    opaque_ids=True,
    sub_roles=True,
    institution_roles=True,
    errors="json",
    types="any",
    stale_status=400,
    equal_is_stale=False,
    keeps_comment=True,
    unknown_user_status=422,
    locked_status=422,
    score_status=200,
    score_body=True,
    own_lineitem_always=True,
    page_size=10,
    missing_scope_status=401,
    max_concurrent=3,
)

STRICT = LmsProfile(
    name="strict",
    product="linden",
    version="1.0",
    query=(("tool", "1"), ("deployment", "1")),
    audience_list=True,
    suspended_listed=True,
    sub_roles=True,
    require_prompt=True,
    exact_values=True,
    page_size=5,
)

PROFILES = {profile.name: profile for profile in (MOODLE, CANVAS, STRICT)}
