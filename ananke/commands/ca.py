"""``ananke ca``: certificates of an organisation's own authorities that a container trusts."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from ananke import unit
from ananke.context import CommandContext, Directory, DryRun, Json, Name, run
from ananke.errors import AnankeError, Exit, describe_exit_codes
from ananke.result import Result

FOLDER = "ca"
_MAX_FILE_BYTES = 1_000_000
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\s.*?-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Authorities(Result):
    """The certificates that a container trusts besides the usual ones."""

    name: str
    files: list[str]
    restart: bool

    def render(self) -> RenderableType:
        """Return their names, and whether a restart is needed."""
        lines = [f"{self.name} trusts: {', '.join(self.files)}" if self.files else
                 f"{self.name} trusts no authorities of its own."]  # fmt: skip
        if self.restart:
            lines.append(f"The change takes effect after: ananke restart {self.name}")
        return Text("\n".join(lines))


def read_certificates(path: Path) -> str:
    """Return the certificates of a PEM file and nothing else (no key by mistake).

    Raises AnankeError if there is none, or if one is invalid.
    """
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise AnankeError(
                Exit.USAGE, f"{path} is too large to be a certificate file.", "Give a PEM file."
            )
        text = path.read_text("ascii", "replace")
    except OSError as error:
        raise AnankeError(
            Exit.NOT_FOUND,
            f"Could not read {path}: {error.strerror}.",
            "Check the file name, and that you may read the file.",
        ) from error
    found = _CERTIFICATE.findall(text)
    try:
        for pem in found:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError) as error:
        raise AnankeError(
            Exit.USAGE,
            f"{path} contains an invalid certificate.",
            "Give a PEM file.",
            str(error),
        ) from error
    if not found:
        raise AnankeError(
            Exit.USAGE,
            f"{path} contains no certificate in PEM format.",
            "Convert it with: openssl x509 -inform der -in FILE -out FILE.pem",
        )
    return "\n".join(found) + "\n"


def change_authorities(
    context: CommandContext, name: str | None, files: list[Path], remove: list[str]
) -> Authorities:
    """Add certificates to a definition or remove them, and list those that it has."""
    found = context.read_definition(name)
    folder = found.folder / FOLDER
    texts = {f"{re.sub(r'[^A-Za-z0-9_.-]', '-', p.stem)}.crt": read_certificates(p) for p in files}
    for certificate in remove:
        path = folder / f"{certificate.removesuffix('.crt')}.crt"
        if path.parent != folder or not path.is_file():
            raise AnankeError(
                Exit.NOT_FOUND,
                f"There is no certificate {certificate!r}.",
                f"List them with: ananke ca {found.name}",
            )
        context.steps.remove_file(path)
    if texts:
        context.steps.make_folder(folder)
    for file_name, text in texts.items():
        context.steps.write_file(folder / file_name, text)
    return Authorities(
        name=found.name,
        files=sorted(path.name for path in folder.glob("*.crt")),
        restart=bool(texts or remove) and unit.find_installed(found.name) is not None,
    )


def register(app: typer.Typer) -> None:
    """Add ``ca`` to the command line."""

    @app.command("ca", epilog=describe_exit_codes(Exit.DEFINITION, Exit.NOT_FOUND, Exit.HOST))
    def command(
        *,
        name: Name = None,
        files: Annotated[
            list[Path] | None,
            typer.Argument(help="PEM files of authorities to trust.", show_default=False),
        ] = None,
        remove: Annotated[
            list[str] | None,
            typer.Option(
                "--remove", metavar="NAME", help="Stop trusting this certificate; can be repeated."
            ),
        ] = None,
        json: Json = False,
        dry_run: DryRun = False,
        directory: Directory = None,
    ) -> None:
        """Make a hub trust your organisation's own certificate authority, or list all of these."""
        run(
            lambda context: change_authorities(context, name, files or [], remove or []),
            json=json,
            dry_run=dry_run,
            directory=directory,
        )
