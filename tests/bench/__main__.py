"""Every measurement, one after another: ``python -m tests.bench [NAME...]``.

Each prints one JSON line. Names are those of the files here without ``bench_``.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main(names: list[str]) -> int:
    """Run the measurements; return 1 when one of them failed."""
    found = sorted(path.stem for path in Path(__file__).parent.glob("bench_*.py"))
    chosen = [name for name in found if not names or name.removeprefix("bench_") in names]
    unknown = set(names) - {name.removeprefix("bench_") for name in found}
    if unknown:
        print(f"No such measurement: {', '.join(sorted(unknown))}. There are:", *found)  # noqa: T201
        return 2
    failed = 0
    for name in chosen:
        print(f"# {name}", flush=True)  # noqa: T201
        failed |= subprocess.run(
            [sys.executable, "-m", f"tests.bench.{name}"], check=False
        ).returncode
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
