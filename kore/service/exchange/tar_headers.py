"""Reads the headers of a tar archive; refuses what two readers could take differently.

Errors are BadArchive; their reason names what was sent.
"""

from __future__ import annotations

import re
from typing import Any

from kore.service.errors import BadArchive
from kore.shared.messages import Message, message

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


def bad_archive(reason: str | Message, /, **params: Any) -> BadArchive:
    """Return the error for an archive, with a reason: a message, or its id and parameters."""
    if isinstance(reason, str):
        reason = message(reason, **params)
    return BadArchive("bad_archive", reason=reason)


def padding_of(size: int) -> int:
    """Return how many bytes fill a size up to the next block."""
    return -size % BLOCK


def parse_number(raw: bytes) -> int | None:
    """Return an octal field's number, 0 for an empty one; None for anything else."""
    if not _OCTAL.fullmatch(raw):
        return None
    return int(raw.strip(b" \0") or b"0", 8)


def parse_path(block: bytes) -> str:
    """Return a member's path as its own header has it. Raises BadArchive for an ambiguous one."""
    name, _, rest = block[0:100].partition(b"\0")
    prefix, _, prefix_rest = block[345:500].partition(b"\0")
    try:
        path = (prefix + b"/" + name if prefix else name).decode("utf-8")
    except UnicodeDecodeError as error:
        raise bad_archive("archive.not_utf8") from error
    if rest.strip(b"\0") or prefix_rest.strip(b"\0"):
        raise bad_archive("archive.name_goes_on", file=path)
    return path


def parse_records(raw: bytes, size: int) -> dict[str, str]:
    """Return the records of an extended header: length, key and value, each on a line."""
    if raw[size:].strip(b"\0"):
        raise bad_archive("archive.between_files")
    records: dict[str, str] = {}
    position = 0
    while position < size:
        head = _RECORD.match(raw, position, size)
        end = position + int(head[1]) if head else 0
        if not head or not head.end() < end <= size or raw[end - 1 : end] != b"\n":
            raise bad_archive("archive.extended_unreadable")
        key = head[2].decode("ascii")
        try:
            value = raw[head.end() : end - 1].decode("utf-8")
        except UnicodeDecodeError as error:
            raise bad_archive("archive.not_utf8") from error
        if key.startswith("GNU.sparse"):
            raise bad_archive("archive.sparse")
        if key not in _RECORDS or key in records:
            raise bad_archive("archive.record_unknown", record=key)
        if not _RECORDS[key].fullmatch(value):
            raise bad_archive("archive.record_unreadable", record=key)
        records[key] = value
        position = end
    return records
