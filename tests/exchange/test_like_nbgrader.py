"""nbgrader's commands behave the same over Kore and over nbgrader's own exchange."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from nbgrader.api import Gradebook
from nbgrader.exchange import ExchangeError

pytestmark = pytest.mark.slow

COMMANDS = [
    "list",
    "fetch_assignment",
    "submit",
    "collect",
    "release_assignment",
    "release_feedback",
    "fetch_feedback",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_help(world, command):
    """Each command prints its help, with its classes."""
    world.student.nbgrader(command, "--help-all")


@pytest.mark.parametrize("command", COMMANDS[1:5])
def test_a_course_is_required(world, command):
    """Without a course the commands fail."""
    world.release_and_fetch("ps1")
    desk = world.teacher if command in {"collect", "release_assignment"} else world.student
    desk.nbgrader(command, "ps1", fails=True)


def test_release_needs_force_to_replace(world):
    """A released assignment is replaced only with --force."""
    world.release("ps1")
    world.release("ps1", fails=True)
    world.release("ps1", "--force")
    world.release("ps1", "-f")
    world.teacher.nbgrader("release_assignment", "ps1", fails=True)
    world.fetch("ps1")
    assert (world.student.folder / "ps1" / "p1.ipynb").is_file()


def test_release_reports_what_is_missing(world):
    """The message says that the release version was not generated yet."""
    world.teacher.notebook("source/ps1/p1.ipynb")
    log = world.teacher.nbgrader("release_assignment", "ps1", "--course", world.course, fails=True)
    assert "run `nbgrader generate_assignment` first" in log
    world.release("ps2")
    log = world.teacher.nbgrader("release_assignment", "ps3", "--course", world.course, fails=True)
    assert "not found" in log
    assert "Did you mean" in log
    assert "ps2" in log


def test_fetch_never_overwrites(world):
    """An existing copy is kept; --replace restores only missing files."""
    world.release_and_fetch("ps1")
    mine = world.student.folder / "ps1" / "p1.ipynb"
    assert "You already have a copy" in world.fetch("ps1", fails=True)
    mine.unlink()
    world.fetch("ps1", fails=True)
    world.fetch("ps1", "--replace")
    assert mine.is_file()
    mine.write_text("my work")
    world.fetch("ps1", "--replace")
    assert mine.read_text() == "my work"


def test_fetch_by_flag_and_old_name(world):
    """The assignment may be a flag, and the command may have its old name."""
    world.release("ps1")
    world.fetch("--assignment=ps1")
    world.release("ps2")
    world.student.nbgrader("fetch", "ps2", "--course", world.course)
    for name in ("ps1", "ps2"):
        assert (world.student.folder / name / "p1.ipynb").is_file()


def test_fetch_several_and_of_several_courses(world):
    """Several at once, and the same name in two courses, each to its own folder."""
    flag = "--Exchange.path_includes_course=True"
    first, second = world.courses
    for name in ("ps1", "ps2"):
        world.release(name, course=first)
    world.release("ps1", course=second)
    world.student.nbgrader("fetch_assignment", "--course", first, "ps1", "ps2", flag)
    world.fetch("ps1", flag, course=second)
    for course, name in ((first, "ps1"), (first, "ps2"), (second, "ps1")):
        assert (world.student.folder / course / name / "p1.ipynb").is_file()
    world.submit("ps1", flag, course=second)
    assert len(world.cached()) == 0
    assert len(world.student.lines("list", "--cached", "--course", second)) == 2


def test_fetch_of_an_unknown_assignment(world):
    """The message says that it was not found, and suggests the most similar name."""
    world.release("ps1")
    log = world.fetch("ps", fails=True)
    assert "Assignment not found" in log
    assert "ps1" in log


def test_every_submission_is_kept(world):
    """Each submission is kept with the time of its arrival."""
    world.release_and_fetch("ps1")
    before = datetime.now(UTC).replace(tzinfo=None)
    world.submit("ps1")
    world.work_on("ps1")
    world.submit("ps1")
    assert len(world.inbound()) == len(world.cached()) == 2
    world.collect("ps1")
    assert before < world.submitted_at("ps1") <= datetime.now(UTC).replace(tzinfo=None)
    assert sorted(path.name for path in world.submitted("ps1").glob("*.ipynb")) == ["p1.ipynb"]


def test_submit_with_extra_and_missing_notebooks(world):
    """Extra notebooks are accepted; missing ones are, except with --strict."""
    world.release_and_fetch("ps1")
    folder = world.student.folder / "ps1"
    world.student.notebook("ps1/p2.ipynb")
    assert "p2.ipynb: EXTRA" in world.submit("ps1", "--strict")
    (folder / "p1.ipynb").unlink()
    assert "p1.ipynb: MISSING" in world.submit("ps1")
    assert "missing notebooks" in world.submit("ps1", "--strict", fails=True)
    assert len(world.inbound()) == 2


def test_submit_needs_a_released_assignment(world):
    """An assignment that was never released cannot be submitted."""
    world.student.notebook("ps9/p1.ipynb")
    world.release("ps1")
    world.submit("ps9", fails=True)
    world.submit("ps7", fails=True)


def test_submit_by_flag_and_read_only(world):
    """The assignment may be a flag; read-only files are submitted."""
    world.release_and_fetch("ps1")
    (world.student.folder / "ps1" / "p1.ipynb").chmod(0o400)
    world.submit("--assignment=ps1")
    world.collect("--assignment=ps1")
    assert (world.submitted("ps1") / "p1.ipynb").is_file()


@pytest.mark.parametrize("name", ["foo+bar", "foo*bar"])
def test_submit_refuses_special_characters_in_student_names(world, name):
    """A student's name with nbgrader's own separators is refused."""
    world.release_and_fetch("ps1")
    world.submit("ps1", f"--student={name}", fails=True)


def test_submit_omits_ignored_files(world):
    """Files that are ignored, not included or too large are not submitted."""
    world.release_and_fetch("ps1")
    folder = world.student.folder / "ps1"
    (folder / "foo.pyc").write_text("")
    (folder / "small.csv").write_text("x" * 2000)
    (folder / "large.csv").write_text("x" * 2001)
    (folder / "note.txt").write_text("")
    for name in (".ipynb_checkpoints", "feedback", "data"):
        (folder / name).mkdir()
        (folder / name / "inner.csv").write_text("1")
    world.student.configure(
        CourseDirectory={"max_file_size": 2, "include": ["*.ipynb", "*.csv", "*.pyc"]}
    )
    world.submit("ps1")
    world.collect("ps1")
    found = {
        str(path.relative_to(world.submitted("ps1"))) for path in world.submitted("ps1").rglob("*")
    }
    assert found - {"submission_secret.txt"} == {
        *("p1.ipynb", "small.csv", "data", "data/inner.csv", "timestamp.txt")
    }


def test_submit_refuses_a_folder_that_is_too_large(world):
    """A folder over nbgrader's limit is not submitted."""
    world.release_and_fetch("ps1")
    (world.student.folder / "ps1" / "data").write_text("x" * 4000)
    world.student.configure(CourseDirectory={"max_dir_size": 3})
    with pytest.raises((ExchangeError, RuntimeError)):
        world.student.exchange("Submit", world.course, "ps1")
    assert world.inbound() == []


