"""What is Kore's own about the exchange: identity, whole transfers, and refusals in words."""

from __future__ import annotations

import io
import json
import tarfile

import pytest
from nbgrader.exchange import ExchangeError

from kore.singleuser.exchange import archives, transport

pytestmark = pytest.mark.slow


def ask(desk, what, *arguments, **more):
    """Run one of the exchange's classes; return what went wrong, in words."""
    with pytest.raises(ExchangeError) as refused:
        desk.exchange(what, *arguments, **more)
    return str(refused.value)


def test_nobody_hands_in_for_another(school):
    """The student is whom the hub says, not whom the command line says."""
    school.hand_out("ps1")
    assert "You are u101" in school.submit("ps1", "--student=u102", fails=True)
    school.submit("ps1", "--student=u101")
    assert [line.split()[1] for line in school.inbound()] == ["u101"]


def test_students_see_their_own(school):
    """Another student lists, fetches, and finds nothing of what one has handed in."""
    school.hand_out("ps1")
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


def test_strangers_learn_nothing(school):
    """To somebody outside a course it is as if there were none."""
    school.release("ps1")
    stranger = school.others["u500"]
    log = stranger.nbgrader("fetch_assignment", "ps1", "--course", school.course, fails=True)
    unknown = stranger.nbgrader("fetch_assignment", "ps1", "--course", "c-" + "0" * 16, fails=True)
    assert log.replace(school.course, "X") == unknown.replace("c-" + "0" * 16, "X")
    assert stranger.lines("list") == ["Released assignments:"]


def test_a_double_click_is_one_submission(school):
    """The same work handed in twice at once is there once, on both sides."""
    school.hand_out("ps1")
    for _ in range(2):
        school.submit("ps1")
    assert len(school.inbound()) == len(school.cached()) == 1


def test_a_broken_upload_is_the_same_submission_next_time(school, monkeypatch):
    """Where the answer was lost, the next try finds what the first one handed in."""
    school.hand_out("ps1")
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


def test_without_kore_it_is_said(school):
    """Where Kore does not answer, the words say so, and nothing is half there."""
    school.release("ps1")
    school.student.variables["KORE_URL"] = "http://127.0.0.1:9/services/kore"
    assert "Cannot reach Kore" in ask(school.student, "FetchAssignment", school.course, "ps1")
    assert not (school.student.folder / "ps1").exists()


def test_outside_a_hub_it_is_said(school):
    """On a machine without a hub there is no exchange, in words."""
    for name in ("KORE_URL", "JUPYTERHUB_API_TOKEN"):
        school.student.variables[name] = ""
    assert "server that the hub started" in ask(school.student, "List", school.course, "")


def test_a_refusal_has_its_hint(school):
    """Kore's own words, with the way out, are what the student reads."""
    school.hand_out("ps1")
    (school.student.folder / "ps1" / "bad\nname.txt").write_text("")
    words = ask(school.student, "Submit", school.course, "ps1")
    assert "Rename" in words
    assert school.inbound() == []


def test_names_of_all_kinds(school):
    """Long names, deep folders, and names in any script arrive as they are."""
    school.hand_out("ps1")
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


def test_links_are_handed_in_as_what_they_lead_to(school):
    """A link becomes its file; one that leads in a circle is refused in words."""
    school.hand_out("ps1")
    folder = school.student.folder / "ps1"
    (school.student.folder / "data.csv").write_text("1")
    (folder / "data.csv").symlink_to(school.student.folder / "data.csv")
    (folder / "dangling").symlink_to("nowhere")
    school.submit("ps1")
    school.collect("ps1")
    assert (school.submitted("ps1") / "data.csv").read_text() == "1"
    assert not (school.submitted("ps1") / "data.csv").is_symlink()
    (folder / "circle").symlink_to(folder)
    assert "leads back to a folder above it" in ask(school.student, "Submit", school.course, "ps1")


