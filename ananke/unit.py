"""The container as a systemd unit: by Quadlet, or by ``podman generate systemd`` before it.

Both create the container again at each start, from the image that is tagged for it: only
``ananke create``, ``update`` and ``restore`` move that tag, so a start never changes the
software by surprise.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ananke.definition import Definition
from ananke.errors import AnankeError, Exit
from ananke.mounts import MOUNTS
from ananke.podman import Podman, make_command_error

LABEL = "ananke.definition"
_START_SECONDS, _STOP_SECONDS = 180, 90
_REPOSITORY = "localhost/ananke-hub"


def get_current_tag(name: str) -> str:
    """Return the tag of the image that a container runs on."""
    return f"{_REPOSITORY}/{name}:current"


def get_previous_tag(name: str) -> str:
    """Return the tag of the image that it ran on before the last update."""
    return f"{_REPOSITORY}/{name}:previous"


def get_service_name(name: str) -> str:
    """Return the unit's name. The prefix keeps it apart from the account's other units."""
    return f"ananke-{name}.service"


def get_quadlet_file(name: str) -> Path:
    """Return the path of a container's Quadlet file."""
    return _find_config_home() / "containers" / "systemd" / f"ananke-{name}.container"


def get_service_file(name: str) -> Path:
    """Return the path of a container's unit for a Podman without Quadlet."""
    return _find_config_home() / "systemd" / "user" / get_service_name(name)


def find_installed(name: str) -> Path | None:
    """Return the file of a container's unit, or None if there is none."""
    return next((p for p in (get_quadlet_file(name), get_service_file(name)) if p.exists()), None)


def _find_config_home() -> Path:
    given = os.environ.get("XDG_CONFIG_HOME", "")
    # The XDG standard says to ignore relative paths.
    return Path(given) if Path(given).is_absolute() else Path("~/.config").expanduser()


def list_volumes(definition: Definition, *, selinux: bool) -> list[str]:
    """Return all mounts in Podman's form; relative folders are below the definition."""
    label = "z" if selinux else ""
    volumes = []
    for mount in MOUNTS:
        options = ",".join(o for o in ("" if mount.writable else "ro", label) if o)
        volumes.append(_join_volume(definition.folder / mount.source, str(mount.target), options))
    for text in definition.values["volumes"]:
        source, _, rest = text.partition(":")
        target, _, options = rest.partition(":")
        volumes.append(_join_volume(get_volume_folder(definition, source), target, options))
    return volumes


def get_volume_folder(definition: Definition, source: str) -> Path:
    """Return the folder on this host that a volume names."""
    return definition.folder / Path(source).expanduser()


def _join_volume(source: Path, target: str, options: str) -> str:
    return f"{source}:{target}:{options}" if options else f"{source}:{target}"


def require_plain_folder(definition: Definition) -> None:
    """Raise AnankeError for a path that Podman's and systemd's files cannot hold."""
    path = str(definition.folder)
    if any(char in path for char in ':,"\\\n') or any(ord(c) < 32 for c in path):  # noqa: PLR2004
        raise AnankeError(
            Exit.DEFINITION,
            f"The path {path!r} contains a colon, a comma, a quote or a similar character.",
            "Move it to a folder with a plain name: Podman could not mount this one.",
        )


def make_podman_args(definition: Definition) -> list[str]:
    """Return the arguments for which not all versions of Quadlet have a key."""
    args = ["--pull=never", "--systemd=always", "--stop-timeout=60"]
    if "pids" in list_controllers(os.geteuid(), Path("/")):
        # Without the controller there is no limit, and the argument would be an error.
        args.append("--pids-limit=-1")
    if definition.memory:
        args.append(f"--memory={definition.memory}")
    if definition.cpus:
        args.append(f"--cpus={definition.cpus}")
    args += [f"--device={gpu}" for gpu in definition.values["gpus"]]
    return [*args, *definition.values["podman_args"]]


def list_controllers(uid: int, root: Path) -> set[str]:
    """Return the control group controllers that systemd delegates to an account."""
    path = f"sys/fs/cgroup/user.slice/user-{uid}.slice/user@{uid}.service/cgroup.controllers"
    try:
        return set((root / path).read_text("ascii").split())
    except OSError:
        return set()


def make_create_command(definition: Definition, *, selinux: bool) -> list[str]:
    """Return the command line of ``podman create`` for a Podman without Quadlet."""
    argv = ["podman", "create", f"--name={definition.name}", f"--label={_make_label(definition)}"]
    argv += ["--cap-add=SYS_ADMIN", f"--publish={definition.published}", "--tz=local"]
    argv += [f"--volume={volume}" for volume in list_volumes(definition, selinux=selinux)]
    return [*argv, *make_podman_args(definition), get_current_tag(definition.name)]


def render_quadlet(definition: Definition, *, selinux: bool) -> str:
    """Return the text of the Quadlet file."""
    lines = [
        f"# Made by ananke from {definition.file}.",
        "# ananke create writes this file again; changes here are lost.",
        "[Unit]",
        f"Description=Ananke hub {definition.name}",
        # Do not retry a hub that cannot start forever.
        "StartLimitIntervalSec=600",
        "StartLimitBurst=5",
        "",
        "[Container]",
        f"ContainerName={definition.name}",
        f"Image={get_current_tag(definition.name)}",
        f"Label={_quote(_make_label(definition))}",
        "AddCapability=SYS_ADMIN",
        f"PublishPort={definition.published}",
        "Timezone=local",
        *(f"Volume={_escape(v)}" for v in list_volumes(definition, selinux=selinux)),
        f"PodmanArgs={' '.join(_quote(arg) for arg in make_podman_args(definition))}",
        "",
        "[Service]",
        "Restart=on-failure",
        "RestartSec=5",
        f"TimeoutStartSec={_START_SECONDS}",
        f"TimeoutStopSec={_STOP_SECONDS}",
        "",
        "[Install]",
        "WantedBy=default.target",
        "",
    ]
    return "\n".join(lines)


def _make_label(definition: Definition) -> str:
    return f"{LABEL}={definition.folder}"


def _escape(text: str) -> str:
    """Return the text with systemd's specifiers escaped."""
    return text.replace("%", "%%")


def _quote(text: str) -> str:
    """Return the text quoted as one argument of a line that systemd splits."""
    text = _escape(text).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{text}"'


def check_quadlet(podman: Podman, generator: str, name: str, text: str) -> None:
    """Let Podman's own generator check the file; raises AnankeError with its output."""
    with tempfile.TemporaryDirectory(prefix="ananke-") as folder:
        (Path(folder) / get_quadlet_file(name).name).write_text(text, encoding="utf-8")
        argv = [generator, "-dryrun", "-user"]
        completed = podman.query(argv, environment={"QUADLET_UNIT_DIRS": folder})
    if not completed.ok or get_service_name(name) not in completed.stdout:
        error = make_command_error(argv, completed)
        raise AnankeError(
            Exit.PODMAN,
            "Podman's Quadlet generator rejected the unit.",
            "Check podman_args and volumes in config.py.",
            error.details,
        )
