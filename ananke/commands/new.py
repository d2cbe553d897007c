"""``ananke new``: a container definition from a template."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from ananke import definition, hubconfig, templates
from ananke.context import CommandContext, Directory, DryRun, Json, run
from ananke.errors import AnankeError, Exit, describe_exit_codes
from ananke.option_flags import Overrides, add_option_flags
from ananke.options import check_values
from ananke.result import Result


@dataclass(frozen=True, slots=True)
class NewDefinition(Result):
    """A new definition. ``to_do`` lists what must still be filled in."""

    name: str
    folder: Path
    template: str
    to_do: list[str]

    def render(self) -> RenderableType:
        """Return its folder, and the next steps."""
        lines = [f"Made {self.folder} from {self.template}."]
        if self.to_do:
            lines += ["Still to fill in:", *(f"  {message}" for message in self.to_do)]
        lines.append(f"Next: ananke create {self.name}")
        return Text("\n".join(lines))


def create_definition(
    context: CommandContext,
    name: str,
    overrides: Overrides,
    *,
    template: str | None = None,
    lms_config: Path | None = None,
) -> NewDefinition:
    """Make a definition from a template, with ``overrides`` and the LMS filled in if given."""
    definition.check_name(name)
    if name.startswith(templates.PREFIX):
        raise AnankeError(
            Exit.USAGE,
            f"{name!r} is the name of a template.",
            f"Choose a name that does not begin with {templates.PREFIX}.",
        )
    known = templates.find_templates(context.root)
    described = "\n".join(f"{key}: {templates.describe(path)}" for key, path in known.items())
    if template is None and context.can_ask:
        typer.echo(described, err=True)
    chosen = template or context.choose("Which template", list(known), "--template")
    chosen = chosen if chosen in known else f"{templates.PREFIX}{chosen}"
    if chosen not in known:
        raise AnankeError(
            Exit.NOT_FOUND, f"There is no template {template}.", f"There are:\n{described}"
        )
    folder = context.root / definition.FOLDER / name
    if folder.exists() or folder.is_symlink():
        raise AnankeError(
            Exit.EXISTS,
            f"{folder} already exists.",
            "Choose another name, or edit the existing definition.",
        )
    values = check_values(overrides)
    if lms_config is not None and not lms_config.is_file():
        raise AnankeError(
            Exit.NOT_FOUND, f"There is no file {lms_config}.", "Give another --lms-config."
        )
    _make_definition(context, known[chosen], folder, values, lms_config)
    to_do = [] if context.dry_run else _list_missing(context, name)
    return NewDefinition(name=name, folder=folder, template=chosen, to_do=to_do)


def _make_definition(
    context: CommandContext,
    template: Path,
    folder: Path,
    overrides: Overrides,
    lms_config: Path | None,
) -> None:
    if not context.steps.record(f"copy {template} to {folder}"):
        return
    partial = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        templates.make_definition(template, partial)
        (partial / "ca").mkdir(exist_ok=True)
        templates.set_values(partial / definition.CONFIG, overrides)
        if lms_config is not None:
            shutil.copyfile(lms_config, partial / hubconfig.FOLDER / hubconfig.LMS_FILE)
        partial.rename(folder)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise AnankeError(
            Exit.HOST,
            f"Could not make {folder}: {error.strerror}.",
            "Check who owns the folder, and that the disk is not full.",
        ) from error


def _list_missing(context: CommandContext, name: str) -> list[str]:
    found = definition.read_definition(context.root, name)
    messages = []
    for check in (found.require_complete, lambda: hubconfig.require_lms(found)):
        try:
            check()
        except AnankeError as error:
            messages.append(error.message)
    return messages


def register(app: typer.Typer) -> None:
    """Add ``new`` to the command line."""

    @app.command("new", epilog=describe_exit_codes(Exit.NOT_FOUND, Exit.EXISTS, Exit.HOST))
    @add_option_flags("port", default_from="")
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
        overrides: Overrides,
        lms_config: Annotated[
            Path | None,
            typer.Option(metavar="FILE", help="A 30_lms.py that describes the LMS."),
        ] = None,
        json: Json = False,
        dry_run: DryRun = False,
        directory: Directory = None,
    ) -> None:
        """Make a container definition from a template."""
        run(
            lambda context: create_definition(
                context,
                name if name is not None else context.ask("Name of the container", "its name"),
                overrides,
                template=template,
                lms_config=lms_config,
            ),
            json=json,
            dry_run=dry_run,
            directory=directory,
        )
