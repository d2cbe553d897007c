"""Kore's pages as HTML: what each caller sees, in which words, and nothing as markup."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag
from sqlalchemy import update

from kore.db.models import Course, Job, JobState
from kore.errors import KoreError
from kore.hub.api import ServerState
from tests.support import classroom
from tests.support.classroom import HOSTILE_TITLE, NAMES, Classroom
from tests.support.kore import PREFIX, Harness, make_kore

ADMIN = "u999"


@pytest.fixture(scope="module")
def kore(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """One Kore for all tests of this file; none of them changes what another looks at."""
    with make_kore(tmp_path_factory.mktemp("pages")) as harness:
        harness.make_admin(ADMIN)
        yield harness


@pytest.fixture(scope="module")
def room(kore: Harness) -> Classroom:
    """A course in the middle of the term."""
    return classroom.busy(kore)


@pytest.fixture(scope="module")
def hostile(kore: Harness, room: Classroom) -> str:
    """A course whose titles are as bad as an LMS lets people make them. Grades are off."""
    course, _ = kore.launch(
        "900", "Instructor", link="bad", activity=HOSTILE_TITLE, context="'\"><img src=x>",
        name="Tilda Månsson", grades=False,
    )  # fmt: skip
    kore.work()
    return course


def look(kore: Harness, user: str | None, path: str, status: int = 200) -> BeautifulSoup:
    """Open a page as somebody."""
    answer = kore.client_for(user).page(path)
    assert answer.status_code == status, answer.text
    assert answer.content_type == "text/html; charset=utf-8"
    return BeautifulSoup(answer.text, "html.parser")


def words(element: BeautifulSoup | Tag | None) -> str:
    """What a person reads, as one line."""
    assert element is not None
    return " ".join(element.get_text(" ").split())


def rows(page: BeautifulSoup, body: str) -> list[list[str]]:
    """Cells of a table's lines, as a person reads them."""
    table = page.find(id=body)
    assert isinstance(table, Tag)
    return [[words(cell) for cell in row(["th", "td"])] for row in table("tr")]


@pytest.fixture(scope="module")
def every_page(kore: Harness, room: Classroom, hostile: str) -> dict[str, BeautifulSoup]:
    """Every page there is, by what it shows."""
    running = classroom.running_job(kore, hostile, room.teacher)
    fresh, _ = kore.launch("950", "Instructor", link="fresh", name="New Teacher")
    return {
        "courses": look(kore, room.teacher, "/"),
        "all courses": look(kore, ADMIN, "/?all=true"),
        "a student's courses": look(kore, "u100", "/"),
        "no course": look(kore, "u998", "/"),
        "course": look(kore, room.teacher, f"/page/courses/{room.course}"),
        "hostile course": look(kore, room.teacher, f"/page/courses/{hostile}"),
        "new course": look(kore, "u950", f"/page/courses/{fresh}"),
        "a student's course": look(kore, "u100", f"/page/courses/{room.course}"),
        "report": look(kore, room.teacher, f"/page/jobs/{room.job}"),
        "running job": look(kore, room.teacher, f"/page/jobs/{running}"),
        "error": look(kore, room.teacher, "/page/courses/c-0000000000000000", 404),
    }


def test_no_page_has_inline_scripts_styles_or_assets_of_others(
    every_page: dict[str, BeautifulSoup],
) -> None:
    """The content security policy holds because no page needs what it forbids."""
    for name, page in every_page.items():
        for script in page("script"):
            assert script["src"].startswith(PREFIX + "/static/"), name
            assert not script.get_text()
        assert not page("style"), name
        for element in page(True):
            assert not [a for a in element.attrs if a == "style" or a.startswith("on")], name
        for link in page("link"):
            assert link["href"].startswith(PREFIX + "/static/"), name


def test_no_page_shows_an_id(every_page: dict[str, BeautifulSoup]) -> None:
    """Course and job ids are for addresses, not for people."""
    for name, page in every_page.items():
        assert not re.search(r"c-[0-9a-f]{16}|[0-9a-f]{32}", words(page.body)), name


def test_every_page_has_one_main_heading_and_a_title(
    every_page: dict[str, BeautifulSoup],
) -> None:
    """People who listen to a page find its heading, and its tab has a name."""
    for name, page in every_page.items():
        assert len(page("h1")) == 1, name
        assert words(page.title).endswith(" Kore"), name
        assert words(page.h1), name


