"""Copies into a running course: what is planned, what comes of it, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.nbgraderformat import read as read_notebook

from kore.service.coursedir import transaction
from kore.service.coursedir.safe_tree import SafeTree
from tests.support import notebooks
from tests.support.kore import Harness, make_kore


@dataclass
class World:
    """A teacher's two courses, and one of another teacher."""

    kore: Harness
    mine: str
    target: str
    theirs: str

    def source(self, course: str) -> Path:
        return self.kore.services.host.course_root(course) / "source"

    def send(self, path: str, *, user: str = "u1", origin: str = "", **body: Any) -> Any:
        origin = origin or self.mine
        asked = {"from": {"kind": "course", "id": origin}, "assignment": None, "problem": None}
        asked |= {"into": None, "collision": "refuse"} | body
        client = self.kore.client_for(user, via="token")
        return client.post(f"/courses/{self.target}/copies{path}", json=asked)

    def plan(self, **body: Any) -> Any:
        answer = self.send("/plan", **body)
        assert answer.status_code == 200, answer.text
        return answer.json["items"]

    def copy(self, **body: Any) -> Any:
        answer = self.send("", **body)
        assert answer.status_code == 202, answer.text
        self.kore.work()
        client = self.kore.client_for("u1", via="token")
        return client.get(f"/jobs/{answer.json['id']}").json

    def refused(self, path: str = "", **body: Any) -> tuple[int, str, dict[str, Any]]:
        """Send what must be refused; return the status, the code and its parameters."""
        before = snapshot(self.source(self.target).parent)
        answer = self.send(path, **body)
        assert snapshot(self.source(self.target).parent) == before
        assert answer.status_code >= 400, answer.text
        error = answer.json["error"]
        return answer.status_code, error["code"], error["params"]


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return all that is below a folder: kinds and contents."""
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            path.read_bytes() if path.is_file() and not path.is_symlink() else b"",
        )
        for path in sorted(folder.rglob("*"))
        if not path.name.startswith("gradebook.db")
    }


def left_behind(world: World) -> list[str]:
    folder = world.source(world.target).parent / ".kore"
    return [p.name for p in folder.iterdir() if p.name != "replaced"] if folder.exists() else []


@contextmanager
def make_world(folder: Path) -> Iterator[World]:
    with make_kore(folder) as kore:
        mine, _ = kore.launch("1", "Instructor", link="link-1", context="Algebra 25")
        target, _ = kore.launch("1", "Instructor", link="link-2", context="Algebra 26")
        theirs, _ = kore.launch("4", "Instructor", link="link-3")
        kore.make_admin("u5")
        kore.work()
        folder = kore.source(mine, "ps1", roots=notebooks.assignment(points=3, manual=2))
        (folder / "data").mkdir()
        (folder / "data" / "a.csv").write_text("1,2,3")
        (folder / "logo.png").write_bytes(b"png")
        kore.source(mine, "ps2", sums=notebooks.assignment(points=4))
        kore.source(theirs, "exam", secret=notebooks.assignment())
        yield World(kore, mine, target, theirs)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, World]:
    """Make the courses once: a copy costs a fifth of what they do."""
    folder = tmp_path_factory.mktemp("template")
    with make_world(folder) as made:
        return folder, made


@contextmanager
def copy_world(template: tuple[Path, World], folder: Path) -> Iterator[World]:
    place, made = template
    shutil.copytree(place, folder, dirs_exist_ok=True)
    with make_kore(folder) as kore:
        for name in ("users", "admins", "groups"):
            setattr(kore.hub, name, deepcopy(getattr(made.kore.hub, name)))
        yield replace(made, kore=kore)


@pytest.fixture
def world(template, tmp_path) -> Iterator[World]:
    with copy_world(template, tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def unchanged_world(template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One for all tests that see nothing changed."""
    with copy_world(template, tmp_path_factory.mktemp("world")) as made:
        yield made


def problem_with(*sources: str, kind: str = "code") -> dict[str, Any]:
    made = notebooks.assignment(points=1)
    for number, source in enumerate(sources):
        made["cells"].append(
            {"cell_type": kind, "id": f"x{number}", "metadata": {}, "source": source}
            | ({"outputs": [], "execution_count": None} if kind == "code" else {})
        )
    return made


