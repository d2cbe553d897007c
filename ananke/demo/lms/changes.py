"""What the management API shares: changes in one transaction, and looking up their rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Response
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ananke.demo.lms.errors import PageError
from ananke.demo.lms.platform import get_current_platform
from ananke.demo.lms.service_requests import make_json_response
from ananke.demo.lms.store import Course, User, find_course, find_user

Row = TypeVar("Row")


def write_changes(change: Callable[[Session], dict[str, Any]], status: int = 200) -> Response:
    """Make one change in one transaction; answer 409 if a name is taken."""
    try:
        with get_current_platform().store.write_session() as db:
            body = change(db)
    except IntegrityError as error:
        raise PageError(409, "This name or sub is taken.") from error
    return make_json_response(body, status=status)


def require_row(row: Row | None, message: str) -> Row:
    """Return the row; raise PageError if there is none."""
    if row is None:
        raise PageError(404, message)
    return row


def require_course(db: Session, name: str) -> Course:
    """Return a course by its slug or number; raise PageError if there is none."""
    return require_row(find_course(db, name), f"There is no course “{name[:80]}”.")


def require_user(db: Session, name: str) -> User:
    """Return a person by slug or subject; raise PageError if there is none."""
    return require_row(find_user(db, name), f"There is no user “{name[:80]}”.")