def test_static_files_are_served(kore: Harness, every_page: dict[str, BeautifulSoup]) -> None:
    """Style, icon and script of a page are there, and the script's modules too."""
    page = every_page["courses"]
    paths = [page.find("script")["src"], *(link["href"] for link in page("link"))]
    for path in [*paths, PREFIX + "/static/api.js", PREFIX + "/static/words.js"]:
        assert kore.client_for(None).get(path.removeprefix(PREFIX)).status_code == 200


def test_titles_are_text(kore: Harness, room: Classroom, hostile: str) -> None:
    """A title full of markup and template code appears as it is in the LMS, on one line."""
    page = look(kore, room.teacher, f"/page/courses/{hostile}")
    assert words(page.h1) == " ".join(HOSTILE_TITLE.split())
    assert page.h1["dir"] == "auto"
    assert not page("img", src="x")
    assert words(look(kore, room.teacher, "/").find("main")).count("{{ 7*7 }}") == 1


def test_a_course_without_an_activity_title_is_called_by_its_context(kore: Harness) -> None:
    """A title that the LMS does not send is made up for without an id."""
    course, user = kore.launch("970", "Instructor", link="bare", activity="", context="Botany")
    assert words(look(kore, user, f"/page/courses/{course}").h1) == "Botany"
    course, user = kore.launch("970", "Instructor", link="barer", activity="", context="")
    assert words(look(kore, user, f"/page/courses/{course}").h1) == "Activity without a title"


def test_a_teacher_reads_role_counts_and_state(kore: Harness, room: Classroom) -> None:
    """The list says what matters about a course before it is opened."""
    page = look(kore, room.teacher, "/")
    card = next(c for c in page("li", class_="course") if "Eigenvalues" in c.get_text())
    assert words(card) == (
        "Linear Algebra II Week 3: Eigenvalues Your role Teacher Students 40 Teachers 2 "
        f"Last opened {words(card.time)}"
    )
    assert card.a["href"] == f"{PREFIX}/page/courses/{room.course}"


def test_a_student_sees_their_courses_and_the_way_to_jupyterlab(
    kore: Harness, room: Classroom
) -> None:
    """And nothing else: no people, no counts, no grades, no link into the course."""
    for path in ("/", f"/page/courses/{room.course}"):
        main = look(kore, "u100", path).find("main")
        assert "Week 3: Eigenvalues" in words(main)
        links = {a["href"] for a in main("a")} - {"https://lms.example/activity/link-1"}
        assert links == {"/hub/user-redirect/lab"}
        assert not main(["table", "dl", "details", "button"])
        assert "Tilda" not in words(main)


def test_nobody_elses_courses_are_listed(kore: Harness, room: Classroom) -> None:
    """Who has no course reads how one is born."""
    main = words(look(kore, "u998", "/").find("main"))
    assert "You have no course here yet" in main
    assert "Click its Jupyter activity" in main


def test_only_a_hub_admin_can_switch_to_all_courses(kore: Harness, room: Classroom) -> None:
    """The switch is not there for others, and its address gives them their own courses."""
    assert not look(kore, room.teacher, "/").find(class_="switch")
    assert "Eigenvalues" not in look(kore, "u998", "/?all=true").get_text()
    page = look(kore, ADMIN, "/?all=true")
    assert words(page.find(class_="switch").find("a", {"aria-current": "true"})) == (
        "All of this hub"
    )
    assert "Eigenvalues" in page.get_text()


def test_a_course_that_no_teacher_has_opened_says_so(kore: Harness) -> None:
    """A student came first: whoever looks after the hub can see it."""
    course, _ = kore.launch("960", link="early", name="Early Bird")
    for path in ("/?all=true", f"/page/courses/{course}"):
        assert "No teacher has opened it yet" in words(look(kore, ADMIN, path).main)


def test_the_way_into_jupyterlab_works_without_scripts(kore: Harness, room: Classroom) -> None:
    """Both links lead over the hub's own page that starts the course's server."""
    page = look(kore, room.teacher, f"/page/courses/{room.course}")
    spawn, server = f"/hub/spawn/{room.course}?next=", f"/user/{room.course}"
    lab = page.find("a", string="Open the course in JupyterLab")
    assert lab["href"] == f"{spawn}{server}/lab"
    formgrader = page.find("a", target="_blank")
    assert (formgrader["href"], formgrader["rel"]) == (f"{spawn}{server}/formgrader", ["noopener"])


def test_assignments_have_states_and_counts(kore: Harness, room: Classroom) -> None:
    """Released, handed in, graded and what waits for a person, in one line each."""
    page = look(kore, room.teacher, f"/page/courses/{room.course}")
    table = page.find("table", {"aria-labelledby": "assignments"})
    found = [[words(cell) for cell in row(["th", "td"])] for row in table.tbody("tr")]
    assert [(r[0], r[1], *r[3:]) for r in found] == [
        ("ps1-vectors", "Graded", "34", "34", "10"),
        ("ps2-eigenvalues", "Graded 1 to grade by hand", "32", "30", "20"),
        ("ps3-draft", "Draft", "0", "0", "\u2013"),
    ]