def test_an_assignment_is_copied_with_all_its_files(world: World):
    """Byte by byte, the source untouched, and nothing left in staging."""
    before = snapshot(world.source(world.mine).parent)
    files = (world.source(world.mine) / "ps1").rglob("*")
    assert world.plan(assignment="ps1") == [
        {
            "assignment": "ps1",
            "problem": None,
            "target": "ps1",
            "exists": False,
            "keep_both": "ps1",
            "size": sum(file.stat().st_size for file in files if file.is_file()),
        }
    ]
    done = world.copy(assignment="ps1")
    assert (done["state"], done["kind"], done["subject"]) == ("done", "course.copy", "ps1")
    assert [(i["label"], i["outcome"]) for i in done["items"]] == [("ps1", "copied")]
    assert snapshot(world.source(world.target) / "ps1") == snapshot(
        world.source(world.mine) / "ps1"
    )
    assert snapshot(world.source(world.mine).parent) == before
    assert left_behind(world) == []
    listed = world.kore.client_for("u1", via="token").get(f"/assignments?course={world.target}")
    assert listed.json["assignments"][0]["points"] == 5


def test_a_whole_course_is_copied(world: World):
    """Every assignment of it, each with a line in the report."""
    done = world.copy()
    assert done["subject"] is None
    assert [item["label"] for item in done["items"]] == ["ps1", "ps2"]
    assert snapshot(world.source(world.target)) == snapshot(world.source(world.mine))


def test_some_assignments_are_copied(world: World):
    """Those that were named, in one job; what is in the way of others does not matter."""
    world.kore.source(world.mine, "ps3", more=notebooks.assignment())
    world.kore.source(world.target, "ps2", other=notebooks.assignment())
    assert [item["assignment"] for item in world.plan(assignments=["ps3", "ps1"])] == ["ps1", "ps3"]
    done = world.copy(assignments=["ps3", "ps1"])
    assert [item["label"] for item in done["items"]] == ["ps1", "ps3"]
    assert done["subject"] is None
    assert sorted(p.name for p in world.source(world.target).iterdir()) == ["ps1", "ps2", "ps3"]
    assert world.copy(assignments=["ps1"], collision="keep_both")["subject"] == "ps1"


def test_some_that_are_not_all_there_are_refused(world: World):
    """Nothing of them is copied; nor where one is named besides."""
    assert world.refused(assignments=["ps1", "ps9"])[:2] == (404, "not_in_source")
    assert world.refused(assignments=["ps1"], assignment="ps2")[0] == 422
    assert world.refused(assignments=[])[0] == 422


def test_an_assignment_gets_a_new_name_by_into(world: World):
    """Also within its own course."""
    world.target = world.mine
    world.copy(assignment="ps2", into="ps2 again")
    assert (world.source(world.mine) / "ps2 again" / "sums.ipynb").exists()


@pytest.mark.parametrize("there", ["ps1", "PS1"])
def test_refuse_copies_nothing_where_a_name_is_taken(world: World, there):
    """Names that some file system takes for one collide."""
    world.kore.source(world.target, there, other=notebooks.assignment())
    assert world.plan(assignment="ps1")[0]["exists"]
    assert world.refused(assignment="ps1") == (409, "name_taken", {"names": ["ps1"]})
    assert world.refused()[0] == 409


def test_keep_both_gives_a_new_name_that_is_free(world: World):
    """The plan says which; what is there stays as it is."""
    for name in ("ps1", "PS1-2"):
        world.kore.source(world.target, name, other=notebooks.assignment())
    before = snapshot(world.source(world.target))
    item = world.plan(assignment="ps1", collision="keep_both")[0]
    assert (item["exists"], item["keep_both"]) == (True, "ps1-3")
    world.copy(assignment="ps1", collision="keep_both")
    after = snapshot(world.source(world.target))
    assert before.items() <= after.items()
    assert "ps1-3/roots.ipynb" in after


def test_a_released_name_is_taken_though_its_source_is_gone(world: World):
    """A copy must not become what students have handed in for."""
    (world.source(world.target).parent / "release" / "ps1").mkdir(parents=True)
    assert world.plan(assignment="ps1")[0]["keep_both"] == "ps1-2"


