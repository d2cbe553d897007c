"""The platform's key and its store when two processes make them, or a file is spoilt."""

from __future__ import annotations

import stat
import threading

import pytest

from ananke.demo.lms import LmsConfig
from ananke.demo.lms.keys import SigningKey, load_cookie_secret
from ananke.demo.lms.store import SCHEMA_VERSION, Store, StoreError


def test_key_is_made_once_even_in_a_race(tmp_path):
    """Eight makers end with one key, mode 0600, and leave nothing else behind."""
    kids = []
    threads = [
        threading.Thread(target=lambda: kids.append(SigningKey.load_or_create(tmp_path).kid))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kids) == 8
    assert len(set(kids)) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["platform-key.pem"]
    assert stat.S_IMODE((tmp_path / "platform-key.pem").stat().st_mode) == 0o600


def test_public_key_set_holds_nothing_secret(tmp_path):
    """Only the public parts of the key are shown."""
    (entry,) = SigningKey.generate().jwks()["keys"]
    assert set(entry) == {"kty", "n", "e", "alg", "use", "kid"}
    assert load_cookie_secret(tmp_path) == load_cookie_secret(tmp_path)


def test_store_of_another_version_is_refused(tmp_path):
    """A database with another schema is left alone, and the message says what to do."""
    store = Store(tmp_path / "lms.sqlite")
    with store.engine.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
        connection.commit()
    store.close()
    with pytest.raises(StoreError, match="another version"):
        Store(tmp_path / "lms.sqlite")


@pytest.mark.parametrize("url", ["", "127.0.0.1:9090", "ftp://x", "javascript:alert(1)", "http://"])
def test_addresses_must_be_http(tmp_path, url):
    """Neither the LMS nor its tool can have an address that no browser follows."""
    with pytest.raises(ValueError, match="absolute"):
        LmsConfig(url=url, tool_url="http://127.0.0.1:8000", state_dir=tmp_path)
    with pytest.raises(ValueError, match="absolute"):
        LmsConfig(url="http://127.0.0.1:9090", tool_url=url, state_dir=tmp_path)
