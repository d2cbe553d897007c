"""A private certificate authority, and TLS in front of a plain HTTP server."""

from __future__ import annotations

import asyncio
import datetime as dt
import queue
import shutil
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAYS = 3


class Authority:
    """An authority that nobody trusts by himself; files lie in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "authority.crt"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("Authority of a university")
        usage = {
            use: use in {"key_cert_sign", "crl_sign"}
            for use in (
                *("digital_signature", "content_commitment", "key_encipherment"),
                *("data_encipherment", "key_agreement", "key_cert_sign", "crl_sign"),
                *("encipher_only", "decipher_only"),
            )
        }
        certificate = (
            _builder(self._name, self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.KeyUsage(**usage), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, host: str) -> tuple[Path, Path]:
        """Return certificate and key for a host name."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = (
            _builder(_name(host), self._name, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(issuer, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        files = self.folder / f"{host}.crt", self.folder / f"{host}.key"
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return files


def _name(words: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, words)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    begun = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begun)
        .not_valid_after(begun + dt.timedelta(days=_DAYS))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


@contextmanager
def in_front(
    listen: tuple[str, int], plain: tuple[str, int], files: tuple[Path, Path]
) -> Iterator[None]:
    """End TLS at one address, for a server that speaks HTTP at another."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    listening: queue.Queue[Callable[[], object] | BaseException] = queue.Queue()

    async def serve() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        try:
            server = await asyncio.start_server(partial(_connected, plain), *listen, ssl=context)
        except BaseException as error:
            listening.put(error)
            raise
        listening.put(partial(loop.call_soon_threadsafe, stop.set))
        await stop.wait()
        server.close()

    # At its end the loop cancels whatever connection is left.
    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    end = listening.get()
    if isinstance(end, BaseException):
        raise end
    try:
        yield
    finally:
        end()
        thread.join()


async def _connected(
    plain: tuple[str, int], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Pass on what both sides say, until one has nothing more to say."""
    writers = [writer]
    try:
        inner_reader, inner_writer = await asyncio.open_connection(*plain)
        writers.append(inner_writer)
        ways = [
            asyncio.create_task(_pass_on(reader, inner_writer)),
            asyncio.create_task(_pass_on(inner_reader, writer)),
        ]
        _, rest = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in rest:
            way.cancel()
    except OSError:
        # The caller sees a connection that ends, as from any proxy.
        pass
    finally:
        for each in writers:
            each.close()


async def _pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(65536):
            target.write(data)
            await target.drain()


def copied(files: tuple[Path, Path], folder: Path) -> None:
    """Lay a certificate and its key where a proxy finds them, as ``tls.crt`` and ``tls.key``."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copyfile(file, folder / f"tls{file.suffix}")
    (folder / "tls.key").chmod(0o600)