def backups_of(world: World) -> list[dict[str, Any]]:
    client = world.kore.client_for("u1", via="token")
    return client.get(f"/backups?course={world.target}").json["backups"]


def test_replace_keeps_the_old_one_in_a_backup(world: World):
    """The new assignment is whole, and the old one comes back from the backup as it was."""
    old = world.kore.source(world.target, "ps1", other=notebooks.assignment())
    (old / "notes.txt").write_text("mine")
    before = snapshot(old)
    done = world.copy(assignment="ps1", collision="replace")
    assert done["items"][0]["message"]["code"] == "copy.replaced"
    assert snapshot(old) == snapshot(world.source(world.mine) / "ps1")
    assert not (old.parent.parent / ".kore" / "replaced").exists()
    assert left_behind(world) == []
    [kept] = backups_of(world)
    assert (kept["origin"], kept["contents"]) == ("before_replace", "sources")
    client = world.kore.client_for("u1", via="token")
    others = client.get(f"/assignments?without={world.target}").json["assignments"]
    assert kept["id"] in {entry["source"]["id"] for entry in others}
    world.copy(**{"from": {"kind": "backup", "id": kept["id"]}, "assignment": "ps1", "into": "old"})
    assert snapshot(old.parent / "old") == before


def test_what_changes_after_the_backup_is_kept_too(world: World, monkeypatch):
    """What a teacher saves between the backup and the last step is named in the report."""
    old = world.kore.source(world.target, "ps1", other=notebooks.assignment())
    make_moves = transaction.make_moves

    def late(tree, made):
        (old / "saved.txt").write_text("at the last moment")
        make_moves(tree, made)

    monkeypatch.setattr(transaction, "make_moves", late)
    done = world.copy(assignment="ps1", collision="replace")
    [line] = [item for item in done["items"] if item["outcome"] == "kept"]
    kept = world.source(world.target).parent / line["message"]["params"]["path"]
    assert (kept / "saved.txt").read_text() == "at the last moment"


def test_backups_are_listed_looked_at_and_copied_from(world: World):
    """Like the course that they are of, as it was then; also when it has changed since."""
    client = world.kore.client_for("u1", via="token")
    client.post(f"/courses/{world.mine}/backups", json={"contents": "everything"})
    world.kore.work()
    as_it_was = snapshot(world.source(world.mine))
    shutil.rmtree(world.source(world.mine) / "ps1")
    found = client.get("/assignments?kind=backup").json["assignments"]
    assert [(a["name"], a["notebooks"], a["points"]) for a in found] == [
        ("ps1", 1, 5),
        ("ps2", 1, 4),
    ]
    source = found[0]["source"]
    assert (source["kind"], source["course"]) == ("backup", world.mine)
    problems = client.get(f"/problems?source={source['id']}&search=squares").json["problems"]
    assert [(p["assignment"], p["name"], p["title"]) for p in problems] == [
        ("ps1", "roots", "Squares"),
        ("ps2", "sums", "Squares"),
    ]
    asked = {"kind": "backup", "source": source["id"], "assignment": "ps1", "problem": "roots"}
    shown = client.get("/problems/preview", query_string=asked).json
    assert shown["points"] == 5
    origin = {"from": {"kind": "backup", "id": source["id"]}}
    world.copy(**origin)
    assert snapshot(world.source(world.target)) == as_it_was
    world.copy(**origin, assignment="ps1", problem="roots", into="ps9")
    assert (world.source(world.target) / "ps9" / "roots.ipynb").exists()


def test_backups_of_others_are_none(world: World):
    """Another teacher's backup looks as if it were not there, in lists, previews and copies."""
    theirs = world.kore.client_for("u4", via="token")
    theirs.post(f"/courses/{world.theirs}/backups", json={"contents": "sources"})
    world.kore.work()
    [backup] = theirs.get(f"/backups?course={world.theirs}").json["backups"]
    mine = world.kore.client_for("u1", via="token")
    assert mine.get("/assignments?kind=backup").json["total"] == 0
    for one in (backup["id"], "0" * 32):
        answer = mine.get(f"/assignments?source={one}")
        assert (answer.status_code, answer.json["error"]["code"]) == (404, "source_unknown")
        asked = {"kind": "backup", "source": one, "assignment": "exam", "problem": "secret"}
        assert mine.get("/problems/preview", query_string=asked).status_code == 404
        refused = world.refused("", **{"from": {"kind": "backup", "id": one}})
        assert refused[:2] == (404, "source_unknown")
    assert theirs.get(f"/assignments?source={backup['id']}").json["total"] == 1
    admin = world.kore.client_for("u5", via="token")
    assert admin.get(f"/assignments?source={backup['id']}").json["total"] == 1


