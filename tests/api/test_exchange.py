"""The exchange over its routes: who sees what, and how refusals are answered."""

from __future__ import annotations

import hashlib
import http.client
import json
from urllib.parse import quote, urlsplit

import pytest

from tests.support.archives import TAR, tar_of
from tests.support.kore import Client, Harness, make_kore

TASK = tar_of({"squares.ipynb": b"{}"})


@pytest.fixture
def kore(tmp_path):
    with make_kore(tmp_path) as harness:
        yield harness


class Room:
    """A course with its callers, by session and by token."""

    def __init__(self, kore: Harness) -> None:
        self.kore = kore
        self.course, teacher = kore.launch("1", "Instructor")
        self.base = f"/exchange/{self.course}"
        for sub, role in (("2", "Learner"), ("3", "Learner"), ("4", "Mentor")):
            kore.launch(sub, role)
        kore.launch("5", "Instructor", link="elsewhere")
        self.teacher = kore.client_for(teacher, via="token")
        self.zoe, self.mila = kore.client_for("u2", via="token"), kore.client_for("u3")
        self.mentor = kore.client_for("u4", via="token")
        self.elsewhere = kore.client_for("u5", via="token")

    def send(self, who: Client, path: str, body: bytes = TASK, method: str = "PUT", **headers: str):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return who.open(self.base + path, method=method, data=body, headers={**TAR, **headers})

    def release(self, name: str = "ps1"):
        answer = self.send(self.teacher, f"/assignments/{quote(name)}")
        assert answer.status_code in {200, 201}, answer.text
        return answer

    def submit(self, who: Client, files: dict[str, bytes], **headers: str):
        path = "/assignments/ps1/submissions"
        return self.send(who, path, tar_of(files), "POST", **headers)


@pytest.fixture
def room(kore):
    made = Room(kore)
    made.release()
    return made


def code(answer) -> tuple[int, str]:
    return answer.status_code, answer.json["error"]["code"]


def test_an_assignment_from_release_to_feedback(room: Room):
    """Released, listed, fetched, submitted, seen by its owner and the teacher, given feedback."""
    again = room.release()
    assert again.status_code == 200
    [listed] = room.zoe.get(room.base + "/assignments").json["assignments"]
    assert listed["name"] == "ps1"
    assert listed["notebooks"] == ["squares.ipynb"]
    assert listed["due_at"] is None
    fetched = room.zoe.get(room.base + "/assignments/ps1")
    assert fetched.data == TASK
    assert fetched.headers["Content-Type"] == "application/x-tar"
    assert hashlib.sha256(fetched.data).hexdigest() == listed["sha256"]

    work = {"squares.ipynb": b'{"x": 1}'}
    for who in (room.zoe, room.mila):
        handed = room.submit(who, work, Idempotency_Key="k1")
        assert handed.status_code == 201
        assert room.submit(who, work, Idempotency_Key="k1").json["id"] == handed.json["id"]
    fields = "id user assignment received_at size sha256 late notebooks feedback"
    assert set(handed.json) == set(fields.split())
    everyone = room.teacher.get(room.base + "/submissions?assignment=ps1").json["submissions"]
    assert [one["user"] for one in everyone] == ["u2", "u3"]
    one = everyone[0]["id"]
    assert room.teacher.get(f"{room.base}/submissions/{one}").data == tar_of(work)
    page = tar_of({"squares.html": b"<script>"})
    feedback = f"/submissions/{one}/feedback"
    assert code(room.zoe.get(room.base + feedback)) == (404, "feedback_unknown")
    assert room.send(room.teacher, feedback, page).status_code == 201
    assert room.send(room.teacher, feedback, page).status_code == 200
    answer = room.zoe.get(room.base + feedback)
    assert answer.data == page
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    [mine] = room.zoe.get(room.base + "/submissions").json["submissions"]
    assert mine["feedback"]["sha256"] == hashlib.sha256(page).hexdigest()


