"""How routes answer, and how they document it."""

from __future__ import annotations

from typing import Any

from flask import Response
from pydantic import BaseModel

from kore.service.schemas import ErrorBody

Responses = dict[str | int, type[BaseModel] | dict[Any, Any] | None]


def answer(model: BaseModel, status: int = 200) -> Response:
    """Return a model as JSON."""
    return Response(model.model_dump_json(), status=status, content_type="application/json")


def responses(status: int, model: type[BaseModel], *errors: int) -> Responses:
    """Document what a route answers: a model with a status, or an error with one of some."""
    return {status: model, **dict.fromkeys(errors, ErrorBody)}


def errors(*statuses: int) -> Responses:
    """Document the errors of a route whose success is no JSON."""
    return dict.fromkeys(statuses, ErrorBody)
