"""Reading ``config.py``: what it may say, what is refused, and that nothing of it is run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ananke.definition import parse_config, read_definition, split_port
from ananke.errors import AnankeError, Exit
from ananke.options import OPTIONS

FILE = Path("containers/x/config.py")


def refused(text: str) -> AnankeError:
    with pytest.raises(AnankeError) as caught:
        parse_config(text.encode(), FILE)
    return caught.value


def test_values_and_defaults():
    """Values come in their one form, the rest has its default."""
    values, lines = parse_config(
        b"# a comment\nconfig['port'] = 8000\nconfig['memory'] = '8G'\nconfig['cpus'] = 2\n"
        b"config['gpus'] = ['all', 1, 'nvidia.com/gpu=2']\n",
        FILE,
    )
    assert values["port"] == "8000"
    assert values["memory"] == "8g"
    assert values["cpus"] == "2"
    assert values["gpus"] == ("nvidia.com/gpu=all", "nvidia.com/gpu=1", "nvidia.com/gpu=2")
    assert values["volumes"] == ()
    assert lines == {"port": 2, "memory": 3, "cpus": 4, "gpus": 5}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("import os", "is not a setting"),
        ("config['port'] = open('/etc/passwd')", "port is not a plain value"),
        ("config['port'] = 1 if True else 2", "port is not a plain value"),
        ("config.update(port=8000)", "is not a setting"),
        ("config['port'] = config['memory'] = 1", "is not a setting"),
        ("other['port'] = 1", "is not a setting"),
        ("config['prot'] = 8000", "'prot' is not a known key"),
        ("config['port'] = 80", "port is not a port"),
        ("config['port'] = True", "port is not a port"),
        ("config['port'] = '999.1.1.1:8000'", "has an invalid address"),
        ("config['port'] = 0x" + "f" * 5000, "port is not a port"),
        ("config['memory'] = 8", "memory is not a size of memory"),
        ("config['memory'] = '8 GB'", "memory is not a size of memory"),
        ("config['cpus'] = -1", "cpus is not a number"),
        ("config['cpus'] = 'nan'", "cpus is not a number"),
        ("config['gpus'] = 'gpu 0'", "contains something that is not the CDI name of a GPU"),
        ("config['gpus'] = {'a': 1}", "is not a list of GPUs"),
        ("config['podman_args'] = '--rm'", "is not a list of strings"),
        ("config['podman_args'] = ['--rm']", "which ananke sets itself"),
        ("config['podman_args'] = ['a\\nb']", "contains a line break"),
        ("config['volumes'] = ['/a']", "is not FOLDER:PATH"),
        ("config['volumes'] = ['/a:b']", "is not FOLDER:PATH"),
        ("config['volumes'] = ['/a:/b:exec']", "neither ro nor rw"),
        ("config['volumes'] = ['/a:/home']", "hides the hub's /home"),
        ("config['volumes'] = ['/a:/b/../home']", "is not FOLDER:PATH"),
        ("config['requires'] = ['docker']", "which is unknown"),
        ("config['image_name'] = 'A B'", "is not the name of an image"),
        ("config['image_name'] = '--privileged'", "is not the name of an image"),
        ("if True:\n    config['port'] = 8000", "is not a setting"),
        ("config['port'] = (", "syntax error"),
    ],
)
def test_refusals_name_line_and_remedy(line, words):
    """What cannot be is refused with file, line, key and remedy."""
    error = refused(f"# first line\n\n{line}\n")
    assert error.code is Exit.DEFINITION
    assert words in error.message
    assert f"{FILE}, line 3: " in error.message
    assert error.hint


def test_set_twice():
    """A key that is set twice is refused: one of the two would be overlooked."""
    error = refused("config['port'] = 8000\nconfig['port'] = 8001\n")
    assert "line 2: port is set again, after line 1" in error.message


def tried(data: bytes) -> tuple[dict | None, AnankeError | None]:
    """Return the values, or the refusal."""
    try:
        return parse_config(data, FILE)[0], None
    except AnankeError as error:
        return None, error


@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda data: data.decode("latin-1")))
def test_any_text_is_read_or_refused(text):
    """Whatever a file holds, it is read, or refused with its line; nothing else comes of it."""
    values, error = tried(text.encode("utf-8", "replace"))
    if error is None:
        assert values is not None
        assert set(values) == {option.key for option in OPTIONS}
    else:
        assert error.code is Exit.DEFINITION
        assert re.match(rf"{re.escape(str(FILE))}, line \d+: ", error.message)
        error.message.encode()


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    """A file that is no text is no trace of ours either."""
    _, error = tried(data)
    assert error is None or error.code is Exit.DEFINITION


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(st.sampled_from([option.key for option in OPTIONS]), _PLAIN)
def test_any_plain_value_is_checked(key, value):
    """Each check takes any plain value, and says what it cannot be with the line."""
    _, error = tried(f"\nconfig[{key!r}] = {value!r}\n".encode("utf-8", "surrogatepass"))
    assert error is None or ("line 2" in error.message and error.hint)


@pytest.mark.parametrize("form", ["open({0!r}, 'w')", "__import__('pathlib').Path({0!r}).touch()"])
def test_nothing_is_run(tmp_path, form):
    """Code in a value or beside it leaves no trace of having run."""
    marker = tmp_path / "marker"
    code = form.format(str(marker))
    for text in (f"config['port'] = {code}", code, f"x = {code}", f"def f(): {code}\nf()"):
        refused(text)
    assert not marker.exists()


def test_addresses():
    """The hub is asked on loopback, unless its port is bound to an address of its own."""
    assert split_port("8000") == ("127.0.0.1", 8000)
    assert split_port("0.0.0.0:8000") == ("127.0.0.1", 8000)
    assert split_port("127.0.0.2:8000") == ("127.0.0.2", 8000)
    assert split_port("[::1]:8000") == ("::1", 8000)


@pytest.mark.parametrize("name", ["../x", "X", "-x", "x" * 49, "", "a/b", "ä"])
def test_names_that_cannot_be(tmp_path, name):
    """A name is a folder, a container and a unit: no path, nothing that these cannot be."""
    with pytest.raises(AnankeError) as caught:
        read_definition(tmp_path, name)
    assert caught.value.code is Exit.USAGE


def test_missing_definition_tells_the_others(tmp_path):
    """A name that is not there is told with those that are."""
    (tmp_path / "containers" / "bio").mkdir(parents=True)
    (tmp_path / "containers" / "bio" / "config.py").touch()
    with pytest.raises(AnankeError) as caught:
        read_definition(tmp_path, "chem")
    assert caught.value.code is Exit.NOT_FOUND
    assert "bio" in caught.value.hint
