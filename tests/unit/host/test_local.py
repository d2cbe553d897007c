"""The demo's folders, which belong to one account."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from kore.host import HostError, LocalHost
from kore.shared.ids import is_course_id

COURSE = "c-0123456789abcdef"


@pytest.fixture
def host(tmp_path):
    return LocalHost(homes=tmp_path / "homes", exchange=tmp_path / "exchange")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "u1/../../etc",
        "/etc",
        "u1\n",
        "u1\x00",
        "U1",
        "u",
        "u" + "1" * 31,
        "root",
        "c-0123",
        "c-0123456789ABCDEF",
        "c-0123456789abcdef0",
        "c-0123456789abcdef/x",
        "u1 ",
        "ü1",
    ],
)
def test_other_names_are_refused(host, name, tmp_path):
    """A name that is neither a person's nor a course's never becomes a path."""
    for act in (host.home, host.prepare_person, host.course_root, host.prepare_course):
        with pytest.raises(HostError):
            act(name)
    assert list(tmp_path.iterdir()) == []


def test_a_person_is_not_a_course(host):
    """A course's folders are made for course ids only."""
    with pytest.raises(HostError):
        host.prepare_course("u101")
    assert not is_course_id("u101")
    assert is_course_id(COURSE)


@pytest.mark.parametrize("name", ["u1", "u101", "u-" + "a" * 26, "u" + "1" * 30, "ua_b-c", COURSE])
def test_home_is_private(host, name):
    """Only the account that everything runs as can enter a home."""
    assert mode(host.prepare_person(name)) == 0o700


def test_course_can_be_prepared_again(host):
    """Preparing a course twice, or after a kill in between, keeps its files."""
    host.home(COURSE).mkdir(parents=True)
    root = host.prepare_course(COURSE)
    (root / "gradebook.db").write_text("kept")
    assert host.prepare_course(COURSE) == root == host.course_root(COURSE)
    assert (root / "gradebook.db").read_text() == "kept"
    assert mode(root) == 0o700


def test_wrong_modes_are_corrected(host):
    """A home that others could enter is closed."""
    home = host.prepare_person("u1")
    home.chmod(0o755)
    host.prepare_person("u1")
    assert mode(home) == 0o700


def test_no_folder_is_open_to_others(host, tmp_path):
    """Other accounts can enter no folder that is made."""
    host.prepare_person("u1")
    host.prepare_course(COURSE)
    folders = [path for path in tmp_path.rglob("*") if path.is_dir()]
    assert folders
    assert {mode(path) for path in folders} == {0o700}


def test_a_course_is_prepared_concurrently(host):
    """Twenty threads that prepare one course get the same folder, without an error."""
    with ThreadPoolExecutor(20) as pool:
        roots = set(pool.map(lambda _: host.prepare_course(COURSE), range(20)))
    assert roots == {host.course_root(COURSE)}


def test_a_link_instead_of_a_home_is_refused(host, tmp_path):
    """A link that replaces a home is not followed."""
    (tmp_path / "homes").mkdir()
    (tmp_path / "elsewhere").mkdir()
    host.home("u1").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HostError, match="leads elsewhere"):
        host.prepare_person("u1")


def test_a_file_instead_of_a_home_is_reported(host, tmp_path):
    """A file that has a home's name is an error with a message."""
    (tmp_path / "homes").mkdir()
    host.home("u1").write_text("")
    with pytest.raises(HostError, match="cannot make"):
        host.prepare_person("u1")
