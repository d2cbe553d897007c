"""``ananke backup``: a definition and all its data in one file, while the hub runs."""

from __future__ import annotations

import json
import re
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
from ananke.commands.list_ import format_size
from ananke.context import CommandContext, Directory, DryRun, Json, Name, require_ordinary_user, run
from ananke.definition import Definition
from ananke.disks import is_full, make_full_error
from ananke.errors import AnankeError, Exit, describe_exit_codes
from ananke.locks import lock_container
from ananke.mounts import HUB_DATABASE, KORE_DATABASE, MOUNTS
from ananke.podman import LONG_SECONDS, CompletedCommand, Podman
from ananke.result import Result, make_fact_table

# Run in the container by the database's owner: a malicious file can do no more there than its
# owner could.
_COPY_SCRIPT = """
import os, shutil, sqlite3, sys, tempfile
place = "container"
try:
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, "copy")
        source = sqlite3.connect(sys.argv[1], timeout=60)
        target = sqlite3.connect(copy)
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")
        target.close()
        source.close()
        with open(copy, "rb") as file:
            place = "output"
            shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()
except (OSError, sqlite3.Error) as error:
    print(f"{place}: {type(error).__name__}: {error}", file=sys.stderr)
    # Without closing standard output, which would fail again on a full disk.
    os._exit(1)
"""


@dataclass(frozen=True, slots=True)
class BackupResult(Result):
    """A finished backup. ``warnings`` name databases that were copied without SQLite's help."""

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

    def render(self) -> RenderableType:
        """Return where it is and what is in it."""
        rows = [
            ("file", f"{self.file} ({format_size(self.size)})"),
            ("checksum", self.checksum_file),
            ("files", f"{self.files} ({format_size(self.data_bytes)})"),
            ("databases", f"{self.databases} (hub {'running' if self.running else 'stopped'})"),
        ]
        warnings = [Text(warning, style="yellow") for warning in self.warnings]
        return Group(
            Text(f"Backed up {self.name}.", style="bold"), make_fact_table(rows), *warnings
        )


def make_archive_command(*args: str) -> list[str]:
    """Return the command line of ``ananke.archive`` in Podman's user namespace."""
    return ["podman", "unshare", sys.executable, "-P", "-m", "ananke.archive", *args]


def parse_archive_output(completed: CompletedCommand) -> Any:
    """Return what ``ananke.archive`` printed; raises AnankeError with its own message."""
    if completed.ok:
        return json.loads(completed.stdout or "{}")
    try:
        error = json.loads(completed.stderr.strip().splitlines()[-1])
        raise AnankeError(Exit(completed.code), error["message"], error["hint"])
    except (ValueError, KeyError, IndexError, TypeError):
        raise AnankeError(
            Exit.PODMAN,
            "Could not access the data as the container's accounts.",
            "ananke doctor shows whether your subordinate ids are set up correctly.",
            completed.stderr.strip()[-2000:],
        ) from None


def backup(context: CommandContext, name: str | None, output: Path | None) -> BackupResult:
    """Write a backup and its checksum; an AnankeError leaves no partial file."""
    require_ordinary_user()
    found = context.read_definition(name)
    with lock_container(context, found.name, "backup"):
        return _backup(context, found, output)


def _backup(context: CommandContext, found: Definition, output: Path | None) -> BackupResult:
    if output is None or output.is_dir():
        stamp = time.strftime("%Y%m%d-%H%M%S")
        output = (output or Path.cwd()) / f"{found.name}-{stamp}.ananke.tar.gz"
    if output.exists():
        raise AnankeError(Exit.EXISTS, f"{output} already exists.", "Choose another --output.")
    if not output.parent.is_dir():
        raise AnankeError(
            Exit.NOT_FOUND,
            f"There is no folder {output.parent}.",
            "Create it, or choose another --output.",
        )
    container = context.podman.inspect_container(found.name) or {}
    running = bool(container.get("State", {}).get("Running"))
    output = output.absolute()
    try:
        # A folder of its own: another backup to the same name must not touch this one's file.
        with tempfile.TemporaryDirectory(prefix=".ananke-", dir=output.parent) as stage:
            partial = Path(stage) / "archive"
            manifest, databases, warnings = _pack(
                context, found, Path(stage), partial, running=running
            )
            if not context.dry_run:
                with partial.open("rb") as file:
                    digest = checksums.compute_sha256(file)
                checksum_file = checksums.write_checksum(output, digest)
                partial.rename(output)
    except OSError as error:
        if is_full(error):
            raise make_full_error(output) from error
        raise AnankeError(
            Exit.HOST,
            f"Could not write {output}: {error.strerror}.",
            "Choose another --output, on a disk with free space.",
        ) from error
    if context.dry_run:
        return BackupResult(found.name, output, output, "", 0, 0, 0, 0, running, [])
    return BackupResult(
        name=found.name,
        file=output,
        checksum_file=checksum_file,
        sha256=digest,
        size=output.stat().st_size,
        files=manifest["files"],
        data_bytes=manifest["bytes"],
        databases=databases,
        running=running,
        warnings=warnings,
    )


