"""Errors as the LMS shows them: a page for people, JSON below /api."""

from __future__ import annotations

import logging

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException

from ananke.demo.lms.service_requests import make_json_response

log = logging.getLogger(__name__)


class PageError(Exception):
    """An error with a message for people, and its HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def _make_response(status: int, message: str) -> Response:
    if request.path.startswith("/api/"):
        return make_json_response({"error": {"status": status, "message": message}}, status=status)
    page = render_template("error.html", status=status, message=message)
    return Response(page, status=status)


def register_error_handlers(app: Flask) -> None:
    """Make the app answer errors with a message."""

    @app.errorhandler(PageError)
    def handle_page_error(error: PageError) -> Response:
        return _make_response(error.status, error.message)

    @app.errorhandler(HTTPException)
    def handle_http_error(error: HTTPException) -> Response:
        return _make_response(error.code or 500, error.description or error.name)

    @app.errorhandler(Exception)
    def handle_unexpected_error(error: Exception) -> Response:
        log.error("%s %s failed", request.method, request.path, exc_info=error)
        return _make_response(500, "Internal error of the demo's LMS. Its log has the details.")
