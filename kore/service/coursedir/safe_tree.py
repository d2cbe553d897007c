"""Reads and changes folders that belong to others, without following links.

A course's own account can put anything into its folder at any time, while Kore works there:
links to what only Kore may read, pipes that never end, names in no encoding. So each part of
a path is opened by itself and no link is ever followed (openat(2), ``O_NOFOLLOW``). Only plain
files are read, only plain files and folders are made. Paths are relative, with ``/`` between
parts. What is neither a plain file nor a folder is reported as special, and never opened.
"""

from __future__ import annotations

import ctypes
import errno
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from kore.service.coursedir import openat
from kore.service.coursedir.layout import STAGING
from kore.service.coursedir.openat import (
    FOLDER,
    PLACE,
    READ,
    Entry,
    explain_error,
    open_inner,
    special_file,
    split_path,
    too_many_files,
)
from kore.service.errors import TooLarge

# Where a folder has default access lists, the group's bits are what other accounts may do.
FILE_MODE, FOLDER_MODE = 0o664, 0o775
_NO_REPLACE, _EXCHANGE = 1, 2
_libc = ctypes.CDLL(None, use_errno=True)


class SafeTree:
    """One folder and what is below it. A context manager: it holds a descriptor.

    Raises Conflict ``special_file`` where a link or another special file is in the way, and
    OSError as the system does (FileNotFoundError for what is not there).
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._descriptor = -1

    def __enter__(self) -> Self:
        try:
            self._descriptor = os.open(self.root, PLACE)
        except OSError as error:
            raise explain_error(error, str(self.root)) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        os.close(descriptor)

    def walk(self, relative: str = "", *, limit: int | None = None) -> Iterator[Entry]:
        """Yield what is below a folder, sorted, each folder before what is in it.

        Raises TooLarge after ``limit`` entries.
        """
        with self._at(split_path(relative)) as descriptor:
            for number, entry in enumerate(openat.walk_folder(descriptor, relative, 0)):
                if limit is not None and number >= limit:
                    raise too_many_files(relative or self.root.name, limit)
                yield entry

    def list_folder(self, relative: str = "") -> list[Entry]:
        """Return what is in one folder, sorted; nothing where there is no such folder."""
        try:
            with self._at(split_path(relative)) as descriptor:
                return openat.list_folder(descriptor, relative)
        except (FileNotFoundError, NotADirectoryError):
            return []

    def stat(self, path: str) -> Entry | None:
        """Return what is at a path, without opening it; None where nothing is."""
        try:
            with self._parent(path) as (descriptor, name):
                return openat.read_entry(descriptor, name, path)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def stat_each(self, folder: str, names: Iterable[str]) -> list[Entry | None]:
        """Return what has each of some names in one folder, as ``stat`` does."""
        prefix = folder + "/" if folder else ""
        try:
            with self._at(split_path(folder)) as descriptor:
                return [openat.read_entry(descriptor, name, prefix + name) for name in names]
        except (FileNotFoundError, NotADirectoryError):
            return [None for _ in names]

    def read_stamps(
        self, folder: str, wanted: Iterable[tuple[str, list[str]]]
    ) -> Iterator[list[tuple[int, int, int] | None]]:
        """Yield the stamps (see ``Entry``) of files with some names in folders of one folder.

        None for what is not there or not a plain file. Takes a moment for many thousands.
        """
        with self._at(split_path(folder)) as descriptor:
            for inner, names in wanted:
                yield openat.read_stamps(descriptor, inner, names)

    def exists(self, path: str) -> bool:
        """Whether something is at a path, whatever it is."""
        return self.stat(path) is not None

    def open(self, path: str) -> BinaryIO:
        """Open a plain file to read."""
        with self._parent(path) as (parent, name):
            try:
                descriptor = os.open(name, READ, dir_fd=parent)
            except OSError as error:
                raise explain_error(error, path) from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise special_file(path)
        return os.fdopen(descriptor, "rb")

    def read_bytes(self, path: str, *, limit: int) -> bytes:
        """Return a plain file's content. Raises TooLarge over ``limit`` bytes."""
        with self.open(path) as handle:
            content = handle.read(limit + 1)
        if len(content) > limit:
            raise TooLarge("too_large.file", path=path, limit=limit)
        return content

    def read_beginnings(
        self, folder: str, inner: Iterable[str], name: str, *, size: int
    ) -> dict[str, bytes]:
        """Return the first bytes of the file ``name`` in folders of one folder, by folder.

        What is not there, or not a plain file, is left out.
        """
        try:
            with self._at(split_path(folder)) as descriptor:
                found = {
                    each: openat.read_beginning(descriptor, each, name, size) for each in inner
                }
        except (FileNotFoundError, NotADirectoryError):
            return {}
        return {each: content for each, content in found.items() if content is not None}

    def write(
        self, path: str, chunks: Iterable[bytes], mode: int = FILE_MODE, *, sync: bool = True
    ) -> int:
        """Write a whole file, or leave what is there; return its size. Parents are made.

        A plain file or a link with this name is replaced (the link itself, not its target).
        """
        parts = split_path(path)
        self.make_folder("/".join(parts[:-1]))
        with self._at(parts[:-1]) as parent:
            return openat.write_file(parent, parts[-1], chunks, mode, sync=sync)

    def make_folder(self, path: str) -> None:
        """Make a folder and its parents, unless they are there."""
        descriptor = os.dup(self._descriptor)
        try:
            for part in split_path(path):
                with suppress(FileExistsError):
                    os.mkdir(part, FOLDER_MODE, dir_fd=descriptor)
                descriptor = open_inner(descriptor, part, path)
        finally:
            os.close(descriptor)

    def rename(self, old: str, new: str) -> None:
        """Move something; its new parent is made. Raises FileExistsError rather than replace."""
        self._move(old, new, _NO_REPLACE)

    def swap(self, one: str, other: str) -> None:
        """Exchange two things at one moment. Raises OSError where the file system cannot."""
        self._move(one, other, _EXCHANGE)

    def remove(self, path: str) -> None:
        """Remove a file, a link itself, or a folder with all that is in it, if it is there.

        A folder goes at one moment: it is moved to the staging folder, and emptied there.
        """
        found = self.stat(path)
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
            with self._at(split_path(place)) as descriptor:
                openat.remove_folder(descriptor, name.rpartition("/")[2], path)
        except FileNotFoundError:
            return
        except PermissionError as error:
            raise special_file(path) from error

    def remove_if_empty(self, path: str) -> None:
        """Remove a folder, unless something is in it."""
        with suppress(FileNotFoundError), self._parent(path) as (parent, name):
            try:
                os.rmdir(name, dir_fd=parent)
            except OSError as error:
                if error.errno not in {errno.ENOTEMPTY, errno.ENOTDIR, errno.EEXIST}:
                    raise

    def may_move(self, path: str) -> bool:
        """Whether the system lets Kore move something; True for what is not there.

        A folder's entry ``..`` changes when it moves (rename(2)), so Kore must write to it.
        """
        found = self.stat(path)
        if found is None or not found.is_dir:
            return True
        with self._at(split_path(path)) as descriptor:
            return os.access(".", os.W_OK | os.X_OK, dir_fd=descriptor)

    def flush(self) -> None:
        """Make everything below durable: syncfs(2)."""
        descriptor = os.open(".", FOLDER, dir_fd=self._descriptor)
        try:
            if _libc.syncfs(descriptor) != 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        finally:
            os.close(descriptor)

    def _move(self, old: str, new: str, flags: int) -> None:
        self.make_folder("/".join(split_path(new)[:-1]))
        with self._parent(old) as (source, name), self._parent(new) as (target, new_name):
            arguments = (source, os.fsencode(name), target, os.fsencode(new_name), flags)
            if _libc.renameat2(*arguments) == 0:
                return
            number = ctypes.get_errno()
            # A file system that cannot do it in one step: nothing else works on a course now.
            if number in {errno.EINVAL, errno.ENOSYS} and flags == _NO_REPLACE:
                if openat.stat_name(target, new_name) is not None:
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
                descriptor = open_inner(descriptor, part, "/".join(parts))
            folder = os.open(".", FOLDER, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        try:
            yield folder
        finally:
            os.close(folder)

    @contextmanager
    def _parent(self, path: str) -> Iterator[tuple[int, str]]:
        parts = split_path(path)
        if not parts:
            raise ValueError("the root itself")
        with self._at(parts[:-1]) as descriptor:
            yield descriptor, parts[-1]
