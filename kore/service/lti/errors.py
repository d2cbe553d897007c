"""How a conversation with an LMS can fail. Each message is words for a teacher."""

from __future__ import annotations


class LtiError(Exception):
    """The LMS did not do what it was asked."""


class RefusedError(LtiError):
    """The LMS answered, and said no. ``status`` is HTTP's, 0 where it could not be read."""

    def __init__(self, words: str, status: int) -> None:
        super().__init__(words)
        self.status = status


class NewerError(RefusedError):
    """The LMS holds a score with a later timestamp than ours (AGS 2.0, 3.4.8: 409)."""


class UnavailableError(LtiError):
    """No usable answer came, for as long as it is sensible to try.

    ``uncertain`` says that the LMS may all the same have done what it was asked.
    """

    def __init__(self, words: str, *, uncertain: bool = False) -> None:
        super().__init__(words)
        self.uncertain = uncertain


class StoppedError(LtiError):
    """Our side gave up waiting because it was asked to."""
