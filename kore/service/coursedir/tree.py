"""Folders that belong to others, walked by descriptor.

A course's own account can put anything into its folder at any time, while Kore works there:
links to what only Kore may read, pipes that never end, names in no encoding. So every part
of a path is opened by itself and no link is ever followed (openat(2), ``O_NOFOLLOW``); only
plain files are read, only plain files and folders are made. Paths are relative, with ``/``
between parts. What is neither a plain file nor a folder is reported as ``odd``, never opened.
"""

from __future__ import annotations

import ctypes
import errno
import os
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from kore.service.coursedir.openat import (
    FOLDER,
    PLACE,
    READ,
    Entry,
    emptied,
    entry_of,
    listed,
    odd,
    parts_of,
    stamped,
    status,
    stepped,
    told,
    too_many,
    walked,
    written,
)
from kore.service.errors import KoreError

STAGING = ".kore"
"""The folder below a course's root in which Kore gets things ready: the same file system."""

# Where a folder has default access lists, the group's bits are what other accounts may do.
FILE_MODE, FOLDER_MODE = 0o664, 0o775
_PIECE = 1024 * 1024
_NO_REPLACE, _EXCHANGE = 1, 2
_libc = ctypes.CDLL(None, use_errno=True)


class Tree:
    """One folder and what is below it. A context manager: it holds a descriptor.

    Raises KoreError with code ``odd_file`` wherever a link or another odd thing is in the
    way, and OSError as the system does (FileNotFoundError for what is not there).
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._descriptor = -1

    def __enter__(self) -> Self:
        try:
            self._descriptor = os.open(self.root, PLACE)
        except OSError as error:
            raise told(error, str(self.root)) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        os.close(descriptor)

    def walk(self, relative: str = "", *, most: int | None = None) -> Iterator[Entry]:
        """Yield what is below a folder, sorted, each folder before what is in it.

        Raises KoreError ``too_many`` after ``most`` entries.
        """
        with self._at(parts_of(relative)) as descriptor:
            for number, entry in enumerate(walked(descriptor, relative, 0)):
                if most is not None and number >= most:
                    raise too_many(relative or self.root.name, most)
                yield entry

    def entries(self, relative: str = "") -> list[Entry]:
        """List what is in one folder, sorted; nothing where there is no such folder."""
        try:
            with self._at(parts_of(relative)) as descriptor:
                return listed(descriptor, relative)
        except (FileNotFoundError, NotADirectoryError):
            return []

    def look(self, path: str) -> Entry | None:
        """Return what is at a path, without opening it; None where nothing is."""
        try:
            with self._parent(path) as (descriptor, name):
                return entry_of(descriptor, name, path)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def looks(self, folder: str, names: Iterable[str]) -> list[Entry | None]:
        """Return what is under each of some names in one folder, as ``look`` does."""
        prefix = folder + "/" if folder else ""
        try:
            with self._at(parts_of(folder)) as descriptor:
                return [entry_of(descriptor, name, prefix + name) for name in names]
        except (FileNotFoundError, NotADirectoryError):
            return [None for _ in names]

    def stamps(
        self, folder: str, wanted: Iterable[tuple[str, list[str]]]
    ) -> Iterator[list[tuple[int, int, int] | None]]:
        """Yield the stamps (see ``Entry``) of files, by names in folders within one folder.

        Of many thousands in a moment; None for what is not there or is no plain file.
        """
        with self._at(parts_of(folder)) as descriptor:
            for inner, names in wanted:
                yield stamped(descriptor, inner, names)

    def exists(self, path: str) -> bool:
        """Say whether something is at a path, whatever it is."""
        return self.look(path) is not None

    def open(self, path: str) -> BinaryIO:
        """Open a plain file to read."""
        with self._parent(path) as (parent, name):
            try:
                descriptor = os.open(name, READ, dir_fd=parent)
            except OSError as error:
                raise told(error, path) from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise odd(path)
        return os.fdopen(descriptor, "rb")

    def read_bytes(self, path: str, *, most: int) -> bytes:
        """Return a plain file's content. Raises KoreError ``too_large`` over ``most`` bytes."""
        with self.open(path) as handle:
            content = handle.read(most + 1)
        if len(content) > most:
            raise KoreError(
                413, "too_large", f"{path} is larger than {most} bytes.", "Make it smaller."
            )
        return content

    def write(
        self, path: str, chunks: Iterable[bytes], mode: int = FILE_MODE, *, sync: bool = True
    ) -> int:
        """Write a whole file, or leave what is there; return its size. Parents are made.

        A plain file or a link of this name is replaced (the link itself, not what it names).
        """
        parts = parts_of(path)
        self.make("/".join(parts[:-1]))
        with self._at(parts[:-1]) as parent:
            return written(parent, parts[-1], chunks, mode, sync=sync)

    def make(self, path: str) -> None:
        """Make a folder with its parents, unless it is there."""
        descriptor = os.dup(self._descriptor)
        try:
            for part in parts_of(path):
                with suppress(FileExistsError):
                    os.mkdir(part, FOLDER_MODE, dir_fd=descriptor)
                descriptor = stepped(descriptor, part, path)
        finally:
            os.close(descriptor)

    def rename(self, old: str, new: str) -> None:
        """Give something another place; its parent is made. FileExistsError over anything."""
        self._move(old, new, _NO_REPLACE)

    def swap(self, one: str, other: str) -> None:
        """Let two things change places at one moment. OSError where a file system cannot."""
        self._move(one, other, _EXCHANGE)

    def remove(self, path: str) -> None:
        """Remove a file, a link itself, or a folder with all that is in it, if it is there.

        A folder goes at one moment: it is moved to the staging folder, and emptied there.
        """
        found = self.look(path)
        if found is None:
            return
        try:
            if not found.is_dir:
                with self._parent(path) as (parent, name):
                    os.unlink(name, dir_fd=parent)
                return
            place, name = STAGING, f"{STAGING}/{secrets.token_hex(8)}"
            if path == STAGING:
                place, name = "", secrets.token_hex(8)
            self.rename(path, name)
            with self._at(parts_of(place)) as descriptor:
                emptied(descriptor, name.rpartition("/")[2], path)
        except FileNotFoundError:
            return
        except PermissionError as error:
            raise odd(path) from error

    def copy_to(
        self,
        path: str,
        other: Tree,
        target: str,
        *,
        skip: Callable[[Entry], bool] = lambda entry: entry.odd,
        sync: bool = True,
    ) -> int:
        """Copy a file, or a folder with all that is in it; return the bytes.

        ``skip`` says what is left out; an odd thing that it lets pass raises KoreError.
        """
        found = self.look(path)
        if found is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        if not found.is_dir:
            return self._copy_file(path, other, target, found, sync=sync)
        other.make(target)
        copied, left = 0, ""
        for entry in self.walk(path):
            if left and entry.path.startswith(left):
                continue
            if skip(entry):
                left = entry.path + "/"
                continue
            place = target + entry.path[len(path) :]
            if entry.is_dir and not entry.odd:
                other.make(place)
            else:
                copied += self._copy_file(entry.path, other, place, entry, sync=sync)
        return copied

    def _copy_file(self, path: str, other: Tree, target: str, entry: Entry, *, sync: bool) -> int:
        with self.open(path) as handle:
            pieces = iter(lambda: handle.read(_PIECE), b"")
            mode = FILE_MODE | (entry.mode & 0o111)
            return other.write(target, pieces, mode, sync=sync)

    def flush(self) -> None:
        """Make everything below durable: syncfs(2)."""
        descriptor = os.open(".", FOLDER, dir_fd=self._descriptor)
        try:
            if _libc.syncfs(descriptor) != 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        finally:
            os.close(descriptor)

    def _move(self, old: str, new: str, flags: int) -> None:
        self.make("/".join(parts_of(new)[:-1]))
        with self._parent(old) as (source, name), self._parent(new) as (target, new_name):
            arguments = (source, os.fsencode(name), target, os.fsencode(new_name), flags)
            if _libc.renameat2(*arguments) == 0:
                return
            number = ctypes.get_errno()
            # A file system that cannot do it in one step: nothing else works on a course now.
            if number in {errno.EINVAL, errno.ENOSYS} and flags == _NO_REPLACE:
                if status(target, new_name) is not None:
                    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new)
                os.rename(name, new_name, src_dir_fd=source, dst_dir_fd=target)
                return
            raise OSError(number, os.strerror(number), old, None, new)

    @contextmanager
    def _at(self, parts: list[str]) -> Iterator[int]:
        """Yield a descriptor to list a folder, reached part by part."""
        descriptor = os.dup(self._descriptor)
        try:
            for part in parts:
                descriptor = stepped(descriptor, part, "/".join(parts))
            folder = os.open(".", FOLDER, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        try:
            yield folder
        finally:
            os.close(folder)

    @contextmanager
    def _parent(self, path: str) -> Iterator[tuple[int, str]]:
        parts = parts_of(path)
        if not parts:
            raise ValueError("the root itself")
        with self._at(parts[:-1]) as descriptor:
            yield descriptor, parts[-1]
