"""``ananke ca``: certificates of the organisation's own authorities, trusted in a container."""

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
from ananke.errors import AnankeError, Exit, exit_codes
from ananke.result import Result
from ananke.session import Directory, DryRun, Json, Name, Session, run

FOLDER = "ca"
_LARGEST = 1_000_000
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\s.*?-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Authorities(Result):
    """The certificates that a container trusts beside the usual ones."""

    name: str
    files: list[str]
    restart: bool

    def human(self) -> RenderableType:
        """Return their names, and whether a restart is needed."""
        lines = [f"{self.name} trusts: {', '.join(self.files)}" if self.files else
                 f"{self.name} trusts no authorities of its own."]  # fmt: skip
        if self.restart:
            lines.append(f"They take effect with: ananke restart {self.name}")
        return Text("\n".join(lines))


def certificates(path: Path) -> str:
    """Return the certificates of a PEM file, and nothing else of it (no key by mistake).

    Raises AnankeError where there is none, or one that cannot be read.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise AnankeError(
                Exit.USAGE, f"{path} is too large for certificates.", "Give a PEM file."
            )
        text = path.read_text("ascii", "replace")
    except OSError as error:
        raise AnankeError(
            Exit.NOT_FOUND,
            f"{path} cannot be read: {error.strerror}.",
            "Check the file's name, and that you may read it.",
        ) from error
    found = _CERTIFICATE.findall(text)
    try:
        for pem in found:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError) as error:
        raise AnankeError(
            Exit.USAGE,
            f"{path} has a certificate that cannot be read.",
            "Give a PEM file.",
            str(error),
        ) from error
    if not found:
        raise AnankeError(
            Exit.USAGE,
            f"{path} has no certificate in PEM form.",
            "Turn it into one with: openssl x509 -inform der -in FILE -out FILE.pem",
        )
    return "\n".join(found) + "\n"


def ca(session: Session, name: str | None, files: list[Path], remove: list[str]) -> Authorities:
    """Add certificates to a definition, or remove them; without either tell which there are."""
    found = session.definition(name)
    folder = found.folder / FOLDER
    texts = {f"{re.sub(r'[^A-Za-z0-9_.-]', '-', p.stem)}.crt": certificates(p) for p in files}
    for word in remove:
        path = folder / (word if word.endswith(".crt") else f"{word}.crt")
        if path.parent != folder or not path.is_file():
            raise AnankeError(
                Exit.NOT_FOUND, f"{word!r} is none of them.", f"ananke ca {found.name} lists them."
            )
        session.steps.unlink(path)
    if texts:
        session.steps.folder(folder)
    for file_name, text in texts.items():
        session.steps.write(folder / file_name, text)
    return Authorities(
        name=found.name,
        files=sorted(path.name for path in folder.glob("*.crt")),
        restart=bool(texts or remove) and unit.installed(found.name) is not None,
    )


def add_to(app: typer.Typer) -> None:
    """Add ``ca`` to the command line."""

    @app.command("ca", epilog=exit_codes(Exit.DEFINITION, Exit.NOT_FOUND, Exit.HOST))
    def command(
        *,
        name: Name = None,
        files: Annotated[
            list[Path] | None,
            typer.Argument(help="PEM files of authorities to trust.", show_default=False),
        ] = None,
        remove: Annotated[
            list[str] | None,
            typer.Option("--remove", metavar="NAME", help="Trust one no more."),
        ] = None,
        json: Json = False,
        dry_run: DryRun = False,
        directory: Directory = None,
    ) -> None:
        """Have a hub trust your organisation's own certificate authority; list what it trusts."""
        run(
            lambda session: ca(session, name, files or [], remove or []),
            json=json,
            dry_run=dry_run,
            directory=directory,
        )
