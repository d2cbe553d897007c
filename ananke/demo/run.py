"""One run of the demo: check, start, wait until everything answers, watch, stop."""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from ananke.demo import ports, preflight, programs
from ananke.demo.logs import RunLogs, describe_exit_status
from ananke.demo.processes import ProcessGroup, end_processes, find_leftovers
from ananke.demo.programs import Addresses
from ananke.demo.progress import Progress, print_line
from ananke.demo.state import StateDirectory, get_default_state_dir, read_addresses_in_use
from ananke.demo.stop_request import StopRequest, catch_stop_signals
from ananke.errors import AnankeError, Exit
from kore.host import LocalHost

_PRIVATE_UMASK = 0o077
_START_SECONDS = 180.0
_POLL_SECONDS = 0.2
_WATCH_SECONDS = 2.0
# Short: a request to stop waits for it, and has ten seconds in all.
_TIMEOUT_SECONDS = 1.0
# Direct connections: the machine's web proxy cannot reach its loopback addresses.
_http = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Options:
    """The options of the command line."""

    port: int = 8000
    lms_port: int = 9090
    state_dir: Path | None = None
    lms_config: Path | None = None
    json: bool = False


def run(options: Options) -> Exit:
    """Run the demo until it is asked to stop; raise AnankeError if it cannot run."""
    os.umask(_PRIVATE_UMASK)
    state_dir = options.state_dir or get_default_state_dir()
    with catch_stop_signals() as stop:
        try:
            addresses = _choose_addresses(options)
        except AnankeError as error:
            _raise_if_running(options, state_dir, error)
            raise
        proxy_command = preflight.find_proxy_command()
        with StateDirectory(state_dir) as state:
            # Process ids in the files of a killed run may belong to other processes by now.
            end_processes(find_leftovers(state.path))
            (state.hub / "proxy.pid").unlink(missing_ok=True)
            state.write_addresses([addresses.lms, addresses.hub])
            return _DemoRun(options, addresses, state, proxy_command, stop).run()


def _raise_if_running(options: Options, state_dir: Path, error: AnankeError) -> None:
    """Raise AnankeError if the demo of this state directory is what took a port."""
    addresses = read_addresses_in_use(state_dir) if error.code == Exit.PORT_TAKEN else []
    ports_in_use = {address.rpartition(":")[2] for address in addresses}
    if ports_in_use & {str(options.port), str(options.lms_port)}:
        raise AnankeError(
            Exit.PORT_TAKEN,
            f"The demo is already running: open {addresses[0]}.",
            "Stop it with Ctrl-C where it runs. For a second one: --state-dir, --port and "
            "--lms-port.",
        ) from error


def _choose_addresses(options: Options) -> Addresses:
    """Check the ports and the LMS configuration; return all addresses."""
    if options.lms_config is not None:
        issuer = preflight.read_issuer(options.lms_config)
    hub_port = ports.check_port(options.port, "--port")
    if options.lms_config is None:
        lms_port = ports.check_port(options.lms_port, "--lms-port")
        if lms_port == hub_port:
            raise AnankeError(
                Exit.PORT_TAKEN,
                f"The hub and the LMS cannot both use port {hub_port}.",
                "Choose two ports with --port and --lms-port.",
            )
        issuer = ports.make_loopback_url(lms_port)
    return Addresses(
        lms=issuer,
        hub=ports.make_loopback_url(hub_port),
        hub_api=ports.make_loopback_url(ports.find_free_port()),
        proxy_api=ports.make_loopback_url(ports.find_free_port()),
        kore_direct=ports.make_loopback_url(ports.find_free_port()),
    )


