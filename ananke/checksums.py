"""Checksums of files: ``FILE.sha256`` in the format of ``sha256sum``."""

from __future__ import annotations

import hashlib
import os
import re
from io import BufferedReader
from pathlib import Path

from ananke.errors import AnankeError, Exit

_LINE = re.compile(r"([0-9a-fA-F]{64})(?:[ \t]+\*?(.+))?")
_MAX_CHARS = 10_000


def get_checksum_path(path: Path) -> Path:
    """Return the path of the checksum of a file."""
    return path.with_name(f"{path.name}.sha256")


def compute_sha256(file: BufferedReader) -> str:
    """Return the SHA-256 of a whole open file, and rewind it."""
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(0)
    return digest


def write_checksum(path: Path, digest: str) -> Path:
    """Write ``FILE.sha256`` for ``sha256sum --check``; return its path."""
    target = get_checksum_path(path)
    partial = target.with_name(f".{target.name}.new")
    partial.write_text(f"{digest}  {path.name}\n", encoding="utf-8")
    partial.replace(target)
    return target


def find_expected(path: Path, given: str | None, checksum_file: Path | None = None) -> str | None:
    """Return the SHA-256 that a file must have: ``given``, or the one in a checksum file.

    None if there is neither. Raises AnankeError for an invalid checksum.
    """
    if given is not None:
        if not re.fullmatch(r"[0-9a-fA-F]{64}", given):
            raise AnankeError(
                Exit.USAGE, "--sha256 is not a SHA-256.", "A SHA-256 has 64 hexadecimal digits."
            )
        return given.lower()
    source = checksum_file or get_checksum_path(path)
    try:
        with source.open(encoding="utf-8", errors="replace") as file:
            text = file.read(_MAX_CHARS)
    except FileNotFoundError:
        if checksum_file is None:
            return None
        raise AnankeError(
            Exit.NOT_FOUND, f"There is no file {source}.", "Give another --checksum-file."
        ) from None
    except OSError as error:
        raise AnankeError(
            Exit.NOT_FOUND,
            f"Could not read {source}: {error.strerror}.",
            "Make it a file that you may read.",
        ) from error
    for line in text.splitlines():
        found = _LINE.fullmatch(line.strip())
        if found and (found[2] is None or os.path.basename(found[2]) == path.name):  # noqa: PTH119
            return found[1].lower()
    raise AnankeError(
        Exit.CHECKSUM,
        f"{source} has no SHA-256 of {path.name}.",
        f"It needs a line of this form: SHA256  {path.name}",
    )


def open_file(path: Path) -> BufferedReader:
    """Open a file for reading; raises AnankeError if that fails."""
    try:
        return path.open("rb")
    except OSError as error:
        raise AnankeError(
            Exit.NOT_FOUND,
            f"Could not read {path}: {error.strerror}.",
            "Check the file name, and that you may read the file.",
        ) from error


def verify_checksum(path: Path, file: BufferedReader, digest: str) -> None:
    """Raise AnankeError if an open file has another SHA-256."""
    found = compute_sha256(file)
    if found != digest:
        raise AnankeError(
            Exit.CHECKSUM,
            f"{path} is damaged, or the checksum belongs to another file.",
            "Get another copy of both.",
            f"expected {digest}\nfound    {found}",
        )
