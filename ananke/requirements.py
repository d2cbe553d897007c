"""What a definition requires of its host (``requires``)."""

from __future__ import annotations

import re
from pathlib import Path

from ananke import __version__
from ananke.definition import Definition
from ananke.podman import Podman

CDI_FOLDERS = ("etc/cdi", "var/run/cdi", "run/cdi")


def check_requirements(podman: Podman, found: Definition) -> None:
    """Raise AnankeError for the first requirement that this host does not meet."""
    for requirement in found.values["requires"]:
        name, _, minimum = requirement.partition(">=")
        if minimum:
            version = podman.version() if name == "podman" else _parse_version(__version__)
            if version[: minimum.count(".") + 1] < _parse_version(minimum):
                shown = ".".join(str(number) for number in version)
                raise found.make_value_error(
                    "requires",
                    f"{name} {minimum} or newer is required, this is {shown}",
                    f"Upgrade {name}.",
                )
        elif requirement == "gpu" and not list_cdi_files(Path("/")):
            raise found.make_value_error(
                "requires",
                "a GPU is required, and no GPU of this host has a CDI name",
                "Ask the machine's administrator to run: "
                "nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml",
            )
        elif requirement.startswith("path:"):
            path = requirement.removeprefix("path:")
            if not Path(path).exists():
                message = f"{path} is required and does not exist"
                raise found.make_value_error("requires", message, "Create it.")


def list_cdi_files(host_root: Path) -> list[Path]:
    """Return the files that give this host's devices CDI names, which containers use."""
    return sorted(
        path
        for folder in CDI_FOLDERS
        for path in (host_root / folder).glob("*")
        if path.suffix in (".yaml", ".yml", ".json")
    )


def _parse_version(version: str) -> tuple[int, ...]:
    found = re.match(r"[0-9]+(?:\.[0-9]+)*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
