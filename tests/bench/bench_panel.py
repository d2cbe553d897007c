"""What the panel costs: JupyterLab with and without it, its size, its requests.

    python -m tests.bench.bench_panel [ROUNDS]

One demo and one browser, loads in turn, each in a new context with an empty cache; prints
JSON. ``ready`` is from the beginning of the navigation until JupyterLab's splash is gone and
its file browser lists the course, ``panel`` until the course's assignments are in the panel, in
milliseconds. Without: the extension is taken out of what JupyterLab is told to load.
``requests`` counts the calls of Kore's API that opening a view makes, as the page of the service.
"""

from __future__ import annotations

import gzip
import json
import re
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, Route

from tests.support import notebooks
from tests.support.browser import running_chromium
from tests.support.demo import Demo, running_demo
from tests.support.web_user import WebUser

_PATIENCE_MS = 120_000
_ROOT = Path(__file__).parents[2]
_VIEWS = ("", "/grades", "/copy", "/backups", "/history", "/settings")
_EXTENSION = re.compile(r'\{[^{}]*"name": ?"kore-panel"[^{}]*\},?')


def sizes() -> dict[str, dict[str, int]]:
    """Bytes of what a browser loads, as they are and compressed."""
    lab = (_ROOT / "kore/ui/dist/lab/static").glob("*.js")
    page = (_ROOT / "kore/service/static/panel").glob("panel.*s")
    return {
        name: {
            "bytes": sum(path.stat().st_size for path in files),
            "gzip": sum(len(gzip.compress(path.read_bytes())) for path in files),
        }
        for name, files in (("lab", list(lab)), ("page", list(page)))
    }


def without_panel(route: Route) -> None:
    """Answer with JupyterLab's page, less the panel."""
    answer = route.fetch()
    route.fulfill(response=answer, body=_EXTENSION.sub("", answer.text()))


def signed_in(browser: Browser, demo: Demo) -> BrowserContext:
    """Return a context in which the teacher has launched once, and the server runs."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto(f"{demo.lms}/launch?user=tilda&activity=roots")
    page.locator("#kore-panel").get_by_role("row", name="ps1").wait_for(timeout=_PATIENCE_MS)
    page.close()
    return context


def load(browser: Browser, state: str, url: str, *, panel: bool) -> tuple[float, float]:
    """Load JupyterLab, nothing cached or restored; return when it and the panel were there."""
    with browser.new_context(storage_state=state) as context:
        page = context.new_page()
        if not panel:
            page.route(re.compile(r"/lab/workspaces/"), without_panel)
        page.goto(url, wait_until="commit")
        page.locator(".jp-DirListing-item").first.wait_for(timeout=_PATIENCE_MS)
        page.locator("#jupyterlab-splash").wait_for(state="detached", timeout=_PATIENCE_MS)
        ready = float(page.evaluate("performance.now()"))
        if not panel:
            assert page.get_by_role("menuitem", name="Kore", exact=True).count() == 0
            return ready, 0.0
        page.locator("#kore-panel").get_by_role("row", name="ps1").wait_for()
        return ready, float(page.evaluate("performance.now()"))


def requests_of(page: Page, demo: Demo, course: str) -> dict[str, int]:
    """Count the requests that opening each view makes."""
    counts = {}
    for view in _VIEWS:
        seen: list[str] = []
        page.on("request", lambda request, seen=seen: seen.append(request.url))
        page.goto(f"{demo.kore}/page/courses/{course}{view}", wait_until="networkidle")
        calls = [url for url in seen if "/static/" not in url and "/page/" not in url]
        counts[view or "/overview"] = len([url for url in calls if url.startswith(demo.kore)])
    return counts


def main() -> None:
    """Run and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with (
        tempfile.TemporaryDirectory() as folder,
        running_demo(Path(folder) / "state") as demo,
        running_chromium() as browser,
    ):
        teacher = WebUser(demo, "tilda")
        course = teacher.launch("roots").url.split("/user/")[1].split("/")[0]
        teacher.server(course).write("source/ps1/squares.ipynb", notebooks.assignment())
        context = signed_in(browser, demo)
        state = str(Path(folder) / "browser.json")
        context.storage_state(path=state)
        url = f"{demo.hub}/user/{course}/lab"
        times = {True: [], False: []}
        for number in range(rounds):
            for panel in (True, False):
                # A layout of its own for each load: none is there to be restored.
                own = f"{url}/workspaces/{number}{'-with' if panel else '-without'}"
                times[panel].append(load(browser, state, own, panel=panel))
        result = {
            "rounds": rounds,
            "ready_with": round(statistics.median(ready for ready, _ in times[True])),
            "ready_without": round(statistics.median(ready for ready, _ in times[False])),
            "panel": round(statistics.median(shown for _, shown in times[True])),
            "size": sizes(),
            "requests": requests_of(context.new_page(), demo, course),
        }
    print(json.dumps(result, indent=2))  # noqa: T201


if __name__ == "__main__":
    main()
