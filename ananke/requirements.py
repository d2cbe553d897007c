"""What a definition says that its host must have (``requires``)."""

from __future__ import annotations

import re
from pathlib import Path

from ananke import __version__
from ananke.definition import Definition, refusal
from ananke.podman import Podman

CDI_FOLDERS = ("etc/cdi", "var/run/cdi", "run/cdi")


def require(podman: Podman, found: Definition) -> None:
    """Raise AnankeError for the first requirement that this host does not meet."""
    line = found.lines.get("requires", 0)
    for word in found.values["requires"]:
        name, _, least = word.partition(">=")
        if least:
            has = podman.version() if name == "podman" else _numbers(__version__)
            if has[: least.count(".") + 1] < _numbers(least):
                shown = ".".join(str(number) for number in has)
                raise refusal(
                    found.file,
                    line,
                    f"{name} {least} or newer is required, this is {shown}",
                    f"Upgrade {name}.",
                )
        elif word == "gpu" and not cdi_files(Path("/")):
            raise refusal(
                found.file,
                line,
                "a GPU is required, and this host names none to containers",
                "The machine's administrator does that with: "
                "nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml",
            )
        elif word.startswith("path:") and not Path(word.removeprefix("path:")).exists():
            path = word.removeprefix("path:")
            raise refusal(found.file, line, f"{path} is required and is not there", "Make it.")


def cdi_files(host_root: Path) -> list[Path]:
    """Return the files that name this host's devices to containers."""
    return sorted(
        path
        for folder in CDI_FOLDERS
        for path in (host_root / folder).glob("*")
        if path.suffix in (".yaml", ".yml", ".json")
    )


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"[0-9]+(?:\.[0-9]+)*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
