"""The container as a systemd unit: by Quadlet, or by ``podman generate systemd`` before it.

Both make the container anew at each start, from the image that is tagged for it: only
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
from ananke.podman import Podman, failed

LABEL = "ananke.definition"
_START_SECONDS, _STOP_SECONDS = 180, 90
_REPOSITORY = "localhost/ananke-hub"


def current_tag(name: str) -> str:
    """Return the name of the image from which a container is made."""
    return f"{_REPOSITORY}/{name}:current"


def previous_tag(name: str) -> str:
    """Return the name of the image that it was made from before the last update."""
    return f"{_REPOSITORY}/{name}:previous"


def service(name: str) -> str:
    """Return the unit's name. The prefix keeps clear of other units of the account."""
    return f"ananke-{name}.service"


def quadlet_file(name: str) -> Path:
    """Return where the account's Quadlet file of a container lies."""
    return _config_home() / "containers" / "systemd" / f"ananke-{name}.container"


def service_file(name: str) -> Path:
    """Return where the account's unit lies for a Podman without Quadlet."""
    return _config_home() / "systemd" / "user" / service(name)


def installed(name: str) -> Path | None:
    """Return the file that makes a container a unit, or None where there is none."""
    return next((p for p in (quadlet_file(name), service_file(name)) if p.exists()), None)


def _config_home() -> Path:
    given = os.environ.get("XDG_CONFIG_HOME", "")
    # The standard says that a relative path there is to be ignored.
    return Path(given) if Path(given).is_absolute() else Path("~/.config").expanduser()


def volumes(definition: Definition, *, selinux: bool) -> list[str]:
    """Return all mounts in podman's form; a relative folder is below the definition."""
    label = "z" if selinux else ""
    made = []
    for mount in MOUNTS:
        words = ",".join(w for w in ("" if mount.writable else "ro", label) if w)
        made.append(_volume(definition.folder / mount.source, str(mount.target), words))
    for text in definition.values["volumes"]:
        source, _, rest = text.partition(":")
        target, _, words = rest.partition(":")
        made.append(_volume(volume_folder(definition, source), target, words))
    return made


def volume_folder(definition: Definition, source: str) -> Path:
    """Return the folder of this host that a volume names."""
    return definition.folder / Path(source).expanduser()


def _volume(source: Path, target: str, words: str) -> str:
    return f"{source}:{target}:{words}" if words else f"{source}:{target}"


def require_plain_folder(definition: Definition) -> None:
    """Raise AnankeError for a place that Podman's and systemd's files cannot name."""
    path = str(definition.folder)
    if any(char in path for char in ':,"\\\n') or any(ord(c) < 32 for c in path):  # noqa: PLR2004
        raise AnankeError(
            Exit.DEFINITION,
            f"The folder {path!r} has a colon, a comma, a quote or the like in its name.",
            "Move it to a folder with a plain name: Podman could not mount it.",
        )


def podman_words(definition: Definition) -> list[str]:
    """Return what Quadlet has no key for in all its versions."""
    words = ["--pull=never", "--systemd=always", "--stop-timeout=60"]
    if "pids" in controllers(os.geteuid(), Path("/")):
        # Without the controller there is no limit, and to say so would be an error.
        words.append("--pids-limit=-1")
    if definition.memory:
        words.append(f"--memory={definition.memory}")
    if definition.cpus:
        words.append(f"--cpus={definition.cpus}")
    words += [f"--device={gpu}" for gpu in definition.values["gpus"]]
    return [*words, *definition.values["podman_args"]]


def controllers(uid: int, root: Path) -> set[str]:
    """Return the control group controllers that systemd hands to an account."""
    path = f"sys/fs/cgroup/user.slice/user-{uid}.slice/user@{uid}.service/cgroup.controllers"
    try:
        return set((root / path).read_text("ascii").split())
    except OSError:
        return set()


def create_command(definition: Definition, *, selinux: bool) -> list[str]:
    """Return the command line of ``podman create`` for a Podman without Quadlet."""
    words = ["podman", "create", f"--name={definition.name}", f"--label={_label(definition)}"]
    words += ["--cap-add=SYS_ADMIN", f"--publish={definition.published}", "--tz=local"]
    words += [f"--volume={volume}" for volume in volumes(definition, selinux=selinux)]
    return [*words, *podman_words(definition), current_tag(definition.name)]


def quadlet(definition: Definition, *, selinux: bool) -> str:
    """Return the text of the Quadlet file."""
    lines = [
        f"# Made by ananke from {definition.file}.",
        "# ananke remove and ananke create make it anew; changes here are lost.",
        "[Unit]",
        f"Description=Ananke hub {definition.name}",
        # What cannot start is not tried for ever.
        "StartLimitIntervalSec=600",
        "StartLimitBurst=5",
        "",
        "[Container]",
        f"ContainerName={definition.name}",
        f"Image={current_tag(definition.name)}",
        f"Label={_quoted(_label(definition))}",
        "AddCapability=SYS_ADMIN",
        f"PublishPort={definition.published}",
        "Timezone=local",
        *(f"Volume={_escaped(v)}" for v in volumes(definition, selinux=selinux)),
        f"PodmanArgs={' '.join(_quoted(word) for word in podman_words(definition))}",
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


def _label(definition: Definition) -> str:
    return f"{LABEL}={definition.folder}"


def _escaped(text: str) -> str:
    """Return a text in which systemd sees no specifier."""
    return text.replace("%", "%%")


def _quoted(text: str) -> str:
    """Return a text as one word of a line that systemd splits into words."""
    text = _escaped(text).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{text}"'


def check_quadlet(podman: Podman, generator: str, name: str, text: str) -> None:
    """Have Podman's own generator read the file; raises AnankeError with its words."""
    with tempfile.TemporaryDirectory(prefix="ananke-") as folder:
        (Path(folder) / quadlet_file(name).name).write_text(text, encoding="utf-8")
        argv = [generator, "-dryrun", "-user"]
        ran = podman.ask(argv, environment={"QUADLET_UNIT_DIRS": folder})
    if not ran.ok or service(name) not in ran.out:
        error = failed(argv, ran)
        raise AnankeError(
            Exit.PODMAN,
            "Podman's Quadlet generator refused the unit.",
            "Check podman_args and volumes in config.py.",
            error.details,
        )
