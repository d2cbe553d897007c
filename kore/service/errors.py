"""Errors that a person is told about."""

from __future__ import annotations


class KoreError(Exception):
    """What went wrong, in words for the person who asked, and the way out.

    ``status`` is the HTTP status (RFC 9110), ``code`` a stable word for programs,
    ``message`` one sentence, ``hint`` what to do about it.
    """

    def __init__(self, status: int, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.hint = hint

    def body(self) -> dict[str, dict[str, str]]:
        """Return the error as every route answers it."""
        error = {"code": self.code, "message": self.message}
        if self.hint:
            error["hint"] = self.hint
        return {"error": error}
