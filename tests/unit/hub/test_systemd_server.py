"""With which properties a server's unit is started in a container."""

from __future__ import annotations

from kore.hub.systemd_server import PROPERTIES, properties

COURSE = "c-0123456789abcdef"


def test_an_administrators_own_properties_survive():
    """What a container's administrator asks for reaches the unit, also against a default."""
    for user in ("u1", COURSE):
        made = properties(user, {"MemoryHigh": "1G", "TasksMax": "99"})
        assert made == {**properties(user, {}), "MemoryHigh": "1G", "TasksMax": "99"}


def test_an_administrators_paths_take_none_of_ours_away():
    """A list of paths is added to ours: nothing that is hidden comes to light by it."""
    made = properties(COURSE, {"InaccessiblePaths": "/srv/secret", "BindPaths": "/srv/data"})
    assert made["InaccessiblePaths"] == f"{PROPERTIES['InaccessiblePaths']} /srv/secret"
    assert made["BindPaths"] == f"/home/{COURSE} /srv/data"
    assert properties("u1", {"BindPaths": "/srv/data"})["BindPaths"] == "/srv/data"


def test_whose_unit_it_is_is_not_for_settings():
    """A server runs as its person or course, whatever is asked for all."""
    asked = {"User": "root", "DynamicUser": "no"}
    for user in ("u1", COURSE):
        assert properties(user, asked) == properties(user, {})
