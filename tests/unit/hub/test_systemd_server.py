"""Properties of a server's unit in a container."""

from __future__ import annotations

from kore.hub.systemd_server import PROPERTIES, unit_properties

COURSE = "c-0123456789abcdef"


def test_an_administrators_properties_override_ours():
    """A configured property reaches the unit, even against a default."""
    for user in ("u1", COURSE):
        made = unit_properties(user, {"MemoryHigh": "1G", "TasksMax": "99"})
        assert made == {**unit_properties(user, {}), "MemoryHigh": "1G", "TasksMax": "99"}


def test_an_administrators_paths_are_added_to_ours():
    """A configured list of paths cannot make anything visible that is hidden."""
    made = unit_properties(COURSE, {"InaccessiblePaths": "/srv/secret", "BindPaths": "/srv/data"})
    assert made["InaccessiblePaths"] == f"{PROPERTIES['InaccessiblePaths']} /srv/secret"
    assert made["BindPaths"] == f"/home/{COURSE} /srv/data"
    assert unit_properties("u1", {"BindPaths": "/srv/data"})["BindPaths"] == "/srv/data"


def test_the_account_of_a_unit_cannot_be_configured():
    """A server runs as its person or course, whatever is configured."""
    configured = {"User": "root", "DynamicUser": "no"}
    for user in ("u1", COURSE):
        assert unit_properties(user, configured) == unit_properties(user, {})
