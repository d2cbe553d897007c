"""Lists of assignments and problems: whose they are, what is found, and in which pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support import notebooks
from tests.support.kore import Client, Harness, make_kore

SIGMA = "\u03a3"


def _titled(title: str, points: float = 5) -> dict[str, Any]:
    made = notebooks.assignment(points=points)
    made["cells"][0]["source"] = f"# {title}"
    return made


@dataclass
class World:
    """Two courses of one teacher, and one of another."""

    kore: Harness
    algebra: str
    physics: str
    theirs: str

    def teacher(self, name: str = "u1") -> Client:
        return self.kore.client_for(name, via="token")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with make_kore(tmp_path_factory.mktemp("lists")) as kore:
        physics, _ = kore.launch("1", "Instructor", link="link-2", context="Physics")
        algebra, _ = kore.launch("1", "Instructor", link="link-1", context="Algebra")
        theirs, _ = kore.launch("4", "Instructor", link="link-3", context="Chemistry")
        kore.launch("2", "Learner", link="link-1")
        kore.make_admin("u5")
        kore.work()
        for number in range(1, 6):
            kore.source(
                algebra, f"ps{number}", roots=_titled("Wurzeln Straße"), sums=_titled("\u03a3")
            )
        kore.source(physics, "ps1", motion=_titled("Bewegung", 3))
        broken = kore.source(physics, "broken", empty={})
        (broken / "deep.ipynb").write_bytes(b"[" * 100_000)
        (broken / "old.ipynb").write_text('{"nbformat": 3, "worksheets": []}')
        (broken / "bad name \u202e\n.ipynb").write_text("")
        kore.source(theirs, "exam", secret=_titled("Secret"))
        yield World(kore, algebra, physics, theirs)


def _found(client: Client, path: str, **query: Any) -> Any:
    answer = client.get(path, query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_a_teacher_sees_their_own_courses_alone(world: World):
    """The course launched last comes first; another teacher's exam is in no list."""
    found = _found(world.teacher(), "/assignments")
    assert [(a["source"]["id"], a["name"]) for a in found["assignments"]] == [
        *((world.algebra, f"ps{number}") for number in range(1, 6)),
        (world.physics, "broken"),
        (world.physics, "ps1"),
    ]
    assert found["total"] == 7
    assert "secret" not in str(_found(world.teacher(), "/problems")).casefold()
    first = found["assignments"][0]
    assert first["source"]["kind"] == "course"
    assert (first["notebooks"], first["points"]) == (2, 10)
    assert first["size"] > 1000
    assert first["changed_at"].endswith("Z")


def test_students_have_nothing_to_copy_from(world: World):
    """A student of a course lists nothing, and the course is none to them."""
    client = world.teacher("u2")
    assert _found(client, "/assignments") == {"assignments": [], "total": 0}
    assert _found(client, "/problems") == {"problems": [], "total": 0}
    assert client.get(f"/problems?course={world.algebra}").status_code == 404


@pytest.mark.parametrize("path", ["/assignments", "/problems"])
def test_naming_a_course_of_others_is_refused(world: World, path):
    """As a course or as a source, it looks like one that does not exist; an admin may."""
    for key in ("course", "source"):
        theirs = world.teacher().get(path, query_string={key: world.theirs})
        nothing = world.teacher().get(path, query_string={key: "c-" + "0" * 16})
        assert theirs.status_code == nothing.status_code == 404
        assert theirs.text == nothing.text
        assert _found(world.teacher("u5"), path, **{key: world.theirs})["total"] == 1
    assert _found(world.teacher("u5"), path)["total"] == 0


@pytest.mark.parametrize(
    ("search", "problems"),
    [
        ("wurzeln", 5),
        ("STRASSE roots", 5),
        ("\u03c3", 5),
        ("ps3", 2),
        ("physics motion", 1),
        ("physics roots", 0),
        ("%_", 0),
        ("   ", 15),
    ],
)
def test_all_words_of_a_search_must_occur(world: World, search, problems):
    """In the names, the title or the course's, in any case; nothing in it is a pattern."""
    assert _found(world.teacher(), "/problems", search=search)["total"] == problems


def test_pages_are_pieces_of_one_list(world: World):
    """All pages together are the list, without gap or repetition, and then there is nothing."""
    client = world.teacher()
    whole = _found(client, "/problems", per_page=200)["problems"]
    pages = [_found(client, "/problems", page=n, per_page=3)["problems"] for n in range(1, 7)]
    assert [p for page in pages for p in page] == whole
    assert pages[5] == []
    one = _found(client, "/problems", course=world.algebra, assignment="ps2")
    assert [(p["assignment"], p["name"]) for p in one["problems"]] == [
        ("ps2", "roots"),
        ("ps2", "sums"),
    ]


@pytest.mark.parametrize(
    "query",
    [
        {"page": 0},
        {"page": "x"},
        {"per_page": 201},
        {"per_page": 0},
        {"search": "x" * 201},
        {"kind": "folder"},
        {"course": "../etc"},
        {"source": "."},
    ],
)
def test_queries_that_make_no_sense_are_refused(world: World, query):
    """With 422 and the field's name."""
    answer = world.teacher().get("/problems", query_string=query)
    assert answer.status_code == 422
    assert next(iter(query)) in answer.json["error"]["message"]


def test_broken_notebooks_are_listed_and_their_preview_says_why(world: World):
    """They have no points; the preview is refused with the reason, never an error of Kore's."""
    client = world.teacher()
    found = _found(client, "/problems", search="broken")["problems"]
    assert {p["name"]: p["points"] for p in found} == {
        "bad name \u202e\n": None,
        "deep": None,
        "empty": None,
        "old": None,
    }
    for problem in found:
        answer = _preview(client, world.physics, "broken", problem["name"])
        assert (answer.status_code, answer.json["error"]["code"]) == (422, "notebook_unreadable")


def _preview(client: Client, source: str, assignment: str, problem: str) -> Any:
    query = {"kind": "course", "source": source, "assignment": assignment, "problem": problem}
    return client.get("/problems/preview", query_string=query)


def test_a_preview_is_text_with_roles(world: World):
    """Title, points and cells; a problem that is not there is a 404, wherever its name leads."""
    client = world.teacher()
    shown = _preview(client, world.physics, "ps1", "motion").json
    assert (shown["title"], shown["points"], shown["truncated"]) == ("Bewegung", 3, False)
    assert [cell["role"] for cell in shown["cells"]] == ["text", "solution", "tests"]
    for assignment, problem in [("ps1", "gone"), ("../ps1", "motion"), ("ps1", "a/b"), ("", "")]:
        assert _preview(client, world.physics, assignment, problem).status_code == 404
    assert _preview(client, world.theirs, "exam", "secret").status_code == 404


@pytest.mark.parametrize(("path", "total"), [("/assignments", 5), ("/problems", 10)])
def test_a_course_is_left_out_before_pages_are_made(world: World, path, total):
    """So no page is shorter than asked for, and the total is that of what is listed."""
    found = _found(world.teacher(), path, without=world.physics, per_page=5)
    assert found["total"] == total
    listed = found[path.removeprefix("/")]
    assert {entry["source"]["id"] for entry in listed} == {world.algebra}
    assert len(listed) == 5
