"""What someone at a notebook can see and reach: their own things, and nobody else's.

Every probe is code in a kernel of a real server, in the unit as systemd confines it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.support.container import DEVICE, Box
from tests.support.kernel import Kernel
from tests.support.web_user import WebUser

pytestmark = [pytest.mark.container, pytest.mark.timeout(400)]

LOOK = """
import json, os, socket, subprocess, urllib.request, urllib.error
def can(what, *args):
    try:
        what(*args)
    except OSError:
        return False
    return True
def read(path):
    if os.path.isdir(path):
        return os.listdir(path)
    with open(path, "rb") as file:
        return file.read(1)
def write(path):
    with open(path, "ab"):
        pass
"""


@dataclass
class People:
    """Who is at work: two students, and two teachers in different courses."""

    box: Box
    zoe: Kernel
    mila: Kernel
    numerics: Kernel
    text: Kernel
    numerics_id: str
    text_id: str


@pytest.fixture(scope="module")
def people(box: Box) -> Iterator[People]:
    """Let four people come into a container that root runs."""
    with gathered(box) as people:
        yield people


@contextmanager
def gathered(box: Box) -> Iterator[People]:
    """Let four people come from the LMS and open a notebook each."""
    courses, books = {}, {}
    for user, activity in (("tilda", "systems"), ("marek", "words")):
        teacher = WebUser(box, user)
        course = teacher.launch(activity).url.split("/user/")[1].split("/")[0]
        courses[user], books[user] = course, Kernel(teacher.server(course))
    for user in ("zoe", "mila"):
        student = WebUser(box, user)
        student.launch("systems")
        books[user] = Kernel(student.server())
        books[user].run("open('mine.txt', 'w').write('secret')")
    yield People(
        box=box,
        zoe=books["zoe"],
        mila=books["mila"],
        numerics=books["tilda"],
        text=books["marek"],
        numerics_id=courses["tilda"],
        text_id=courses["marek"],
    )
    for book in books.values():
        book.close()


def _ask(book: Kernel, code: str) -> object:
    return json.loads(book.run(LOOK + code))


def _readable(book: Kernel, paths: list[str]) -> list[str]:
    found = _ask(book, f"print(json.dumps([p for p in {paths!r} if can(read, p)]))")
    assert isinstance(found, list)
    return found


KEPT = [
    "/var/lib/jupyterhub",
    "/var/lib/jupyterhub/jupyterhub.sqlite",
    "/var/lib/jupyterhub/jupyterhub_cookie_secret",
    "/var/lib/jupyterhub/kore.token",
    "/var/lib/jupyterhub/hub-login.token",
    "/var/lib/kore",
    "/var/lib/kore/kore.sqlite",
    "/var/lib/kore/keys",
    "/opt/nbgrader_exchange",
    "/etc/shadow",
    "/etc/jupyterhub/jupyterhub_config.d",
    "/run/jupyterhub",
    "/run/dbus/system_bus_socket",
    "/run/systemd/private",
    "/var/log/journal",
    "/proc/1/environ",
]


def test_what_hub_and_kore_keep_is_closed_to_everyone(people: People):
    """Databases, keys, tokens, configuration, exchange and journal: neither read nor listed."""
    for path in KEPT:
        people.box.root("test", "-e", path)
    for book in (people.zoe, people.numerics):
        assert _readable(book, KEPT) == []


def test_students_do_not_see_each_other(people: People):
    """A student reads their own home, and neither another's nor a course's."""
    courses = [f"/home/{c}" for c in (people.numerics_id, people.text_id)]
    others = ["/var/lib/u202", "/var/lib/u202/mine.txt", "/var/lib/private/u202/mine.txt"]
    databases = [f"{c}/course/gradebook.db" for c in courses]
    assert _readable(people.zoe, [*others, *courses, *databases]) == []
    assert _readable(people.zoe, ["/var/lib/u201/mine.txt", "mine.txt"]) != []
    assert _ask(people.zoe, "print(json.dumps(os.listdir('/home')))") == []


def test_a_teacher_does_not_see_other_courses_or_homes(people: People):
    """A terminal on one course's server reads that course: no other one, and no student's home."""
    other = f"/home/{people.text_id}"
    assert _readable(
        people.numerics,
        [other, f"{other}/course", f"{other}/course/gradebook.db", "/var/lib/u201",
         "/var/lib/private/u201/mine.txt", "/var/lib/private"],
    ) == []  # fmt: skip
    own = f"/home/{people.numerics_id}"
    assert _readable(people.numerics, [own, f"{own}/course/gradebook.db"]) != []
    assert _ask(people.numerics, "print(json.dumps(os.listdir('/home')))") == [people.numerics_id]


def test_only_the_home_can_be_written(people: People):
    """System, hub's software and notebooks' software are read-only; the home is not."""
    places = ["/etc/x", "/usr/x", "/opt/hub/x", "/opt/python3/x", "/home/x", "/var/lib/x", "/x",
              "/opt/hub/bin/python", "/var/tmp/../lib/x", "/etc/passwd", "/sys/x", "/run/x",
              "/run/lock/x"]  # fmt: skip
    for book in (people.zoe, people.numerics):
        code = f"print(json.dumps([p for p in {places!r} if can(write, p)]))"
        assert _ask(book, code) == []
        assert _ask(book, "print(json.dumps(can(write, os.path.expanduser('~/note.txt'))))") is True


def test_tmp_is_everyones_own(people: People):
    """What one leaves in /tmp, /var/tmp and /dev/shm another does not find."""
    for place in ("/tmp", "/var/tmp"):
        people.mila.run(f"open('{place}/left', 'w').write('x')")
        assert _readable(people.zoe, [f"{place}/left"]) == []


def test_nobody_becomes_somebody_else(people: People):
    """No capability, no setuid program, no sudo, no new namespaces."""
    code = """
