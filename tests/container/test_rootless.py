"""A hub as universities run it: rootless, by the manager, behind nginx with TLS.

The tests are one story and run in this order: from nothing to a hub, a course from the LMS to
the grades, a rebuilt image, an image that cannot start, a backup brought back.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.container import test_isolation as isolation
from tests.support import notebooks, tls
from tests.support.container import podman, wait_for
from tests.support.target_host import HOME, HUB_NAME, LMS_NAME, OUTSIDE, RootlessBox, TargetHost
from tests.support.web_user import WebUser
from tests.walk import test_whole_way as walk

# What the fixtures do has deadlines of its own: the first test has all of it before it.
pytestmark = [pytest.mark.container, pytest.mark.timeout(600, func_only=True)]

TEMPLATES = Path(__file__).parents[2] / "containers"
BASE_URL = "/uni/math/hub-1"
HUB, LMS = f"https://{HUB_NAME}{BASE_URL}", f"https://{LMS_NAME}"
PORT, SECOND_PORT = 28001, 28002
_LMS_PORT = 9191
LMS_CONFIG = f"""c = get_config()
c.LTI13Authenticator.client_id = ['linden-ananke']
c.LTI13Authenticator.issuer = '{LMS}'
c.LTI13Authenticator.authorize_url = '{LMS}/lti/auth'
c.LTI13Authenticator.jwks_endpoint = '{LMS}/lti/jwks'
c.LTI13Authenticator.access_token_url = '{LMS}/lti/token'
"""
BROKEN = "sed -i s/get_config/get_no_config/ /etc/jupyterhub/jupyterhub_config.py"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tls.Authority:
    """Make an authority that only who is told trusts."""
    return tls.Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def host(authority: tls.Authority, record_figures) -> Iterator[TargetHost]:
    """Boot the machine, and bring it the manager, the image, and a certificate."""
    host = TargetHost(Path(os.environ["ANANKE_CONTAINER_STORE"]) / "target")
    begun = time.monotonic()
    try:
        host.start()
        record_figures["target host booted, s"] = time.monotonic() - begun
        tls.copied(authority.issue(HUB_NAME), host.brought)
        (host.brought / "authority.crt").write_bytes(authority.file.read_bytes())
        (host.brought / "30_lms.py").write_text(LMS_CONFIG)
        host.user("python3", "-m", "venv", f"{HOME}/ananke")
        wheels = ("--no-index", "--find-links=/srv/wheels", "ananke")
        host.user("pip", "install", "--quiet", *wheels)
        yield host
    finally:
        host.remove()


@pytest.fixture(scope="module")
def lms(
    host: TargetHost, authority: tls.Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Run the embedded LMS outside the machine: on loopback, with TLS on the machine's cable."""
    state = tmp_path_factory.mktemp("lms-tls")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
        for name in ("no_proxy", "NO_PROXY"):
            patch.setenv(name, "127.0.0.1,localhost,.test")
        argv = [sys.executable, "-m", "ananke.demo.lms", f"--port={_LMS_PORT}", f"--url={LMS}"]
        with (
            subprocess.Popen([*argv, f"--tool-url={HUB}", f"--state-dir={state}"]) as process,
            tls.in_front((OUTSIDE, 443), ("127.0.0.1", _LMS_PORT), authority.issue(LMS_NAME)),
        ):
            try:
                wait_for(f"{LMS}/api/state", 60, ca=str(authority.file))
                yield LMS
            finally:
                process.terminate()


@pytest.fixture(scope="module")
def image(host: TargetHost, record_figures) -> str:
    """Bring the image: saved here, its checksum told, loaded there."""
    file = host.brought / "ananke-nbgrader.tar"
    begun = time.monotonic()
    try:
        podman("save", "--quiet", "--format=docker-archive", f"--output={file}",
               "localhost/ananke-nbgrader", seconds=300)  # fmt: skip
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        brought = "/srv/brought/ananke-nbgrader.tar"
        code, out, err = host.ran("ananke", "load", brought, "--sha256", "0" * 64)
        assert code == 15, out + err
        loaded = host.ananke("load", brought, "--sha256", digest)
    finally:
        file.unlink(missing_ok=True)
    record_figures["image saved, brought and loaded, s"] = time.monotonic() - begun
    assert loaded["images"] == ["ananke-nbgrader:latest"]
    return "ananke-nbgrader"


def _box(host: TargetHost, authority: tls.Authority, name: str) -> RootlessBox:
    folder = host.home / HOME.name / "hubs/containers" / name
    ca = str(authority.file)
    return RootlessBox(name, "ananke-nbgrader", folder, HUB, LMS, ca=ca, host=host)