def test_a_problem_comes_with_the_files_it_needs(world: World):
    """Images, data and modules that it names; not what it does not, nor other problems."""
    folder = world.kore.source(
        world.mine,
        "ps3",
        needs=problem_with(
            "import helpers\nopen('data/a.csv')\nread(f\"many/{n}.txt\")", "%run 'tool.py'"
        ),
        other=notebooks.assignment(),
    )
    book = json.loads((folder / "needs.ipynb").read_text())
    book["cells"][0]["source"] = (
        "# T\n![a](img/one%20two.png \"t\") <img src='img/three.png'> ![](attachment:x.png)\n"
        "[l]: ref.pdf\n[gone](gone.png) [out](../ps1/logo.png) [web](https://e.org/x.png)"
    )
    (folder / "needs.ipynb").write_text(json.dumps(book))
    wanted = ["img/one two.png", "img/three.png", "data/a.csv", "many/1.txt", "many/2.txt"]
    wanted += ["helpers.py", "tool.py", "ref.pdf", "deep.json"]
    for name in [*wanted, "unused.bin", "many/3.csv", "other.py"]:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("open('deep.json')" if name == "helpers.py" else name)
    world.copy(assignment="ps3", problem="needs")
    found = snapshot(world.source(world.target) / "ps3")
    files = {name for name in found if (world.source(world.target) / "ps3" / name).is_file()}
    assert files == {"needs.ipynb", *wanted}


def test_a_problem_comes_into_an_assignment_that_is_there(world: World):
    """What is there stays; cell ids become unique in the assignment, points stay."""
    world.kore.source(world.target, "ps9", own=notebooks.assignment(points=1))
    before = snapshot(world.source(world.target) / "ps9")
    world.copy(assignment="ps1", problem="roots", into="ps9")
    after = snapshot(world.source(world.target) / "ps9")
    assert before.items() <= after.items()
    with (world.source(world.target) / "ps9" / "roots.ipynb").open() as handle:
        book = read_notebook(handle, as_version=4)
    marks = [cell.metadata.nbgrader for cell in book.cells if "nbgrader" in cell.metadata]
    assert [m.grade_id for m in marks] == ["square-2", "test-square-2", "why"]
    assert sum(m.get("points", 0) for m in marks) == 5


def test_both_problems_are_kept_with_their_own_data(world: World):
    """The copy's file gets another name too, and the copy names it so."""
    source = world.kore.source(world.mine, "ps3", p=problem_with("x = open('a.csv')"))
    (source / "a.csv").write_text("theirs")
    target = world.kore.source(world.target, "ps3", p=problem_with("x = open('a.csv')"))
    (target / "a.csv").write_text("mine")
    before = snapshot(target)
    item = world.plan(assignment="ps3", problem="p", collision="keep_both")[0]
    assert (item["exists"], item["keep_both"]) == (True, "p-2")
    world.copy(assignment="ps3", problem="p", collision="keep_both")
    after = snapshot(target)
    assert before.items() <= after.items()
    assert set(after) - set(before) == {"p-2.ipynb", "a-2.csv"}
    assert "open('a-2.csv')" in (target / "p-2.ipynb").read_text()
    assert (target / "a-2.csv").read_text() == "theirs"


def test_data_that_cannot_get_another_name_is_refused(world: World):
    """A pattern still means the old file, so the refusal names it."""
    for course in (world.mine, world.target):
        folder = world.kore.source(course, "ps3", p=problem_with("glob('*.csv')"))
        (folder / "a.csv").write_text(course)
    refused = world.refused(assignment="ps3", problem="p", collision="keep_both")
    assert refused == (409, "name_taken.files", {"names": ["a.csv"]})
    world.copy(assignment="ps3", problem="p", collision="replace")
    assert (world.source(world.target) / "ps3" / "a.csv").read_text() == world.mine


