"""Checks over the network: the LMS from here, and the hub through its reverse proxy."""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request

from ananke.checks import Check

_SECONDS = 10.0
_LARGEST = 100_000


def lms(address: str, cafiles: list[str]) -> Check:
    """Say whether the LMS answers at an address that the hub will ask.

    ``cafiles`` are authorities that the hub trusts beside the machine's.
    """
    what = f"LMS at {urllib.parse.urlsplit(address).netloc}"
    try:
        context = ssl.create_default_context()
        for file in cafiles:
            context.load_verify_locations(cafile=file)
        request = urllib.request.Request(address, method="GET")  # noqa: S310 (http or https)
        with urllib.request.urlopen(request, timeout=_SECONDS, context=context):  # noqa: S310
            pass
    except urllib.error.HTTPError as error:
        if error.code < http.HTTPStatus.INTERNAL_SERVER_ERROR:
            return Check(what, "ok", "answers")
        return Check(
            what, "warn", f"answers with {error.code}", "Ask the LMS's administrator what is wrong."
        )
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLCertVerificationError):
            return Check(
                what,
                "bad",
                f"its certificate is not trusted ({reason.verify_message})",
                "If an authority of your own signed it: ananke ca NAME FILE",
            )
        return Check(
            what, "bad", f"does not answer ({reason})", "Check 30_lms.py, DNS and the firewall."
        )
    return Check(what, "ok", "answers")


def proxy(public_url: str, cafiles: list[str]) -> Check:
    """Say whether the reverse proxy tells the hub host and scheme as browsers see them.

    The hub's own description of itself for LMSs repeats what it was told.
    """
    what = "reverse proxy"
    public = urllib.parse.urlsplit(public_url)
    address = f"{public_url.rstrip('/')}/hub/lti13/config"
    try:
        context = ssl.create_default_context()
        for file in cafiles:
            context.load_verify_locations(cafile=file)
        with urllib.request.urlopen(address, timeout=_SECONDS, context=context) as answer:  # noqa: S310
            told = json.loads(answer.read(_LARGEST))["target_link_uri"]
            seen = urllib.parse.urlsplit(told)
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
        reason = getattr(error, "reason", error)
        return Check(
            what,
            "bad",
            f"no hub answers at {public_url} ({reason})",
            "Check proxy_pass and base_url: both need the same path.",
        )
    if seen.netloc != public.netloc:
        return Check(
            what,
            "bad",
            f"the hub believes that its host is {seen.netloc}",
            "nginx: proxy_set_header Host $http_host;",
        )
    if seen.scheme != public.scheme:
        return Check(
            what,
            "bad",
            f"the hub believes that it is reached by {seen.scheme}",
            "nginx: proxy_set_header X-Forwarded-Proto $scheme;",
        )
    return Check(what, "ok", f"tells host and scheme ({seen.scheme}://{seen.netloc})")
