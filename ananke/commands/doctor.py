"""``ananke doctor``: what on this host would break, and what to do about it."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from ananke import checks, definition, hubconfig, hubs, reach, unit
from ananke.checks import Check, Host
from ananke.commands import create
from ananke.commands.ca import FOLDER as CA_FOLDER
from ananke.errors import AnankeError, Exit, exit_codes
from ananke.result import Result, table
from ananke.session import Directory, Json, Session, run

_COLOURS = {"ok": "green", "warn": "yellow", "bad": "bold red"}


@dataclass(frozen=True, slots=True)
class Diagnosis(Result):
    """All checks. ``healthy`` says that none is bad."""

    healthy: bool
    checks: list[Check]

    def human(self) -> RenderableType:
        """Return a table, and the remedies below it."""
        rows = [
            (Text(check.state, style=_COLOURS[check.state]), check.what, check.found)
            for check in self.checks
        ]
        remedies = [
            Text.assemble((f"{check.what}: ", _COLOURS[check.state]), check.remedy)
            for check in self.checks
            if check.remedy
        ]
        end = [] if remedies else [Text("All is well.")]
        return Group(table(("", "what", "found"), rows), Text(""), *remedies, *end)

    @property
    def exit_code(self) -> int:
        """16 where something would break."""
        return 0 if self.healthy else Exit.HOST


def doctor(
    session: Session, name: str | None, public_url: str | None, host: Host | None = None
) -> Diagnosis:
    """Look at the host, and with a name at the definition, its port and its LMS too."""
    if public_url is not None and not public_url.startswith(("https://", "http://")):
        raise AnankeError(
            Exit.USAGE, "--public-url is no address.", "For example https://hub.example.org/path"
        )
    uid = os.geteuid()
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = str(uid)
    host = host or Host(podman=session.podman, user=user, uid=uid, data=session.root)
    found = list(checks.all_checks(host))
    if name is not None:
        found += _of_definition(session, name, public_url)
    elif public_url is not None:
        found.append(reach.proxy(public_url, []))
    return Diagnosis(healthy=all(check.state != "bad" for check in found), checks=found)


def _of_definition(session: Session, name: str, public_url: str | None) -> list[Check]:
    file = session.root / definition.FOLDER / definition.checked_name(name)
    try:
        made = unit.installed(name) is not None
        read = hubs.applied(session, name) if made else session.definition(name)
        read.require_complete()
        create.require_volumes(read)
        hubconfig.require_lms(read)
    except AnankeError as error:
        return [Check(f"definition {name}", "bad", error.message, error.hint)]
    found = [Check(f"definition {name}", "ok", str(file))]
    if made:
        answers = hubs.answers(read)
        remedy = "" if answers else f"ananke status {name}, ananke logs {name}"
        words = f"{'answers' if answers else 'does not answer'} at {hubs.url(read)}"
        found.append(Check("hub", "ok" if answers else "bad", words, remedy))
    else:
        try:
            create.require_port(session, read)
            found.append(Check("port", "ok", f"{read.values['port']} is free"))
        except AnankeError as error:
            found.append(Check("port", "bad", error.message, error.hint))
    cafiles = [str(path) for path in sorted((read.folder / CA_FOLDER).glob("*.crt"))]
    found += [reach.lms(address, cafiles) for address in hubconfig.lms_addresses(read)]
    if public_url is not None:
        found.append(reach.proxy(public_url, cafiles))
    return found


def add_to(app: typer.Typer) -> None:
    """Add ``doctor`` to the command line."""

    @app.command("doctor", epilog=exit_codes(Exit.NOT_FOUND, Exit.HOST))
    def command(
        *,
        name: Annotated[
            str | None,
            typer.Argument(
                help="A container whose definition, port and LMS are looked at as well.",
                show_default=False,
            ),
        ] = None,
        public_url: Annotated[
            str | None,
            typer.Option(metavar="URL", help="The hub's address through the reverse proxy."),
        ] = None,
        json: Json = False,
        directory: Directory = None,
    ) -> None:
        """Tell what on this host would break a hub, and what to do about it."""
        run(lambda session: doctor(session, name, public_url), json=json, directory=directory)
