"""The demo's learning management system: an LTI 1.3 platform that stands on its own.

It shares no code with Kore, so that an error in one side's reading of the standard shows.
"""

from ananke.demo.lms.app import create_app
from ananke.demo.lms.config import LmsConfig

__all__ = ["LmsConfig", "create_app"]
