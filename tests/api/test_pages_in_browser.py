"""The panel as Kore's page in Chromium: what a person can do on it, and that everyone can."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from sqlalchemy import select, update

from kore.service.backups.job import queue_backup
from kore.service.db.models import Course, Job, JobItem, JobState, now
from kore.shared.messages import message, plain
from tests.support import busy_course, notebooks
from tests.support.browser import shoot
from tests.support.busy_course import HOSTILE_TITLE, Classroom
from tests.support.english import left_over
from tests.support.kore import Harness, make_kore

pytestmark = pytest.mark.slow

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the file."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def kore(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """One Kore for the file; every test starts jobs of its own."""
    with make_kore(tmp_path_factory.mktemp("pages")) as harness:
        harness.make_admin("u999")
        yield harness


@pytest.fixture(scope="module")
def url(kore: Harness) -> Iterator[str]:
    """Where it is served, beside a stand-in for the hub's pages."""
    with kore.serving() as address:
        yield address


@pytest.fixture(scope="module")
def room(kore: Harness) -> Classroom:
    """A course in the middle of the term."""
    return busy_course.busy(kore)


@pytest.fixture(autouse=True)
def idle(kore: Harness) -> None:
    """No server runs and nothing is under way when a test begins."""
    kore.known_to_hub = None
    kore.hub.servers.clear()
    with kore.db.session() as session:
        ended = {"state": JobState.CANCELLED, "ended_at": now()}
        session.execute(update(Job).where(Job.ended_at.is_(None)).values(**ended))


@contextmanager
def sitting(browser: Browser, kore: Harness, url: str, user: str, **options: Any) -> Iterator[Page]:
    """A browser in which someone is signed in, in Berlin; it fails on errors of scripts."""
    options = {"locale": "en-GB", "timezone_id": "Europe/Berlin", **options}
    with browser.new_context(base_url=url, **options) as context:
        cookie = kore.cookie_for(user)
        context.add_cookies([{"name": cookie["name"], "value": cookie["value"], "url": url + "/"}])
        page = context.new_page()
        page.set_default_timeout(10_000)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console",
            lambda message: (
                errors.append(message.text) if "Content Security Policy" in message.text else None
            ),
        )
        yield page
        assert not errors


@pytest.fixture
def page(browser: Browser, kore: Harness, url: str, room: Classroom) -> Iterator[Page]:
    """The teacher's browser."""
    with sitting(browser, kore, url, room.teacher) as own:
        yield own


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("scheme", "width"), [("light", 320), ("dark", 1400)])
def test_axe_finds_nothing_and_nothing_sticks_out(
    browser: Browser, kore: Harness, url: str, room: Classroom, scheme: str, width: int
) -> None:
    """Every page, light and dark, narrow and wide, with the worst titles there are."""
    hostile, _ = kore.launch(
        "900",
        "Instructor",
        link=f"bad-{width}",
        name="Tilda Månsson",
        grades=False,
        activity=HOSTILE_TITLE,
        context=HOSTILE_TITLE[::-1],
    )
    kore.work()
    kore.launch("900", "Instructor", link="fresh", name="Tilda Månsson")
    running = busy_course.running_job(kore, hostile, room.teacher)
    visits = [
        (room.teacher, "/"),
        ("u999", "/?all=true"),
        ("u100", "/"),
        ("u998", "/"),
        (room.teacher, f"/page/courses/{room.course}"),
        (room.teacher, f"/page/courses/{room.course}/grades"),
        (room.teacher, f"/page/courses/{room.course}/history"),
        (room.teacher, f"/page/courses/{hostile}"),
        (room.teacher, f"/page/courses/{hostile}/grades"),
        ("u100", f"/page/courses/{room.course}"),
        (room.teacher, f"/page/jobs/{room.job}"),
        (room.teacher, f"/page/jobs/{running}"),
        (room.teacher, "/page/courses/c-0000000000000000"),
    ]
    size = {"width": width, "height": 900}
    for user, path in visits:
        with sitting(browser, kore, url, user, viewport=size, color_scheme=scheme) as page:
            page.goto(url + path)
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            expect(page.get_by_role("status", name="Loading")).to_have_count(0)
            check(page)
            send = page.get_by_role("button", name="Send 14 grades")
            if send.count():
                send.click()
                check(page)


