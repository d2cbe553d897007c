"""The machine below Kore: the only package that touches folders' owners, modes and processes."""

from kore.host.base import Host, HostError, is_course_user
from kore.host.local import LocalHost

__all__ = ["Host", "HostError", "LocalHost", "is_course_user"]
