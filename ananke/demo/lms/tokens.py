"""Access tokens for the services: client credentials with a signed assertion (RFC 7523).

1EdTech Security Framework 1.0, section 4.1.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from typing import Any

import jwt
from flask import Response, request
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from ananke.demo.lms.platform import Platform, get_current_platform
from ananke.demo.lms.store import Token, UsedAssertion
from ananke.demo.lms.tool_keys import KeysetUnreachableError

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MAX_ASSERTION_SECONDS = 3600


class TokenError(Exception):
    """A refused token request: OAuth error code and description."""

    def __init__(
        self, code: str, description: str, *, status: int = 400, broken: bool = False
    ) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.status = status
        self.broken = broken


def issue_token() -> Response:
    """Answer a token request."""
    lms = get_current_platform()
    try:
        asked = _read_requested_scopes()
        claims = _verify_assertion(lms, request.form.get("client_assertion", ""))
        return _create_token(lms, claims, asked)
    except KeysetUnreachableError as error:
        if lms.profile.broken_token_errors:
            page = "<!DOCTYPE html><title>Error</title><p>Exception - cannot read the key set</p>"
            return Response(page, status=404, content_type="text/html; charset=utf-8")
        return _make_error_response(lms, TokenError("invalid_client", str(error), status=401))
    except TokenError as error:
        return _make_error_response(lms, error)


def _read_requested_scopes() -> list[str]:
    """Check the form except for the assertion; return the requested scopes."""
    form = request.form
    if request.mimetype != "application/x-www-form-urlencoded":
        raise TokenError("invalid_request", "The body must be a form.")
    if form.get("grant_type") != "client_credentials":
        raise TokenError("unsupported_grant_type", "grant_type must be client_credentials.")
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise TokenError("invalid_request", f"client_assertion_type must be {ASSERTION_TYPE}.")
    asked = form.get("scope", "").split()
    if not asked:
        raise TokenError("invalid_scope", "No scope was requested.")
    return asked


def _make_error_response(lms: Platform, error: TokenError) -> Response:
    if error.broken and lms.profile.broken_token_errors:
        # As observed: the description is inserted without escaping.
        text = f'{{"error":"{error.code}","error_description":"Refused: "{error.description}""}}'
    else:
        text = json.dumps({"error": error.code, "error_description": error.description})
    return Response(text, status=error.status, content_type=lms.profile.token_type)


def _verify_assertion(lms: Platform, assertion: str) -> dict[str, Any]:
    """Return the claims of a client assertion, verified with the tool's keys."""
    try:
        header = jwt.get_unverified_header(assertion)
    except jwt.PyJWTError as error:
        raise TokenError("invalid_client", "The client assertion is not a JWT.") from error
    kid = header.get("kid")
    if header.get("alg") != "RS256" or not isinstance(kid, str):
        raise TokenError("invalid_client", "The assertion needs RS256 and a kid.", broken=True)
    claims = _check_signature(lms, assertion, kid)
    client = lms.config.client_id
    if claims.get("iss") != client or claims.get("sub") != client:
        raise TokenError("invalid_client", "iss and sub must be the client id.", status=401)
    jti = claims["jti"]
    if not isinstance(jti, str) or not jti:
        raise TokenError("invalid_client", "jti must be a text.")
    if claims["exp"] - claims["iat"] > MAX_ASSERTION_SECONDS:
        raise TokenError("invalid_client", "The assertion may be valid for at most one hour.")
    return claims


def _check_signature(lms: Platform, assertion: str, kid: str) -> dict[str, Any]:
    """Verify with the cached key, and with a new one if that fails."""
    key = lms.tool_keys.find(kid)
    if key is not None:
        try:
            return _decode(lms, assertion, key)
        except jwt.InvalidSignatureError:
            pass
        except jwt.PyJWTError as error:
            raise TokenError("invalid_client", str(error), broken=True) from error
    lms.tool_keys.refresh()
    key = lms.tool_keys.find(kid)
    if key is None:
        raise TokenError("invalid_client", f"The key set has no key {kid[:80]!r}.", broken=True)
    try:
        return _decode(lms, assertion, key)
    except jwt.PyJWTError as error:
        raise TokenError("invalid_client", str(error), broken=True) from error


def _decode(lms: Platform, assertion: str, key: jwt.PyJWK) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(
        assertion,
        key,
        algorithms=["RS256"],
        audience=lms.config.token_url,
        options={"require": ["iss", "sub", "aud", "exp", "iat", "jti"]},
    )
    return claims


def _create_token(lms: Platform, claims: dict[str, Any], asked: list[str]) -> Response:
    granted = [scope for scope in asked if scope in lms.behaviour.settings.granted_scopes]
    if not granted:
        raise TokenError("invalid_scope", "None of the scopes is granted to this tool.")
    now = time.time()
    lifetime = lms.behaviour.settings.token_lifetime_s
    token = secrets.token_hex(32)
    try:
        with lms.store.write_session() as session:
            session.execute(delete(UsedAssertion).where(UsedAssertion.ends_at < now))
            session.execute(delete(Token).where(Token.ends_at < now))
            session.add(UsedAssertion(jti=claims["jti"], ends_at=float(claims["exp"])))
            session.add(
                Token(
                    digest=_compute_digest(token), scopes=" ".join(granted), ends_at=now + lifetime
                )
            )
    except IntegrityError as error:
        raise TokenError("invalid_client", "The assertion was already used.") from error
    body = {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": lifetime,
        "scope": " ".join(granted),
    }
    headers = {"Cache-Control": "no-store"}
    return Response(json.dumps(body), headers=headers, content_type=lms.profile.token_type)


def find_bearer_scopes(header: str) -> set[str] | None:
    """Return the scopes of a valid `Authorization: Bearer` header, else None."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        return None
    with get_current_platform().store.read_session() as session:
        found = session.get(Token, _compute_digest(token.strip()))
    if found is None or found.ends_at <= time.time():
        return None
    return set(found.scopes.split())


def _compute_digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
