"""Addresses that two processes of Kore agree on."""

from __future__ import annotations

AUTOGRADE = "kore/autograde"
"""Where a course's server takes the service's requests to grade, below its own address."""
