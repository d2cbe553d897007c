"""Derives the names of people and courses from launch claims.

They depend on the claims alone: the hub and Kore derive the same name without asking each other,
and the same launch gives the same name for ever.
"""

from __future__ import annotations

import base64
import hashlib
import re

# With the leading "u" at most 25 characters. systemd takes 31, and "-<server>" may follow.
_PLAIN_SUB = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,22}[a-z0-9])?")
# Accounts of Linux systems: no account could be made for a person of that name.
_SYSTEM_ACCOUNTS = frozenset(
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
    """Return a SHA-256 over the parts, each with its length, so that no two tuples coincide."""
    sha = hashlib.sha256()
    for part in parts:
        # JSON may contain lone surrogates, which UTF-8 cannot encode.
        data = part.encode("utf-8", "surrogatepass")
        sha.update(len(data).to_bytes(8, "big"))
        sha.update(data)
    return sha.digest()


def derive_user_name(sub: str, issuer: str, *, namespace: bool = False) -> str:
    """Return the name of an LMS user's hub user.

    A short, lower-case, safe ``sub`` is kept (Moodle's ``123`` is ``u123``). Any other, any of
    a platform that is not the first (``namespace``), and one that would be a system account
    (``uucp``) becomes a digest of issuer and ``sub``. The two kinds never coincide (a kept
    ``sub`` does not begin with ``-``), and neither begins with ``c-``, which is for courses.
    At most 31 characters of ``[a-z0-9_-]``.
    """
    plain = f"u{sub}"
    if not namespace and _PLAIN_SUB.fullmatch(sub) and plain not in _SYSTEM_ACCOUNTS:
        return plain
    digits = base64.b32encode(_digest(issuer, sub)).decode("ascii").lower()
    return f"u-{digits[:_DIGEST_DIGITS]}"


def derive_course_id(issuer: str, client_id: str, deployment_id: str, resource_link_id: str) -> str:
    """Return the id of an LMS activity's course: ``c-`` and 16 hexadecimal digits."""
    return f"c-{_digest(issuer, client_id, deployment_id, resource_link_id).hex()[:16]}"
