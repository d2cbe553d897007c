"""What a launch costs in our sign-in, against the authenticator it is made from.

    python -m tests.bench.bench_launch_hooks [LAUNCHES]

Two hubs in one run, the same LMS, launches in turn; prints JSON. Times are milliseconds as
the browser sees them, through the proxy: ``begin`` is the LMS's post until the redirect to
the LMS, ``finish`` the LMS's answer until the redirect into the hub (one request there, two
here). ``slow_lms`` has a key set that takes 100 ms.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.fake_lms import FakeLms
from tests.support.login_hub import KORE_TOKEN, Browser, LoginHub, Ports
from tests.support.whoami_server import KoreStandIn

KINDS = ("ours", "parent")


@contextmanager
def running(lms: FakeLms, kind: str) -> Iterator[Browser]:
    """A hub of a kind, and a browser in front of it."""
    ports = Ports()
    with tempfile.TemporaryDirectory() as directory:
        kore = KoreStandIn(ports.kore, ports.api, KORE_TOKEN)
        hub = LoginHub(Path(directory), lms.url, ports, parent=kind == "parent")
        try:
            yield Browser(hub, lms)
        finally:
            hub.close()
            kore.stop()


def launch(browser: Browser) -> tuple[float, float]:
    """Launch once as someone whom the hub knows; milliseconds to begin and to finish."""
    browser.http.cookies.clear()
    start = time.perf_counter()
    begun = browser.start_login()
    asked = time.perf_counter()
    token = browser.lms.sign(browser.lms.claims(begun.nonce))
    answered = time.perf_counter()
    end = browser.finish(browser.post_answer(state=begun.state, id_token=token))
    assert end.status_code in {302, 303}, end.text
    return (asked - start) * 1000, (time.perf_counter() - answered) * 1000


def figures(times: list[tuple[float, float]]) -> dict[str, dict[str, float]]:
    """Median and 95th percentile of both parts."""
    return {
        name: {
            "median": round(statistics.median(values), 2),
            "p95": round(statistics.quantiles(values, n=20)[-1], 2),
        }
        for name, values in zip(("begin", "finish"), zip(*times, strict=True), strict=True)
    }


def measure(browsers: dict[str, Browser], launches: int) -> dict[str, dict[str, dict[str, float]]]:
    """Launch in turn; figures by kind."""
    times: dict[str, list[tuple[float, float]]] = {kind: [] for kind in KINDS}
    for _ in range(launches):
        for kind in KINDS:
            times[kind].append(launch(browsers[kind]))
    return {kind: figures(times[kind]) for kind in KINDS}


def main() -> None:
    """Run and print."""
    launches = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    lms = FakeLms()
    with ExitStack() as stack:
        stack.callback(lms.close)
        browsers = {kind: stack.enter_context(running(lms, kind)) for kind in KINDS}
        for browser in browsers.values():
            launch(browser)
        result = {"launches": launches, "quick_lms": measure(browsers, launches)}
        lms.delay = 0.1
        result["slow_lms"] = measure(browsers, max(20, launches // 10))
    print(json.dumps(result, indent=2))  # noqa: T201


if __name__ == "__main__":
    main()
