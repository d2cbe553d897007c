#!/usr/bin/env python3
"""Fake Podman, systemctl and others: each call is recorded, and answered from a file.

One program under several names. ``$FAKE_HOST`` is a folder with ``state.json`` (the state of
the host) and ``calls.jsonl`` (the calls). ``fails`` in the state maps the beginning of a
command line to the exit code and the message with which it fails.
"""

import fcntl
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

HOST = Path(os.environ["FAKE_HOST"])
NAME = Path(sys.argv[0]).name
ARGS = sys.argv[1:]


def end(output="", code=0, err=""):
    if output:
        sys.stdout.write(f"{output}\n")
    if err:
        sys.stderr.write(f"{err}\n")
    sys.exit(code)


def save(state):
    (HOST / "state.json").write_text(json.dumps(state))


def image_of(state, name):
    for form in (name, f"localhost/{name}", f"{name}:latest", f"localhost/{name}:latest"):
        if form in state["images"]:
            return state["images"][form]
    return name if name in state["images"].values() else None


def unit_container(unit):
    """Return the name of a unit's container, if a file is installed for it."""
    config = Path(os.environ["XDG_CONFIG_HOME"])
    name = unit.removeprefix("ananke-").removesuffix(".service")
    for file in (
        config / "containers" / "systemd" / f"ananke-{name}.container",
        config / "systemd" / "user" / unit,
    ):
        if file.exists():
            return name
    return None


def systemctl(state):
    args = [word for word in ARGS if word != "--user"]
    verb, *units = args
    if verb in ("start", "restart"):
        name = unit_container(units[0])
        if name is None:
            end(err=f"Failed to {verb} {units[0]}: Unit {units[0]} not found.", code=5)
        image = image_of(state, f"localhost/ananke-hub/{name}:current")
        state["containers"][name] = {"Image": image, "running": True}
        failed = image in state["never_start"]
        state["units"][units[0]] = "failed" if failed else "active"
        save(state)
    elif verb == "stop":
        state["units"][units[0]] = "inactive"
        state["containers"].pop(unit_container(units[0]), None)
        save(state)
    elif verb == "is-active":
        answer = state["units"].get(units[0], "inactive")
        end(answer, 0 if answer == "active" else 3)
    elif verb == "is-system-running":
        end(state["session"], 0 if state["session"] == "running" else 1)


def podman(state):  # noqa: PLR0912
    match ARGS:
        case ["--version"]:
            end(f"podman version {state['version']}")
        case ["image", "inspect", "--format", form, name]:
            found = image_of(state, name)
            if found is None:
                end(err=f"Error: {name}: image not known", code=125)
            end(form.replace("{{.Id}}", found).replace("{{.Size}}", "2000000"))
        case ["container", "inspect", name]:
            found = state["containers"].get(name)
            if found is None:
                end(err=f'Error: inspecting object: no such container "{name}"', code=125)
            running = {"Running": found["running"], "StartedAt": "2026-11-24T10:00:00"}
            end(json.dumps([{"Name": name, "Image": found["Image"], "State": running}]))
        case ["tag", source, target]:
            state["images"][target] = image_of(state, source)
            save(state)
        case ["untag", image, _]:
            state["images"].pop(image, None)
            save(state)
        case ["images", "--format=json"]:
            end(
                json.dumps(
                    [
                        {
                            "Id": i,
                            "Names": [m for m, other in state["images"].items() if other == i],
                            "Size": 1500000000,
                            "CreatedAt": "2026-11-24",
                        }
                        for i in state["images"].values()
                    ]
                )
            )
        case ["image", "prune", "--force"]:
            end("\n".join(state["dangling"]))
        case ["stats", *_]:
            end(json.dumps([state["usage"]]))
        case ["create", *args]:
            named = next(w for w in args if w.startswith("--name="))
            state["containers"][named.removeprefix("--name=")] = {"Image": "", "running": False}
            save(state)
        case ["generate", "systemd", *args]:
            end(f"# generated\n[Unit]\nDescription=Podman container-{args[-1]}.service")
        case ["rm", *args]:
            state["containers"].pop(args[-1], None)
            save(state)
        case ["build", *args]:
            tag = next(w for w in args if w.startswith("--tag=")).removeprefix("--tag=")
            state["images"][f"localhost/{tag}:latest"] = f"sha256:{'b' * 60}{len(tag):04d}"
            save(state)
            end(f"STEP 1/1: FROM scratch\nCOMMIT {tag}")
        case ["save", *args]:
            target = next(w for w in args if w.startswith("--output=")).removeprefix("--output=")
            Path(target).write_bytes(b"image " + args[-1].encode())
        case ["load"]:
            data = sys.stdin.buffer.read().decode()
            (HOST / "loaded").write_text(data)
            name = data.removeprefix("image ")
            state["images"][f"localhost/{name}:latest"] = "sha256:" + "1" * 64
            save(state)
            end(f"Loaded image: localhost/{name}:latest")
        case ["unshare", *args]:
            sys.exit(subprocess.run(args, check=False).returncode)
        case ["exec", *args]:
            inside([w for w in args if not w.startswith("--")], state)
        case ["logs", *_]:
            end("the log of the container")


