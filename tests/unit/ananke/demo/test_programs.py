"""What the demo's programs are started with."""

from __future__ import annotations

from ananke.demo.programs import read_kore_settings


def test_settings_for_kore(monkeypatch):
    """Settings reach Kore, except those that say where the demo's own parts are."""
    given = {"KORE_DATABASE_URL": "postgresql+psycopg:///x", "KORE_LIMIT_FILE": "1 MB"}
    for name, value in {**given, "KORE_STATE_DIR": "/x", "KORE_ACCOUNTS": "/x"}.items():
        monkeypatch.setenv(name, value)
    assert read_kore_settings() == given
