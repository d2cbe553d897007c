"""The hosts to which a platform's access tokens and scores may go.

A launch names the URLs of the grade services, and anyone who can influence it could name any. So
they must be at the platform's registered endpoints, or where the hub's administrator allows it.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

_PORTS = {"http": 80, "https": 443}
# Canvas's cloud: each institution has its own host, and all have one issuer and one token URL.
_CANVAS_HOSTS = {
    "https://canvas.instructure.com": "*.instructure.com",
    "https://canvas.beta.instructure.com": "*.beta.instructure.com",
    "https://canvas.test.instructure.com": "*.test.instructure.com",
}

_Origin = tuple[str, str, int]


class TrustedOrigins:
    """The origins (scheme, host and port) of one platform's services.

    ``hosts`` are URLs, of which only the origin counts, or host names, for https and with a port
    where it is not 443; ``*.example.org`` stands for all hosts below ``example.org``.
    """

    def __init__(self, issuer: str, token_url: str, hosts: Iterable[str] = ()) -> None:
        entries = [issuer, token_url, *hosts, _CANVAS_HOSTS.get(issuer.rstrip("/"), "")]
        self._origins = {found for entry in entries if (found := _read_entry(entry))}

    def __contains__(self, url: str) -> bool:
        """Whether a token may be sent to a URL."""
        origin = _read_origin(url)
        if origin is None:
            return False
        scheme, host, port = origin
        parents = {host[at:] for at, character in enumerate(host) if character == "."}
        return not self._origins.isdisjoint(
            {origin, *((scheme, f"*{parent}", port) for parent in parents)}
        )


def describe_origin(url: str) -> str:
    """Return the origin of a URL as text for people."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _read_entry(entry: str) -> _Origin | None:
    url = entry if "://" in entry else f"https://{entry}"
    # A star is no part of a host name, so it is put back after parsing.
    if "://*." not in url:
        return _read_origin(url)
    origin = _read_origin(url.replace("://*.", "://", 1))
    return None if origin is None else (origin[0], f"*.{origin[1]}", origin[2])


def _read_origin(url: str) -> _Origin | None:
    """Return a URL's origin as the HTTP client understands it, None if it could be misread."""
    if "\\" in url or "@" in urlsplit(url).netloc:
        return None
    try:
        parts = parse_url(url)
    except LocationParseError:
        return None
    if parts.scheme not in _PORTS or not parts.host:
        return None
    return parts.scheme, parts.host.lower(), parts.port or _PORTS[parts.scheme]
