"""``ananke new``: a container definition from a template."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from ananke import definition, hubconfig
from ananke.errors import AnankeError, Exit, exit_codes
from ananke.options import BY_KEY, Wrong
from ananke.result import Result
from ananke.session import Directory, DryRun, Json, Session, run

_PREFIX = "template-"


@dataclass(frozen=True, slots=True)
class New(Result):
    """A definition that was made, and what is still to be filled in."""

    name: str
    folder: Path
    template: str
    to_do: list[str]

    def human(self) -> RenderableType:
        """Return where it is, and the next steps."""
        lines = [f"{self.folder} was made from {self.template}."]
        if self.to_do:
            lines += ["To be filled in:", *(f"  {words}" for words in self.to_do)]
        lines.append(f"Then: ananke create {self.name}")
        return Text("\n".join(lines))


def templates(root: Path) -> dict[str, Path]:
    """Return the templates by name: those below ``root``, else those that came with ananke."""
    places = (root / definition.FOLDER, _own())
    for place in places:
        found = {
            path.parent.name: path.parent for path in place.glob(f"{_PREFIX}*/{definition.CONFIG}")
        }
        if found:
            return dict(sorted(found.items()))
    raise AnankeError(
        Exit.NOT_FOUND,
        "There are no templates here.",
        "Work in a clone of the repository, or name one with --directory.",
    )


def _own() -> Path:
    package = Path(__file__).parents[1]
    installed = package / definition.FOLDER
    return installed if installed.is_dir() else package.parent / definition.FOLDER


def new(
    session: Session,
    name: str,
    *,
    template: str | None = None,
    port: str | None = None,
    lms_config: Path | None = None,
) -> New:
    """Copy a template, with the port and the LMS filled in where they were given."""
    definition.checked_name(name)
    if name.startswith(_PREFIX):
        raise AnankeError(
            Exit.USAGE, f"{name!r} would be a template.", f"Choose a name without {_PREFIX}."
        )
    known = templates(session.root)
    chosen = template or session.choose("Which template", list(known), "--template")
    chosen = chosen if chosen in known else f"{_PREFIX}{chosen}"
    if chosen not in known:
        raise AnankeError(
            Exit.NOT_FOUND, f"There is no template {template}.", f"There are: {', '.join(known)}."
        )
    folder = session.root / definition.FOLDER / name
    if folder.exists() or folder.is_symlink():
        raise AnankeError(
            Exit.EXISTS, f"{folder} exists already.", "Choose another name, or edit what is there."
        )
    number = _checked_port(port)
    if lms_config is not None and not lms_config.is_file():
        raise AnankeError(
            Exit.NOT_FOUND, f"There is no file {lms_config}.", "Give another --lms-config."
        )
    _copy(session, known[chosen], folder, number, lms_config)
    to_do = [] if session.dry_run else _to_do(session, name)
    return New(name=name, folder=folder, template=chosen, to_do=to_do)


def _checked_port(port: str | None) -> str | None:
    if port is None:
        return None
    try:
        return str(BY_KEY["port"].check(port))
    except Wrong as wrong:
        raise AnankeError(Exit.USAGE, f"--port {wrong}.", wrong.remedy) from wrong


def _copy(
    session: Session, template: Path, folder: Path, port: str | None, lms_config: Path | None
) -> None:
    if not session.steps.note(f"copy {template} to {folder}"):
        return
    fresh = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        shutil.copytree(
            template, fresh, ignore=shutil.ignore_patterns("runtime", "__pycache__", ".*")
        )
        (fresh / "ca").mkdir(exist_ok=True)
        if port is not None:
            _set_port(fresh / definition.CONFIG, port)
        if lms_config is not None:
            shutil.copyfile(lms_config, fresh / hubconfig.FOLDER / "30_lms.py")
        fresh.rename(folder)
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise AnankeError(
            Exit.HOST,
            f"{folder} cannot be made: {error.strerror}.",
            "Check to whom the folder belongs, and that the disk is not full.",
        ) from error


def _set_port(file: Path, port: str) -> None:
    value = port if port.isdecimal() else repr(port)
    text = file.read_text(encoding="utf-8")
    text, times = re.subn(
        r"^config\['port'\] = .*$", lambda _: f"config['port'] = {value}", text, flags=re.M
    )
    if not times:
        text += f"\nconfig['port'] = {value}\n"
    file.write_text(text, encoding="utf-8")


def _to_do(session: Session, name: str) -> list[str]:
    found = definition.read(session.root, name)
    words = []
    for check in (found.require_complete, lambda: hubconfig.require_lms(found)):
        try:
            check()
        except AnankeError as error:
            words.append(error.message)
    return words


def add_to(app: typer.Typer) -> None:
    """Add ``new`` to the command line."""

    @app.command("new", epilog=exit_codes(Exit.NOT_FOUND, Exit.EXISTS, Exit.HOST))
    def command(
        *,
        name: Annotated[
            str | None,
            typer.Argument(help="Name of the new container.", show_default=False),
        ] = None,
        template: Annotated[
            str | None,
            typer.Option("--template", "-t", help="Template; asked for if left out."),
        ] = None,
        port: Annotated[str | None, typer.Option(metavar="PORT", help=BY_KEY["port"].help)] = None,
        lms_config: Annotated[
            Path | None,
            typer.Option(metavar="FILE", help="A 30_lms.py that says which LMS."),
        ] = None,
        json: Json = False,
        dry_run: DryRun = False,
        directory: Directory = None,
    ) -> None:
        """Make a container definition from a template."""
        run(
            lambda session: new(
                session,
                name if name is not None else session.ask("Name of the container", "its name"),
                template=template,
                port=port,
                lms_config=lms_config,
            ),
            json=json,
            dry_run=dry_run,
            directory=directory,
        )
