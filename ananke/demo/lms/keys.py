"""The platform's signing key and the secret of its session cookies, created once and stored."""

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


def _load_or_create(path: Path, make: Callable[[], bytes]) -> bytes:
    """Return the content of `path`, created with mode 0600 if missing; the first writer wins."""
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


def _generate_pem() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _encode_number(value: int) -> str:
    raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class SigningKey:
    """An RSA key with its public form. `kid` is the thumbprint of RFC 7638."""

    def __init__(self, pem: bytes) -> None:
        # Our own private file: checking the primes again would take most of the start.
        private = serialization.load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
        if not isinstance(private, rsa.RSAPrivateKey):
            msg = "The LMS's key is not an RSA key."
            raise TypeError(msg)
        self.private = private
        numbers = private.public_key().public_numbers()
        required = {"e": _encode_number(numbers.e), "kty": "RSA", "n": _encode_number(numbers.n)}
        canonical = json.dumps(required, separators=(",", ":"), sort_keys=True).encode()
        digest = hashlib.sha256(canonical).digest()
        self.kid = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        self.public_jwk = {**required, "alg": "RS256", "use": "sig", "kid": self.kid}

    @classmethod
    def generate(cls) -> SigningKey:
        """Return a new key that is stored nowhere."""
        return cls(_generate_pem())

    @classmethod
    def load_or_create(cls, directory: Path) -> SigningKey:
        """Return the key stored in `directory`, created at the first call."""
        return cls(_load_or_create(directory / "platform-key.pem", _generate_pem))

    def jwks(self) -> dict[str, Any]:
        """Return the public key set (RFC 7517)."""
        return {"keys": [self.public_jwk]}

    def sign(self, claims: dict[str, Any], headers: dict[str, Any] | None = None) -> str:
        """Sign a JWT with RS256; `headers` are added to `kid` and `typ`, or replace them."""
        return jwt.encode(
            claims, self.private, algorithm="RS256", headers={"kid": self.kid, **(headers or {})}
        )


def load_cookie_secret(directory: Path) -> bytes:
    """Return the secret that signs session cookies, created at the first call."""
    return _load_or_create(directory / "cookie-secret", lambda: secrets.token_bytes(32))
