"""Errors as the LMS shows them: a page for people, JSON below /api."""

from __future__ import annotations

import logging

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException

from ananke.demo.lms.wire import json_answer

log = logging.getLogger(__name__)


class PageError(Exception):
    """Something that a person has to be told, with its HTTP status."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


def _answer(status: int, words: str) -> Response:
    if request.path.startswith("/api/"):
        return json_answer({"error": {"status": status, "message": words}}, status=status)
    page = render_template("error.html", status=status, words=words)
    return Response(page, status=status)


def install(app: Flask) -> None:
    """Make the app answer errors in words."""

    @app.errorhandler(PageError)
    def told(error: PageError) -> Response:
        return _answer(error.status, error.words)

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        return _answer(error.code or 500, error.description or error.name)

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Response:
        log.error("%s %s went wrong", request.method, request.path, exc_info=error)
        return _answer(500, "Something went wrong inside the demo's LMS; its log has the details.")
