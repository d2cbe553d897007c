"""Verifies id_tokens.

OpenID Connect core 3.1.3.7, IMS Security Framework 1.0 section 5.1.3, LTI 1.3 core section 5.3.
Each error has its own reason. Uses no network and no state: callers pass the key and the nonce.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from kore.hub.platforms import Platform
from kore.hub.reasons import Reason
from kore.hub.refusals import Refusal, quote_untrusted
from kore.shared.lti.claims import RESOURCE_LINK_REQUEST

LTI = "https://purl.imsglobal.org/spec/lti/claim/"
ALGORITHM = "RS256"
# Far above any real token (a few KiB); limits the cost of reading one.
MAX_TOKEN = 64 * 1024
_SIGNATURE_ONLY = {
    "verify_signature": True,
    **{f"verify_{claim}": False for claim in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")},
}


@dataclass(frozen=True)
class TimeLimits:
    """By how much clocks may differ and how old a token may be, in seconds."""

    leeway: float = 10
    max_age: float = 600


def read_key_id(token: str) -> str | None:
    """Return the ``kid`` of a token that claims to be signed with RS256, None if it has none."""
    if len(token) > MAX_TOKEN:
        raise Refusal(Reason.MALFORMED, f"the id_token has {len(token)} characters")
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise Refusal(
            Reason.MALFORMED, f"the id_token is not a JWT: {quote_untrusted(str(error))}"
        ) from error
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm.lower() in {"", "none"}:
        raise Refusal(Reason.UNSIGNED, "the id_token is not signed (alg none)")
    if algorithm != ALGORITHM:
        raise Refusal(
            Reason.ALGORITHM,
            f"the id_token is signed with {quote_untrusted(algorithm, 20)}, not {ALGORITHM}",
        )
    kid = header.get("kid")
    return kid if isinstance(kid, str) else None


def verify_signature(token: str, key: RSAPublicKey) -> dict[str, Any]:
    """Return the claims of a token that was signed with the private half of ``key``.

    Raises ``Refusal``.
    """
    try:
        claims = jwt.decode(token, key, algorithms=[ALGORITHM], options=_SIGNATURE_ONLY)  # type: ignore[arg-type]
    except jwt.InvalidSignatureError as error:
        raise Refusal(
            Reason.SIGNATURE, "the id_token's signature does not match its key"
        ) from error
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise Refusal(
            Reason.MALFORMED, f"cannot read the id_token: {quote_untrusted(str(error))}"
        ) from error
    return dict(claims)


def check_claims(
    claims: Mapping[str, Any], platform: Platform, *, nonce: str, now: float, limits: TimeLimits
) -> None:
    """Raise ``Refusal`` unless the claims sign someone in to the login with this ``nonce``.

    ``now`` is in seconds since 1970. What LMSs omit in practice may be absent: names, context,
    roles, target link, grades.
    """
    _check_parties(claims, platform)
    _check_times(claims, now, limits)
    _check_nonce(claims, nonce)
    _check_message(claims, platform)


def _check_parties(claims: Mapping[str, Any], platform: Platform) -> None:
    if claims.get("iss") != platform.issuer:
        raise Refusal(
            Reason.ISSUER,
            f"the id_token's issuer {quote_untrusted(claims.get('iss'))} is not "
            f"{quote_untrusted(platform.issuer)}",
        )
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if platform.client_id not in audiences:
        raise Refusal(
            Reason.AUDIENCE,
            f"the id_token's audience {quote_untrusted(audience)} does not name "
            f"{quote_untrusted(platform.client_id)}",
        )
    party = claims.get("azp")
    if party is None and len(audiences) > 1:
        raise Refusal(
            Reason.AUTHORIZED_PARTY, f"the id_token names {len(audiences)} audiences and no azp"
        )
    if party is not None and party != platform.client_id:
        raise Refusal(
            Reason.AUTHORIZED_PARTY,
            f"the id_token's azp {quote_untrusted(party)} is not "
            f"{quote_untrusted(platform.client_id)}",
        )


def _check_times(claims: Mapping[str, Any], now: float, limits: TimeLimits) -> None:
    expires, issued = _read_time(claims, "exp"), _read_time(claims, "iat")
    valid_from = _read_time(claims, "nbf") if claims.get("nbf") is not None else issued
    if max(issued, valid_from) > now + limits.leeway:
        raise Refusal(
            Reason.FUTURE,
            f"the id_token becomes valid {max(issued, valid_from) - now:.0f} s in the future: "
            "the clocks of LMS and hub differ",
        )
    if expires <= now - limits.leeway:
        raise Refusal(Reason.EXPIRED, f"the id_token expired {now - expires:.0f} s ago")
    if issued < now - limits.max_age - limits.leeway:
        raise Refusal(
            Reason.TOO_OLD,
            f"the id_token was issued {now - issued:.0f} s ago, more than {limits.max_age:.0f} s",
        )


def _read_time(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
        raise Refusal(
            Reason.MALFORMED, f"the id_token's {name} is {quote_untrusted(value, 40)}, not a time"
        )
    return float(value)


def _is_finite(value: float) -> bool:
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
        raise Refusal(
            Reason.VERSION, f"the LTI version is {quote_untrusted(version, 40)}, not '1.3.0'"
        )
    deployment = claims.get(LTI + "deployment_id")
    if not isinstance(deployment, str) or not deployment:
        raise Refusal(Reason.NO_DEPLOYMENT, "the id_token has no deployment id")
    if platform.deployment_ids and deployment not in platform.deployment_ids:
        raise Refusal(
            Reason.DEPLOYMENT, f"deployment id {quote_untrusted(deployment)} is not configured here"
        )
    kind = claims.get(LTI + "message_type")
    if kind == "LtiDeepLinkingRequest":
        raise Refusal(Reason.DEEP_LINKING, "deep linking is not supported yet")
    if kind != RESOURCE_LINK_REQUEST:
        raise Refusal(
            Reason.MESSAGE_TYPE,
            f"the message type is {quote_untrusted(kind, 60)}, not '{RESOURCE_LINK_REQUEST}'",
        )
    link = claims.get(LTI + "resource_link")
    if not isinstance(link, dict) or not link.get("id"):
        raise Refusal(Reason.NO_RESOURCE_LINK, "the id_token has no resource link id")
    if not claims.get("sub"):
        raise Refusal(Reason.NO_SUB, "the id_token has no sub: an anonymous launch")
