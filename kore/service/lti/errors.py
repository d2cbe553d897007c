"""How a conversation with an LMS can fail; each error's message is for a teacher."""

from __future__ import annotations

from typing import Any

from kore.service.errors import UpstreamFailed
from kore.shared.messages import Message


class LtiError(UpstreamFailed):
    """The LMS did not do what it was asked."""


class RefusedError(LtiError):
    """The LMS answered, and said no. ``http_status`` is 0 where none could be read."""

    def __init__(self, message: Message | str, *, http_status: int, **params: Any) -> None:
        super().__init__(message, **params)
        self.http_status = http_status


class ForeignHostError(LtiError):
    """A URL of a grade service is at a host that is none of the platform's."""

    def __init__(self, host: str) -> None:
        super().__init__("lms.foreign_host", host=host)


class NewerScoreError(RefusedError):
    """The LMS holds a score with a later timestamp than ours (AGS 2.0, 3.4.8: 409)."""


class UnavailableError(LtiError):
    """No usable answer came, for as long as it is sensible to try.

    ``uncertain`` says that the LMS may still have done what it was asked.
    """

    def __init__(self, message: Message | str, *, uncertain: bool = False, **params: Any) -> None:
        super().__init__(message, **params)
        self.uncertain = uncertain


class StoppedError(LtiError):
    """Kore stopped waiting because the job was asked to stop."""

    def __init__(self) -> None:
        super().__init__("lms.stopped")