def test_the_moment_is_the_servers(school):
    """What a student writes into timestamp.txt is not when it was handed in."""
    school.hand_out("ps1")
    (school.student.folder / "ps1" / "timestamp.txt").write_text("2000-01-01 00:00:00 UTC")
    school.submit("ps1")
    school.collect("ps1")
    assert school.moment("ps1").year > 2000


def test_no_colon_in_names_of_folders(school):
    """The folders that the exchange makes can lie on any file system."""
    school.hand_out("ps1")
    school.submit("ps1")
    school.collect("ps1")
    school.grade("ps1")
    school.release_feedback("ps1")
    school.fetch_feedback("ps1")
    assert not [p for p in school.student.folder.rglob("*") if ":" in p.name]
    assert list(school.student.folder.rglob("feedback/*/p1.html"))


def test_feedback_without_a_submission_is_said(school):
    """Feedback whose submission is unknown goes to nobody; the teacher learns for whom."""
    school.hand_out("ps1")
    school.submit("ps1")
    school.collect("ps1")
    school.grade("ps1")
    place = school.teacher.folder / "feedback" / "u101" / "ps1" / "timestamp.txt"
    place.write_text("2001-01-01 00:00:00 UTC")
    assert "u101" in school.release_feedback("ps1", fails=True)
    assert "no feedback" in school.cached()[0]


def test_only_pages_of_notebooks_are_feedback(school):
    """What a student put beside the notebook does not come back as a page of the teacher's."""
    school.hand_out("ps1")
    school.submit("ps1")
    school.collect("ps1")
    school.grade("ps1")
    folder = school.teacher.folder / "feedback" / "u101" / "ps1"
    (folder / "evil.html").write_text("<script>")
    school.release_feedback("ps1")
    school.fetch_feedback("ps1")
    assert [p.name for p in school.student.folder.rglob("*.html")] == ["p1.html"]


def test_nothing_handed_in_is_removed(school):
    """Kore keeps what was handed in, also from those who would remove it."""
    school.hand_out("ps1")
    school.submit("ps1")
    for desk in (school.teacher, school.student):
        desk.nbgrader("list", "--inbound", "--remove", "--course", school.course, fails=True)
    assert len(school.inbound()) == 1


def test_list_as_json(school, capsys):
    """--json prints what the lab extensions get."""
    school.release("ps1")
    school.student.nbgrader("list", "--json", "--course", school.course)
    printed = capsys.readouterr().out
    assert json.loads(printed)[0]["assignment_id"] == "ps1"


def _archive(*members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, kind, content in members:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(content), "/etc/passwd"
            tar.addfile(info, io.BytesIO(content))
    buffer.seek(0)
    return buffer


@pytest.mark.parametrize(
    "name", ["../x", "/x", "a/../../x", "a//x", "..", "a/./x", "a\\x", "x" * 300]
)
def test_no_archive_leads_elsewhere(tmp_path, name):
    """Whoever sent an archive, it is unpacked below its folder or not at all."""
    with pytest.raises(archives.ArchiveError):
        archives.unpack(_archive((name, tarfile.REGTYPE, b"x")), tmp_path / "new")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE]
)
def test_no_archive_brings_links_or_devices(tmp_path, kind):
    """Links, pipes and devices are refused."""
    with pytest.raises(archives.ArchiveError):
        archives.unpack(_archive(("x", kind, b"")), tmp_path / "new")


def test_no_archive_writes_twice(tmp_path):
    """The second file of one name is refused, as is an archive that ends early."""
    twice = _archive(("x", tarfile.REGTYPE, b"1"), ("x", tarfile.REGTYPE, b"2"))
    with pytest.raises(archives.ArchiveError):
        archives.unpack(twice, tmp_path / "new")
    whole = _archive(("x", tarfile.REGTYPE, b"1" * 5000)).getvalue()
    with pytest.raises(archives.ArchiveError):
        archives.unpack(io.BytesIO(whole[:2000]), tmp_path / "newer")
