"""Text for people as data: a message id with parameters, rendered late.

The text of a message is in the service's catalogs (``kore/service/locale``), so a row that
was stored keeps its meaning when the wording or the reader's language changes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

PLAIN = "plain"
"""Id of a message that is text of others, shown as it is: parameter ``text``."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message id and the parameters of its text.

    A parameter is text, a number, a moment, another message, or a list of these. How it is
    written (a size, a moment, a name in quotation marks) is the catalog's business.
    """

    id: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def to_data(self) -> dict[str, Any]:
        """Return the message as JSON has it; moments are ISO 8601 in UTC."""
        return {"id": self.id, "params": {key: _to_data(v) for key, v in self.params.items()}}

    def to_json(self) -> str:
        """Return one form for equal messages, which a database can compare."""
        return json.dumps(self.to_data(), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_data(cls, data: Any) -> Message:
        """Return the message of its JSON form; raises ValueError for anything else."""
        match data:
            case {"id": str(found), "params": dict(params)}:
                return cls(found, {str(key): _from_data(value) for key, value in params.items()})
        raise ValueError("not a message")

    def __hash__(self) -> int:
        return hash(self.to_json())


def message(message_id: str, /, **params: Any) -> Message:
    """Return a message; its id and parameters must stand in the catalogs."""
    return Message(message_id, params)


def plain(text: str) -> Message:
    """Return a message for text that others wrote, which no catalog translates."""
    return Message(PLAIN, {"text": text})


def _to_data(value: Any) -> Any:
    match value:
        case Message():
            return value.to_data()
        case datetime():
            return value.astimezone(UTC).isoformat()
        case None | str() | bool() | int() | float():
            return value
        case Sequence():
            return [_to_data(part) for part in value]
    raise TypeError(f"{type(value).__name__} is no parameter of a message")


def _from_data(value: Any) -> Any:
    match value:
        case dict():
            return Message.from_data(value)
        case list():
            return [_from_data(part) for part in value]
    return value
