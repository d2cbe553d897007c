"""``ananke doctor``: what on this host would break a hub, and how to fix it."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from ananke import definition, hubconfig, hubs, unit
from ananke.checks import host_checks, network_checks
from ananke.checks.check import Check, Host
from ananke.commands import create
from ananke.commands.ca import FOLDER as CA_FOLDER
from ananke.context import CommandContext, Directory, Json, run
from ananke.errors import AnankeError, Exit, describe_exit_codes
from ananke.result import Result, make_table

_COLOURS = {"ok": "green", "warning": "yellow", "error": "bold red"}


@dataclass(frozen=True, slots=True)
class Diagnosis(Result):
    """All checks. ``healthy``: none of them is an error."""

    healthy: bool
    checks: list[Check]

    def render(self) -> RenderableType:
        """Return a table, and the hints below it."""
        rows = [
            (Text(check.state, style=_COLOURS[check.state]), check.name, check.message)
            for check in self.checks
        ]
        hints = [
            Text.assemble((f"{check.name}: ", _COLOURS[check.state]), check.hint)
            # What breaks a hub first; then the order of the checks, causes before consequences.
            for check in sorted(self.checks, key=lambda check: check.state != "error")
            if check.hint
        ]
        end = [] if hints else [Text("All is well.")]
        return Group(make_table(("", "check", "result"), rows), Text(""), *hints, *end)

    @property
    def exit_code(self) -> int:
        """16 if something would break a hub."""
        return 0 if self.healthy else Exit.HOST


def diagnose(
    context: CommandContext, name: str | None, public_url: str | None, host: Host | None = None
) -> Diagnosis:
    """Check the host, and with a name also its definition, port and LMS."""
    if public_url is not None and not public_url.startswith(("https://", "http://")):
        raise AnankeError(
            Exit.USAGE,
            "--public-url is not an http(s) URL.",
            "For example: https://hub.example.org/path",
        )
    uid = os.geteuid()
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = str(uid)
    host = host or Host(podman=context.podman, user=user, uid=uid, data=context.root)
    checks = list(host_checks.run_host_checks(host))
    if name is not None:
        checks += _check_definition(context, name, public_url)
    elif public_url is not None:
        checks.append(network_checks.check_reverse_proxy(public_url, []))
    return Diagnosis(healthy=all(check.state != "error" for check in checks), checks=checks)


def _check_definition(context: CommandContext, name: str, public_url: str | None) -> list[Check]:
    folder = context.root / definition.FOLDER / definition.check_name(name)
    try:
        is_created = unit.find_installed(name) is not None
        read = (
            hubs.read_created_definition(context, name)
            if is_created
            else context.read_definition(name)
        )
        read.require_complete()
        create.require_volumes(read)
        hubconfig.require_lms(read)
    except AnankeError as error:
        return [Check(f"definition {name}", "error", error.message, error.hint)]
    checks = [Check(f"definition {name}", "ok", str(folder))]
    if is_created:
        url = hubs.get_hub_url(read)
        if hubs.is_answering(read):
            checks.append(Check("hub", "ok", f"answers at {url}"))
        else:
            hint = f"ananke status {name}, ananke logs {name}"
            checks.append(Check("hub", "error", f"does not answer at {url}", hint))
    else:
        try:
            create.require_port(context, read)
            checks.append(Check("port", "ok", f"{read.values['port']} is free"))
        except AnankeError as error:
            checks.append(Check("port", "error", error.message, error.hint))
    ca_files = [str(path) for path in sorted((read.folder / CA_FOLDER).glob("*.crt"))]
    checks += [network_checks.check_lms(url, ca_files) for url in hubconfig.find_lms_urls(read)]
    if public_url is not None:
        checks.append(network_checks.check_reverse_proxy(public_url, ca_files))
    return checks


def register(app: typer.Typer) -> None:
    """Add ``doctor`` to the command line."""

    @app.command("doctor", epilog=describe_exit_codes(Exit.NOT_FOUND, Exit.HOST))
    def command(
        *,
        name: Annotated[
            str | None,
            typer.Argument(
                help="Also check this container's definition, port and LMS.",
                show_default=False,
            ),
        ] = None,
        public_url: Annotated[
            str | None,
            typer.Option(metavar="URL", help="The hub's URL behind the reverse proxy."),
        ] = None,
        json: Json = False,
        directory: Directory = None,
    ) -> None:
        """Check what on this host would break a hub, and say how to fix it."""
        run(lambda context: diagnose(context, name, public_url), json=json, directory=directory)
