"""Kore's signing key, created once and kept, and the key set that Kore publishes.

A directory holds one PEM file per key: ``signing.pem`` signs, and all others are published
too, so that an LMS can still verify older signatures after the key was replaced.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import threading
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

_SIGNING = "signing.pem"
_BITS = 2048


class KeyStoreError(RuntimeError):
    """A key cannot be read or created. The text says which file, and what to do."""


def _encode_number(number: int) -> str:
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _public_members(key: rsa.RSAPrivateKey) -> dict[str, str]:
    """Return the members of a public JWK that its thumbprint is taken over."""
    numbers = key.public_key().public_numbers()
    return {"e": _encode_number(numbers.e), "kty": "RSA", "n": _encode_number(numbers.n)}


def _thumbprint(key: rsa.RSAPrivateKey) -> str:
    """Return the key's id: its SHA-256 thumbprint (RFC 7638, section 3)."""
    canonical = json.dumps(_public_members(key), separators=(",", ":"), sort_keys=True)
    digest = hashlib.sha256(canonical.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


class KeyStore:
    """RSA keys in a directory that only this account can read.

    The key is created when it is first used. If several processes create it at once, one wins
    and all sign with its key.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = Path(directory)
        self._lock = threading.Lock()
        self._signing: tuple[str, rsa.RSAPrivateKey] | None = None

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the public key set (RFC 7517, section 5)."""
        self._signing_key()
        keys = {}
        for path in sorted(self._directory.glob("*.pem")):
            key = self._read(path)
            keys[_thumbprint(key)] = _public_members(key)
        return {
            "keys": [
                {**public, "alg": "RS256", "use": "sig", "kid": kid} for kid, public in keys.items()
            ]
        }

    def sign(self, claims: dict[str, Any], headers: dict[str, Any] | None = None) -> str:
        """Return a compact JWS (RS256) over the claims, its ``kid`` in the header."""
        kid, key = self._signing_key()
        return jwt.encode(claims, key, algorithm="RS256", headers={**(headers or {}), "kid": kid})

    def _signing_key(self) -> tuple[str, rsa.RSAPrivateKey]:
        with self._lock:
            if self._signing is None:
                path = self._directory / _SIGNING
                try:
                    self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                    if not path.exists():
                        self._create(path)
                except OSError as error:
                    raise KeyStoreError(
                        f"Could not create the signing key in {self._directory}: "
                        f"{error.strerror}. Give Kore's account a directory that it can write to."
                    ) from error
                key = self._read(path)
                self._signing = (_thumbprint(key), key)
            return self._signing

    def _create(self, path: Path) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
        data = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        draft = path.with_name(f".{secrets.token_hex(8)}.draft")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            # A link never replaces: the first of several processes wins, whole.
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()

    def _read(self, path: Path) -> rsa.RSAPrivateKey:
        try:
            if path.stat().st_mode & 0o077:
                path.chmod(0o600)
            key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except OSError as error:
            raise KeyStoreError(f"Could not read the key {path}: {error.strerror}.") from error
        except (ValueError, TypeError) as error:
            raise KeyStoreError(
                f"The file {path} is not a private key. Restore it from a backup. If there is "
                "none, remove it: Kore creates a new key at its next start."
            ) from error
        if not isinstance(key, rsa.RSAPrivateKey):
            raise KeyStoreError(f"The key {path} is not an RSA key, which LTI requires.")
        return key
