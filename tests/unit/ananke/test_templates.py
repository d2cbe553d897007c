"""Templates: what they share has one source, and a definition made from one is complete."""

from __future__ import annotations

from pathlib import Path

import pytest

from ananke import definition, templates
from ananke.options import OPTIONS

ROOT = Path(__file__).parents[3]
TEMPLATES = templates.find_templates(ROOT)


def list_files(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_a_new_definition_is_complete(tmp_path, name):
    """It sets every key but the port, and has the shared files and the template's own."""
    folder = tmp_path / "bio"
    templates.make_definition(TEMPLATES[name], folder)
    config = folder / "config.py"
    values, lines = definition.parse_config(config.read_bytes(), config)
    assert set(lines) == {option.key for option in OPTIONS}
    assert values["port"] is None
    assert values["image_name"].startswith("ananke-")
    shared = list_files(ROOT / "containers" / templates.COMMON)
    assert list_files(folder) == shared | list_files(TEMPLATES[name])
    readme = (folder / "readme.md").read_text()
    assert readme.startswith("# A hub ")
    assert f"`ananke new NAME --template {name}`" in readme


def test_no_file_is_in_two_templates():
    """A file with the same content in two templates belongs in the shared folder."""
    seen: dict[tuple[str, bytes], Path] = {}
    folders = [*TEMPLATES.values(), ROOT / "containers" / templates.COMMON]
    for folder in folders:
        for name in list_files(folder) - {"config.py"}:
            key = (name, (folder / name).read_bytes())
            assert key not in seen, f"{folder / name} is a copy of {seen.get(key)}"
            seen[key] = folder / name


def test_a_complete_template_is_copied_as_it_is(tmp_path):
    """A template of your own that sets the port needs no shared files and gets none."""
    own = tmp_path / "containers" / "template-own"
    own.mkdir(parents=True)
    (own / "config.py").write_text("config['image_name'] = 'mine'\nconfig['port'] = 8123\n")
    templates.make_definition(own, tmp_path / "bio")
    assert list_files(tmp_path / "bio") == {"config.py"}
    assert (tmp_path / "bio" / "config.py").read_text() == (own / "config.py").read_text()


def test_values_are_set_in_their_line(tmp_path):
    """A key keeps its line and comment; a missing key is added at the end."""
    file = tmp_path / "config.py"
    file.write_text("# The port.\nconfig['port'] = None\n")
    templates.set_values(file, {"port": "8000", "gpus": ("nvidia.com/gpu=0",)})
    values, lines = definition.parse_config(file.read_bytes(), file)
    assert (values["port"], lines["port"]) == ("8000", 2)
    assert values["gpus"] == ("nvidia.com/gpu=0",)


def test_the_shared_folder_is_no_template():
    """Nobody can make a definition from the shared files alone."""
    assert templates.COMMON not in TEMPLATES
    assert sorted(TEMPLATES) == ["template-base", "template-base-forget", "template-nbgrader"]
