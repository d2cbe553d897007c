"""What the log records of a refusal."""

from __future__ import annotations

import json

from kore.hub.refusals import quote_untrusted


def test_log_text_is_one_short_line():
    """Text from outside cannot start a new line in the log, nor fill it."""
    assert "\n" not in quote_untrusted("a\nLaunch refused")
    assert len(quote_untrusted("x" * 10_000)) < 110
    assert quote_untrusted(json.loads('"\\ud800"')) == "'\\ud800'"