def test_the_preview_names_every_student_exceptions_first(kore: Harness, room: Classroom) -> None:
    """What went wrong and what is held back come before what is in order."""
    found = rows(look(kore, room.teacher, f"/page/courses/{room.course}"), "entries")
    assert len(found) == 40
    states = ["Will be sent again", "Held back", "Will be sent", "Unchanged"]
    order = [next(s for s in states if row[3].startswith(s)) for row in found]
    assert order == sorted(order, key=states.index)
    assert {row[0] for row in found} - {"No name known (u139)"} == set(NAMES) - {""}
    by_name = {row[0]: row for row in found}
    assert by_name["Ada Lovelace"][1] == "9.5 of 30"
    assert by_name["王小明"][3] == "Held back Waits for grading by hand: ps2-eigenvalues."
    assert "Refused by the LMS" in by_name["محمد الأحمد"][2]


def test_the_send_button_says_how_many_and_asks_first(kore: Harness, room: Classroom) -> None:
    """The dialog tells what will happen to whom before anything does."""
    page = look(kore, room.teacher, f"/page/courses/{room.course}")
    assert words(page.find("button", {"data-dialog": "send-dialog"})) == "Send 14 grades"
    dialog = words(page.find(id="send-dialog"))
    assert dialog.startswith("Send 14 grades to the LMS? 14 students get points")
    assert "9 students are held back" in dialog
    assert "31 grades" in words(page.find(id="resend-dialog"))


def test_grades_that_are_off_are_explained(kore: Harness, room: Classroom, hostile: str) -> None:
    """Where the LMS takes no grades, the page says how to switch that on."""
    page = look(kore, room.teacher, f"/page/courses/{hostile}")
    assert "The LMS takes no grades from this activity" in words(page.find(id="grades-section"))
    assert not page.find("button", {"data-dialog": True})


