"""``python -m ananke.archive``: what runs inside Podman's user namespace."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ananke.archive.packing import databases, pack
from ananke.archive.unpacking import unpack
from ananke.errors import AnankeError, Exit


def main(argv: list[str]) -> int:
    """Do what ``ananke backup`` and ``ananke restore`` ask; print JSON, or words on stderr."""
    work, folder, *rest = argv
    try:
        if work == "databases":
            answer: Any = databases(Path(folder))
        elif work == "pack":
            answer = pack(Path(folder), Path(rest[0]), json.loads(Path(rest[1]).read_text("utf-8")))
        else:
            answer = unpack(sys.stdin.buffer, Path(folder))
    except AnankeError as error:
        sys.stderr.write(json.dumps({"message": error.message, "hint": error.hint}))
        return int(error.code)
    except OSError as error:
        hint = "Check that the disk is not full, and to whom the folder belongs."
        sys.stderr.write(json.dumps({"message": f"{work}: {error}.", "hint": hint}))
        return int(Exit.HOST)
    sys.stdout.write(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
