"""The demo's learning management system: a self-contained LTI 1.3 platform.

It shares no code with Kore, so that a mistake in reading the standard shows up.
"""

from ananke.demo.lms.app import create_app
from ananke.demo.lms.config import LmsConfig

__all__ = ["LmsConfig", "create_app"]