class _DemoRun:
    """The programs of the demo, from their start to their end."""

    def __init__(
        self,
        options: Options,
        addresses: Addresses,
        state: StateDirectory,
        proxy_command: list[str],
        stop: StopRequest,
    ) -> None:
        self._options = options
        self._addresses = addresses
        self._state = state
        self._proxy_command = proxy_command
        self._stop = stop
        self._processes = ProcessGroup()
        self._logs = RunLogs(state)
        self._accounts = _prepare_accounts(state)

    def run(self) -> Exit:
        """Start everything, print where it is, watch; always leave nothing running."""
        try:
            with Progress() as progress:
                self._start(progress)
            if self._stop.received:
                return Exit.INTERRUPTED
            self._print_addresses()
            self._watch()
        finally:
            if self._stop.received:
                print_line("Stopping ...", sys.stderr)
            self._processes.stop()
        return Exit.OK

    def _start(self, progress: Progress) -> None:
        deadline = time.monotonic() + _START_SECONDS
        for title, url in self._start_programs():
            progress.show(f"Starting {title[0].lower() + title[1:] if ' ' in title else title}")
            while not _is_answering(url) and not self._stop.received:
                self._raise_if_ended()
                if time.monotonic() > deadline:
                    raise self._logs.make_start_error(title, f"does not answer at {url}")
                self._stop.wait(_POLL_SECONDS)
        if not self._stop.received:
            progress.show_done()

    def _start_programs(self) -> list[tuple[str, str]]:
        """Start the LMS and the hub; return titles and URLs to wait for, in this order."""
        addresses, waits = self._addresses, []
        if self._options.lms_config is None:
            lms_config = programs.write_embedded_lms_config(addresses, self._state)
            self._processes.start(programs.make_lms_program(addresses, self._state, self._logs))
            waits.append(("The LMS", f"{addresses.lms}/api/state"))
        else:
            lms_config = self._options.lms_config
        self._processes.start(
            programs.make_hub_program(
                addresses,
                self._state,
                self._logs,
                lms_config=lms_config,
                proxy_command=self._proxy_command,
                accounts=self._accounts,
            )
        )
        # Not through the proxy at first: until it knows the hub, it answers with errors.
        waits.append(("JupyterHub", f"{addresses.hub_api}/hub/api"))
        waits.append(("Kore", f"{addresses.kore_direct}/services/kore/health"))
        waits.append(("Kore", f"{addresses.kore}/health"))
        return waits

    def _watch(self) -> None:
        while not self._stop.received:
            ended = self._processes.find_ended()
            if ended is not None:
                program, status = ended
                raise AnankeError(
                    Exit.PROCESS_ENDED,
                    f"{program.title} ended unexpectedly ({describe_exit_status(status)}).",
                    f"Its log is {program.log}. Start the demo again to continue where it was.",
                    self._logs.read_last_lines(program.log),
                )
            self._processes.reap_orphans()
            self._stop.wait(_WATCH_SECONDS)

    def _raise_if_ended(self) -> None:
        ended = self._processes.find_ended()
        if ended is not None:
            program, status = ended
            reason = f"ended ({describe_exit_status(status)})"
            raise self._logs.make_start_error(program.title, reason)

    def _print_addresses(self) -> None:
        addresses = self._addresses
        if self._options.json:
            line = {
                "lms": addresses.lms,
                "hub": addresses.hub,
                "kore": addresses.kore,
                "state_dir": str(self._state.path),
                "pid": os.getpid(),
            }
            print_line(json.dumps(line), sys.stdout)
            return
        if self._options.lms_config is None:
            first = f"Open {addresses.lms} and choose a person and an activity."
        else:
            first = f"Launch an activity from {addresses.lms}; the hub is {addresses.hub}."
        print_line(
            f"\nAnanke is running.\n\n  {first}\n\n"
            f"  Hub    {addresses.hub}\n"
            f"  Kore   {addresses.kore}/\n"
            f"  State  {self._state.path} (logs in {self._state.logs})\n\n"
            "Press Ctrl-C to stop. The next start finds everything as it was.",
            sys.stdout,
        )


def _prepare_accounts(state: StateDirectory) -> str:
    """Return the folder of assigned accounts; empty if everything runs as one account.

    Only root can start programs as other accounts.
    """
    if os.geteuid() != 0:
        return ""
    state.allow_traversal()
    host = LocalHost(homes=state.homes, exchange=state.exchange, accounts=state.accounts)
    reason = host.check_accounts()
    if not reason:
        return str(state.accounts)
    print_line(
        "People are not separated from each other: all servers run as root, because other "
        f"accounts cannot run programs on this machine ({reason}).",
        sys.stderr,
    )
    return ""


def _is_answering(url: str) -> bool:
    try:
        with _http.open(url, timeout=_TIMEOUT_SECONDS) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004
    except (OSError, urllib.error.URLError, ValueError):
        return False