def check(page: Page) -> None:
    """Let axe look at a page as it is now, and measure it at other widths too."""
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    first = page.viewport_size
    assert first
    for width in (first["width"], 480, 768, 1000):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size(first)


def test_times_are_the_readers(page: Page, room: Classroom, url: str) -> None:
    """The script puts moments into the zone and the manner of the reader."""
    page.goto(f"{url}/page/courses/{room.course}")
    due = page.get_by_role("row", name="ps1-vectors").locator("time")
    expect(due).to_have_text("5 May 2031, 00:00")


def test_the_way_into_the_course_leads_over_the_hub(
    page: Page, kore: Harness, room: Classroom, url: str
) -> None:
    """The hub's own page starts the course's server, and shows how far that is."""
    page.goto(f"{url}/page/courses/{room.course}")
    expect(page.get_by_text("It starts when you open it.")).to_be_visible()
    page.get_by_role("link", name="Open the course in JupyterLab").click()
    page.wait_for_url(f"**/hub/spawn/{room.course}?next=*")
    assert unquote(page.url).endswith(f"/user/{room.course}/lab")


def test_students_are_found_by_name_and_by_what_will_happen(
    page: Page, room: Classroom, url: str
) -> None:
    """Whatever marks a name bears; and an empty result says so."""
    page.goto(f"{url}/page/courses/{room.course}/grades")
    search = page.get_by_label("Find a student")
    search.fill("zolc")
    search.fill("kovalevskaya")
    rows = page.get_by_role("table", name="All students").locator("tbody tr")
    expect(rows).to_have_count(1)
    expect(page.get_by_text("1 of 40 shown")).to_be_visible()
    search.fill("nobody at all")
    expect(page.get_by_text("No student matches.")).to_be_visible()
    search.fill("")
    page.get_by_role("combobox", name="Show").select_option("Held back (9)")
    expect(rows).to_have_count(9)


def test_sending_asks_then_shows_progress_then_the_report(
    page: Page, kore: Harness, room: Classroom, url: str
) -> None:
    """All on pages that never have to be loaded by hand; each step is told to who listens."""
    page.goto(f"{url}/page/courses/{room.course}/grades")
    page.get_by_role("button", name="Send 14 grades").click()
    dialog = page.get_by_role("dialog", name="Send 14 grades to the LMS?")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Send 14 grades")).to_be_focused()
    page.get_by_role("button", name="Send 14 grades").click()
    dialog.get_by_role("button", name="Send 14 grades").click()
    page.wait_for_url("**/page/jobs/*")
    expect(page.get_by_text("It will start in a moment.")).to_be_visible()
    job = Path(page.url).name
    tell(kore, job, state=JobState.RUNNING, done=7, total=14, message=message("count.sent", n=7))
    expect(page.get_by_text("7 of 14 \u2013 7 sent").first).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "7")
    expect(said(page)).to_have_text("7 of 14 \u2013 7 sent")
    with kore.db.session() as session:
        session.add(
            JobItem(job_id=job, key="u100", label="Zoë <b>", outcome="sent", message=plain("4"))
        )
    tell(kore, job, state=JobState.DONE, ended_at=now())
    expect(page.get_by_role("row", name="Zoë <b>")).to_contain_text("Sent")
    expect(said(page)).to_have_text("Sending grades to the LMS \u2013 Sent: 1")


def said(page: Page) -> Locator:
    """What a screen reader is told of what happens."""
    return page.locator(".kore-hidden[role=status]")


def tell(kore: Harness, job: str, **values: Any) -> None:
    """Write what a runner would write about a job."""
    with kore.db.session() as session:
        session.execute(update(Job).where(Job.id == job).values(**values))


