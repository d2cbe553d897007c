"""How the exchange over Kore differs: identity, complete transfers, and messages."""

from __future__ import annotations

import json

import pytest
from nbgrader.exchange import ExchangeError

from kore.singleuser.exchange import transport

pytestmark = pytest.mark.slow


def fail(desk, what, *arguments, **more):
    """Run one of the exchange's classes, which fails; return its message."""
    with pytest.raises(ExchangeError) as refused:
        desk.exchange(what, *arguments, **more)
    return str(refused.value)


def test_nobody_submits_for_someone_else(school):
    """The hub identifies the student, not the command line."""
    school.release_and_fetch("ps1")
    assert "You are u101" in school.submit("ps1", "--student=u102", fails=True)
    school.submit("ps1", "--student=u101")
    assert [line.split()[1] for line in school.inbound()] == ["u101"]


def test_students_see_only_their_own_submissions(school):
    """Another student's list, fetch and collect do not find a submission."""
    school.release_and_fetch("ps1")
    school.submit("ps1")
    school.collect("ps1")
    school.grade("ps1")
    school.release_feedback("ps1")
    other = school.others["u102"]
    for flags in (["--inbound"], ["--cached"], ["--inbound", "--student=u101"]):
        assert len(other.lines("list", "--course", school.course, *flags)) == 1
    other.nbgrader("fetch_feedback", "ps1", "--course", school.course)
    assert not list(other.folder.rglob("*.html"))
    other.nbgrader("collect", "ps1", "--course", school.course)
    assert not (other.folder / "submitted").exists()
    assert "teachers" in other.nbgrader(
        "list", "ps1", "--remove", "--course", school.course, fails=True
    )


def test_a_course_is_invisible_to_nonmembers(school):
    """To someone outside a course it does not exist."""
    school.release("ps1")
    stranger = school.others["u500"]
    log = stranger.nbgrader("fetch_assignment", "ps1", "--course", school.course, fails=True)
    unknown = stranger.nbgrader("fetch_assignment", "ps1", "--course", "c-" + "0" * 16, fails=True)
    assert log.replace(school.course, "X") == unknown.replace("c-" + "0" * 16, "X")
    assert stranger.lines("list") == ["Released assignments:"]


def test_submitting_the_same_work_twice_is_one_submission(school):
    """The same files submitted twice are one submission, for teacher and student."""
    school.release_and_fetch("ps1")
    for _ in range(2):
        school.submit("ps1")
    assert len(school.inbound()) == len(school.cached()) == 1


def test_a_retry_after_a_lost_answer_is_the_same_submission(school, monkeypatch):
    """If Kore's answer was lost, the next attempt finds the first one's submission."""
    school.release_and_fetch("ps1")
    upload, keys = transport.Transport.upload, []

    def lose_answer(self, method, path, archive, headers=None):
        answer = upload(self, method, path, archive, headers)
        keys.append((headers or {}).get("Idempotency-Key"))
        if len(keys) == 1:
            raise transport.RefusedError("The connection broke.")
        return answer

    monkeypatch.setattr(transport.Transport, "upload", lose_answer)
    assert "connection broke" in school.submit("ps1", fails=True)
    assert school.cached() == []
    school.submit("ps1")
    assert keys[0] == keys[1]
    assert len(school.inbound()) == len(school.cached()) == 1


def test_an_unreachable_kore_is_reported(school):
    """If Kore does not answer, the message says so, and no folder appears."""
    school.release("ps1")
    school.student.variables["KORE_URL"] = "http://127.0.0.1:9/services/kore"
    assert "Cannot reach Kore" in fail(school.student, "FetchAssignment", school.course, "ps1")
    assert not (school.student.folder / "ps1").exists()


def test_a_missing_hub_is_reported(school):
    """Outside a hub's server the message says that there is no exchange."""
    for name in ("KORE_URL", "JUPYTERHUB_API_TOKEN"):
        school.student.variables[name] = ""
    assert "server that the hub started" in fail(school.student, "List", school.course, "")


def test_a_refusal_shows_its_hint(school):
    """Students read Kore's message and its hint."""
    school.release_and_fetch("ps1")
    (school.student.folder / "ps1" / "bad\nname.txt").write_text("")
    message = fail(school.student, "Submit", school.course, "ps1")
    assert "Rename" in message
    assert school.inbound() == []