def test_old_metadata_is_upgraded_with_nbgraders_own_code(world: World):
    """Schema versions 0 to 2 become valid ones of today, with the same points."""
    folder = world.kore.source(world.mine, "old")
    for version in (None, 1, 2):
        book = notebooks.assignment(points=3)
        for cell in book["cells"]:
            marks = cell["metadata"].get("nbgrader")
            if marks:
                del marks["task"], marks["schema_version"]
                if version:
                    marks["schema_version"] = version
                elif "points" in marks:
                    marks["points"] = "3"
        (folder / f"v{version or 0}.ipynb").write_text(json.dumps(book))
    world.copy(assignment="old")
    seen: set[str] = set()
    for path in sorted((world.source(world.target) / "old").iterdir()):
        with path.open() as handle:
            book = read_notebook(handle, as_version=4)
        marks = [cell.metadata.nbgrader for cell in book.cells if "nbgrader" in cell.metadata]
        assert {m.schema_version for m in marks} == {MetadataValidator.schema_version}
        assert sum(m.get("points", 0) for m in marks) == 3
        assert not seen & {m.grade_id for m in marks}
        seen |= {m.grade_id for m in marks}


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"no json", "no_json"),
        (b'{"nbformat": 3, "worksheets": []}', "format"),
        (b" " * (11 * 1024 * 1024), "too_large"),
        (b"[" * 100_000, "nested"),
    ],
)
def test_an_assignment_with_a_broken_notebook_is_refused(world: World, content, fault):
    """With the notebook's name and the reason; so is the whole course."""
    (world.kore.source(world.mine, "broken") / "bad.ipynb").write_bytes(content)
    for body in ({"assignment": "broken"}, {}, {"assignment": "broken", "problem": "bad"}):
        status, code, params = world.refused(**body)
        assert (status, code) == (422, "notebook_unreadable.named")
        assert params["notebook"] == "broken/bad"
        assert params["reason"]["id"] == f"notebook_fault.{fault}"


@pytest.mark.parametrize(
    ("marks", "words"),
    [
        ({"schema_version": 9}, "too new"),
        ({"schema_version": "x"}, "cannot read"),
        ({"grade_id": "a b"}, "does not match"),
        ({"grade_id": ""}, "grade_id is empty"),
        ({"grade_id": 7}, "is not of type"),
        ({"locked": "yes"}, "is not of type"),
    ],
)
def test_what_nbgrader_refuses_fails_in_its_words(world: World, marks, words):
    """The job fails with nbgrader's reason, and the target is as it was."""
    book = notebooks.assignment()
    book["cells"][2]["metadata"]["nbgrader"].update(marks)
    world.kore.source(world.mine, "bad", p=book)
    world.kore.source(world.target, "ps1", other=notebooks.assignment())
    before = snapshot(world.source(world.target))
    for body in ({"assignment": "bad"}, {"assignment": "bad", "problem": "p", "into": "ps1"}):
        done = world.copy(**body)
        assert done["state"] == "failed"
        assert words in done["message"]["text"]
        assert done["message"]["params"]["notebook"] == "bad/p"
        assert snapshot(world.source(world.target)) == before
        assert left_behind(world) == []


def test_links_in_a_source_are_refused_not_followed(world: World):
    """A link to another teacher's exam is named in the refusal, and the exam is not read."""
    secret = world.source(world.theirs) / "exam" / "secret.ipynb"
    folder = world.kore.source(world.mine, "trap", p=problem_with("open('stolen.ipynb')"))
    (folder / "stolen.ipynb").symlink_to(secret)
    assert world.refused(assignment="trap")[1] == "special_file"
    (folder / "stolen.ipynb").unlink()
    os.mkfifo(folder / "stolen.csv")
    assert world.refused(assignment="trap", problem="p")[1] == "special_file"