def last_sending(kore: Harness, course: str) -> dict[str, Any]:
    """What the newest sending of a course was asked to do."""
    with kore.db.reading() as session:
        job = session.scalars(
            select(Job)
            .where(Job.kind == "grades.send", Job.course_id == course)
            .order_by(Job.created_at.desc())
        ).first()
        assert job is not None
        return job.params


def test_unchanged_ones_and_failed_ones_are_sent_again_when_asked(
    page: Page, kore: Harness, room: Classroom, url: str
) -> None:
    """Each by its own button, and for nobody else."""
    page.goto(f"{url}/page/courses/{room.course}/grades")
    page.get_by_role("button", name="Also resend unchanged grades").click()
    page.get_by_role("dialog").get_by_role("button", name="Send 31 grades").click()
    page.wait_for_url("**/page/jobs/*")
    assert last_sending(kore, room.course) == {"resend": True, "only": None}
    page.goto(f"{url}/page/jobs/{room.job}")
    page.get_by_role("button", name="Resend 3 failed grades").click()
    page.wait_for_url(lambda address: room.job not in address)
    failed = sorted(room.students[index] for index in (3, 7, 18))
    assert last_sending(kore, room.course) == {"resend": False, "only": failed}


def test_a_job_can_be_stopped(page: Page, kore: Harness, room: Classroom, url: str) -> None:
    """One that waits ends at once, and the page says what that means."""
    page.goto(f"{url}/page/courses/{room.course}/grades")
    page.get_by_role("button", name="Send 14 grades").click()
    page.get_by_role("dialog").get_by_role("button", name="Send 14 grades").click()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("main").get_by_text("Cancelled before it started.")).to_be_visible()
    expect(page.get_by_text("have the same points in the LMS as before")).to_be_visible()


def test_a_lost_connection_is_told_and_the_page_goes_on(
    page: Page, kore: Harness, room: Classroom, url: str
) -> None:
    """A click is repeated when asked; what is watched goes on by itself when the way is back."""
    page.goto(f"{url}/page/courses/{room.course}/grades")
    page.get_by_role("button", name="Send 14 grades").click()
    dialog = page.get_by_role("dialog")
    page.context.set_offline(True)
    dialog.get_by_role("button", name="Send 14 grades").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Kore cannot be reached.")
    page.context.set_offline(False)
    dialog.get_by_role("button", name="Try again").click()
    page.wait_for_url("**/page/jobs/*")
    page.context.set_offline(True)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Kore cannot be reached.")
    page.context.set_offline(False)
    expect(alert).to_be_hidden()
    tell(kore, Path(page.url).name, state=JobState.FAILED, message=plain("No."), ended_at=now())
    expect(page.get_by_role("main").get_by_text("No.", exact=True)).to_be_visible()


def test_an_expired_session_is_renewed_where_the_hub_knows_the_person(
    page: Page, kore: Harness, room: Classroom, url: str
) -> None:
    """The teacher notices nothing: the click does what it says."""
    page.goto(f"{url}/page/courses/{room.course}/grades")
    expect(page.get_by_role("button", name="Send 14 grades")).to_be_visible()
    kore.known_to_hub = room.teacher
    kore.oauth.models.clear()
    page.get_by_role("button", name="Send 14 grades").click()
    page.get_by_role("dialog").get_by_role("button", name="Send 14 grades").click()
    page.wait_for_url("**/page/jobs/*")
    assert last_sending(kore, room.course) == {"resend": False, "only": None}


