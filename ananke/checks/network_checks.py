"""Checks over the network: the LMS from here, and the hub through its reverse proxy."""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request

from ananke.checks.check import Check

_TIMEOUT_SECONDS = 10.0
_MAX_ANSWER_BYTES = 100_000


def check_lms(url: str, ca_files: list[str]) -> Check:
    """Check that the LMS answers at a URL that the hub will call.

    ``ca_files`` are authorities that the hub trusts besides the machine's.
    """
    name = f"LMS at {urllib.parse.urlsplit(url).netloc}"
    try:
        context = _make_tls_context(ca_files)
        request = urllib.request.Request(url, method="GET")  # noqa: S310 (http or https)
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS, context=context):  # noqa: S310
            pass
    except urllib.error.HTTPError as error:
        if error.code < http.HTTPStatus.INTERNAL_SERVER_ERROR:
            return Check(name, "ok", "answers")
        return Check(
            name,
            "warning",
            f"answers with status {error.code}",
            "Ask the LMS's administrator what is wrong.",
        )
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLCertVerificationError):
            return Check(
                name,
                "error",
                f"its certificate is not trusted ({reason.verify_message})",
                "If your organisation's own authority signed it: ananke ca NAME FILE",
            )
        return Check(
            name,
            "error",
            f"does not answer ({reason})",
            "Check 30_lms.py, DNS and the firewall.",
        )
    return Check(name, "ok", "answers")


def check_reverse_proxy(public_url: str, ca_files: list[str]) -> Check:
    """Check that the reverse proxy passes on host and scheme as browsers see them.

    The hub's description of itself for LMSs repeats what the proxy sent.
    """
    name = "reverse proxy"
    public = urllib.parse.urlsplit(public_url)
    url = f"{public_url.rstrip('/')}/hub/lti13/config"
    try:
        context = _make_tls_context(ca_files)
        with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS, context=context) as answer:  # noqa: S310
            description = json.loads(answer.read(_MAX_ANSWER_BYTES))
            seen = urllib.parse.urlsplit(description["target_link_uri"])
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
        reason = getattr(error, "reason", error)
        return Check(
            name,
            "error",
            f"no hub answers at {public_url} ({reason})",
            "Check proxy_pass and base_url: both need the same path.",
        )
    if seen.netloc != public.netloc:
        return Check(
            name,
            "error",
            f"the hub takes {seen.netloc} for its host",
            "nginx: proxy_set_header Host $http_host;",
        )
    if seen.scheme != public.scheme:
        return Check(
            name,
            "error",
            f"the hub takes {seen.scheme} for its scheme",
            "nginx: proxy_set_header X-Forwarded-Proto $scheme;",
        )
    return Check(name, "ok", f"passes on host and scheme ({seen.scheme}://{seen.netloc})")


def _make_tls_context(ca_files: list[str]) -> ssl.SSLContext:
    context = ssl.create_default_context()
    for file in ca_files:
        context.load_verify_locations(cafile=file)
    return context
