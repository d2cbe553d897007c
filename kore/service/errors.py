"""Errors of the service's domain. ``error_responses`` alone maps them to HTTP.

An error is a message id with parameters (``kore.shared.messages``). The id is what programs
compare, and stable: ``quota.person`` is a kind of ``quota``.
"""

from __future__ import annotations

from typing import Any

from kore.service.catalog import render, render_hint
from kore.shared.messages import Message


class KoreError(Exception):
    """What went wrong, for the person who asked."""

    def __init__(self, message: Message | str, /, **params: Any) -> None:
        self.message = message if isinstance(message, Message) else Message(message, params)
        super().__init__(self.message)

    def __str__(self) -> str:
        return render(self.message)

    @property
    def code(self) -> str:
        """The message's id."""
        return self.message.id

    @property
    def hint(self) -> str:
        """What the reader can do about it, in the language that is spoken."""
        return render_hint(self.message)


class BadRequest(KoreError):
    """The request is not one that this service can read."""


class NotSignedIn(KoreError):
    """The request has no session and no token of someone whom the hub knows."""


class Forbidden(KoreError):
    """The caller may not do this."""


class NotFound(KoreError):
    """There is no such thing, or none that the caller may know of."""


class TooSlow(KoreError):
    """The caller did not send the whole request in time."""


class Conflict(KoreError):
    """It cannot be done in the present state; later, or after a change, it may."""


class Busy(Conflict):
    """Something else is under way that excludes it."""


class Cancelled(Conflict):
    """A job was asked to stop, and did."""


class Changed(Conflict):
    """What was read has been changed by someone else meanwhile."""


class TooLarge(KoreError):
    """Something is larger than the limit for one of its kind."""


class UnsupportedType(KoreError):
    """The request's body is of a type that the route does not take."""


class Invalid(KoreError):
    """The request was read, and makes no sense."""


class InvalidField(ValueError):
    """What a validator of a schema raises: ``message_id`` says what is wrong with its field."""

    def __init__(self, message_id: str) -> None:
        super().__init__(message_id)
        self.message_id = message_id


class BadArchive(Invalid):
    """An archive is not what it should be."""


class ServerFault(KoreError):
    """Something is wrong on this system that only its administrator can mend."""


class UpstreamFailed(KoreError):
    """The hub, a course's server or the LMS refused or failed."""


class Unavailable(KoreError):
    """Something that is needed does not answer, or must not be used, for a while."""


class Overloaded(Unavailable):
    """Too much is under way at this moment; in a few seconds it may work."""


class TooManyRequests(Overloaded):
    """The caller has too many requests under way at once."""


class StorageFull(KoreError):
    """There is no room: a quota is used up, or the disk is full."""


class QuotaExceeded(StorageFull):
    """A course or a person has used up the room that it may take."""


class DiskFull(StorageFull):
    """The disk of this system is full."""
