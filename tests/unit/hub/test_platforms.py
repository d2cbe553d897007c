"""Finding the registration of a login."""

from __future__ import annotations

import pytest

from kore.hub.platforms import Platform, find_platform
from kore.hub.reasons import Reason
from kore.hub.refusals import Refusal

ONE = Platform("https://lms.example", "one", "a", "j", "t")
TWO = Platform("https://lms.example", "two", "a", "j", "t")
OTHER = Platform("https://other.example", "one", "a", "j", "t")


@pytest.mark.parametrize(
    ("platforms", "issuer", "client_id", "found"),
    [
        ((ONE,), "https://lms.example", "one", ONE),
        ((ONE,), "https://lms.example", "", ONE),
        ((ONE, TWO), "https://lms.example", "two", TWO),
        ((ONE, OTHER), "https://other.example", "", OTHER),
        ((ONE, TWO), "https://lms.example", "", Reason.UNKNOWN_CLIENT),
        ((ONE,), "https://lms.example", "three", Reason.UNKNOWN_CLIENT),
        ((ONE,), "https://LMS.example", "one", Reason.UNKNOWN_ISSUER),
        ((), "https://lms.example", "one", Reason.UNKNOWN_ISSUER),
    ],
)
def test_which_registration_a_login_is_for(platforms, issuer, client_id, found):
    """By issuer and client id; without a client id only if it is unambiguous."""
    if isinstance(found, Platform):
        assert find_platform(platforms, issuer, client_id) is found
        return
    with pytest.raises(Refusal) as caught:
        find_platform(platforms, issuer, client_id)
    assert caught.value.reason is found
