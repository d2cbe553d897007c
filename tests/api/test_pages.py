"""Kore's pages as they come from the server: the panel's shell, and what is there without it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag
from sqlalchemy import func, select

from kore.service.courses.provision import restore_hub_user
from kore.service.db.models import Job
from tests.support import busy_course
from tests.support.busy_course import HOSTILE_TITLE, Classroom
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
    return busy_course.busy(kore, activity=HOSTILE_TITLE)


def look(kore: Harness, user: str | None, path: str, status: int = 200) -> BeautifulSoup:
    """Open a page as someone."""
    answer = kore.client_for(user).page(path)
    assert answer.status_code == status, answer.text
    assert answer.content_type == "text/html; charset=utf-8"
    return BeautifulSoup(answer.text, "html.parser")


def words(element: BeautifulSoup | Tag | None) -> str:
    """What a person reads, as one line."""
    assert element is not None
    return " ".join(element.get_text(" ").split())


@pytest.fixture(scope="module")
def every_page(kore: Harness, room: Classroom) -> dict[str, BeautifulSoup]:
    """Every page there is, by what it shows."""
    kore_home = {"panel": look(kore, room.teacher, "/")}
    for place in (f"courses/{room.course}", f"courses/{room.course}/grades", f"jobs/{room.job}"):
        kore_home[place] = look(kore, room.teacher, f"/page/{place}")
    waiting = kore.client_for("u998").page("/launch/c-0000000000000000")
    return kore_home | {
        "error": look(kore, room.teacher, "/page/courses/c-0000000000000000", 404),
        "waiting": BeautifulSoup(waiting.text, "html.parser"),
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


def test_pages_say_nothing_of_a_course(every_page: dict[str, BeautifulSoup]) -> None:
    """Titles and names reach the browser by the API alone: no page has a place for them."""
    for name, page in every_page.items():
        assert "alert(1)" not in str(page), name
        assert not re.search(r"c-[0-9a-f]{16}|[0-9a-f]{32}", words(page.body)), name


def test_without_scripts_pages_say_so_and_lead_to_jupyterlab(
    every_page: dict[str, BeautifulSoup],
) -> None:
    """Nobody looks at an empty page."""
    notice = every_page["panel"].find("noscript")
    assert isinstance(notice, Tag)
    assert "Kore needs JavaScript" in words(notice)
    assert notice.select("a")[0]["href"] == "/hub/user-redirect/lab"


def test_static_files_are_served_and_kept_by_browsers(
    kore: Harness, every_page: dict[str, BeautifulSoup]
) -> None:
    """The panel's files are loaded once for each build: their address names it."""
    page = every_page["panel"]
    icon, style = (link["href"] for link in page("link"))
    for path, kept in ((page.select("script")[0]["src"], True), (style, True), (icon, False)):
        answer = kore.client_for(None).get(path.removeprefix(PREFIX))
        assert answer.status_code == 200
        assert ("immutable" in answer.headers["Cache-Control"]) is kept


def test_a_kore_whose_panel_was_not_built_says_so(
    kore: Harness, room: Classroom, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In words, with who can do something about it, instead of an empty page."""
    monkeypatch.setattr(kore.app, "static_folder", str(tmp_path))
    page = look(kore, room.teacher, "/", 503)
    assert "have not been built" in words(page.h1)
    assert "make setup" in words(page.main)


def test_a_session_tells_who_is_signed_in_and_gives_a_proof_that_works(
    kore: Harness, room: Classroom
) -> None:
    """The panel begins with this answer; without its proof nothing can be changed."""
    client = kore.client_for(room.teacher, via="session", proof=False)
    told = client.get("/session").json
    assert (told["user"], told["admin"]) == (room.teacher, False)
    assert kore.client_for(ADMIN).get("/session").json["admin"] is True
    body = {"course": room.course, "users": []}
    assert client.post("/grades", json=body).status_code == 403
    sent = client.post("/grades", json=body, headers={"X-CSRFToken": told["csrf"]})
    assert sent.status_code != 403


def test_assignments_count_who_has_handed_in(kore: Harness, room: Classroom) -> None:
    """Work that lies in the exchange is counted before anyone has collected it."""
    found = kore.client_for(room.teacher).get(f"/courses/{room.course}").json["assignments"]
    assert {a["name"]: a["submitted"] for a in found}["ps3-draft"] == 0


def test_errors_of_pages_are_pages_and_errors_of_the_api_are_json(
    kore: Harness, room: Classroom
) -> None:
    """Each with the message and the way out."""
    unknown = "c-0000000000000000"
    page = look(kore, room.teacher, f"/page/courses/{unknown}", 404)
    answer = kore.client_for(room.teacher).get(f"/courses/{unknown}")
    assert words(page.h1) == answer.json["error"]["message"]
    assert answer.json["error"]["hint"] in words(page.main)
    assert page.main.find_all("a", string="Your courses")[0]["href"] == PREFIX + "/"
    assert words(look(kore, None, "/no/such/page", 404).h1)


def test_pages_speak_the_readers_language(kore: Harness) -> None:
    """Errors and the waiting page are rendered for Accept-Language; they need no script."""
    for path, title in (("/launch/c-0000000000000000", "eingerichtet"), ("/nope", "Adresse")):
        headers = {"Accept": "text/html", "Accept-Language": "de-AT,de;q=0.8,en;q=0.5"}
        answer = kore.client_for("u998").open(path, headers=headers)
        page = BeautifulSoup(answer.text, "html.parser")
        assert page.html is not None
        assert page.html["lang"] == "de"
        assert title in words(page.h1)
        assert not page("script")


def test_a_launch_changes_nothing(kore: Harness, room: Classroom) -> None:
    """A GET queues no job, even where the hub has lost the course: it waits until that is mended.

    The launch itself, which the hub reports, queues what is missing.
    """
    kore.hub.users.remove(room.course)
    with kore.db.reading() as session:
        before = session.scalar(select(func.count()).select_from(Job))
    answer = kore.client_for(room.teacher).page(f"/launch/{room.course}")
    assert "Refresh" in answer.headers
    with kore.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Job)) == before
    assert restore_hub_user(kore.services, room.course)
    kore.work()
    answer = kore.client_for(room.teacher).page(f"/launch/{room.course}")
    assert answer.headers["Location"].startswith(f"/hub/spawn/{room.course}?next=/user/")


def test_a_launch_waits_on_a_page_that_goes_on_by_itself(kore: Harness, room: Classroom) -> None:
    """Until the course is ready; then the teacher is sent into its JupyterLab."""
    answer = kore.client_for("u998").page("/launch/c-0000000000000000")
    assert answer.headers["Refresh"] == f"1; url={PREFIX}/launch/c-0000000000000000?tries=1"
    assert "being set up" in answer.text
    answer = kore.client_for(room.teacher).page(f"/launch/{room.course}")
    assert answer.headers["Location"].startswith(f"/hub/spawn/{room.course}?next=/user/")
    answer = kore.client_for("u100").page(f"/launch/{room.course}")
    assert answer.headers["Location"] == f"{PREFIX}/page/courses/{room.course}"
