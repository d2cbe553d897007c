"""``ananke ca``: authorities of one's own, and nothing else, into a definition."""

from __future__ import annotations

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@pytest.fixture(scope="module")
def pem():
    """An authority's certificate and its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "University")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return (certificate.public_bytes(serialization.Encoding.PEM) + private).decode()


def test_add_and_remove(host, hub, ananke, tmp_path, pem):
    """A certificate is added without its key, listed, and removed."""
    file = tmp_path / "Our CA.pem"
    file.write_text(pem)
    ended = ananke("ca", "bio", str(file), "--json")
    assert ended.code == 0
    assert ended.json["files"] == ["Our-CA.crt"]
    kept = (hub / "ca" / "Our-CA.crt").read_text()
    assert "BEGIN CERTIFICATE" in kept
    assert "PRIVATE KEY" not in kept
    assert ananke("ca", "bio", "--json").json["files"] == ["Our-CA.crt"]
    assert ananke("ca", "bio", "--remove", "Our-CA", "--json").json["files"] == []


def test_restart_is_recommended(created, ananke, tmp_path, pem):
    """An existing container must be restarted, and the command says so."""
    file = tmp_path / "ca.pem"
    file.write_text(pem)
    assert "ananke restart bio" in ananke("ca", "bio", str(file)).out


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("no certificate", 2),
        ("-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----\n", 2),
        ("x" * 1_000_001, 2),
        (None, 12),
    ],
)
def test_refusals(hub, ananke, tmp_path, text, code):
    """A file that is not a certificate is refused, and nothing is written."""
    file = tmp_path / "ca.pem"
    if text is not None:
        file.write_text(text)
    assert ananke("ca", "bio", str(file), "--json").code == code
    assert not list((hub / "ca").glob("*")) if (hub / "ca").exists() else True


@pytest.mark.parametrize("name", ["none", "../config.py", "../../x"])
def test_removes_nothing_else(hub, ananke, name):
    """Only certificates of the definition can be removed."""
    assert ananke("ca", "bio", "--remove", name, "--json").code == 12
    assert (hub / "config.py").exists()


def test_dry_run(hub, ananke, tmp_path, pem):
    """A dry run writes nothing."""
    file = tmp_path / "ca.pem"
    file.write_text(pem)
    steps = ananke("ca", "bio", str(file), "--dry-run", "--json").json["steps"]
    assert any(step.startswith("write ") for step in steps)
    assert not (hub / "ca" / "ca.crt").exists()
