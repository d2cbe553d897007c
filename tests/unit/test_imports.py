"""The contracts of imports: they hold, and the page on architecture shows the same ones."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "doc/src/developers/architecture.md").read_text()
PACKAGES = {"executor", "host", "hub", "service", "shared", "singleuser"}
WRONG = [
    ("kore/shared/ids.py", "import kore.host", "shared imports"),
    ("kore/host/layout.py", "import kore.hub", "host imports"),
    ("kore/hub/pages.py", "import kore.service.errors", "hub imports"),
    ("kore/singleuser/__init__.py", "import kore.executor.sandbox", "singleuser imports"),
    ("kore/executor/server.py", "import kore.singleuser", "executor imports"),
    ("kore/executor/protocol.py", "import kore.shared.ids", "executor.protocol imports"),
    ("kore/service/errors.py", "import kore.hub.pages", "service imports"),
    ("kore/service/grades/totals.py", "import kore.service.courses.listing", "Order inside"),
    ("kore/service/jobs/job_kind.py", "import kore.service.jobs.queue", "No ring"),
]
"""Lines that must not be written, and the beginning of the contract that each breaks."""
_CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]


def _contracts(kind: str) -> list[dict[str, Any]]:
    return [contract for contract in _CONFIG["contracts"] if contract["type"] == kind]


def _rows(heading: str) -> list[list[str]]:
    """Return the cells of the first table below a heading of the page."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    table = re.search(r"^(\|.*\n)+", section, re.MULTILINE)
    assert table
    lines = table[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def _names(cell: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", cell))


def test_the_page_shows_which_package_may_import_which():
    """The table of packages says what the contracts forbid, and no package is missing."""
    shown = {
        row[0].strip("`").removeprefix("kore/").strip("/"): row[2] for row in _rows("Packages")
    }
    assert set(shown) == PACKAGES | {"ui"}
    may = {package: _names(cell) for package, cell in shown.items()}
    for contract in _contracts("forbidden"):
        [source] = contract["source_modules"]
        package = source.removeprefix("kore.")
        if package not in PACKAGES:
            continue
        forbidden = {name.removeprefix("kore.") for name in contract["forbidden_modules"]}
        excepted = {
            line.partition(" -> ")[2].removeprefix("kore.")
            for line in contract.get("ignore_imports", [])
        }
        assert (PACKAGES - {package} - forbidden) | excepted == may.pop(package)
    assert may == {"ui": set()}


def test_every_package_of_kore_has_a_contract():
    """A new package needs a row and a contract before anything imports it."""
    found = {path.parent.name for path in (ROOT / "kore").glob("*/__init__.py")}
    assert found == PACKAGES


def test_the_page_shows_the_order_inside_the_service():
    """Line by line as the contract has it."""
    [contract] = _contracts("layers")
    layers = [set(layer.split(" | ")) for layer in contract["layers"]]
    assert [_names(row[0]) for row in _rows("Order inside the service")] == layers
    assert contract["exhaustive"]


@pytest.mark.slow
def test_a_wrong_import_breaks_a_contract(tmp_path: Path):
    """Each contract is one that can fail: with one wrong line, import-linter names it."""
    subprocess.run(["cp", "-r", str(ROOT / "kore"), str(tmp_path)], check=True)
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    for module, line, _ in WRONG:
        path = tmp_path / module
        path.write_text(path.read_text() + f"\n\ndef _wrong() -> None:\n    {line}\n")
    linted = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.returncode == 1, linted.stdout
    broken = re.findall(r"^(.*) BROKEN", linted.stdout, re.MULTILINE)
    for _, line, contract in WRONG:
        assert [name for name in broken if name.startswith(contract)], f"{line}\n{linted.stdout}"