def test_an_expired_session_leads_to_the_sign_in_and_back(
    page: Page, kore: Harness, room: Classroom, url: str
) -> None:
    """Where the hub has forgotten the person too, the page says so and leads there."""
    page.goto(f"{url}/page/courses/{room.course}/grades")
    expect(page.get_by_role("button", name="Send 14 grades")).to_be_visible()
    kore.oauth.models.clear()
    page.get_by_role("button", name="Send 14 grades").click()
    page.get_by_role("dialog").get_by_role("button", name="Send 14 grades").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("You are no longer signed in.")
    kore.known_to_hub = room.teacher
    alert.get_by_role("button", name="Sign in again").click()
    expect(page.get_by_role("button", name="Send 14 grades")).to_be_visible()
    assert page.url == f"{url}/page/courses/{room.course}/grades"


def test_words_numbers_and_times_are_in_the_readers_language(
    browser: Browser, kore: Harness, url: str, room: Classroom
) -> None:
    """German where the browser asks for it; Kore's own reasons too."""
    with sitting(browser, kore, url, room.teacher, locale="de-AT") as page:
        page.goto(f"{url}/page/courses/{room.course}/grades")
        row = page.get_by_role("row", name="王小明")
        expect(row).to_contain_text("Zurückgehalten")
        expect(row).to_contain_text("von Hand bewertet werden: „\u2068ps2-eigenvalues\u2069“.")
        expect(page.get_by_role("row", name="Ada Lovelace")).to_contain_text("9,5 von 30")
        assert page.locator("html").get_attribute("lang") == "de"


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("scheme", "width"), [("light", 320), ("dark", 1200)])
def test_in_german_no_view_is_too_wide_or_has_english_left(
    browser: Browser, kore: Harness, url: str, room: Classroom, scheme: str, width: int
) -> None:
    """German words are longer; what people wrote stays as it is."""
    kore.launch("900", "Instructor", link="fresh", name="Tilda Månsson")
    running = busy_course.running_job(kore, room.course, room.teacher)
    course = f"/page/courses/{room.course}"
    visits = {
        "courses": "/",
        "course": course,
        **{tab: f"{course}/{tab}" for tab in ("grades", "copy", "backups", "settings", "history")},
        "report": f"/page/jobs/{room.job}",
        "job": f"/page/jobs/{running}",
        "refusal": "/page/courses/c-0000000000000000",
    }
    size = {"width": width, "height": 900}
    options = {"locale": "de-DE", "viewport": size, "color_scheme": scheme}
    with sitting(browser, kore, url, room.teacher, **options) as page:
        for name, path in visits.items():
            page.goto(url + path)
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            expect(page.get_by_role("status", name="Wird geladen")).to_have_count(0)
            shoot(page, f"german {name} {width}", whole=True)
            assert left_over(page.locator("body")) == [], path
            expect(page.get_by_text("The LMS")).to_have_count(0)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    with sitting(browser, kore, url, "u100", **options) as page:
        page.goto(url + "/")
        expect(page.get_by_role("heading", level=1)).to_have_text("Ihre Kurse")
        expect(page.get_by_role("status", name="Wird geladen")).to_have_count(0)
        assert left_over(page.locator("body")) == []


def test_addresses_lead_back_to_the_same_place(
    page: Page, kore: Harness, room: Classroom, url: str
) -> None:
    """A place can be kept, sent to a colleague, loaded again, and left by the back button."""
    page.goto(url + "/")
    page.get_by_role("link", name="Week 3: Eigenvalues").click()
    page.get_by_role("link", name="Grades", exact=True).click()
    page.wait_for_url(f"**/page/courses/{room.course}/grades")
    page.reload()
    expect(page.get_by_role("table", name="All students")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("table", name="Assignments")).to_be_visible()
    expect(page).to_have_title("Week 3: Eigenvalues \u2013 Kore")


def test_a_report_can_be_downloaded_as_a_table(
    page: Page, kore: Harness, room: Classroom, url: str, tmp_path: Path
) -> None:
    """All students, exceptions first, and a name like a formula as the text that it is."""
    page.goto(f"{url}/page/jobs/{room.job}")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV").click()
    download.value.save_as(tmp_path / "report.csv")
    with (tmp_path / "report.csv").open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.reader(file))
    assert table[0] == ["Student", "Result", "Points", "Maximum", "Reason"]
    assert len(table) == 41
    assert ['\'=HYPERLINK("http://evil.example")', "Sent", "27.5", "30"] in [r[:4] for r in table]
    assert table[1][1] == "Not delivered"