def inside(args, state):
    """Run a command as if in the container, with paths replaced by those of its mounts."""
    name, *command = args
    if name not in state["containers"]:
        end(err=f'Error: no container with name or ID "{name}" found', code=125)
    if command[0] == "systemctl":
        end("not-found" if command[-1] in state["unknown_units"] else "loaded")
    if command[0] == "journalctl" or "journalctl" in command:
        known = not any(f"--unit={name}" in ARGS for name in state["unknown_units"])
        end(state["journal"] if known else "")
    for target, source in state["mounts"].items():
        if command[-1].startswith(f"{target}/"):
            command[-1] = source + command[-1].removeprefix(target)
    if command[0] == "/usr/bin/python3":
        command[0] = sys.executable
    sys.exit(subprocess.run(command, check=False).returncode)


def quadlet():
    [file] = Path(os.environ["QUADLET_UNIT_DIRS"]).glob("*.container")
    text = file.read_text()
    known = (  # noqa: SIM905
        "ContainerName Image Label AddCapability PublishPort Timezone Volume PodmanArgs "
        "Restart RestartSec StartLimitIntervalSec StartLimitBurst "
        "TimeoutStartSec TimeoutStopSec WantedBy Description"
    ).split()
    for line in text.splitlines():
        if (found := re.match(r"(\w+)=", line)) and found[1] not in known:
            end(err=f"converting {file.name}: unsupported key '{found[1]}'", code=1)
    if "--refused-by-quadlet" in text:
        end(err=f"converting {file.name}: refused", code=1)
    end(f"---{file.stem}.service---\n[Service]")


def main():
    with (HOST / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with (HOST / "calls.jsonl").open("a") as calls:
            calls.write(json.dumps([NAME, *ARGS]) + "\n")
        state = json.loads((HOST / "state.json").read_text())
    line = shlex.join([NAME, *ARGS])
    for beginning, (code, message) in state["fails"].items():
        if re.match(beginning, line):
            end(err=message, code=code)
    if NAME == "podman":
        podman(state)
    elif NAME == "systemctl":
        systemctl(state)
    elif NAME == "loginctl":
        if ARGS[0] == "enable-linger":
            state["linger"] = "yes"
            save(state)
        else:
            end(state["linger"])
    elif NAME == "timedatectl":
        end(state["synchronised"])
    elif NAME == "journalctl":
        end("the unit's own log")
    elif NAME == "getsebool":
        end(f"container_manage_cgroup --> {state['selinux_boolean']}")
    elif NAME == "quadlet":
        quadlet()


main()