def test_a_preview_that_fails_leaves_the_rest_of_the_page(
    kore: Harness, room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trouble with the grades is told in its place, with a way to try again."""

    def fails(*_: object) -> None:
        raise KoreError(409, "trouble", "The gradebook is <busy>.", "Wait a minute.")

    monkeypatch.setattr("kore.grades.preview", fails)
    page = look(kore, room.teacher, f"/page/courses/{room.course}")
    assert words(page.find(id="grades-section")) == (
        "Grades The gradebook is <busy>. Wait a minute. Try again"
    )
    assert "ps1-vectors" in page.get_text()


def test_a_course_being_set_up_says_so_and_one_that_failed_says_why(
    tmp_path: Path,
) -> None:
    """Neither offers to open what is not there."""
    with make_kore(tmp_path) as kore:
        course, user = kore.launch("1", "Instructor")
        page = look(kore, user, f"/page/courses/{course}")
        assert "The course is being set up" in words(page.main)
        assert page.find(attrs={"data-reload-soon": True})
        assert not page.find("a", {"data-open": True})
        with kore.db.session() as session:
            session.execute(update(Job).values(state=JobState.FAILED, message="The disk is full."))
        page = look(kore, user, f"/page/courses/{course}")
        assert "did not succeed The disk is full." in words(page.main)
        assert not page.find(attrs={"data-reload-soon": True})


def test_the_state_of_the_server_is_told(kore: Harness, room: Classroom) -> None:
    """A teacher sees whether opening takes a while."""
    path = f"/page/courses/{room.course}"
    assert "is not running" in words(look(kore, room.teacher, path).find(id="open-progress"))
    kore.hub.servers[room.course] = ServerState.RUNNING
    assert "is running" in words(look(kore, room.teacher, path).find(id="open-progress"))
    del kore.hub.servers[room.course]


def test_a_report_names_every_student_exceptions_first(kore: Harness, room: Classroom) -> None:
    """In words, with the LMS's own where it refused."""
    page = look(kore, room.teacher, f"/page/jobs/{room.job}")
    found = rows(page, "items")
    assert len(found) == 40
    assert found[0] == [
        "김민준", "14.5 of 30", "Did not arrive The LMS did not answer within 30 seconds.",
    ]  # fmt: skip
    assert found[1][2].startswith("Refused by the LMS The LMS answered 404: User is not enrolled")
    assert found[-1][2] == "Unchanged"
    summary = words(page.find(attrs={"data-job-end": True}))
    assert summary == ("27 sent, 2 unchanged, 8 held back, 2 refused by the LMS, 1 did not arrive.")


def test_those_that_failed_can_be_sent_again(kore: Harness, room: Classroom) -> None:
    """The button carries the three students whose grades did not arrive, and only them."""
    button = look(kore, room.teacher, f"/page/jobs/{room.job}").find("button", {"data-again": True})
    assert words(button) == "Send the 3 failed ones again"
    failed = {room.students[3], room.students[18], room.students[7]}
    assert set(re.findall(r"u\d+", button["data-only"])) == failed


def test_a_report_can_be_downloaded_and_holds_no_formulas(kore: Harness, room: Classroom) -> None:
    """A spreadsheet shows a name that looks like a formula as the text that it is."""
    answer = kore.client_for(room.teacher).page(f"/page/jobs/{room.job}.csv")
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=grades-")
    assert answer.data.startswith(b"\xef\xbb\xbf")
    table = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert table[0] == ["Student", "Result", "Points", "Out of", "Why"]
    assert len(table) == 41
    assert ['\'=HYPERLINK("http://evil.example")', "Sent", "27.5", "30"] in [r[:4] for r in table]
    assert not [cell for row in table for cell in row if cell.startswith(("=", "+", "-", "@"))]


def test_a_report_is_for_the_courses_teachers(kore: Harness, room: Classroom) -> None:
    """Neither page nor file is there for a student or for a stranger."""
    for path in (f"/page/jobs/{room.job}", f"/page/jobs/{room.job}.csv"):
        assert kore.client_for("u100").page(path).status_code == 403
        assert kore.client_for("u998").page(path).status_code == 404


def test_set_ups_of_people_who_join_are_not_listed(kore: Harness, room: Classroom) -> None:
    """Lately done is what a teacher did, not each enrolment."""
    lately = look(kore, room.teacher, f"/page/courses/{room.course}").find(
        "section", {"aria-labelledby": "jobs"}
    )
    assert "Sending grades to the LMS Finished" in words(lately)
    assert "Setting up" not in words(lately)


def test_times_carry_their_moment_for_the_readers_own_zone(kore: Harness, room: Classroom) -> None:
    """Without a script the words are in UTC and say so."""
    with kore.db.session() as session:
        moment = session.get_one(Course, room.course).launched_at
    time = look(kore, room.teacher, f"/page/courses/{room.course}").find("time")
    assert time["datetime"] == moment.isoformat()
    assert re.fullmatch(r"\d{1,2} \w{3} \d{4}, \d\d:\d\d UTC", words(time))


def test_errors_of_pages_are_pages_and_errors_of_the_api_are_json(
    kore: Harness, room: Classroom
) -> None:
    """Each with the message and the way out."""
    unknown = "c-0000000000000000"
    page = look(kore, room.teacher, f"/page/courses/{unknown}", 404)
    answer = kore.client_for(room.teacher).get(f"/courses/{unknown}")
    assert words(page.h1) == answer.json["error"]["message"]
    assert answer.json["error"]["hint"] in words(page.main)
    assert page.main.find("a", string="Your courses")["href"] == PREFIX + "/"
    assert words(look(kore, None, "/no/such/page", 404).h1)


def test_a_hub_that_is_away_is_told_with_a_way_to_try_again(
    kore: Harness, room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page that failed offers to be loaded again."""

    def away(_name: str) -> None:
        raise KoreError(503, "hub_away", "JupyterHub does not answer.", "Wait a moment.")

    monkeypatch.setattr(kore.hub, "before_call", away)
    page = look(kore, room.teacher, f"/page/courses/{room.course}", 503)
    assert words(page.h1) == "JupyterHub does not answer."
    assert page.main.find("a", string="Try again")["href"] == ""


def test_a_launch_waits_on_a_page_that_goes_on_by_itself(
    kore: Harness, room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the course stands; then the teacher is sent into its JupyterLab."""
    monkeypatch.setattr("kore.routes.home._WAIT_SECONDS", 0)
    answer = kore.client_for("u998").page("/launch/c-0000000000000000")
    assert answer.headers["Refresh"] == f"1; url={PREFIX}/launch/c-0000000000000000?tries=1"
    assert "being set up" in answer.text
    answer = kore.client_for(room.teacher).page(f"/launch/{room.course}")
    assert answer.headers["Location"].startswith(f"/hub/spawn/{room.course}?next=/user/")
    answer = kore.client_for("u100").page(f"/launch/{room.course}")
    assert answer.headers["Location"] == f"{PREFIX}/page/courses/{room.course}"
