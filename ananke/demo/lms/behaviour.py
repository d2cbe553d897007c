"""The behaviour of the LMS that tests can set (delays, faults, limits), and its request log."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from ananke.demo.lms.config import ALL_SCOPES
from ananke.demo.lms.profiles import PROFILES, LmsProfile

FAULT_KINDS = ("429", "503", "500", "403", "reset", "slow", "bad_status_line")
SERVICES = ("token", "score", "result", "lineitem", "members")
LOG_LENGTH = 10_000
MAX_DELAY_MS = 120_000


class BehaviourError(ValueError):
    """An invalid behaviour; the message says what is wrong."""


@dataclass
class Fault:
    """A fault that happens the next `times` times in one service.

    `when` is "before" (the request has no effect) or "after" (it has, but its answer is lost);
    `user` limits the fault to scores and results of one `sub`; `retry_after` and `seconds` are
    in seconds.
    """

    kind: str
    times: int = 1
    retry_after: float | None = None
    user: str | None = None
    service: str = "score"
    when: str = "before"
    seconds: float = 2.0

    @classmethod
    def parse(cls, value: Any) -> Fault:
        """Read a fault from JSON."""
        if not isinstance(value, dict) or not set(value) <= set(cls.__dataclass_fields__):
            names = ", ".join(cls.__dataclass_fields__)
            msg = f"A fault is an object with any of: {names}."
            raise BehaviourError(msg)
        fault = cls(**{"kind": "", **value, "times": value.get("times", 1)})
        if fault.kind not in FAULT_KINDS:
            msg = f"The kind of a fault is one of: {', '.join(FAULT_KINDS)}."
            raise BehaviourError(msg)
        if fault.service not in (*SERVICES, "*"):
            msg = f"The service of a fault is * or one of: {', '.join(SERVICES)}."
            raise BehaviourError(msg)
        if fault.when not in ("before", "after"):
            msg = "The when of a fault is before or after."
            raise BehaviourError(msg)
        if not _is_whole(fault.times, 0, 1_000_000) or not _is_amount(
            fault.seconds, MAX_DELAY_MS / 1000
        ):
            msg = "times is a whole number, seconds is at most 120."
            raise BehaviourError(msg)
        if fault.retry_after is not None and not _is_amount(fault.retry_after, 86_400):
            msg = "retry_after is a number of seconds."
            raise BehaviourError(msg)
        return fault


@dataclass
class Settings:
    """The settings of the behaviour, as in `PUT /api/behaviour`."""

    profile: str = "moodle"
    score_delay_ms: int = 0
    token_lifetime_s: int = 3600
    refuse_users: list[str] = field(default_factory=list)
    fail_next: list[Fault] = field(default_factory=list)
    granted_scopes: list[str] = field(default_factory=lambda: list(ALL_SCOPES))
    # None: as in the profile; 0: no limit.
    max_concurrent: int | None = None
    throttle_status: int | None = None


class Behaviour:
    """The current behaviour of one LMS, and its request log. Safe to use from many threads."""

    def __init__(self, profile: str) -> None:
        if profile not in PROFILES:
            msg = f"The profile is one of: {', '.join(PROFILES)}."
            raise BehaviourError(msg)
        self._lock = threading.Lock()
        self._settings = Settings(profile=profile)
        self._log: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        self._running = 0

    @property
    def profile(self) -> LmsProfile:
        """The profile in force."""
        return PROFILES[self._settings.profile]

    @property
    def settings(self) -> Settings:
        """The settings in force; do not change them in place."""
        return self._settings

    def to_dict(self) -> dict[str, Any]:
        """Return the settings in the form that `change` takes."""
        with self._lock:
            return asdict(self._settings)

    def change(self, values: Any) -> None:
        """Change the settings in `values`; nothing changes if any of them is invalid."""
        if not isinstance(values, dict) or not set(values) <= set(Settings.__dataclass_fields__):
            names = ", ".join(Settings.__dataclass_fields__)
            msg = f"The behaviour is an object with any of: {names}."
            raise BehaviourError(msg)
        checked = dict(values)
        for name, value in values.items():
            _CHECKS[name](value)
        if "fail_next" in values:
            checked["fail_next"] = [Fault.parse(fault) for fault in values["fail_next"]]
        with self._lock:
            for name, value in checked.items():
                setattr(self._settings, name, value)

    def take_fault(self, service: str, when: str, user: str | None) -> Fault | None:
        """Return the fault that applies now, if any, and count it as used."""
        with self._lock:
            for fault in self._settings.fail_next:
                fits = (
                    fault.times > 0
                    and fault.when == when
                    and fault.service in (service, "*")
                    and fault.user in (None, user)
                )
                if fits:
                    fault.times -= 1
                    if not fault.times:
                        self._settings.fail_next.remove(fault)
                    return fault
        return None

    @contextmanager
    def count_request(self) -> Iterator[bool]:
        """Count a service request while it runs; yield whether too many run at once."""
        setting = self._settings.max_concurrent
        limit = self.profile.max_concurrent if setting is None else setting
        with self._lock:
            self._running += 1
            too_many = bool(limit) and self._running > (limit or 0)
        try:
            yield too_many
        finally:
            with self._lock:
                self._running -= 1

    @property
    def throttle_status(self) -> int:
        """Status of the answer to too many requests at once."""
        return self._settings.throttle_status or self.profile.throttle_status

    def record_request(self, entry: dict[str, Any]) -> None:
        """Add a service request to the log."""
        with self._lock:
            self._log.append({"timestamp": time.time(), **entry})

    def list_requests(self) -> list[dict[str, Any]]:
        """Return the last service requests (at most 10,000), oldest first."""
        with self._lock:
            return list(self._log)

    def clear_requests(self) -> None:
        """Empty the log."""
        with self._lock:
            self._log.clear()


def _is_whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _is_amount(value: Any, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= high


def _require(fits: bool, message: str) -> None:
    if not fits:
        raise BehaviourError(message)


def _is_string_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


_CHECKS = {
    "profile": lambda v: _require(v in PROFILES, f"profile is one of: {', '.join(PROFILES)}."),
    "score_delay_ms": lambda v: _require(
        _is_whole(v, 0, MAX_DELAY_MS), f"score_delay_ms is 0 to {MAX_DELAY_MS}."
    ),
    "token_lifetime_s": lambda v: _require(
        _is_whole(v, 1, 86_400), "token_lifetime_s is 1 to 86400 seconds."
    ),
    "refuse_users": lambda v: _require(_is_string_list(v), "refuse_users is a list of subs."),
    "fail_next": lambda v: _require(isinstance(v, list), "fail_next is a list of faults."),
    "granted_scopes": lambda v: _require(_is_string_list(v), "granted_scopes is a list of scopes."),
    "max_concurrent": lambda v: _require(
        v is None or _is_whole(v, 0, 1000), "max_concurrent is 0 to 1000 or null."
    ),
    "throttle_status": lambda v: _require(
        v in (None, 403, 429), "throttle_status is 403, 429 or null."
    ),
}