def test_links_in_the_target_are_not_followed(world: World):
    """A course whose source or staging leads elsewhere gets nothing, and elsewhere stays."""
    elsewhere = world.source(world.theirs)
    before = snapshot(elsewhere)
    world.source(world.target).symlink_to(elsewhere)
    assert world.send("", assignment="ps1").status_code in {202, 409}
    world.kore.work()
    assert snapshot(elsewhere) == before
    world.source(world.target).unlink()
    (world.source(world.target).parent / ".kore").symlink_to(elsewhere)
    assert world.copy(assignment="ps1")["state"] == "failed"
    assert snapshot(elsewhere) == before


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"assignment": "gone"}, 404, "not_in_source"),
        ({"assignment": "ps1", "problem": "gone"}, 404, "not_in_source"),
        ({"assignment": "../../x"}, 404, "not_in_source"),
        ({"assignment": "ps1", "problem": "../ps2/sums"}, 422, "bad_name.copied_problem"),
        ({"assignment": "ps1", "into": "a/b"}, 422, "bad_name.copied_assignment"),
        ({"assignment": "ps1", "into": ".."}, 422, "bad_name.copied_assignment"),
        ({"assignment": "ps1", "into": "a+b"}, 422, "bad_name.copied_assignment"),
        ({"assignment": "ps1", "into": " ps"}, 422, "bad_name.copied_assignment"),
        ({"assignment": "ps1", "into": "a\0"}, 422, "bad_name.copied_assignment"),
        (
            {"assignment": "ps1", "problem": "roots", "into": ".kore"},
            422,
            "bad_name.copied_assignment",
        ),
        ({"problem": "roots"}, 422, "invalid.problem_alone"),
        ({"into": "ps5"}, 422, "invalid.into_alone"),
        ({"collision": "overwrite"}, 422, "invalid"),
        ({"surprise": 1}, 422, "invalid"),
        ({"assignment": ""}, 422, "invalid.string_too_short"),
    ],
)
def test_requests_that_make_no_sense_are_refused(unchanged_world, body, status, code):
    """By the plan and by the copy alike, and nothing changes."""
    for path in ("/plan", ""):
        assert unchanged_world.refused(path, **body)[:2] == (status, code)


def test_the_source_must_be_the_callers(world: World):
    """Another teacher's course looks as if it were not there; an admin may copy from it."""
    theirs = world.refused(origin=world.theirs)
    assert theirs == world.refused(origin="c-" + "0" * 16)
    assert theirs[:2] == (404, "source_unknown")
    assert world.send("/plan", origin=world.theirs, user="u5").status_code == 200
    # The course's own account is no teacher of others.
    assert world.send("/plan", user=world.target).status_code == 404


def test_nothing_takes_its_own_place(world: World):
    """Replacing a thing by itself is refused."""
    world.target = world.mine
    assert world.refused(assignment="ps1", collision="replace")[0] == 422


def test_who_may_no_longer_teach_the_source_copies_nothing(world: World):
    """Rights are asked again when the job begins."""
    answer = world.send("", assignment="ps1")
    world.kore.launch("1", "Learner", link="link-1")
    world.kore.work()
    client = world.kore.client_for("u5", via="token")
    done = client.get(f"/jobs/{answer.json['id']}").json
    assert (done["state"], done["message"]["code"]) == ("failed", "source_unknown")
    assert not world.source(world.target).exists()


def test_a_full_disk_leaves_nothing_behind(world: World, monkeypatch):
    """The job says so, and the target is as it was."""
    world.kore.source(world.target, "ps9", own=notebooks.assignment())
    before = snapshot(world.source(world.target))

    def full(*_args, **_options):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(SafeTree, "write", full)
    for body in ({}, {"assignment": "ps1", "into": "other"}):
        done = world.copy(**body)
        assert done["state"] == "failed"
        assert done["message"]["code"] == "disk_full"
        assert snapshot(world.source(world.target)) == before
        assert left_behind(world) == []


def test_what_changes_before_the_last_step_undoes_the_copy(world: World, monkeypatch):
    """A name that a teacher takes meanwhile makes the job fail, and nothing else is there."""
    make_moves = transaction.make_moves

    def late(tree, made):
        world.kore.source(world.target, "ps2", mine=notebooks.assignment())
        make_moves(tree, made)

    monkeypatch.setattr(transaction, "make_moves", late)
    done = world.copy()
    assert (done["state"], done["message"]["code"]) == ("failed", "changed_meanwhile.course")
    assert set(snapshot(world.source(world.target))) == {"ps2", "ps2/mine.ipynb"}
    assert left_behind(world) == []
