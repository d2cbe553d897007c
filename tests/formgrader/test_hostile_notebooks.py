"""No script of a student runs in a teacher's browser, wherever their work is shown."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from urllib.parse import quote, urlsplit

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter
from playwright.sync_api import Dialog, Error, expect

from tests.support import hostile_notebooks, jupyterlab
from tests.support.course_server import generate_feedback

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("formgrader"),
    pytest.mark.timeout(300),
]


@contextmanager
def watched(browser, *, sandboxed=False, pictures=False):
    """Yield a page of a teacher; at its end nothing of the student's may have happened.

    With ``pictures`` the student's may be loaded, from wherever they are.

    A sandboxed document runs no script of a test either; what it asks for is seen all the same.
    """
    context = browser.new_context()
    context.set_default_timeout(20_000)
    caught = []

    def look(request):
        path = urlsplit(request.url).path
        if pictures and (request.method, request.resource_type) == ("GET", "image"):
            return
        if request.url.startswith(hostile_notebooks.CANARY) or path.startswith(
            ("/services/", "/hub/")
        ):
            caught.append(f"{request.method} {request.url}")

    context.on("request", look)
    # MathJax and the like would come from elsewhere; here is no elsewhere.
    context.route("https://**", lambda route: route.abort())
    page = context.new_page()

    def dismiss(dialog: Dialog) -> None:
        caught.append("dialog")
        dialog.dismiss()

    page.on("dialog", dismiss)
    try:
        yield page
        page.wait_for_timeout(700)
        for tab in [] if sandboxed else context.pages:
            for frame in tab.frames:
                try:
                    if not _is_without_script(frame) and frame.evaluate("window.pwned"):
                        caught.append(f"script ran in {frame.url}")
                except Error as error:
                    if not frame.is_detached():
                        caught.append(f"{frame.url}: {error.message}")
        assert not caught, "\n".join(caught)
    finally:
        context.close()


def _is_without_script(frame):
    """Whether a frame is sandboxed so that not even a test's script would run in it."""
    if frame.parent_frame is None:
        return False
    sandbox = frame.frame_element().get_attribute("sandbox")
    closed = sandbox is not None and "allow-scripts" not in sandbox.split()
    return closed or _is_without_script(frame.parent_frame)


def click_everything(page):
    """Click each of the student's links, and what is around it."""
    for link in page.locator("#notebook a:not([href^='http'])").all()[:40]:
        link.evaluate("element => element.click()")
    page.mouse.move(200, 400)


def test_a_submission_in_formgrader(course, browser):
    """A malicious submission is shown for grading; it runs, loads and covers nothing."""
    with watched(browser) as page:
        page.goto(f"{course.server.url}/formgrader/submissions/{course.hostile}/")
        page.wait_for_load_state("networkidle")
        assert page.locator("#notebook-container .cell").count() > 20
        assert page.locator("iframe, object, embed, form, base, link[rel=prefetch]").count() == 0
        covering = page.evaluate(
            """() => [...document.querySelectorAll('#notebook *')]
                .filter(e => ['fixed', 'absolute'].includes(getComputedStyle(e).position))
                .filter(e => !e.closest('.panel-heading, .panel-footer')).length"""
        )
        assert covering == 0
        click_everything(page)


def test_these_notebooks_are_hostile(course, browser):
    """With nbconvert's own exporter they do all that the other tests check for."""
    path = course.server.root / "autograded" / "u666" / "ps1" / "p1.ipynb"
    notebook = nbformat.from_dict(json.loads(path.read_text()))
    notebook.cells = [cell for cell in notebook.cells if "attachments" not in cell][:50]
    shown, _ = HTMLExporter().from_notebook_node(notebook)
    with pytest.raises(AssertionError) as seen, watched(browser) as page:  # noqa: PT012
        page.route(
            "**/shown.html", lambda route: route.fulfill(body=shown, content_type="text/html")
        )
        with (
            page.expect_request(lambda request: "/services/kore/grades" in request.url),
            page.expect_request(lambda request: "canary?script" in request.url),
        ):
            page.goto(f"{course.server.url}/shown.html", wait_until="commit")
    assert "/services/kore/grades" in str(seen.value)
    assert "canary?script" in str(seen.value)


def test_grading_still_works(course, browser):
    """Points and a comment for a malicious submission are saved."""
    url = f"{course.server.url}/formgrader/submissions/{course.hostile}/"
    with watched(browser) as page:
        page.goto(url)
        score = page.locator("input.score#why")
        score.wait_for()
        page.wait_for_load_state("networkidle")
        page.wait_for_function("formgrader.grades.loaded && formgrader.comments.loaded")
        score.fill("2")
        with page.expect_response("**/formgrader/api/grade/*"):
            score.blur()
        comment = page.locator("textarea#why-comment")
        comment.fill("Well <img src=x onerror=window.pwned=1> done")
        with page.expect_response("**/formgrader/api/comment/*"):
            comment.blur()
        page.reload()
        expect(page.locator("input.score#why")).to_have_value("2")
        expect(page.locator("textarea#why-comment")).to_have_value(re.compile("Well"))
        page.locator("span.glyphicon-eye-open").first.click()
        assert page.locator(".name-shown").first.is_visible()


