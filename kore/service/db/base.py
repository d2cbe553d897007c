"""The base of the tables, and how moments, messages and enumerations are stored."""

from __future__ import annotations

import enum
import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, Enum, Text, TypeDecorator
from sqlalchemy.orm import DeclarativeBase

from kore.shared.messages import Message


class UtcDateTime(TypeDecorator[datetime]):
    """A moment. SQLite has no zones: stored in UTC, and aware again when read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Refuse naive times, store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return an aware time."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def one_of(names: type[enum.StrEnum]) -> Enum:
    """Return the type of a column that holds one of an enumeration's values, as text."""
    return Enum(
        names,
        native_enum=False,
        length=16,
        values_callable=lambda cls: [word.value for word in cls],
    )


class MessageType(TypeDecorator[Message]):
    """A message as JSON, in one form for equal ones; None is the empty text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Message | None, dialect: Dialect) -> str:  # noqa: ARG002
        """Return the message's JSON."""
        return "" if value is None else value.to_json()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Message | None:  # noqa: ARG002
        """Return the message of the JSON."""
        return Message.from_data(json.loads(value)) if value else None


class Base(DeclarativeBase):
    """Declarative base."""

    type_annotation_map = {  # noqa: RUF012
        datetime: UtcDateTime,
        dict[str, Any]: JSON,
        Message: MessageType,
    }
