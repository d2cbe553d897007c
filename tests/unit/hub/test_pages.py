"""The pages of refused launches."""

from __future__ import annotations

from kore.hub.pages import SIGN_IN, render_page
from kore.hub.reasons import Reason


def test_untrusted_text_is_escaped():
    """Text from outside is escaped wherever a page shows it."""
    evil = "</q><script>alert(1)</script>"
    page, policy = render_page(SIGN_IN, reference=evil, back='http://x/"onclick=', lms_message=evil)
    assert "<script" not in page
    assert 'http://x/"' not in page
    assert "script-src" not in policy
    assert "default-src 'none'" in policy


def test_every_reason_makes_a_page():
    """Each has an error status and says what to do."""
    for reason in Reason:
        page, _ = render_page(reason.value, reference="0000-0000")
        assert 400 <= reason.value.status < 600
        assert reason.value.heading in page.replace("&#39;", "'")
        assert reason.value.steps
