"""Becomes another account and runs a program as it.

``python -I -m kore.host.enter UID HOME FOLDER PROGRAM ARGUMENT...``, run by root. Where the
account could not reach its home or this Python, because a folder above them is root's alone,
the program gets a mount namespace in which that folder holds nothing but these.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

from kore.host import processes

_CLONE_NEWNS = 0x00020000
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000
_MS_NOSUID, _MS_NODEV = 0x2, 0x4
_PR_SET_NO_NEW_PRIVS = 38
_EVERYBODY_CROSSES = 0o001
_OPEN_UMASK, _PRIVATE_UMASK = 0o022, 0o077
_libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Become the account, then the program."""
    number, home, folder, *argv = sys.argv[1:]
    uid, hub = int(number), os.getppid()
    if uid == 0:
        sys.exit("root is no account of a person")
    try:
        # The folders that lead to what stays visible are for everybody to cross.
        os.umask(_OPEN_UMASK)
        make_reachable([*own_paths(), Path(home)])
        become(uid)
        processes.end_with_parent(hub)
        os.umask(_PRIVATE_UMASK)
        os.chdir(folder)
        os.execvp(argv[0], argv)  # noqa: S606
    except OSError as error:
        sys.exit(f"Account {uid} cannot run {argv[0]}: {error.strerror}: {error.filename or ''}")


def become(uid: int) -> None:
    """Become an account for ever: no group but its own, and no way to gain rights."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def own_paths() -> list[Path]:
    """Return the folders of this Python and of Kore, by each name that leads to them."""
    found = {Path(sys.prefix), Path(sys.base_prefix), Path(__file__).parents[1]}
    link = Path(sys.executable)
    while link.is_symlink():
        link = link.parent / link.readlink()
        found.add(Path(os.path.normpath(link)).parents[1])
    return sorted({path.absolute() for path in found} | {path.resolve() for path in found})


def make_reachable(paths: list[Path]) -> None:
    """Have everybody reach the paths, in a mount namespace if a folder above them is closed."""
    closed = walls(paths)
    if not closed:
        return
    _call(_libc.unshare(_CLONE_NEWNS), "a mount namespace")
    keep_mounts()
    for wall, inner in closed.items():
        replace(wall, inner)


def keep_mounts() -> None:
    """Have what is mounted from here on stay in this mount namespace."""
    mount("none", Path("/"), None, _MS_REC | _MS_PRIVATE)


def walls(paths: list[Path]) -> dict[Path, list[Path]]:
    """Return the topmost closed folders above paths, each with the paths that it closes."""
    closed: dict[Path, list[Path]] = {}
    for path in paths:
        wall = _first_closed(path)
        if wall is not None:
            closed.setdefault(wall, []).append(path)
    return closed


def _first_closed(path: Path) -> Path | None:
    """Return the topmost folder above a path that others may not cross."""
    for folder in reversed(path.parents):
        if not folder.stat().st_mode & _EVERYBODY_CROSSES:
            return folder
    return None


def replace(wall: Path, paths: list[Path], options: str = "mode=0755,size=1m") -> None:
    """Put an empty folder over one, and in it only the given ones, each at its old place."""
    held = {path: os.open(path, os.O_PATH | os.O_CLOEXEC) for path in sorted(paths)}
    mount("tmpfs", wall, "tmpfs", _MS_NOSUID | _MS_NODEV, options)
    for path, descriptor in held.items():
        path.mkdir(mode=0o755, parents=True, exist_ok=True)
        mount(f"/proc/self/fd/{descriptor}", path, None, _MS_BIND | _MS_REC)
        os.close(descriptor)


def mount(source: str, target: Path, kind: str | None, flags: int, options: str = "") -> None:
    """Put one file system, or a part of one, over a folder: as the system call does."""
    _call(
        _libc.mount(
            source.encode(),
            os.fsencode(target),
            kind.encode() if kind else None,
            ctypes.c_ulong(flags),
            options.encode() or None,
        ),
        str(target),
    )


def _call(status: int, what: str) -> None:
    if status != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


if __name__ == "__main__":
    main()
