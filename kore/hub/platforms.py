"""Which LMS a launch comes from: the one place where issuer and client id are looked up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kore.hub.refusals import Reason, Refusal, shown


@dataclass(frozen=True)
class Platform:
    """One registration of the tool in one LMS (IMS Security Framework 1.0, 5.1.1).

    ``deployment_ids`` empty means that each deployment of the registration is served.
    ``home_url`` is where a person is sent back to when the launch names no better place.
    ``namespace`` keeps apart people of an additional platform (``kore.shared.lti.identity``).
    """

    issuer: str
    client_id: str
    authorize_url: str
    jwks_url: str
    token_url: str
    deployment_ids: frozenset[str] = frozenset()
    home_url: str = ""
    namespace: bool = False


def find_platform(platforms: Iterable[Platform], issuer: str, client_id: str) -> Platform:
    """Return the registration that a login begins for.

    An LMS may leave out the client id (LTI 1.3 core, 4.1.3): then the issuer must have one
    registration only. Raises ``Refusal``.
    """
    registered = tuple(platforms)
    of_issuer = [p for p in registered if p.issuer == issuer]
    if not of_issuer:
        raise Refusal(Reason.UNKNOWN_ISSUER, _foreign(issuer, registered))
    if client_id:
        of_issuer = [p for p in of_issuer if p.client_id == client_id]
        if not of_issuer:
            raise Refusal(
                Reason.UNKNOWN_CLIENT, f"client id {shown(client_id)} is not configured here"
            )
    if len(of_issuer) > 1:
        raise Refusal(
            Reason.UNKNOWN_CLIENT,
            f"the LMS sent no client id and {len(of_issuer)} are configured for its issuer",
        )
    return of_issuer[0]


def _foreign(issuer: str, registered: tuple[Platform, ...]) -> str:
    for platform in registered:
        if platform.issuer.rstrip("/") == issuer.rstrip("/"):
            return (
                f"issuer {shown(issuer)} is not the configured {shown(platform.issuer)}: "
                "they differ by a slash at the end"
            )
    known = ", ".join(sorted({shown(p.issuer) for p in registered})) or "none"
    return f"issuer {shown(issuer)} is not configured here (configured: {known})"
