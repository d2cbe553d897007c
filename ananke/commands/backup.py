"""``ananke backup``: a definition and all its data in one file, while the hub runs."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from ananke import checksums
from ananke.commands.list_ import megabytes
from ananke.definition import Definition
from ananke.errors import AnankeError, Exit, exit_codes
from ananke.mounts import HUB_DATABASE, KORE_DATABASE, MOUNTS
from ananke.podman import LONG_SECONDS, Podman, Ran
from ananke.result import Result, facts
from ananke.session import Directory, DryRun, Json, Name, Session, ordinary_user, run

# Run in the container by the database's owner: whatever a file holds can do no more there
# than its owner can.
_COPY = """
import os, shutil, sqlite3, sys, tempfile
with tempfile.TemporaryDirectory() as folder:
    copy = os.path.join(folder, "copy")
    source = sqlite3.connect(sys.argv[1], timeout=60)
    target = sqlite3.connect(copy)
    source.backup(target)
    target.execute("PRAGMA journal_mode=DELETE")
    target.close()
    source.close()
    with open(copy, "rb") as file:
        shutil.copyfileobj(file, sys.stdout.buffer)
"""


@dataclass(frozen=True, slots=True)
class BackedUp(Result):
    """A backup that was made. ``warnings`` say what could be copied only as it lay there."""

    name: str
    file: Path
    checksum_file: Path
    sha256: str
    size: int
    files: int
    data_bytes: int
    databases: int
    running: bool
    warnings: list[str]

    def human(self) -> RenderableType:
        """Return where it is and what is in it."""
        rows = [
            ("file", f"{self.file} ({megabytes(self.size)})"),
            ("checksum", self.checksum_file),
            ("files", f"{self.files} ({megabytes(self.data_bytes)})"),
            ("databases", f"{self.databases}, {'hub running' if self.running else 'hub stopped'}"),
        ]
        warnings = [Text(words, style="yellow") for words in self.warnings]
        return Group(Text(f"{self.name} was backed up.", style="bold"), facts(rows), *warnings)


def helper(*words: str) -> list[str]:
    """Return the command line of ``ananke.archive`` in Podman's user namespace."""
    return ["podman", "unshare", sys.executable, "-P", "-m", "ananke.archive", *words]


def understood(ran: Ran) -> Any:
    """Return what ``ananke.archive`` answered; raises AnankeError with its own words."""
    if ran.ok:
        return json.loads(ran.out or "{}")
    try:
        said = json.loads(ran.err.strip().splitlines()[-1])
        raise AnankeError(Exit(ran.code), said["message"], said["hint"])
    except (ValueError, KeyError, IndexError, TypeError):
        raise AnankeError(
            Exit.PODMAN,
            "The data could not be read as the container's accounts.",
            "ananke doctor shows whether your subordinate ids are in order.",
            ran.err.strip()[-2000:],
        ) from None


def backup(session: Session, name: str | None, output: Path | None) -> BackedUp:
    """Write a backup and its checksum; raises AnankeError, leaving no half file."""
    ordinary_user()
    found = session.definition(name)
    if output is None or output.is_dir():
        stamp = time.strftime("%Y%m%d-%H%M%S")
        output = (output or Path.cwd()) / f"{found.name}-{stamp}.ananke.tar.gz"
    if output.exists():
        raise AnankeError(Exit.EXISTS, f"{output} exists already.", "Choose another --output.")
    if not output.parent.is_dir():
        raise AnankeError(
            Exit.NOT_FOUND, f"There is no folder {output.parent}.", "Make it, or choose another."
        )
    container = session.podman.container(found.name) or {}
    running = bool(container.get("State", {}).get("Running"))
    output = output.absolute()
    part = output.with_name(f".{output.name}.part")
    try:
        with tempfile.TemporaryDirectory(prefix=".ananke-", dir=output.parent) as stage:
            about, staged, warnings = _packed(session, found, Path(stage), part, running=running)
        if not session.dry_run:
            with part.open("rb") as file:
                digest = checksums.of(file)
            checksum_file = checksums.write(output, digest)
            part.rename(output)
    except OSError as error:
        raise AnankeError(
            Exit.HOST,
            f"{output} cannot be written: {error.strerror}.",
            "Choose another --output, on a disk with space.",
        ) from error
    finally:
        part.unlink(missing_ok=True)
    if session.dry_run:
        return BackedUp(found.name, output, output, "", 0, 0, 0, 0, running, [])
    return BackedUp(
        name=found.name,
        file=output,
        checksum_file=checksum_file,
        sha256=digest,
        size=output.stat().st_size,
        files=about["files"],
        data_bytes=about["bytes"],
        databases=staged,
        running=running,
        warnings=warnings,
    )


def _packed(
    session: Session, found: Definition, stage: Path, part: Path, *, running: bool
) -> tuple[dict[str, Any], int, list[str]]:
    """Pack; return what was packed, the number of databases and what went less well."""
    podman = session.podman
    folder = str(found.folder)
    part.unlink(missing_ok=True)
    known = understood(podman.ask(helper("databases", folder)))
    staged: dict[str, str] = {}
    warnings: list[str] = []
    # Databases first: what they speak of is then in the files that follow.
    for number, database in enumerate(known if running else []):
        copy = stage / str(number)
        try:
            _copy_database(podman, found.name, database, copy)
        except AnankeError as error:
            if database["path"] in (HUB_DATABASE, KORE_DATABASE):
                raise
            words = (error.details or error.message).splitlines()[-1]
            warnings.append(f"{database['path']} was copied as it lay there: {words}")
        else:
            staged[database["path"]] = str(copy)
    listed = stage / "staged.json"
    listed.write_text(json.dumps(staged), encoding="utf-8")
    argv = helper("pack", folder, str(part), str(listed))
    ran = podman.do_quietly(argv, seconds=LONG_SECONDS)
    return understood(ran), len(known), warnings


def _copy_database(podman: Podman, name: str, database: dict[str, Any], copy: Path) -> None:
    """Have SQLite copy a database inside the running container."""
    account = f"{database['uid']}:{database['gid']}"
    argv = ["podman", "exec", f"--user={account}", name, "/usr/bin/python3", "-I", "-c", _COPY]
    with copy.open("wb") as file:
        podman.do([*argv, str(_inside(database["path"]))], seconds=LONG_SECONDS, stdout=file)


def _inside(path: str) -> PurePosixPath:
    """Return where a path below the definition lies in the container."""
    mount = next(m for m in MOUNTS if path.startswith(f"{m.source}/"))
    return mount.target / path.removeprefix(f"{mount.source}/")


def add_to(app: typer.Typer) -> None:
    """Add ``backup`` to the command line."""
    codes = (
        Exit.SOFTWARE_MISSING,
        Exit.DEFINITION,
        Exit.PODMAN,
        Exit.NOT_FOUND,
        Exit.EXISTS,
        Exit.HOST,
    )

    @app.command("backup", epilog=exit_codes(*codes))
    def command(
        *,
        name: Name = None,
        output: Annotated[
            Path | None,
            typer.Option(
                "--output",
                "-o",
                metavar="FILE|FOLDER",
                help="Where to write it.",
                show_default="NAME-DATE-TIME.ananke.tar.gz in the current folder",
            ),
        ] = None,
        json: Json = False,
        dry_run: DryRun = False,
        directory: Directory = None,
    ) -> None:
        """Back up a hub while it runs: configuration, users, courses, grades, keys, files."""
        run(
            lambda session: backup(session, name, output),
            json=json,
            dry_run=dry_run,
            directory=directory,
        )
