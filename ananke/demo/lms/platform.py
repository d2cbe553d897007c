"""One running LMS, as the request handlers see it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app

from ananke.demo.lms.behaviour import Behaviour
from ananke.demo.lms.config import LmsConfig
from ananke.demo.lms.identifiers import ServiceUrls
from ananke.demo.lms.keys import SigningKey
from ananke.demo.lms.profiles import LmsProfile
from ananke.demo.lms.store import Store
from ananke.demo.lms.tool_keys import ToolKeys


@dataclass
class Platform:
    """One LMS."""

    config: LmsConfig
    store: Store
    key: SigningKey
    behaviour: Behaviour
    tool_keys: ToolKeys

    @property
    def profile(self) -> LmsProfile:
        """The profile in force."""
        return self.behaviour.profile

    @property
    def service_urls(self) -> ServiceUrls:
        """Service URLs in the current profile."""
        return ServiceUrls(self.config.url, self.profile)


def get_current_platform() -> Platform:
    """Return the LMS that the current request is for."""
    found = current_app.extensions["lms"]
    assert isinstance(found, Platform)
    return found
