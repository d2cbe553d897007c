"""Finds the LMS that a launch comes from, by issuer and client id."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kore.hub.reasons import Reason
from kore.hub.refusals import Refusal, quote_untrusted


@dataclass(frozen=True)
class Platform:
    """One registration of the tool in one LMS (IMS Security Framework 1.0, 5.1.1).

    If ``deployment_ids`` is empty, every deployment of the registration may launch.
    ``home_url`` is where pages send a person back to if the launch names no better URL.
    ``service_hosts`` are hosts to which Kore may send tokens and scores besides those of the URLs.
    ``namespace`` separates the people of an additional platform (``kore.shared.lti.identity``).
    """

    issuer: str
    client_id: str
    authorize_url: str
    jwks_url: str
    token_url: str
    deployment_ids: frozenset[str] = frozenset()
    home_url: str = ""
    namespace: bool = False
    service_hosts: tuple[str, ...] = ()


def find_platform(platforms: Iterable[Platform], issuer: str, client_id: str) -> Platform:
    """Return the registration that a login is for.

    An LMS may omit the client id (LTI 1.3 core, 4.1.3): then the issuer must have only one
    registration. Raises ``Refusal``.
    """
    registered = tuple(platforms)
    of_issuer = [p for p in registered if p.issuer == issuer]
    if not of_issuer:
        raise Refusal(Reason.UNKNOWN_ISSUER, _describe_unknown_issuer(issuer, registered))
    if client_id:
        of_issuer = [p for p in of_issuer if p.client_id == client_id]
        if not of_issuer:
            raise Refusal(
                Reason.UNKNOWN_CLIENT,
                f"client id {quote_untrusted(client_id)} is not configured here",
            )
    if len(of_issuer) > 1:
        raise Refusal(
            Reason.UNKNOWN_CLIENT,
            f"the LMS sent no client id and {len(of_issuer)} are configured for its issuer",
        )
    return of_issuer[0]


def _describe_unknown_issuer(issuer: str, registered: tuple[Platform, ...]) -> str:
    for platform in registered:
        if platform.issuer.rstrip("/") == issuer.rstrip("/"):
            return (
                f"issuer {quote_untrusted(issuer)} is not the configured "
                f"{quote_untrusted(platform.issuer)}: "
                "they differ by a trailing slash"
            )
    known = ", ".join(sorted({quote_untrusted(p.issuer) for p in registered})) or "none"
    return f"issuer {quote_untrusted(issuer)} is not configured here (configured: {known})"