def test_collect_and_update(world):
    """Collected work is replaced only with --update, and only by newer work."""
    world.release_and_fetch("ps1")
    assert "No submissions" in world.collect("ps1")
    assert not (world.teacher.folder / "submitted").exists()
    world.submit("ps1")
    world.collect("ps1")
    first = world.submitted_at("ps1")
    (world.submitted("ps1") / "note").write_text("of the teacher")
    assert "already exists" in world.collect("ps1")
    assert "No newer" in world.collect("ps1", "--update")
    world.work_on("ps1")
    world.submit("ps1")
    world.collect("ps1")
    assert world.submitted_at("ps1") == first
    assert (world.submitted("ps1") / "note").exists()
    assert "Updating" in world.collect("ps1", "--update")
    assert world.submitted_at("ps1") > first
    assert not (world.submitted("ps1") / "note").exists()


def test_collect_one_student(world):
    """With a student's name or a pattern, only their work is collected."""
    world.release_and_fetch("ps1")
    world.submit("ps1")
    world.collect("ps1", "--student=nobody")
    assert not world.submitted("ps1").exists()
    world.collect("ps1", f"--student={world.student.name[:2]}*")
    assert world.submitted("ps1").is_dir()


def test_collect_folders(world):
    """Folders and empty files of a submission arrive."""
    world.release_and_fetch("ps1")
    (world.student.folder / "ps1" / "foo").mkdir()
    (world.student.folder / "ps1" / "foo" / "temp.txt").write_text("")
    world.submit("ps1")
    world.collect("ps1")
    assert (world.submitted("ps1") / "foo" / "temp.txt").read_text() == ""


@pytest.mark.parametrize("case", ["in time", "without the flag", "only late"])
def test_collect_before_due_date(world, case):
    """--before-duedate collects the last one in time, or a late one if there is no other."""
    world.release_and_fetch("ps1")
    if case != "only late":
        world.submit("ps1")
        world.work_on("ps1")
    due = datetime.now(UTC).replace(tzinfo=None)
    world.submit("ps1")
    database = f"sqlite:///{world.teacher.folder / 'gradebook.db'}"
    with world.teacher.active(), Gradebook(database, world.course) as gradebook:
        gradebook.update_or_create_assignment("ps1", duedate=due)
    world.collect("ps1", *([] if case == "without the flag" else ["--before-duedate"]))
    assert (world.submitted_at("ps1") < due) == (case == "in time")


def test_list_released(world):
    """Released assignments are listed by course and name; fetched ones are marked."""
    for name in ("ps1", "ps2"):
        world.release(name)
    world.fetch("ps1")
    assert world.student.lines("list", "--course", world.course) == [
        "Released assignments:",
        f"{world.course} ps1 (already downloaded)",
        f"{world.course} ps2",
    ]
    assert world.student.lines("list", "ps2", "--course", world.course) == [
        "Released assignments:",
        f"{world.course} ps2",
    ]
    assert world.student.lines("list", "--course", world.courses[1]) == ["Released assignments:"]


