"""Failed requests: whether another try may succeed, and what to tell a teacher."""

from __future__ import annotations

import http.client
from collections.abc import Iterator

import requests
import urllib3

from kore.service.lti.errors import LtiError, RefusedError, UnavailableError
from kore.shared.messages import Message, message


class LostError(Exception):
    """One try brought no answer, and another may.

    ``uncertain`` says that the LMS may have got the request.
    """

    def __init__(self, reason: Message, *, uncertain: bool) -> None:
        super().__init__(reason.id)
        self.message = reason
        self.uncertain = uncertain


def explain(error: Exception) -> LostError | LtiError:
    """Return what to raise for an exception of requests, urllib3 or the operating system."""
    match error:
        case requests.exceptions.SSLError():
            return UnavailableError("lms.untrusted")
        case requests.exceptions.ConnectTimeout():
            return LostError(message("lms.connect_timeout"), uncertain=False)
        case requests.exceptions.Timeout() | urllib3.exceptions.TimeoutError():
            return LostError(message("lms.timeout"), uncertain=True)
        case requests.exceptions.RequestException() | urllib3.exceptions.HTTPError():
            return _explain_cause(error)
    # Names that no resolver accepts, and the like.
    return RefusedError("lms.bad_address", http_status=0)


def _explain_cause(error: Exception) -> LostError | LtiError:
    causes = list(_causes(error))
    if any(
        isinstance(cause, urllib3.exceptions.NewConnectionError | requests.exceptions.ProxyError)
        for cause in causes
    ):
        return LostError(message("lms.unreachable"), uncertain=False)
    if any(
        isinstance(cause, OSError | urllib3.exceptions.IncompleteRead | http.client.IncompleteRead)
        and not isinstance(cause, requests.exceptions.RequestException)
        for cause in causes
    ):
        # http.client's RemoteDisconnected is a ConnectionResetError, too.
        return LostError(message("lms.connection_lost"), uncertain=True)
    if any(
        isinstance(cause, http.client.HTTPException | urllib3.exceptions.DecodeError)
        for cause in causes
    ):
        return RefusedError("lms.not_http", http_status=0)
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
        return RefusedError("lms.bad_address", http_status=0)
    return LostError(message("lms.connection_failed"), uncertain=True)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it wraps: requests and urllib3 keep causes in their arguments."""
    waiting, seen = [error], set[int]()
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = (current.__cause__, current.__context__, getattr(current, "reason", None))
        waiting += [e for e in (*current.args, *inner) if isinstance(e, BaseException)]
