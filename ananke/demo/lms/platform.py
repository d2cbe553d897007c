"""Everything one running LMS consists of, as the request handlers see it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app

from ananke.demo.lms.behaviour import Behaviour
from ananke.demo.lms.config import LmsConfig
from ananke.demo.lms.keys import SigningKey
from ananke.demo.lms.manners import Manner
from ananke.demo.lms.naming import Addresses
from ananke.demo.lms.store import Store
from ananke.demo.lms.toolkeys import ToolKeys


@dataclass
class Platform:
    """One LMS."""

    config: LmsConfig
    store: Store
    key: SigningKey
    behaviour: Behaviour
    tool_keys: ToolKeys

    @property
    def manner(self) -> Manner:
        """The habits in force."""
        return self.behaviour.manner

    @property
    def addresses(self) -> Addresses:
        """Service URLs in the present manner."""
        return Addresses(self.config.url, self.manner)


def platform() -> Platform:
    """Return the LMS that the current request is for."""
    found = current_app.extensions["lms"]
    assert isinstance(found, Platform)
    return found
