"""Whether an id_token may sign somebody in.

OpenID Connect core 3.1.3.7, IMS Security Framework 1.0 section 5.1.3, LTI 1.3 core
section 5.3. Each way to be wrong has its own reason. No network and no state here: the key
and the nonce are given.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from kore.hub.platforms import Platform
from kore.hub.refusals import Reason, Refusal, shown
from kore.shared.lti.claims import RESOURCE_LINK_REQUEST

LTI = "https://purl.imsglobal.org/spec/lti/claim/"
ALGORITHM = "RS256"
# Far above any real token (a few KiB): the cost of reading one stays bounded.
MAX_TOKEN = 64 * 1024
_SIGNATURE_ONLY = {
    "verify_signature": True,
    **{f"verify_{claim}": False for claim in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")},
}


@dataclass(frozen=True)
class Times:
    """How much the clocks may differ and how old a token may be, in seconds."""

    leeway: float = 10
    max_age: float = 600


def key_id(token: str) -> str | None:
    """Return the ``kid`` of a token that says it is signed with RS256, None if it has none."""
    if len(token) > MAX_TOKEN:
        raise Refusal(Reason.MALFORMED, f"the id_token has {len(token)} characters")
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise Refusal(Reason.MALFORMED, f"the id_token is no JWT: {shown(str(error))}") from error
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm.lower() in {"", "none"}:
        raise Refusal(Reason.UNSIGNED, "the id_token is not signed (alg none)")
    if algorithm != ALGORITHM:
        raise Refusal(
            Reason.ALGORITHM, f"the id_token is signed with {shown(algorithm, 20)}, not {ALGORITHM}"
        )
    kid = header.get("kid")
    return kid if isinstance(kid, str) else None


def verified_claims(token: str, key: RSAPublicKey) -> dict[str, Any]:
    """Return the claims of a token that was signed with the private half of ``key``."""
    try:
        claims = jwt.decode(token, key, algorithms=[ALGORITHM], options=_SIGNATURE_ONLY)  # type: ignore[arg-type]
    except jwt.InvalidSignatureError as error:
        raise Refusal(
            Reason.SIGNATURE, "the id_token's signature does not fit the key it names"
        ) from error
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise Refusal(
            Reason.MALFORMED, f"the id_token cannot be read: {shown(str(error))}"
        ) from error
    return dict(claims)


def check_claims(
    claims: Mapping[str, Any], platform: Platform, *, nonce: str, now: float, times: Times
) -> None:
    """Refuse claims that do not sign somebody in for a login that ``nonce`` stands for.

    ``now`` is in seconds since 1970. What an LMS leaves out in practice may be absent:
    names, context, roles, target link, grades.
    """
    _check_parties(claims, platform)
    _check_times(claims, now, times)
    _check_nonce(claims, nonce)
    _check_message(claims, platform)


def _check_parties(claims: Mapping[str, Any], platform: Platform) -> None:
    if claims.get("iss") != platform.issuer:
        raise Refusal(
            Reason.ISSUER,
            f"the id_token's issuer {shown(claims.get('iss'))} is not {shown(platform.issuer)}",
        )
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if platform.client_id not in named:
        raise Refusal(
            Reason.AUDIENCE,
            f"the id_token's audience {shown(audience)} does not name {shown(platform.client_id)}",
        )
    party = claims.get("azp")
    if party is None and len(named) > 1:
        raise Refusal(
            Reason.AUTHORIZED_PARTY, f"the id_token names {len(named)} audiences and no azp"
        )
    if party is not None and party != platform.client_id:
        raise Refusal(
            Reason.AUTHORIZED_PARTY,
            f"the id_token's azp {shown(party)} is not {shown(platform.client_id)}",
        )


def _check_times(claims: Mapping[str, Any], now: float, times: Times) -> None:
    ends, issued = _moment(claims, "exp"), _moment(claims, "iat")
    begins = _moment(claims, "nbf") if claims.get("nbf") is not None else issued
    if max(issued, begins) > now + times.leeway:
        raise Refusal(
            Reason.FUTURE,
            f"the id_token begins {max(issued, begins) - now:.0f} s in the future: "
            "the clocks of LMS and hub differ",
        )
    if ends <= now - times.leeway:
        raise Refusal(Reason.EXPIRED, f"the id_token ended {now - ends:.0f} s ago")
    if issued < now - times.max_age - times.leeway:
        raise Refusal(
            Reason.TOO_OLD,
            f"the id_token was issued {now - issued:.0f} s ago, more than {times.max_age:.0f} s",
        )


def _moment(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not _finite(value):
        raise Refusal(Reason.MALFORMED, f"the id_token's {name} is {shown(value, 40)}, no time")
    return float(value)


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _check_nonce(claims: Mapping[str, Any], nonce: str) -> None:
    received = claims.get("nonce")
    if not isinstance(received, str) or not received:
        raise Refusal(Reason.NO_NONCE, "the id_token has no nonce")
    if received != nonce:
        raise Refusal(Reason.NONCE, "the id_token's nonce belongs to another login")


def _check_message(claims: Mapping[str, Any], platform: Platform) -> None:
    version = claims.get(LTI + "version")
    if version != "1.3.0":
        raise Refusal(Reason.VERSION, f"the LTI version is {shown(version, 40)}, not '1.3.0'")
    deployment = claims.get(LTI + "deployment_id")
    if not isinstance(deployment, str) or not deployment:
        raise Refusal(Reason.NO_DEPLOYMENT, "the id_token has no deployment id")
    if platform.deployment_ids and deployment not in platform.deployment_ids:
        raise Refusal(
            Reason.DEPLOYMENT, f"deployment id {shown(deployment)} is not configured here"
        )
    kind = claims.get(LTI + "message_type")
    if kind == "LtiDeepLinkingRequest":
        raise Refusal(Reason.DEEP_LINKING, "a deep linking request, which is not offered yet")
    if kind != RESOURCE_LINK_REQUEST:
        raise Refusal(
            Reason.MESSAGE_TYPE,
            f"the message type is {shown(kind, 60)}, not '{RESOURCE_LINK_REQUEST}'",
        )
    link = claims.get(LTI + "resource_link")
    if not isinstance(link, dict) or not link.get("id"):
        raise Refusal(Reason.NO_RESOURCE_LINK, "the id_token has no resource link id")
    if not claims.get("sub"):
        raise Refusal(Reason.NO_SUB, "the id_token has no sub: an anonymous launch")