@pytest.fixture(scope="module")
def box(
    host: TargetHost, image: str, lms: str, authority: tls.Authority, record_figures
) -> RootlessBox:
    """Define and create a hub: port and LMS filled in, and the path that nginx has."""
    shutil.copytree(TEMPLATES, host.brought / TEMPLATES.name, dirs_exist_ok=True)
    host.user("mkdir", "-p", f"{HOME}/hubs")
    host.user("cp", "-r", f"/srv/brought/{TEMPLATES.name}", f"{HOME}/hubs/")
    where = ("--directory", f"{HOME}/hubs")
    new = ("new", "math", "--template=nbgrader", f"--port=127.0.0.1:{PORT}")
    made = host.ananke(*new, "--lms-config=/srv/brought/30_lms.py", *where)
    assert made["to_do"] == []
    base = f"{HOME}/hubs/containers/math/jupyterhub_config.d/00_base.py"
    host.user("sed", "-i", f's|base_url = "/"|base_url = "{BASE_URL}/"|', base)
    host.ananke("ca", "math", "/srv/brought/authority.crt", *where)
    host.proxy(BASE_URL, PORT)
    created = host.ananke("create", "math", *where)
    assert created["started"]
    record_figures["rootless: create until the hub answers, s"] = created["seconds"]
    box = _box(host, authority, "math")
    box.wait()
    return box


def _hubs(host: TargetHost, *words: str) -> dict:
    return host.ananke(*words, "--directory", f"{HOME}/hubs")


def _jwks(box: RootlessBox) -> dict:
    return requests.get(f"{box.kore}/jwks", timeout=30).json()


def _course(box: RootlessBox) -> str:
    """Return the course that the whole way was walked in, as its teacher finds it."""
    return WebUser(box, "tilda").launch("roots").url.split("/user/")[1].split("/")[0]


def _another_round(box: RootlessBox, assignment: str) -> dict[str, float]:
    """Hand out, hand in, grade and send one more assignment; return what the LMS then shows."""
    teacher, student = WebUser(box, "tilda"), WebUser(box, "mila")
    course = teacher.launch("roots").url.split("/user/")[1].split("/")[0]
    desk, what = teacher.server(course), {"course_id": course, "assignment_id": assignment}
    desk.write(f"source/{assignment}/squares.ipynb", notebooks.assignment(points=5))
    desk.formgrader("POST", f"assignment/{assignment}/assign")
    desk.formgrader("POST", f"assignment/{assignment}/release")
    student.launch("roots")
    student.enrolled(course)
    server, path = student.server(), f"{course}/{assignment}/squares.ipynb"
    server.json("POST", "/assignments/fetch", json=what)
    solved = notebooks.solve(server.read(path), "def square(x):\n    return x * x")
    server.write(path, solved)
    assert server.json("POST", "/assignments/submit", json=what)["success"]
    desk.formgrader("POST", f"assignment/{assignment}/collect")
    desk.formgrader("POST", f"submission/{assignment}/{student.hub_name()}/autograde")
    sent = teacher.kore("POST", "/grades", json={"course": course})
    assert teacher.wait_for_end(sent.json()["id"])["state"] == "done"
    return walk._gradebook(box, "numerics", "roots")


def test_the_manager_says_what_runs(box: RootlessBox):
    """Podman runs it for an ordinary user; the manager finds hub, LMS and proxy in order."""
    host = box.host
    assert host is not None
    assert host.user("podman", "info", "--format={{.Host.Security.Rootless}}") == "true"
    unit = host.user(
        "systemctl", "--user", "show", "ananke-math", "--property=SourcePath,ActiveState"
    )
    assert f"{HOME}/.config/containers/systemd/ananke-math.container" in unit
    assert "ActiveState=active" in unit
    listed = _hubs(host, "list")
    assert "math" in str(listed)
    # The authority that the container trusts was told to it by the manager alone.
    code, out, _ = host.ran("curl", "--silent", "--output", "/dev/null", f"{LMS}/lti/jwks")
    assert code == 60, out
    box.root("curl", "--silent", "--fail", "--output", "/dev/null", f"{LMS}/lti/jwks")


def test_from_the_lms_to_the_grades(box: RootlessBox, record_figures):
    """A teacher and students over HTTPS, below a path of several segments, to the grades."""
    begun = time.monotonic()
    walk.test_from_the_lms_to_a_grade_and_back(box)
    record_figures["rootless: the whole way, s"] = time.monotonic() - begun


