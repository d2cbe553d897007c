"""Mount namespaces in which a program sees only part of the machine's folders."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

_CLONE_NEWNS = 0x00020000
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000
_MS_NOSUID, _MS_NODEV = 0x2, 0x4
_OTHERS_MAY_TRAVERSE = 0o001
_libc = ctypes.CDLL(None, use_errno=True)


def python_folders() -> list[Path]:
    """Return the folders of this Python and of Kore, by each name that leads to them."""
    found = {Path(sys.prefix), Path(sys.base_prefix), Path(__file__).parents[1]}
    link = Path(sys.executable)
    while link.is_symlink():
        link = link.parent / link.readlink()
        found.add(Path(os.path.normpath(link)).parents[1])
    return sorted({path.absolute() for path in found} | {path.resolve() for path in found})


def make_reachable(paths: list[Path]) -> None:
    """Let every account reach the paths, in a mount namespace if a folder above is closed."""
    closed = find_closed_folders(paths)
    if not closed:
        return
    _check(_libc.unshare(_CLONE_NEWNS), "a mount namespace")
    detach_mounts()
    for folder, inner in closed.items():
        replace_folder(folder, inner)


def detach_mounts() -> None:
    """Keep what is mounted from here on inside this mount namespace."""
    mount("none", Path("/"), None, _MS_REC | _MS_PRIVATE)


def find_closed_folders(paths: list[Path]) -> dict[Path, list[Path]]:
    """Return the topmost folders that close paths to others, each with those paths."""
    closed: dict[Path, list[Path]] = {}
    for path in paths:
        folder = _topmost_closed(path)
        if folder is not None:
            closed.setdefault(folder, []).append(path)
    return closed


def _topmost_closed(path: Path) -> Path | None:
    """Return the topmost folder above a path that other accounts may not traverse."""
    for folder in reversed(path.parents):
        if not folder.stat().st_mode & _OTHERS_MAY_TRAVERSE:
            return folder
    return None


def replace_folder(folder: Path, paths: list[Path], options: str = "mode=0755,size=1m") -> None:
    """Put an empty file system over a folder, and only the given paths of it back in place."""
    held = {path: os.open(path, os.O_PATH | os.O_CLOEXEC) for path in sorted(paths)}
    mount("tmpfs", folder, "tmpfs", _MS_NOSUID | _MS_NODEV, options)
    for path, descriptor in held.items():
        path.mkdir(mode=0o755, parents=True, exist_ok=True)
        mount(f"/proc/self/fd/{descriptor}", path, None, _MS_BIND | _MS_REC)
        os.close(descriptor)


def mount(source: str, target: Path, kind: str | None, flags: int, options: str = "") -> None:
    """Put a file system, or a part of one, over a folder. Raises OSError."""
    _check(
        _libc.mount(
            source.encode(),
            os.fsencode(target),
            kind.encode() if kind else None,
            ctypes.c_ulong(flags),
            options.encode() or None,
        ),
        str(target),
    )


def _check(status: int, subject: str) -> None:
    if status != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), subject)