status = open("/proc/self/status").read()
caps = [l.split()[1] for l in status.splitlines() if l.startswith(("CapEff", "CapPrm", "CapBnd"))]
print(json.dumps({
    "caps": caps, "root": can(os.setuid, 0),
    "privs": "NoNewPrivs:\\t1" in status,
    "unshare": subprocess.run(["unshare", "--user", "true"], capture_output=True).returncode,
    "sudo": os.path.exists("/usr/bin/sudo"),
}))"""
    for book in (people.zoe, people.numerics):
        found = _ask(book, code)
        assert isinstance(found, dict)
        assert set(found["caps"]) == {"0" * 16}
        assert found["privs"]
        assert not found["root"]
        assert found["unshare"] != 0
        assert not found["sudo"]
    setuid = people.box.shell("find / -xdev -type f -perm /6000 2>/dev/null || true")
    assert setuid == ""
    assert people.box.root("passwd", "--status", "root").split()[1] == "L"


def test_processes_of_others_are_not_seen(people: People):
    """/proc shows a person's own processes; nobody's environment but their own."""
    code = """
pids = [p for p in os.listdir("/proc") if p.isdigit()]
owners = {os.stat(f"/proc/{p}").st_uid for p in pids}
print(json.dumps([len(pids), sorted(owners), os.getuid()]))"""
    for book in (people.zoe, people.numerics):
        found = _ask(book, code)
        assert isinstance(found, list)
        assert found[1] == [found[2]], found


PORTS = """
listening = set()
for table in ("/proc/net/tcp", "/proc/net/tcp6"):
    for line in open(table).read().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A":
            listening.add((int(fields[1].split(":")[1], 16), int(fields[7])))
print(json.dumps(sorted(listening)))"""


def test_ports_of_others_give_nothing_without_a_token(people: People):
    """Hub, proxy, Kore and other people's servers refuse; no kernel listens on a port."""
    uid = json.loads(people.zoe.run(LOOK + "print(os.getuid())"))
    found = _ask(people.zoe, PORTS)
    assert isinstance(found, list)
    ports = {port for port, _ in found} - {8000, 9090}
    assert {8001, 8002, 8081} <= ports
    # One port a server, and one a kernel on which it takes its children's output: ipykernel's.
    servers = [owner for port, owner in found if port not in {8000, 8001, 8002, 8081, 9090}]
    assert max(Counter(servers).values()) <= 2, servers
    # All ports at once: each kernel's is silent until the time for it is over.
    code = f"""
from concurrent.futures import ThreadPoolExecutor
answers = {{}}
def ask(port):
    for path in ("/api/routes", "{people.box.hub[21:]}/hub/api/users",
                 "{people.box.hub[21:]}/services/kore/courses",
                 "{people.box.hub[21:]}/user/u202/api/contents",
                 "{people.box.hub[21:]}/user/{people.numerics_id}/api/contents"):
        request = urllib.request.Request(f"http://127.0.0.1:{{port}}{{path}}",
                                         headers={{"Accept": "application/json"}})
        try:
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({{}}))
            with opener.open(request, timeout=20) as answer:
                if "login" not in answer.url and "authorize" not in answer.url:
                    answers[f"{{port}}{{path}}"] = answer.read(200).decode(errors="replace")
        except urllib.error.HTTPError as error:
            assert error.code in (400, 401, 403, 404, 405), (port, path, error.code)
        except OSError:
            break  # No HTTP is spoken there: a kernel's port, which answers nothing.
ports = [port for port, owner in {found!r} if port not in (8000, 9090) and owner != {uid}]
with ThreadPoolExecutor(len(ports)) as threads:
    list(threads.map(ask, ports))
print(json.dumps(answers))"""
    assert _ask(people.zoe, code) == {}


