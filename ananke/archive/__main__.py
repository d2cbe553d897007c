"""``python -m ananke.archive``: what runs inside Podman's user namespace."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ananke.archive.packing import list_databases, pack
from ananke.archive.unpacking import unpack
from ananke.disks import is_full, make_full_error
from ananke.errors import AnankeError, Exit


def main(argv: list[str]) -> int:
    """Do the work for ``ananke backup`` and ``ananke restore``; print JSON, errors on stderr."""
    action, folder, *rest = argv
    try:
        if action == "databases":
            answer: Any = list_databases(Path(folder))
        elif action == "pack":
            answer = pack(Path(folder), Path(rest[0]), json.loads(Path(rest[1]).read_text("utf-8")))
        else:
            answer = unpack(sys.stdin.buffer, Path(folder))
    except AnankeError as error:
        return _print_error(error)
    except OSError as error:
        if is_full(error):
            return _print_error(make_full_error(Path(rest[0] if action == "pack" else folder)))
        hint = "Check that the disk is not full, and who owns the folder."
        sys.stderr.write(json.dumps({"message": f"{action}: {error}.", "hint": hint}))
        return int(Exit.HOST)
    sys.stdout.write(json.dumps(answer))
    return 0


def _print_error(error: AnankeError) -> int:
    sys.stderr.write(json.dumps({"message": error.message, "hint": error.hint}))
    return int(error.code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
