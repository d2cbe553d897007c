"""The reasons for refusing a launch."""

from __future__ import annotations

from kore.hub.reasons import Reason

CODES = """
    by_hand method incomplete_start unknown_issuer unknown_client platform_error no_state
    other_browser used_twice no_token malformed unsigned algorithm unknown_key keys_unreachable
    signature issuer audience authorized_party expired too_old future no_nonce nonce version
    deep_linking message_type deployment no_deployment no_resource_link no_sub claims not_allowed
    password broken
"""


def test_codes_are_stable():
    """Administrators search logs for these codes, and the documentation lists them."""
    assert [reason.name.lower() for reason in Reason] == CODES.split()


def test_no_two_reasons_have_the_same_text():
    """Heading and explanation tell the reasons apart."""
    texts = {(reason.value.heading, reason.value.explanation) for reason in Reason}
    assert len(texts) == len(Reason)
