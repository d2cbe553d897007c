"""Names for people and courses, derived from what an LMS calls them.

Both are functions of launch claims alone: the hub and Kore come to the same name without
asking each other, and the same launch gives the same name for ever.
"""

from __future__ import annotations

import base64
import hashlib
import re

# With the leading "u" at most 25 characters. systemd takes 31, and "-<server>" may follow.
_PLAIN_SUB = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,22}[a-z0-9])?")
# What Linux systems call accounts of their own: a person of that name could not be made one.
_TAKEN = frozenset(
    [
        "ubuntu",
        "ucf",
        "uml-net",
        "unbound",
        "unscd",
        "uptimed",
        "users",
        "usbmux",
        "uucp",
        "uuidd",
        "uwsgi",
    ]
)
_DIGEST_DIGITS = 26


def _digest(*parts: str) -> bytes:
    """Return a SHA-256 over the parts, each with its length: no two tuples run together."""
    sha = hashlib.sha256()
    for part in parts:
        # JSON may carry lone surrogates: they are text that UTF-8 has no form for.
        data = part.encode("utf-8", "surrogatepass")
        sha.update(len(data).to_bytes(8, "big"))
        sha.update(data)
    return sha.digest()


def user_name(sub: str, issuer: str, *, namespace: bool = False) -> str:
    """Return the hub user's name for an LMS user.

    A short, lower-case, safe ``sub`` is kept (Moodle's ``123`` is ``u123``); any other, each
    of a platform that is not the first (``namespace``), and one that would be an account of
    the system (``uucp``) becomes a digest over issuer and ``sub``. The two kinds cannot meet
    (a kept one never begins with ``-``), nor can either begin with ``c-``, which belongs to
    courses. At most 31 characters of ``[a-z0-9_-]``.
    """
    plain = f"u{sub}"
    if not namespace and _PLAIN_SUB.fullmatch(sub) and plain not in _TAKEN:
        return plain
    digits = base64.b32encode(_digest(issuer, sub)).decode("ascii").lower()
    return f"u-{digits[:_DIGEST_DIGITS]}"


def course_id(issuer: str, client_id: str, deployment_id: str, resource_link_id: str) -> str:
    """Return the id of the course of an LMS activity: ``c-`` and 16 hexadecimal digits."""
    return f"c-{_digest(issuer, client_id, deployment_id, resource_link_id).hex()[:16]}"