def _pack(
    context: CommandContext, found: Definition, stage: Path, partial: Path, *, running: bool
) -> tuple[dict[str, Any], int, list[str]]:
    """Write the archive; return its manifest, the number of databases, and warnings."""
    podman = context.podman
    folder = str(found.folder)
    databases = parse_archive_output(podman.query(make_archive_command("databases", folder)))
    staged: dict[str, str] = {}
    warnings: list[str] = []
    # Databases first: the files that they mention are then packed after them.
    for number, database in enumerate(databases if running else []):
        copy = stage / str(number)
        try:
            _copy_database(podman, found.name, database, copy)
        except AnankeError as error:
            full = re.search(r"(container|output): .*(?:No space left|is full)", error.details)
            if full and full[1] == "output":
                raise make_full_error(partial) from error
            if full:
                raise _make_full_container_error(found.name) from error
            if database["path"] in (HUB_DATABASE, KORE_DATABASE):
                raise
            reason = (error.details or error.message).splitlines()[-1]
            warnings.append(
                f"{database['path']} was copied as a plain file, because SQLite could not "
                f"copy it: {reason}"
            )
        else:
            staged[database["path"]] = str(copy)
    staged_list = stage / "staged.json"
    staged_list.write_text(json.dumps(staged), encoding="utf-8")
    argv = make_archive_command("pack", folder, str(partial), str(staged_list))
    completed = podman.try_run(argv, seconds=LONG_SECONDS)
    return parse_archive_output(completed), len(databases), warnings


def _make_full_container_error(name: str) -> AnankeError:
    return AnankeError(
        Exit.HOST,
        f"The temporary folder in the container {name} is full.",
        "Free some space on the disk of Podman's images and containers: podman system df shows "
        "what is used, ananke build --prune removes images that nothing uses.",
    )


def _copy_database(podman: Podman, name: str, database: dict[str, Any], copy: Path) -> None:
    """Let SQLite copy a database inside the running container."""
    account = f"{database['uid']}:{database['gid']}"
    argv = [
        "podman",
        "exec",
        f"--user={account}",
        name,
        "/usr/bin/python3",
        "-I",
        "-c",
        _COPY_SCRIPT,
    ]
    with copy.open("wb") as file:
        podman.run(
            [*argv, str(_get_path_in_container(database["path"]))],
            seconds=LONG_SECONDS,
            stdout=file,
        )


def _get_path_in_container(path: str) -> PurePosixPath:
    """Return the path in the container of a path below the definition."""
    mount = next(m for m in MOUNTS if path.startswith(f"{m.source}/"))
    return mount.target / path.removeprefix(f"{mount.source}/")


def register(app: typer.Typer) -> None:
    """Add ``backup`` to the command line."""
    codes = (
        Exit.SOFTWARE_MISSING,
        Exit.STATE_IN_USE,
        Exit.DEFINITION,
        Exit.PODMAN,
        Exit.NOT_FOUND,
        Exit.EXISTS,
        Exit.HOST,
    )

    @app.command("backup", epilog=describe_exit_codes(*codes))
    def command(
        *,
        name: Name = None,
        output: Annotated[
            Path | None,
            typer.Option(
                "--output",
                "-o",
                metavar="FILE|FOLDER",
                help="Where to write the backup.",
                show_default="NAME-DATE-TIME.ananke.tar.gz in the current folder",
            ),
        ] = None,
        json: Json = False,
        dry_run: DryRun = False,
        directory: Directory = None,
    ) -> None:
        """Back up a hub, even while it runs: configuration, users, courses, grades, keys, files."""
        run(
            lambda context: backup(context, name, output),
            json=json,
            dry_run=dry_run,
            directory=directory,
        )