def test_list_of_all_courses(world):
    """Without a course, the assignments of all courses are listed."""
    for course in world.courses:
        world.release("ps1", course=course)
    assert world.student.lines("list") == [
        "Released assignments:",
        *(f"{course} ps1" for course in sorted(world.courses)),
    ]


def test_list_remove_released(world):
    """A removed assignment is no longer released."""
    for name in ("ps1", "ps2"):
        world.release(name)
    world.teacher.nbgrader("list", "ps1", "--remove", "--course", world.course)
    assert world.student.lines("list", "--course", world.course)[1:] == [f"{world.course} ps2"]
    world.fetch("ps1", fails=True)


def test_list_cached_and_removed(world):
    """A student's list has their submissions until they remove them from it."""
    for name in ("ps1", "ps2"):
        world.release_and_fetch(name)
        world.submit(name)
    assert [line.split()[2] for line in world.cached()] == ["ps1", "ps2"]
    assert all(line.endswith("(no feedback available)") for line in world.cached())
    world.cached("ps1", "--remove")
    assert [line.split()[2] for line in world.cached()] == ["ps2"]
    assert len(world.inbound()) == 2


def test_list_cached_and_inbound_exclude_each_other(world):
    """The two options cannot be combined."""
    world.student.nbgrader("list", "--cached", "--inbound", "--course", world.course, fails=True)


def test_changed_feedback_can_be_fetched_again(world):
    """Feedback is available, fetched, and available again when it changes."""
    world.release_and_fetch("ps1")
    world.submit("ps1")
    world.collect("ps1")
    world.grade("ps1")
    world.release_feedback("ps1")
    world.work_on("ps1")
    world.submit("ps1")

    def states():
        return [line[line.index("(") :] for line in world.cached()]

    assert states() == ["(feedback ready to be fetched)", "(no feedback available)"]
    world.fetch_feedback("ps1")
    assert states() == ["(feedback already fetched)", "(no feedback available)"]
    stamp = (world.submitted("ps1") / "timestamp.txt").read_text()
    page = world.student.folder / "ps1" / "feedback" / stamp / "p1.html"
    assert page.read_text() == "<p>Well done</p>"

    world.grade("ps1", "<p>Even better</p>")
    world.release_feedback("ps1")
    assert states() == ["(feedback ready to be fetched)", "(no feedback available)"]
    world.fetch_feedback("ps1")
    assert page.read_text() == "<p>Even better</p>"
    assert states() == ["(feedback already fetched)", "(no feedback available)"]

    world.collect("ps1", "--update")
    world.grade("ps1")
    world.release_feedback("ps1")
    world.fetch_feedback("ps1")
    assert states() == ["(feedback already fetched)"] * 2


def test_feedback_for_one_student_or_all_but_one(world):
    """Feedback goes to the named students, and not to excluded ones."""
    world.release_and_fetch("ps1")
    world.submit("ps1")
    world.collect("ps1")
    world.grade("ps1")
    me = world.student.name
    world.release_feedback("ps1", "--student=nobody")
    world.release_feedback("ps1", f"--CourseDirectory.student_id_exclude=x,{me}")
    assert "no feedback" in world.cached()[0]
    world.release_feedback("ps1", f"--student={me}")
    assert "ready" in world.cached()[0]


def shape(value):
    """Return the keys and types of an answer; lists have the type of their first member."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value[:1]]
    return type(value).__name__


def test_lists_have_the_fields_that_the_assignment_list_shows(world):
    """JupyterLab's assignment list finds the fields that it shows."""
    world.release_and_fetch("ps1")
    world.submit("ps1")
    world.collect("ps1")
    world.grade("ps1")
    world.release_feedback("ps1")
    world.fetch_feedback("ps1")
    world.release("ps2")
    fetched, released = world.student.exchange("List", world.course, "")
    assert (fetched["status"], released["status"]) == ("fetched", "released")
    for info in (fetched, released):
        assert shape(info) == {
            "course_id": "str",
            "assignment_id": "str",
            "status": "str",
            "path": "str",
            "notebooks": [{"notebook_id": "str", "path": "str"}],
        }
    [cached] = world.student.exchange("List", world.course, "", cached=True)
    assert shape(cached) == {
        "course_id": "str",
        "student_id": "str",
        "assignment_id": "str",
        "status": "str",
        "submissions": [
            {
                "course_id": "str",
                "student_id": "str",
                "assignment_id": "str",
                "timestamp": "str",
                "status": "str",
                "path": "str",
                "has_local_feedback": "bool",
                "has_exchange_feedback": "bool",
                "feedback_updated": "bool",
                "local_feedback_path": "str",
                "notebooks": [
                    {
                        "notebook_id": "str",
                        "path": "str",
                        "has_local_feedback": "bool",
                        "has_exchange_feedback": "bool",
                        "local_feedback_path": "str",
                        "feedback_updated": "bool",
                    }
                ],
            }
        ],
    }
