"""Reads a launch from the claims of a verified id_token, and cleans it.

The signature proves who wrote the claims, not that they are harmless: people type titles and
names. Ids are kept exactly or refused, text becomes one line, and anything but an http or https
URL is dropped. Whatever an LMS may omit may be absent.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from kore.shared.lti.identity import derive_course_id
from kore.shared.lti.roles import parse_role
from kore.shared.roles import Role

_LTI = "https://purl.imsglobal.org/spec/lti/claim/"
_AGS = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
_NRPS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"

RESOURCE_LINK_REQUEST = "LtiResourceLinkRequest"

MAX_TEXT = 255
_MAX_URL = 2048
_MAX_SCOPES = 32
# Characters that override the direction of text, and the byte order mark. The marks that
# right-to-left text needs (U+200E, U+200F, U+061C) and emoji joiners stay.
_FORMATTING = re.compile("[\u202a-\u202e\u2066-\u2069\ufeff]")
_URL = re.compile(r"[!-~]+")


class ClaimError(ValueError):
    """A launch with unusable claims. The message is for a person."""


def clean_text(value: Any, limit: int = MAX_TEXT) -> str:
    """Return untrusted text as one line of at most ``limit`` characters, "" if it is not text.

    Control characters and line ends become spaces, overrides of the text direction are
    removed, and what no database can store is replaced. Markup stays: it is text, and pages
    escape it.
    """
    if not isinstance(value, str):
        return ""
    # Reads no more than this: the cost of hostile input stays bounded.
    text = _FORMATTING.sub("", value[: limit * 8])
    text = "".join(_clean_character(c) for c in text)
    return " ".join(text.split())[:limit].rstrip()


def _clean_character(character: str) -> str:
    category = unicodedata.category(character)
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    return "\ufffd" if category == "Cs" else character


def clean_url(value: Any) -> str | None:
    """Return an absolute http(s) URL unchanged, or None for anything else."""
    if not isinstance(value, str) or len(value) > _MAX_URL or not _URL.fullmatch(value):
        return None
    try:
        parts = urlsplit(value)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return value if usable and parts.scheme in {"http", "https"} else None


def _identifier(value: Any, what: str) -> str:
    """Return an id exactly as the LMS wrote it: ids are compared, so none is changed."""
    if not isinstance(value, str) or not value.strip():
        raise ClaimError(f"The launch has no {what}.")
    if len(value) > MAX_TEXT:
        raise ClaimError(f"The launch's {what} is longer than {MAX_TEXT} characters.")
    if any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in value):
        raise ClaimError(f"The launch's {what} has invalid characters.")
    return value


def _member(claims: dict[str, Any], name: str) -> dict[str, Any]:
    value = claims.get(name)
    return value if isinstance(value, dict) else {}


def _scopes(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    scopes = (s for s in value[:_MAX_SCOPES] if isinstance(s, str) and len(s) <= MAX_TEXT)
    return tuple(s for s in scopes if _URL.fullmatch(s))


@dataclass(frozen=True)
class Launch:
    """One person's launch of one LMS activity (LTI 1.3 core, section 5.3).

    ``ags_lineitem`` is set only if the activity has exactly one line item, ``ags_lineitems``
    only if the tool may use grades. Texts are one line each, "" if absent.
    """

    issuer: str
    client_id: str
    deployment_id: str
    sub: str
    target_link_uri: str
    resource_link_id: str
    resource_link_title: str
    context_title: str
    context_label: str
    role: Role
    name: str
    given_name: str
    family_name: str
    email: str
    ags_lineitem: str | None
    ags_lineitems: str | None
    ags_scopes: tuple[str, ...]
    memberships_url: str | None
    return_url: str | None

    @classmethod
    def from_claims(cls, claims: Any, *, client_id: str) -> Launch:
        """Return the launch in the claims of an id_token with verified signature and audience.

        Raises ``ClaimError``, and no other error for any claims, if they do not say who
        launches what.
        """
        if not isinstance(claims, dict):
            raise ClaimError("The launch's claims are not a JSON object.")
        kind = claims.get(_LTI + "message_type")
        if kind != RESOURCE_LINK_REQUEST:
            raise ClaimError(
                f"The launch has the message type “{clean_text(kind, 64) or 'none'}”. "
                "Only launching an activity opens a course."
            )
        version = claims.get(_LTI + "version")
        if version != "1.3.0":
            raise ClaimError(
                f"The launch has the LTI version “{clean_text(version, 16) or 'none'}”, not 1.3.0."
            )
        link = _member(claims, _LTI + "resource_link")
        context = _member(claims, _LTI + "context")
        presentation = _member(claims, _LTI + "launch_presentation")
        ags = _member(claims, _AGS)
        given, family = clean_text(claims.get("given_name")), clean_text(claims.get("family_name"))
        return cls(
            issuer=_identifier(claims.get("iss"), "issuer"),
            client_id=_identifier(client_id, "client id"),
            deployment_id=_identifier(claims.get(_LTI + "deployment_id"), "deployment id"),
            sub=_identifier(claims.get("sub"), "user id (sub)"),
            target_link_uri=clean_url(claims.get(_LTI + "target_link_uri")) or "",
            resource_link_id=_identifier(link.get("id"), "resource link id"),
            resource_link_title=clean_text(link.get("title")),
            context_title=clean_text(context.get("title")),
            context_label=clean_text(context.get("label")),
            role=parse_role(claims.get(_LTI + "roles")),
            name=clean_text(claims.get("name")) or clean_text(f"{given} {family}"),
            given_name=given,
            family_name=family,
            email=clean_text(claims.get("email")),
            ags_lineitem=clean_url(ags.get("lineitem")),
            ags_lineitems=clean_url(ags.get("lineitems")),
            ags_scopes=_scopes(ags.get("scope")),
            memberships_url=clean_url(_member(claims, _NRPS).get("context_memberships_url")),
            return_url=clean_url(presentation.get("return_url")),
        )

    @property
    def course_id(self) -> str:
        """The id of the launched activity's course."""
        return derive_course_id(
            self.issuer, self.client_id, self.deployment_id, self.resource_link_id
        )
