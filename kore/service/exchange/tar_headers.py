"""What the headers of a tar archive say, and nothing that two readers could take differently.

Errors are those of ``bad_archive``: what is sent, named in a sentence.
"""

from __future__ import annotations

import re

from kore.service.errors import KoreError
from kore.shared.names import shown

BLOCK = 512
_OCTAL = re.compile(rb" *[0-7]*[ \0]*")
_TIME = re.compile(r"-?[0-9]{1,11}(\.[0-9]{1,20})?(e-[0-9]{1,3})?")
_ID = re.compile(r"[0-9]{1,10}")
_RECORD = re.compile(rb"([1-9][0-9]{0,4}) ([A-Za-z.]{1,32})=")
_ANY = re.compile(r"[^\0]*")
_RECORDS = {
    "path": re.compile(r"[^\0]+"),
    "mtime": _TIME,
    "atime": _TIME,
    "ctime": _TIME,
    "uid": _ID,
    "gid": _ID,
    "uname": _ANY,
    "gname": _ANY,
    "comment": _ANY,
}


def bad_archive(message: str) -> KoreError:
    """Return the error for an archive that is not what it must be."""
    return KoreError(
        422,
        "bad_archive",
        message,
        "Work is sent as an uncompressed tar archive in pax format, with plain files and "
        "folders only. Rename or remove what is named here, then send it again.",
    )


def padding(size: int) -> int:
    """Return how many bytes fill a size up to the next block."""
    return -size % BLOCK


def number(raw: bytes) -> int | None:
    """Return an octal field's number, 0 for an empty one; None for anything else."""
    if not _OCTAL.fullmatch(raw):
        return None
    return int(raw.strip(b" \0") or b"0", 8)


def plain_path(block: bytes) -> str:
    """Return a member's path as its own header has it. Raises KoreError for an odd one."""
    name, _, rest = block[0:100].partition(b"\0")
    prefix, _, prefix_rest = block[345:500].partition(b"\0")
    try:
        path = (prefix + b"/" + name if prefix else name).decode("utf-8")
    except UnicodeDecodeError as error:
        raise bad_archive("A name in the archive is not in UTF-8.") from error
    if rest.strip(b"\0") or prefix_rest.strip(b"\0"):
        raise bad_archive(f"The name {shown(path)} goes on after its end.")
    return path


def records_of(raw: bytes, size: int) -> dict[str, str]:
    """Return the records of an extended header: length, key and value, each on a line."""
    if raw[size:].strip(b"\0"):
        raise bad_archive("The archive has something between its files.")
    records: dict[str, str] = {}
    position = 0
    while position < size:
        head = _RECORD.match(raw, position, size)
        end = position + int(head[1]) if head else 0
        if not head or not head.end() < end <= size or raw[end - 1 : end] != b"\n":
            raise bad_archive("An extended header of the archive cannot be read.")
        key = head[2].decode("ascii")
        try:
            value = raw[head.end() : end - 1].decode("utf-8")
        except UnicodeDecodeError as error:
            raise bad_archive("A name in the archive is not in UTF-8.") from error
        if key.startswith("GNU.sparse"):
            raise bad_archive("The archive has a sparse file.")
        if key not in _RECORDS or key in records:
            raise bad_archive(f"The archive has an extended header {shown(key)}.")
        if not _RECORDS[key].fullmatch(value):
            raise bad_archive(f"The extended header {shown(key)} cannot be read.")
        records[key] = value
        position = end
    return records