def test_three_hundred_students_are_sent_with_two_clicks(
    browser: Browser, kore: Harness, url: str
) -> None:
    """All in one table, the filter finds one, and two clicks send all of them."""
    course, teacher = kore.launch("990", "Instructor", link="many", name="Tilda Månsson")
    people = [
        kore.launch(str(3000 + n), link="many", name=f"Student {n:03}")[1] for n in range(300)
    ]
    kore.work()
    busy_course.grade(kore, course, "ps1", {user: n % 11 for n, user in enumerate(people)})
    with sitting(browser, kore, url, teacher) as page:
        page.goto(f"{url}/page/courses/{course}/grades")
        rows = page.get_by_role("table", name="All students").locator("tbody tr")
        expect(rows).to_have_count(300)
        page.get_by_label("Find a student").fill("299")
        expect(rows).to_have_count(1)
        page.get_by_role("button", name="Send 300 grades").click()
        page.get_by_role("dialog").get_by_role("button", name="Send 300 grades").click()
        page.wait_for_url("**/page/jobs/*")


def own_course(kore: Harness, link: str) -> tuple[str, str]:
    """A course with an assignment, for a test that changes it."""
    course, teacher = kore.launch("980", "Instructor", link=link, name="Tilda", activity=link)
    kore.launch("981", link=link, name="Ada Lovelace", activity=link)
    kore.work()
    source = kore.services.host.course_root(course) / "source" / "ps1"
    source.mkdir(parents=True)
    (source / "squares.ipynb").write_text(json.dumps(notebooks.assignment()))
    return course, teacher


def test_a_course_is_backed_up_and_the_backup_downloaded(
    browser: Browser, kore: Harness, url: str, tmp_path: Path
) -> None:
    """The bell counts the job, its end is told, and the archive comes out of the list."""
    course, teacher = own_course(kore, "kept")
    with sitting(browser, kore, url, teacher) as page:
        page.goto(f"{url}/page/courses/{course}/backups")
        page.get_by_role("button", name="Back up now …").click()
        dialog = page.get_by_role("dialog", name="Back up the course?")
        dialog.get_by_role("radio", name="Assignments only").check()
        dialog.get_by_role("button", name="Back up").click()
        expect(page.get_by_role("button", name="1 job running")).to_be_visible()
        kore.work()
        expect(page.get_by_text("Finished", exact=True)).to_be_visible()
        expect(page.get_by_role("button", name="1 job finished")).to_be_visible()
        page.goto(f"{url}/page/courses/{course}/backups")
        row = page.get_by_role("row", name="Created by a teacher")
        expect(row).to_contain_text("1 assignment")
        with page.expect_download() as download:
            row.get_by_role("link", name="Download").click()
        assert Path(download.value.path()).stat().st_size > 0


def test_a_backup_goes_out_and_comes_back_as_a_file(
    browser: Browser, kore: Harness, url: str, tmp_path: Path
) -> None:
    """Fetched after the session has ended only when someone signs in again; then sent back."""
    course, teacher = own_course(kore, "travels")
    queue_backup(kore.services, course, by=teacher, contents="sources")
    kore.work()
    with sitting(browser, kore, url, teacher) as page:
        page.goto(f"{url}/page/courses/{course}/backups")
        fetch = page.get_by_role("link", name="Download")
        expect(fetch).to_be_visible()
        kore.oauth.models.clear()
        fetch.click()
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("You are no longer signed in.")
        check(page)
        kore.known_to_hub = teacher
        alert.get_by_role("button", name="Sign in again").click()
        with page.expect_download() as download:
            fetch.click()
        archive = tmp_path / download.value.suggested_filename
        download.value.save_as(archive)
        page.get_by_label("Backup archive").set_input_files(archive)
        expect(page.get_by_role("row", name="Uploaded")).to_contain_text("1 assignment")
        page.get_by_label("Backup archive").set_input_files(
            {"name": "notes.tar", "mimeType": "application/x-tar", "buffer": b"no archive"}
        )
        expect(page.get_by_role("alert")).to_contain_text("archive")
        check(page)