def test_no_student_sees_another(room: Room):
    """Others' submissions and feedback answer exactly like those that are not there."""
    one = room.submit(room.zoe, {"a.ipynb": b"secret"}).json["id"]
    room.send(room.teacher, f"/submissions/{one}/feedback", tar_of({"a.html": b"secret"}))
    nothing = "0" * 32
    for who in (room.mila, room.mentor):
        for rest in ("", "/feedback"):
            theirs = who.get(f"{room.base}/submissions/{one}{rest}")
            none = who.get(f"{room.base}/submissions/{nothing}{rest}")
            assert (theirs.status_code, theirs.data) == (404, none.data)
        for query in ("", "?user=u2", "?assignment=ps1&user=u2"):
            listed = who.get(f"{room.base}/submissions{query}").json
            assert listed == {"submissions": []}
        assert who.get(room.base).json["used"] == 0
        put = room.send(who, f"/submissions/{one}/feedback")
        assert code(put) == (403, "teachers_only")
    assert code(room.submit(room.mentor, {"a": b""})) == (403, "learners_only")


def test_nobody_outside_learns_that_the_course_exists(room: Room):
    """Strangers, and teachers of other courses with ids of this one, get the same answer."""
    one = room.submit(room.zoe, {"a.ipynb": b"secret"}).json["id"]
    other = "c-" + "0" * 16
    stranger = room.kore.client_for("u99", via="token")
    account = room.kore.client_for(other, via="token")
    paths = [
        ("GET", ""), ("GET", "/assignments"), ("PUT", "/assignments/ps1"),
        ("GET", "/assignments/ps1"), ("DELETE", "/assignments/ps1"),
        ("POST", "/assignments/ps1/submissions"), ("GET", "/submissions"),
        ("GET", f"/submissions/{one}"), ("PUT", f"/submissions/{one}/feedback"),
        ("GET", f"/submissions/{one}/feedback"),
    ]  # fmt: skip
    for who in (stranger, room.elsewhere, account):
        for method, path in paths:
            body = {"data": TASK, "headers": TAR} if method in {"PUT", "POST"} else {}
            here = who.open(f"/exchange/{room.course}{path}", method=method, **body)
            none = who.open(f"/exchange/c-{'f' * 16}{path}", method=method, **body)
            assert (here.status_code, here.data) == (none.status_code, none.data), path
            assert here.status_code == 404
    elsewhere = room.kore.launch("5", "Instructor", link="elsewhere")[0]
    for rest in ("", "/feedback"):
        answer = room.elsewhere.get(f"/exchange/{elsewhere}/submissions/{one}{rest}")
        assert code(answer) == (404, "submission_unknown")


def test_the_courses_own_account_is_its_teacher(room: Room):
    """The course's server releases, collects and gives feedback, under its own name."""
    account = room.kore.client_for(room.course, via="token")
    assert room.send(account, "/assignments/ps2").status_code == 201
    one = room.submit(room.zoe, {"a.ipynb": b"1"}).json["id"]
    assert account.get(f"{room.base}/submissions/{one}").status_code == 200
    assert account.open(f"{room.base}/assignments/ps2", method="DELETE").status_code == 204


def test_hub_admins_see_submissions_and_cannot_submit(room: Room):
    """An admin of the hub reads like a teacher; they are no student of the course."""
    room.kore.make_admin("u77")
    admin = room.kore.client_for("u77", via="token")
    room.submit(room.zoe, {"a.ipynb": b"1"})
    assert len(admin.get(room.base + "/submissions").json["submissions"]) == 1
    assert code(room.submit(admin, {"a": b""})) == (403, "learners_only")


@pytest.mark.parametrize("name", ["ps 1", "Ü-1+2", "e\u0301tude", "a%2Fb", "x" * 255])
def test_unusual_names_of_assignments_work(room: Room, name):
    """Spaces, accents, percent signs and long names, composed or not."""
    room.release(name)
    assert room.zoe.get(f"{room.base}/assignments/{quote(name)}").status_code == 200


@pytest.mark.parametrize("name", ["a\\b", "a\nb", "x" * 256, "\u202eps1"])
def test_unfit_names_of_assignments_are_refused(room: Room, name):
    """They are refused at the release, and unknown to everyone else."""
    path = f"/assignments/{quote(name)}"
    assert code(room.send(room.teacher, path)) == (422, "bad_name.assignment")
    assert code(room.zoe.get(room.base + path)) == (404, "assignment_unknown.not_released")