def test_what_a_kernel_publishes_is_heard_by_nobody_else(people: People):
    """Output, such as that of a hidden test, is on no port that another account could ask."""
    people.zoe.run(
        LOOK
        + PORTS
        + """
import zmq
ear = zmq.Context.instance().socket(zmq.SUB)
ear.subscribe(b"")
ear.linger = 0
for port, owner in listening:
    if owner not in (0, os.getuid()):
        ear.connect(f"tcp://127.0.0.1:{port}")"""
    )
    for book in (people.mila, people.numerics):
        for _ in range(20):
            book.run("print('hidden')")
    assert people.zoe.run("print(ear.poll(1000)); ear.close()").strip() == "0"


def test_units_tell_nobody_their_secrets(people: People):
    """systemd's commands reach nothing from a notebook, and no unit's command holds a token."""
    code = """
done = subprocess.run(["systemctl", "show", "jupyterhub"], capture_output=True, text=True)
print(json.dumps([done.returncode, len(done.stdout)]))"""
    found = _ask(people.zoe, code)
    assert isinstance(found, list)
    assert found[0] != 0
    shown = people.box.root("systemctl", "show", "jupyter-u202-singleuser", "-p", "Environment")
    assert "TOKEN" not in shown


def test_limits_are_asked_of_systemd(people: People):
    """Each server's unit is given 2 GB and two processors' time (kept where cgroups allow)."""
    for unit in ("jupyter-u201-singleuser", f"jupyter-{people.numerics_id}-singleuser"):
        shown = dict(
            line.split("=", 1)
            for line in people.box.root(
                "systemctl", "show", unit, "-p", "MemoryMax,CPUQuotaPerSecUSec,DynamicUser"
            ).splitlines()
        )
        assert shown["MemoryMax"] == str(2 * 2**30)
        assert shown["CPUQuotaPerSecUSec"] == "2s"
        assert shown["DynamicUser"] == ("yes" if "u201" in unit else "no")


def test_kore_reaches_courses_and_no_students(people: People):
    """Kore's account reads and writes a course, sees no student's home, and owns little."""
    as_kore = ["setpriv", "--reuid=kore", "--regid=kore", "--clear-groups"]
    root = f"/home/{people.numerics_id}/course"
    for path, mode, allowed in (
        (f"{root}/gradebook.db", "-w", True),
        (root, "-w", True),
        (f"/home/{people.numerics_id}/.jupyter", "-r", False),
        ("/var/lib/private/u201", "-r", False),
        ("/var/lib/jupyterhub", "-r", False),
    ):
        said = people.box.shell(f"{' '.join(as_kore)} test {mode} {path} && echo yes || echo no")
        assert (said == "yes") is allowed, path


def test_only_the_hub_is_root(people: People):
    """Of what the hub starts nothing runs as root; Kore, proxy and culler hold no capability."""
    lines = people.box.shell("ps -eo user:32,args --no-headers | grep -v '\\[\\|ps -eo\\|sh -ec'")
    root = [line.split(None, 1)[1] for line in lines.splitlines() if line.startswith("root ")]
    known = ("/sbin/init", "/usr/lib/systemd/", "/opt/hub/bin/python /opt/hub/bin/jupyterhub ")
    odd = [line for line in root if not line.startswith(known) and "grep" not in line]
    assert odd == []


def test_devices_of_the_container_are_there_for_people(people: People):
    """What its administrator gives the container, a GPU say, programs in notebooks can open."""
    for book in (people.zoe, people.numerics):
        assert _ask(book, f"print(open({DEVICE!r}, 'rb').read(3) == bytes(3) and 1)") == 1


def test_notebooks_and_terminals_run_on_the_environment_for_all(people: People):
    """Kernel and terminal have one Python, which is not the hub's, and its packages."""
    code = """
import numpy, sys
shell = subprocess.run(["bash", "-lc", "python -c 'import sys, numpy; print(sys.prefix)'"],
                       capture_output=True, text=True)
print(json.dumps([sys.prefix, shell.stdout.strip()]))"""
    assert _ask(people.zoe, code) == ["/opt/python3/env"] * 2
