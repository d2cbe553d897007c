"""The signing key and the published set."""

from __future__ import annotations

import multiprocessing
import stat

import jwt
import pytest
from jwt import PyJWK

from kore.service.lti.keys import KeyStore, KeyStoreError


def test_signing_key_is_kept(tmp_path):
    """A second start signs with the same key."""
    first, second = KeyStore(tmp_path / "keys"), KeyStore(tmp_path / "keys")
    assert first.jwks() == second.jwks()
    assert len(first.jwks()["keys"]) == 1


def test_only_the_owner_can_read_the_key(tmp_path):
    """The file is 0600, the directory 0700, and no draft is left."""
    KeyStore(tmp_path / "keys").jwks()
    (file,) = (tmp_path / "keys").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_loose_file_mode_is_tightened(tmp_path):
    """A key that others can read, for example from a backup, becomes private again."""
    KeyStore(tmp_path).jwks()
    (file,) = tmp_path.iterdir()
    file.chmod(0o644)
    KeyStore(tmp_path).jwks()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_key_set_verifies_signatures(tmp_path):
    """An LMS with the key set can verify a signature by its kid."""
    store = KeyStore(tmp_path)
    (key,) = store.jwks()["keys"]
    token = store.sign({"iss": "client"}, {"kid": "other", "typ": "JWT"})
    assert jwt.get_unverified_header(token) == {"alg": "RS256", "kid": key["kid"], "typ": "JWT"}
    public = PyJWK(key)
    assert jwt.decode(token, public, algorithms=["RS256"]) == {"iss": "client"}


def test_key_set_has_only_public_members(tmp_path):
    """Only public members are published."""
    (key,) = KeyStore(tmp_path).jwks()["keys"]
    assert set(key) == {"kty", "e", "n", "kid", "alg", "use"}


def test_other_key_is_published_but_does_not_sign(tmp_path):
    """A retired key is still published next to the one that signs."""
    store, other = KeyStore(tmp_path / "a"), KeyStore(tmp_path / "b")
    (old,) = other.jwks()["keys"]
    (new,) = store.jwks()["keys"]
    (tmp_path / "b" / "signing.pem").rename(tmp_path / "a" / "retired.pem")
    assert {k["kid"] for k in store.jwks()["keys"]} == {old["kid"], new["kid"]}
    assert jwt.get_unverified_header(store.sign({}))["kid"] == new["kid"]


def _kid(directory, start, results):
    start.wait()
    results.put(KeyStore(directory).jwks()["keys"][0]["kid"])


def test_racing_processes_share_one_key(tmp_path):
    """Processes that start at once on an empty directory all sign with one key."""
    context = multiprocessing.get_context("fork")
    results, start = context.Queue(), context.Event()
    workers = [
        context.Process(target=_kid, args=(tmp_path / "keys", start, results)) for _ in range(6)
    ]
    for worker in workers:
        worker.start()
    start.set()
    kids = {results.get(timeout=60) for _ in workers}
    for worker in workers:
        worker.join()
    assert len(kids) == 1
    assert [p.name for p in (tmp_path / "keys").iterdir()] == ["signing.pem"]


def test_damaged_key_is_not_replaced(tmp_path):
    """A damaged key is reported with what to do: the old one may be in a backup."""
    (tmp_path / "signing.pem").write_text("nonsense")
    with pytest.raises(KeyStoreError, match=r"signing\.pem is not a private key.*backup"):
        KeyStore(tmp_path).sign({})
    assert (tmp_path / "signing.pem").read_text() == "nonsense"


def test_directory_that_cannot_be_created_is_reported(tmp_path):
    """The error says what to do where the directory cannot be created."""
    (tmp_path / "file").write_text("")
    with pytest.raises(KeyStoreError, match="Give Kore's account a directory"):
        KeyStore(tmp_path / "file" / "keys").jwks()
