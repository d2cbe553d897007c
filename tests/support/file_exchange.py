"""A course's folder of nbgrader's own file exchange, as version 0.9 leaves it."""

from __future__ import annotations

from pathlib import Path

from nbgrader.utils import make_unique_key, notebook_hash

STAMP = "2026-03-01 10:20:30.123456 UTC"


def make_file_exchange(folder: Path, course: str) -> Path:
    """Make a course's folder below one: one release, three submissions, feedback; return it."""
    root = folder / course
    write(root / "outbound/ps1/squares.ipynb", "{}")
    write(root / "outbound/ps1/data/numbers.csv", "1")
    for name, secret in (
        (f"u2+ps1+{STAMP}+c2Vj", "secret"),
        ("u2+ps1+2026-03-02 00:00:00.000000 UTC", ""),
        (f"u9+ps1+{STAMP}+x_-y", "other"),
    ):
        write(root / "inbound" / name / "squares.ipynb", f'{{"by": "{name}"}}')
        write(root / "inbound" / name / "timestamp.txt", STAMP)
        if secret:
            write(root / "inbound" / name / "submission_secret.txt", secret)
    page = notebook_hash(secret="secret", notebook_id="squares")
    write(root / f"feedback/{page}.html", "<p>new rule</p>")
    old = root / "inbound/u2+ps1+2026-03-02 00:00:00.000000 UTC/squares.ipynb"
    key = make_unique_key(course, "ps1", "squares", "u2", "2026-03-02 00:00:00.000000 UTC")
    write(root / f"feedback/{notebook_hash(str(old), key)}.html", "<p>old rule</p>")
    write(root / f"feedback/{'0' * 32}.html", "whose?")
    return root


def write(path: Path, text: str) -> None:
    """Write a file, making its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
