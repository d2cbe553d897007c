"""Checksums of files: ``FILE.sha256`` in the form of ``sha256sum``."""

from __future__ import annotations

import hashlib
import os
import re
from io import BufferedReader
from pathlib import Path

from ananke.errors import AnankeError, Exit

_LINE = re.compile(r"([0-9a-fA-F]{64})(?:[ \t]+\*?(.+))?")
_LARGEST = 10_000


def beside(path: Path) -> Path:
    """Return where the checksum of a file is kept."""
    return path.with_name(f"{path.name}.sha256")


def of(file: BufferedReader) -> str:
    """Return the SHA-256 of an opened file from its beginning; it is at its beginning again."""
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(0)
    return digest


def write(path: Path, digest: str) -> Path:
    """Write ``FILE.sha256``; return its path. ``sha256sum --check`` takes it."""
    made = beside(path)
    fresh = made.with_name(f".{made.name}.new")
    fresh.write_text(f"{digest}  {path.name}\n", encoding="utf-8")
    fresh.replace(made)
    return made


def expected(path: Path, given: str | None, checksum_file: Path | None = None) -> str | None:
    """Return the SHA-256 that a file shall have: ``given``, or as a checksum file says.

    None where nothing says it. Raises AnankeError for a checksum that is none.
    """
    if given is not None:
        if not re.fullmatch(r"[0-9a-fA-F]{64}", given):
            raise AnankeError(
                Exit.USAGE, "--sha256 is not a SHA-256.", "It has 64 hexadecimal digits."
            )
        return given.lower()
    source = checksum_file or beside(path)
    try:
        with source.open(encoding="utf-8", errors="replace") as file:
            text = file.read(_LARGEST)
    except FileNotFoundError:
        if checksum_file is None:
            return None
        raise AnankeError(
            Exit.NOT_FOUND, f"There is no file {source}.", "Give another --checksum-file."
        ) from None
    except OSError as error:
        raise AnankeError(
            Exit.NOT_FOUND,
            f"{source} cannot be read: {error.strerror}.",
            "Make it a file that you may read.",
        ) from error
    for line in text.splitlines():
        found = _LINE.fullmatch(line.strip())
        if found and (found[2] is None or os.path.basename(found[2]) == path.name):  # noqa: PTH119
            return found[1].lower()
    raise AnankeError(
        Exit.CHECKSUM,
        f"{source} has no SHA-256 of {path.name}.",
        f"It should have the line: SHA256  {path.name}",
    )


def opened(path: Path) -> BufferedReader:
    """Open a file to be read; raises AnankeError where it cannot be."""
    try:
        return path.open("rb")
    except OSError as error:
        raise AnankeError(
            Exit.NOT_FOUND,
            f"{path} cannot be read: {error.strerror}.",
            "Check the file's name, and that you may read it.",
        ) from error


def verify(path: Path, file: BufferedReader, digest: str) -> None:
    """Raise AnankeError where an opened file has another SHA-256."""
    found = of(file)
    if found != digest:
        raise AnankeError(
            Exit.CHECKSUM,
            f"{path} is damaged, or another file than the checksum is for.",
            "Take another copy of both.",
            f"expected {digest}\nfound    {found}",
        )