def test_some_assignments_of_another_course_are_copied(
    browser: Browser, kore: Harness, url: str
) -> None:
    """All but what is left out; the course's own assignments are not offered."""
    course, teacher = own_course(kore, "target")
    other, _ = own_course(kore, "origin")
    for name in ("ps2", "ps3"):
        kore.source(other, name, squares=notebooks.assignment())
    with sitting(browser, kore, url, teacher) as page:
        page.goto(f"{url}/page/courses/{course}/copy")
        page.get_by_role("combobox", name="From").select_option("Courses")
        page.get_by_label("Find an assignment").fill("origin")
        rows = page.get_by_role("table", name="Assignments to copy").locator("tbody tr")
        expect(rows).to_have_count(3)
        rows.first.get_by_role("button", name="Copy all assignments from").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name="Continue").click()
        expect(dialog.get_by_text("3 items to copy")).to_be_visible()
        expect(dialog.get_by_role("radio", name="Keep both")).to_be_checked()
        check(page)
        dialog.get_by_role("checkbox", name="ps1").uncheck()
        expect(dialog.get_by_role("radio")).to_have_count(0)
        dialog.get_by_role("button", name="Copy", exact=True).click()
        page.wait_for_url("**/page/jobs/*")
        kore.work()
        expect(page.get_by_role("row", name="Copied")).to_have_count(2)
        check(page)
    sources = kore.services.host.course_root(course) / "source"
    assert sorted(path.name for path in sources.iterdir()) == ["ps1", "ps2", "ps3"]


def test_a_course_is_deleted_only_with_its_title_and_after_a_backup(
    browser: Browser, kore: Harness, url: str
) -> None:
    """What is lost is said first; a wrong title is refused in words; the report outlives it."""
    course, teacher = own_course(kore, "gone")
    with sitting(browser, kore, url, teacher) as page:
        page.goto(f"{url}/page/courses/{course}/backups")
        page.get_by_role("button", name="Delete the course …").click()
        dialog = page.get_by_role("dialog", name="Delete")
        expect(dialog).to_contain_text("1 assignment with its notebooks")
        title = dialog.get_by_label("Type the course title to confirm")
        title.fill("something else")
        check(page)
        dialog.get_by_role("button", name="Delete the course").click()
        expect(dialog.get_by_role("alert")).to_be_visible()
        with kore.db.reading() as session:
            title.fill(session.get_one(Course, course).title)
        dialog.get_by_role("button", name="Delete the course").click()
        page.wait_for_url("**/page/jobs/*")
        kore.work()
        expect(page.get_by_text("Finished", exact=True)).to_be_visible()
        page.get_by_role("link", name="Your courses").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Your courses")
        expect(page.get_by_role("status", name="Loading")).to_have_count(0)
        expect(page.get_by_role("link", name="gone")).to_have_count(0)


def test_settings_are_kept_and_the_history_tells_who_changed_them(
    browser: Browser, kore: Harness, url: str
) -> None:
    """A form over lines of a file, and what is written down about it."""
    course, teacher = own_course(kore, "set")
    with sitting(browser, kore, url, teacher) as page:
        page.goto(f"{url}/page/courses/{course}/settings")
        page.get_by_label("Code stub for students (Python)").fill("# Your turn")
        check(page)
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
        page.reload()
        stub = page.get_by_label("Code stub for students (Python)")
        expect(stub).to_have_value("# Your turn")
        page.get_by_role("link", name="History").click()
        row = page.get_by_role("table", name="Activity log").get_by_role("row", name="settings")
        expect(row).to_contain_text("Tilda")
        check(page)
