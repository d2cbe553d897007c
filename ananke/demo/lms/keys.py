"""The platform's signing key and the secret of its session cookies, made once and kept."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


def _kept(path: Path, make: Callable[[], bytes]) -> bytes:
    """Read `path`, made with mode 0600 if it is not there; of two makers, the first one wins."""
    if not path.exists():
        partial = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(partial, path)
        except FileExistsError:
            pass
        finally:
            partial.unlink()
    return path.read_bytes()


def _make_key() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _number(value: int) -> str:
    raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class SigningKey:
    """An RSA key with its public form. `kid` is the thumbprint of RFC 7638."""

    def __init__(self, pem: bytes) -> None:
        # Our own file, readable by nobody else: proving its primes anew costs most of a start.
        private = serialization.load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
        if not isinstance(private, rsa.RSAPrivateKey):
            msg = "The LMS's key is not an RSA key."
            raise TypeError(msg)
        self.private = private
        numbers = private.public_key().public_numbers()
        required = {"e": _number(numbers.e), "kty": "RSA", "n": _number(numbers.n)}
        canonical = json.dumps(required, separators=(",", ":"), sort_keys=True).encode()
        digest = hashlib.sha256(canonical).digest()
        self.kid = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        self.public_jwk = {**required, "alg": "RS256", "use": "sig", "kid": self.kid}

    @classmethod
    def make(cls) -> SigningKey:
        """Make a key that is kept nowhere."""
        return cls(_make_key())

    @classmethod
    def kept_in(cls, directory: Path) -> SigningKey:
        """Read the key kept in `directory`, made at the first call."""
        return cls(_kept(directory / "platform-key.pem", _make_key))

    def jwks(self) -> dict[str, Any]:
        """Return the public key set (RFC 7517)."""
        return {"keys": [self.public_jwk]}

    def sign(self, claims: dict[str, Any], headers: dict[str, Any] | None = None) -> str:
        """Sign a JWT with RS256; `headers` are added to, or replace, `kid` and `typ`."""
        return jwt.encode(
            claims, self.private, algorithm="RS256", headers={"kid": self.kid, **(headers or {})}
        )


def cookie_secret(directory: Path) -> bytes:
    """Read the secret that signs session cookies, made at the first call."""
    return _kept(directory / "cookie-secret", lambda: secrets.token_bytes(32))
