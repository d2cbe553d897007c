"""State, nonce and cookie of a login, which is usable once."""

from __future__ import annotations

from kore.hub import pending_logins
from kore.hub.pending_logins import PendingLogins, VerifiedLaunch
from kore.hub.platforms import Platform

ONE = Platform("https://lms.example", "one", "a", "j", "t")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_states_are_url_safe_and_differ():
    """Platforms drop other characters: `S<"1` came back as `S`."""
    states = {pending_logins.new_state() for _ in range(1000)}
    assert len(states) == 1000
    assert all(pending_logins.is_state(state) for state in states)
    assert not pending_logins.is_state("S")
    assert not pending_logins.is_state("A" * 32 + "\n")


def test_a_nonce_is_derived_from_state_and_secret():
    """Nobody can compute it without the secret, and the hub need not remember it."""
    nonce = pending_logins.derive_nonce("s", b"secret")
    assert nonce == pending_logins.derive_nonce("s", b"secret")
    assert nonce.isalnum()
    assert (
        len(
            {
                nonce,
                pending_logins.derive_nonce("t", b"secret"),
                pending_logins.derive_nonce("s", b"other"),
            }
        )
        == 3
    )


def test_a_cookie_belongs_to_its_state():
    """The cookie of another login is not accepted."""
    value = pending_logins.write_cookie("s" * 32, ONE).encode()
    assert pending_logins.read_cookie(value, "s" * 32) == ("https://lms.example", "one")
    assert pending_logins.read_cookie(value, "s" * 31 + "t") is None
    assert pending_logins.read_cookie(None, "s" * 32) is None


def test_a_login_is_used_once_and_forgotten_when_its_cookie_expires():
    """A used login is remembered as long as its cookie is valid."""
    clock = Clock()
    memory = PendingLogins(clock)
    assert memory.use("s")
    assert not memory.use("s")
    assert memory.is_used("s")
    clock.now = pending_logins.LIFETIME
    memory.use("other")
    assert not memory.is_used("s")


def test_a_verified_launch_is_taken_once_within_a_minute(monkeypatch):
    """The last step follows at once or not at all, and the memory is bounded."""
    clock = Clock()
    memory = PendingLogins(clock)
    launch = VerifiedLaunch({}, None, ONE)  # type: ignore[arg-type]
    memory.hold("s", launch)
    assert memory.take("s") is launch
    assert memory.take("s") is None
    memory.hold("s", launch)
    clock.now = 61
    assert memory.take("s") is None
    monkeypatch.setattr(pending_logins, "_MAX_USED", 10)
    for number in range(100):
        memory.use(str(number))
    assert sum(memory.is_used(str(number)) for number in range(100)) == 10
