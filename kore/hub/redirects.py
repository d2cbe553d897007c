"""Checks where in this hub a launch may lead."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from kore.shared.lti.claims import clean_url

_PORTS = {"http": 80, "https": 443}
# First part of the path below the hub's base URL, and below "hub/".
_FIRST_PARTS = frozenset({"services", "user", "user-redirect"})
_HUB_PARTS = frozenset({"home", "spawn", "user", "user-redirect"})


def find_inner_path(target: str, *, host: str, base_url: str) -> str:
    """Return path and query of a target link that leads to a page of this hub, else "".

    ``host`` is the name (and port) by which the browser reached the hub. The hub's root, its
    sign-in pages and its API are not allowed, nor is anything that a browser could read as
    another host or path than this function does.
    """
    url = clean_url(target)
    if url is None or "\\" in url:
        return ""
    parts = urlsplit(url)
    if not _same_host(parts.hostname, parts.port, parts.scheme, host):
        return ""
    steps = unquote(parts.path).split("/")
    if "//" in parts.path or {".", ".."} & set(steps) or not parts.path.startswith(base_url):
        return ""
    inside = parts.path[len(base_url) :].split("/")
    if inside[0] == "hub":
        allowed = len(inside) > 1 and inside[1] in _HUB_PARTS
    else:
        allowed = inside[0] in _FIRST_PARTS and len(inside) > 1 and bool(inside[1])
    if not allowed:
        return ""
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _same_host(name: str | None, port: int | None, scheme: str, host: str) -> bool:
    # A proxy may have terminated TLS: the scheme is not compared.
    try:
        ours = urlsplit(f"{scheme}://{host}")
        return (name, port or _PORTS[scheme]) == (ours.hostname, ours.port or _PORTS[scheme])
    except ValueError:
        return False
