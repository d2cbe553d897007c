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

from ananke.demo.lms.platform import Platform, platform
from ananke.demo.lms.store import Token, UsedAssertion
from ananke.demo.lms.toolkeys import KeysetUnreachableError

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MAX_ASSERTION_SECONDS = 3600


class TokenError(Exception):
    """A refused token request: OAuth error code and description."""

    def __init__(self, code: str, words: str, *, status: int = 400, broken: bool = False) -> None:
        super().__init__(words)
        self.code = code
        self.words = words
        self.status = status
        self.broken = broken


def grant() -> Response:
    """Answer a token request."""
    lms = platform()
    try:
        asked = _asked_scopes()
        claims = _verified(lms, request.form.get("client_assertion", ""))
        return _issue(lms, claims, asked)
    except KeysetUnreachableError as error:
        if lms.manner.broken_token_errors:
            page = "<!DOCTYPE html><title>Error</title><p>Exception - cannot read the key set</p>"
            return Response(page, status=404, content_type="text/html; charset=utf-8")
        return _refusal(lms, TokenError("invalid_client", str(error), status=401))
    except TokenError as error:
        return _refusal(lms, error)


def _asked_scopes() -> list[str]:
    """Check the form but for the assertion; gives the scopes asked for."""
    form = request.form
    if request.mimetype != "application/x-www-form-urlencoded":
        raise TokenError("invalid_request", "The body must be a form.")
    if form.get("grant_type") != "client_credentials":
        raise TokenError("unsupported_grant_type", "grant_type must be client_credentials.")
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise TokenError("invalid_request", f"client_assertion_type must be {ASSERTION_TYPE}.")
    asked = form.get("scope", "").split()
    if not asked:
        raise TokenError("invalid_scope", "No scope was asked for.")
    return asked


def _refusal(lms: Platform, error: TokenError) -> Response:
    if error.broken and lms.manner.broken_token_errors:
        # As observed: the description is pasted in unescaped.
        text = f'{{"error":"{error.code}","error_description":"Refused: "{error.words}""}}'
    else:
        text = json.dumps({"error": error.code, "error_description": error.words})
    return Response(text, status=error.status, content_type=lms.manner.token_type)


def _verified(lms: Platform, assertion: str) -> dict[str, Any]:
    """Claims of a client assertion that holds against the tool's keys."""
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
        raise TokenError("invalid_client", "The assertion may live an hour at most.")
    return claims


def _check_signature(lms: Platform, assertion: str, kid: str) -> dict[str, Any]:
    """Verify with the kept key, and with a fresh one when that fails."""
    key = lms.tool_keys.known(kid)
    if key is not None:
        try:
            return _decode(lms, assertion, key)
        except jwt.InvalidSignatureError:
            pass
        except jwt.PyJWTError as error:
            raise TokenError("invalid_client", str(error), broken=True) from error
    lms.tool_keys.fetch()
    key = lms.tool_keys.known(kid)
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


def _issue(lms: Platform, claims: dict[str, Any], asked: list[str]) -> Response:
    granted = [scope for scope in asked if scope in lms.behaviour.settings.granted_scopes]
    if not granted:
        raise TokenError("invalid_scope", "None of the scopes is granted to this tool.")
    now = time.time()
    lifetime = lms.behaviour.settings.token_lifetime_s
    token = secrets.token_hex(32)
    try:
        with lms.store.writing() as session:
            session.execute(delete(UsedAssertion).where(UsedAssertion.ends_at < now))
            session.execute(delete(Token).where(Token.ends_at < now))
            session.add(UsedAssertion(jti=claims["jti"], ends_at=float(claims["exp"])))
            session.add(
                Token(digest=_digest(token), scopes=" ".join(granted), ends_at=now + lifetime)
            )
    except IntegrityError as error:
        raise TokenError("invalid_client", "The assertion was used before.") from error
    body = {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": lifetime,
        "scope": " ".join(granted),
    }
    headers = {"Cache-Control": "no-store"}
    return Response(json.dumps(body), headers=headers, content_type=lms.manner.token_type)


def bearer_scopes(header: str) -> set[str] | None:
    """Return the scopes of a valid `Authorization: Bearer` header, else None."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        return None
    with platform().store.reading() as session:
        found = session.get(Token, _digest(token.strip()))
    if found is None or found.ends_at <= time.time():
        return None
    return set(found.scopes.split())


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