def test_isolation_holds_without_root(box: RootlessBox):
    """What notebooks cannot see where root runs the container they cannot see here either."""
    with isolation.gathered(box) as people:
        for check in (
            isolation.test_what_hub_and_kore_keep_is_closed_to_everyone,
            isolation.test_students_do_not_see_each_other,
            isolation.test_only_the_home_can_be_written,
            isolation.test_nobody_becomes_somebody_else,
            isolation.test_processes_of_others_are_not_seen,
            isolation.test_kore_reaches_courses_and_no_students,
        ):
            check(people)


def test_a_rebuilt_image_finds_everything(box: RootlessBox, record_figures):
    """Stopped, removed, created from an image that was rebuilt: all is there."""
    host = box.host
    assert host is not None
    keys, course = _jwks(box), _course(box)
    numbers = box.root("stat", "-c", "%u %g", f"/home/{course}", f"/home/{course}/course")
    _built(host, "next", "echo rebuilt >/etc/rebuilt")
    _hubs(host, "stop", "math")
    _hubs(host, "remove", "math", "--yes")
    assert host.user("podman", "ps", "--all", "--quiet") == ""
    host.user("podman", "tag", "next", "ananke-nbgrader")
    begun = time.monotonic()
    assert _hubs(host, "create", "math")["started"]
    record_figures["rootless: recreated, s"] = time.monotonic() - begun
    box.wait()
    assert box.root("cat", "/etc/rebuilt") == "rebuilt"
    assert _jwks(box) == keys
    assert _course(box) == course
    assert box.root("stat", "-c", "%u %g", f"/home/{course}", f"/home/{course}/course") == numbers
    # Both have half of all points now: who had all of the first, and who gets all of this.
    shown = _another_round(box, "ps2")
    assert set(shown) == {"zoe", "mila"}
    assert shown["zoe"] == shown["mila"] != 0


def _built(host: TargetHost, name: str, command: str) -> None:
    """Have the manager build an image from the one that was brought."""
    folder = f"{HOME}/sources/images/{name}"
    host.user("mkdir", "-p", folder)
    text = f"FROM localhost/ananke-nbgrader\\nRUN {command}\\n"
    host.user("sh", "-c", 'printf "$1" >"$2"', "sh", text, f"{folder}/Containerfile")
    host.ananke("build", name, "--directory", f"{HOME}/sources")


def test_an_image_that_cannot_start(box: RootlessBox):
    """An update to it goes back by itself: the old image runs, and people find their work."""
    host = box.host
    assert host is not None
    running = host.user("podman", "inspect", "--format={{.Image}}", "math")
    course = _course(box)
    _built(host, "broken", BROKEN)
    code, out, err = host.ran("ananke", "update", "math", "--image=broken", "--wait=60", "--json",
                              "--directory", f"{HOME}/hubs")  # fmt: skip
    assert code == 17, out + err
    assert "get_no_config" in out
    box.wait()
    assert host.user("podman", "inspect", "--format={{.Image}}", "math") == running
    assert _course(box) == course


def test_a_backup_brought_back_as_another_container(
    box: RootlessBox, authority: tls.Authority, record_figures
):
    """Users, courses, grades and keys are in the backup; the next grades come from there."""
    host = box.host
    assert host is not None
    keys, course = _jwks(box), _course(box)
    before = WebUser(box, "tilda")
    before.launch("roots")
    graded = before.kore("GET", f"/grades?course={course}").json()["entries"]
    begun = time.monotonic()
    made = _hubs(host, "backup", "math", f"--output={HOME}/math.tar.gz")
    record_figures["backup of a running hub, s"] = time.monotonic() - begun
    assert made["running"]
    assert made["warnings"] == []
    _hubs(host, "stop", "math")
    begun = time.monotonic()
    restore = ("restore", f"{HOME}/math.tar.gz", "second", f"--port=127.0.0.1:{SECOND_PORT}")
    assert _hubs(host, *restore)["container"]["started"]
    record_figures["restore until the hub answers, s"] = time.monotonic() - begun
    host.proxy(BASE_URL, SECOND_PORT)
    second = _box(host, authority, "second")
    second.wait()
    assert _jwks(second) == keys
    # The browser of before is still signed in: cookie secret and users came along.
    after = WebUser(second, "tilda")
    after.browser.cookies = before.browser.cookies
    assert after.kore("GET", f"/grades?course={course}").json()["entries"] == graded
    assert _course(second) == course
    shown = _another_round(second, "ps3")
    assert shown["mila"] > shown["zoe"] > 0