def test_refusals_have_a_code_and_a_message(room: Room):
    """Each kind of refusal has its code, and says what to do."""
    assert code(room.send(room.zoe, "/assignments/ps1")) == (403, "teachers_only")
    path = "/assignments/ps1/submissions"
    unknown = room.send(room.zoe, "/assignments/ps9/submissions", method="POST")
    assert code(unknown) == (404, "assignment_unknown.not_released")
    bad = room.send(room.zoe, path, tar_of({"../x": b""}), "POST")
    assert code(bad) == (422, "bad_archive")
    assert "../x" in bad.json["error"]["message"]
    json_body = room.zoe.open(room.base + path, method="POST", json={"a": 1})
    assert code(json_body) == (415, "not_an_archive")
    form = room.zoe.open(room.base + path, method="POST", data={"a": "b"})
    assert code(form) == (415, "not_an_archive")
    assert room.send(room.zoe, path, method="POST", Idempotency_Key="k" * 65).status_code == 422
    assert room.send(room.zoe, path, method="POST", Idempotency_Key="a b").status_code == 422
    large = room.submit(room.zoe, {"big.bin": bytes(10**8 + 1)})
    assert code(large) == (413, "too_large.archive_file")
    assert "big.bin" in large.json["error"]["message"]
    assert room.zoe.get(room.base).json["limits"]["file"] == 10**8


def test_a_page_sends_archives_with_its_csrf_token(room: Room):
    """A session needs the CSRF token for archives too, also for those over 2 MB."""
    large = {"a": bytes(3 * 10**6)}
    forged = room.kore.client_for("u3", proof=False)
    assert code(room.submit(forged, large)) == (403, "csrf")
    assert room.submit(room.mila, large).status_code == 201


def test_one_caller_holds_few_threads(room: Room):
    """A caller who opens many downloads and reads none is asked to wait; others are served."""
    held = [room.zoe.get(room.base + "/assignments/ps1", buffered=False) for _ in range(4)]
    assert code(room.zoe.get(room.base + "/assignments/ps1")) == (429, "busy.own_transfers")
    assert room.mila.get(room.base + "/assignments/ps1").status_code == 200
    for answer in held:
        answer.close()
    assert room.zoe.get(room.base + "/assignments/ps1").status_code == 200


def test_a_broken_download_can_be_continued(room: Room):
    """From where it ended, and only for the same archive."""
    whole = room.zoe.get(room.base + "/assignments/ps1")
    etag = whole.headers["ETag"]
    rest = room.zoe.get(
        room.base + "/assignments/ps1", headers={"Range": "bytes=5000-", "If-Range": etag}
    )
    assert (rest.status_code, rest.data) == (206, TASK[5000:])
    other = room.zoe.get(
        room.base + "/assignments/ps1", headers={"Range": "bytes=5000-", "If-Range": '"x"'}
    )
    assert (other.status_code, other.data) == (200, TASK)


def test_what_is_released_shows_in_the_course(room: Room):
    """A course's assignments say what is released, as the index has it."""
    course = room.teacher.get(f"/courses/{room.course}").json
    assert [(a["name"], a["state"]) for a in course["assignments"]] == [("ps1", "released")]


def test_bodies_in_chunks_are_stored_whole_or_refused(room: Room):
    """A body of unknown length is taken as it comes, and refused where it is cut."""
    archive = tar_of({"a.ipynb": bytes(500_000)})
    token = room.zoe.headers["Authorization"]
    with room.kore.serving() as url:
        parts = urlsplit(url)

        def post(chunks, **more):
            connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)
            connection.request(
                "POST",
                f"{parts.path}{room.base}/assignments/ps1/submissions",
                body=iter(chunks),
                headers={**TAR, "Authorization": token},
                encode_chunked=True,
                **more,
            )
            answer = connection.getresponse()
            found = answer.status, json.loads(answer.read())
            connection.close()
            return found

        pieces = [archive[i : i + 70_000] for i in range(0, len(archive), 70_000)]
        status, handed = post(pieces)
        assert status == 201
        assert handed["sha256"] == hashlib.sha256(archive).hexdigest()
        status, refused = post(pieces[:3])
        assert (status, refused["error"]["code"]) == (422, "bad_archive")
    assert len(room.zoe.get(room.base + "/submissions").json["submissions"]) == 1