def test_unusual_names_arrive_unchanged(school):
    """Long names, deep folders, and names in any script arrive unchanged."""
    school.release_and_fetch("ps1")
    names = [
        "ein ö.txt",
        "数据/表 1.csv",
        "a" * 200 + ".txt",
        "/".join(["deep"] * 20) + "/x",
        "a:b",
    ]
    for name in names:
        path = school.student.folder / "ps1" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (school.student.folder / "ps1" / "run.sh").write_text("")
    (school.student.folder / "ps1" / "run.sh").chmod(0o755)
    school.submit("ps1")
    school.collect("ps1")
    for name in names:
        assert (school.submitted("ps1") / name).read_text() == name
    assert (school.submitted("ps1") / "run.sh").stat().st_mode & 0o100


def test_links_are_submitted_as_their_files(school):
    """A link becomes its file; one that leads back to a folder above it is refused."""
    school.release_and_fetch("ps1")
    folder = school.student.folder / "ps1"
    (school.student.folder / "data.csv").write_text("1")
    (folder / "data.csv").symlink_to(school.student.folder / "data.csv")
    (folder / "dangling").symlink_to("nowhere")
    school.submit("ps1")
    school.collect("ps1")
    assert (school.submitted("ps1") / "data.csv").read_text() == "1"
    assert not (school.submitted("ps1") / "data.csv").is_symlink()
    (folder / "circle").symlink_to(folder)
    assert "leads back to a folder above it" in fail(school.student, "Submit", school.course, "ps1")


def test_kore_sets_the_time_of_a_submission(school):
    """A student's own timestamp.txt is replaced."""
    school.release_and_fetch("ps1")
    (school.student.folder / "ps1" / "timestamp.txt").write_text("2000-01-01 00:00:00 UTC")
    school.submit("ps1")
    school.collect("ps1")
    assert school.submitted_at("ps1").year > 2000


def test_folder_names_have_no_colons(school):
    """Every file system allows the names of the exchange's folders."""
    school.release_and_fetch("ps1")
    school.submit("ps1")
    school.collect("ps1")
    school.grade("ps1")
    school.release_feedback("ps1")
    school.fetch_feedback("ps1")
    assert not [p for p in school.student.folder.rglob("*") if ":" in p.name]
    assert list(school.student.folder.rglob("feedback/*/p1.html"))


def test_feedback_without_a_submission_is_reported(school):
    """Feedback for an unknown submission is not released; the message names the student."""
    school.release_and_fetch("ps1")
    school.submit("ps1")
    school.collect("ps1")
    school.grade("ps1")
    timestamp = school.teacher.folder / "feedback" / "u101" / "ps1" / "timestamp.txt"
    timestamp.write_text("2001-01-01 00:00:00 UTC")
    assert "u101" in school.release_feedback("ps1", fails=True)
    assert "no feedback" in school.cached()[0]


def test_only_pages_of_notebooks_are_feedback(school):
    """A student's own HTML file does not come back as feedback."""
    school.release_and_fetch("ps1")
    school.submit("ps1")
    school.collect("ps1")
    school.grade("ps1")
    folder = school.teacher.folder / "feedback" / "u101" / "ps1"
    (folder / "evil.html").write_text("<script>")
    school.release_feedback("ps1")
    school.fetch_feedback("ps1")
    assert [p.name for p in school.student.folder.rglob("*.html")] == ["p1.html"]


def test_submissions_cannot_be_removed(school):
    """Kore keeps submissions, even if a teacher or a student tries to remove them."""
    school.release_and_fetch("ps1")
    school.submit("ps1")
    for desk in (school.teacher, school.student):
        desk.nbgrader("list", "--inbound", "--remove", "--course", school.course, fails=True)
    assert len(school.inbound()) == 1


def test_list_as_json(school, capsys):
    """--json prints what JupyterLab's extensions get."""
    school.release("ps1")
    school.student.nbgrader("list", "--json", "--course", school.course)
    printed = capsys.readouterr().out
    assert json.loads(printed)[0]["assignment_id"] == "ps1"
