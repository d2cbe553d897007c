"""Seeing in ``jupyterhub_config.d`` what is filled in, without running it."""

from __future__ import annotations

import pytest

from ananke import definition, hubconfig
from ananke.errors import AnankeError, Exit
from tests.support.fake_host import LMS_CONFIG


@pytest.fixture
def read(tmp_path):
    """Write a ``30_lms.py`` and read the definition that it belongs to."""
    folder = tmp_path / "containers" / "bio"
    (folder / "jupyterhub_config.d").mkdir(parents=True)
    (folder / "config.py").touch()

    def write(text, *, name="30_lms.py"):
        (folder / "jupyterhub_config.d" / name).write_text(text)
        return definition.read_definition(tmp_path, "bio")

    return write


def test_filled_in(read):
    """The values that an LMS shows, written as in the template, are enough."""
    found = read(LMS_CONFIG)
    hubconfig.require_lms(found)
    assert hubconfig.find_lms_urls(found) == [
        "https://lms.example.org/mod/lti/certs.php",
        "https://lms.example.org/mod/lti/token.php",
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("https://lms.example.org", ""), "line 4: c.LTI13Authenticator.issuer is not filled in"),
        (('["abc"]', '[""]'), "line 3: c.LTI13Authenticator.client_id is not filled in"),
        (('["abc"]', "[]"), "line 3: c.LTI13Authenticator.client_id is not filled in"),
        (("https://lms", "lms"), "line 4: c.LTI13Authenticator.issuer is not a URL"),
        (
            ("c.LTI13Authenticator.issuer", "c.Other.issuer"),
            "c.LTI13Authenticator.issuer is not set",
        ),
        (("LTI13Authenticator", "Other"), "sets nothing of c.LTI13Authenticator"),
        (("base_url =", "base_url ="), ""),
        (("c = get_config()", "c = get_config("), "line 1: is not valid Python"),
    ],
)
def test_not_filled_in(read, change, words):
    """The message names what is missing, with file and line."""
    found = read(LMS_CONFIG.replace(*change))
    if not words:
        hubconfig.require_lms(found)
        return
    with pytest.raises(AnankeError) as caught:
        hubconfig.require_lms(found)
    assert caught.value.code is Exit.DEFINITION
    assert words in caught.value.message


def test_values_that_are_not_plain_are_left_to_the_hub(read):
    """Values that are only known by running the file are accepted, and the file is not run."""
    text = LMS_CONFIG.replace('"https://lms.example.org"', "open('/nonexistent/secret').read()")
    found = read(text)
    hubconfig.require_lms(found)
    assert hubconfig.find_lms_urls(found) == []


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('c.JupyterHub.base_url = "/a/b/"', "/a/b/"),
        ('c.JupyterHub.base_url = "a"', "/a/"),
        ('c.JupyterHub.base_url = "/"', "/"),
        ('name = "x"\nc.JupyterHub.base_url = f"/hubs/{name}"', "/hubs/x/"),
        ("for x in 'ab':\n    c.JupyterHub.base_url = x", "/"),
        ("", "/"),
    ],
)
def test_base_url(read, text, path):
    """The hub's path is found if it is a plain value."""
    assert hubconfig.find_base_url(read(f"c = get_config()\n{text}\n", name="00_base.py")) == path


def test_later_files_win(read):
    """Files are read in the order of their names, as in the hub."""
    read('c.JupyterHub.base_url = "/late"', name="90_own.py")
    assert (
        hubconfig.find_base_url(read('c.JupyterHub.base_url = "/early"', name="00_base.py"))
        == "/late/"
    )
