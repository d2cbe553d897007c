"""What holds for all tests: Hypothesis's examples have no deadline, however slow the machine."""

from __future__ import annotations

from hypothesis import settings

# Made from the profile in force: in CI that is Hypothesis's own, the same examples each time.
settings.register_profile("ananke", settings.default, deadline=None)
settings.load_profile("ananke")
