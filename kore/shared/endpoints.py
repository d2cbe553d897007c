"""URLs that two processes of Kore agree on."""

from __future__ import annotations

AUTOGRADE = "kore/autograde"
"""Path below a course's server where it accepts the service's requests to grade."""
