"""The configuration of one LMS: its URL, its state directory, and its tool."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

CLIENT_ID = "linden-ananke"
DEPLOYMENT_ID = "1"

SCOPE_LINEITEM = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem"
SCOPE_LINEITEM_READ = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem.readonly"
SCOPE_RESULT = "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly"
SCOPE_SCORE = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
SCOPE_MEMBERS = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
AGS_SCOPES = (SCOPE_LINEITEM, SCOPE_LINEITEM_READ, SCOPE_RESULT, SCOPE_SCORE)
ALL_SCOPES = (*AGS_SCOPES, SCOPE_MEMBERS)

HTTP_SCHEMES = ("http", "https")


def get_origin(url: str) -> str:
    """Return scheme, host and port of an absolute http(s) URL; ValueError for anything else."""
    parts = urlsplit(url)
    if parts.scheme not in HTTP_SCHEMES or not parts.hostname:
        msg = f"{url!r} is not an absolute http or https URL."
        raise ValueError(msg)
    return f"{parts.scheme}://{parts.netloc}"


@dataclass(frozen=True)
class Registration:
    """What platform and tool know of each other (LTI 1.3 core, section 3.1.3)."""

    client_id: str
    deployment_id: str
    initiation_url: str
    redirect_uris: tuple[str, ...]
    keyset_url: str
    target_link_uri: str


@dataclass(frozen=True)
class LmsConfig:
    """Settings of one LMS. `url` is its issuer; browsers and the tool must reach it there."""

    url: str
    tool_url: str
    state_dir: Path
    profile: str = "moodle"
    client_id: str = CLIENT_ID
    deployment_id: str = DEPLOYMENT_ID
    keyset_url: str = ""

    def __post_init__(self) -> None:
        """Refuse URLs that no browser could open."""
        get_origin(self.url)
        get_origin(self.tool_url)
        object.__setattr__(self, "url", self.url.rstrip("/"))
        object.__setattr__(self, "tool_url", self.tool_url.rstrip("/"))

    @property
    def issuer(self) -> str:
        """The `iss` of every id_token."""
        return self.url

    @property
    def authorize_url(self) -> str:
        """OIDC authentication endpoint."""
        return f"{self.url}/lti/auth"

    @property
    def jwks_url(self) -> str:
        """The platform's public keys."""
        return f"{self.url}/lti/jwks"

    @property
    def token_url(self) -> str:
        """OAuth 2 token endpoint."""
        return f"{self.url}/lti/token"

    @property
    def registration(self) -> Registration:
        """The one tool of this LMS: a hub with Kore below `tool_url`."""
        return Registration(
            client_id=self.client_id,
            deployment_id=self.deployment_id,
            initiation_url=f"{self.tool_url}/hub/lti13/oauth_login",
            redirect_uris=(f"{self.tool_url}/hub/lti13/oauth_callback",),
            keyset_url=self.keyset_url or f"{self.tool_url}/services/kore/jwks",
            target_link_uri=f"{self.tool_url}/hub",
        )
