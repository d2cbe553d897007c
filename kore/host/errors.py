"""The one error of this package."""

from __future__ import annotations


class HostError(Exception):
    """The machine refused, or a name must not be used on it. The message is for a person."""