@pytest.mark.parametrize(
    "path",
    [
        "manage_assignments",
        "manage_submissions/ps1",
        "gradebook",
        "gradebook/ps1",
        "gradebook/ps1/p1",
        "manage_students",
        "manage_students/u666",
        "manage_students/u666/ps1",
    ],
)
def test_lists_of_formgrader(course, browser, path):
    """Each list fills its table, with students' names as text."""
    with watched(browser) as page:
        page.goto(f"{course.server.url}/formgrader/{path}")
        page.wait_for_load_state("networkidle")
        while not page.evaluate("models !== undefined && models.loaded"):
            page.wait_for_timeout(100)
        assert page.locator("#main-table tr").count() > 0
        for button in page.locator("#toggle_names").all():
            button.click()


@pytest.mark.parametrize(
    "path",
    [
        'gradebook/ps1";window.pwned=1;"',
        "gradebook/<script>window.pwned=1<%2Fscript>",
        'gradebook/ps1/"><img src=x onerror=window.pwned=1>',
        "manage_submissions/<script>window.pwned=1<%2Fscript>",
        'manage_students/"><script>window.pwned=1<%2Fscript>',
        "submissions/<script>window.pwned=1<%2Fscript>",
    ],
)
def test_urls_run_no_scripts(course, browser, path):
    """A student's link to a page of formgrader cannot bring a script along."""
    with watched(browser) as page:
        page.goto(f"{course.server.url}/formgrader/{quote(path, safe='/%')}")


@pytest.mark.parametrize("what", ["students", "submitted_notebooks/ps1/p1", "submissions/ps1"])
def test_api_answers_are_not_pages(course, browser, what):
    """An answer to formgrader's scripts is data even if a link leads to it."""
    answer = course.server.get(f"/formgrader/api/{what}")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    with watched(browser, sandboxed=True) as page:
        page.goto(f"{course.server.url}/formgrader/api/{what}")


def test_configuration_of_a_submission_is_not_run(course):
    """Formgrader's URL cannot name a folder whose nbgrader_config.py would run."""
    answer = course.server.get("/formgrader?path=autograded/u666/ps1")
    assert answer.ok
    assert not (course.server.root / "ran").exists()


@pytest.mark.parametrize("name", ["evil.html", "evil.svg", "evil.xhtml"])
@pytest.mark.parametrize("place", ["/files/autograded/u666/ps1", "/formgrader/submissions/{id}"])
def test_files_are_sandboxed(course, browser, name, place):
    """A file of a submission that is opened runs no scripts."""
    path = f"{place.format(id=course.hostile)}/{name}"
    answer = course.server.get(path)
    assert answer.status_code == 200
    directives = answer.headers["Content-Security-Policy"].split("; ")
    assert "sandbox" in directives
    with watched(browser, sandboxed=True) as page:
        page.goto(course.server.url + path)


def test_conversions_are_sandboxed(course, browser):
    """A malicious notebook that Jupyter converts runs no scripts."""
    path = "/nbconvert/html/autograded/u666/ps1/p1.ipynb"
    answer = course.server.get(path)
    assert "sandbox" in answer.headers["Content-Security-Policy"].split("; ")
    with watched(browser, sandboxed=True) as page:
        page.goto(course.server.url + path)


@pytest.mark.parametrize("student", ["u666", "u101"])
def test_feedback(course, browser, student, tmp_path):
    """Feedback runs no scripts, as a file and as a page of the server, and shows grades."""
    page_path = generate_feedback(course.server.root, student)
    text = page_path.read_text()
    assert "(Score:" in text
    assert "<head><meta content=" in text or "<head><meta http-equiv=" in text
    with watched(browser) as page:
        page.goto(page_path.as_uri())
        assert page.locator("#toc li").count() > 0
        click_everything(page)
    with watched(browser) as page:
        # As a page of the hub's origin that has no policy but its own.
        page.route(
            "**/feedback.html", lambda route: route.fulfill(body=text, content_type="text/html")
        )
        page.goto(f"{course.server.url}/feedback.html")
        click_everything(page)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("autograded/u666/ps1/p1.ipynb", ".jp-Notebook .jp-Cell"),
        ("autograded/u666/ps1/evil.html", ".jp-HTMLViewer iframe"),
        ("autograded/u666/ps1/evil.svg", ".jp-ImageViewer img"),
        ("autograded/u666/ps1", ".jp-DirListing-item"),
    ],
)
def test_in_jupyterlab(course, browser, path, shown):
    """JupyterLab shows a student's notebook untrusted, and files without scripts."""
    with watched(browser, pictures=True) as page:
        page.goto(f"{course.server.url}/lab/tree/{path}?reset")
        jupyterlab.wait_until_ready(page)
        page.locator(shown).first.wait_for(timeout=60000)
        if path.endswith("ipynb"):
            page.mouse.wheel(0, 3000)
        page.wait_for_timeout(1500)


def test_a_harmless_submission_is_unchanged(course, browser):
    """A harmless notebook keeps its code, its text and its inputs for grading."""
    with watched(browser) as page:
        page.goto(f"{course.server.url}/formgrader/submissions/{course.honest}/")
        page.wait_for_load_state("networkidle")
        assert page.locator("h1", has_text="Squares").count() == 1
        assert page.locator(".highlight .k").count() > 0
        assert page.locator("input.score").count() == 2
        assert page.locator("textarea.comment").count() == 2
        assert "Lovelace" in page.content()
        assert json.dumps("ps1") in page.content()
