"""The mapped file that the arrays of requests and replies lie in, and other files without names."""

from __future__ import annotations

import errno
import mmap
import os
import sys
import tempfile
import weakref
from typing import Any, List, Tuple

import numpy as np

Array = Any  # np.ndarray; its parameters differ between the versions of NumPy

KEPT = 64 << 20  # bytes of the mapped file that stay in memory between calls


def _above(descriptor: int) -> int:
    """A descriptor of the same that is none of the standard streams', which may be closed."""
    if descriptor > 2 or sys.platform == "win32":
        return descriptor
    import fcntl

    try:
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)
    finally:
        os.close(descriptor)


def pipe() -> Tuple[int, int]:
    reader, writer = os.pipe()
    return _above(reader), _above(writer)


def nameless() -> Any:
    """A file that has no name anywhere: nothing of it can be left behind."""
    if sys.platform == "linux" and hasattr(os, "memfd_create"):
        try:
            descriptor = os.memfd_create("barrow", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        except OSError:
            pass  # a kernel, or a sandbox, without
        else:
            return os.fdopen(_above(descriptor), "w+b", 0)
    file = tempfile.TemporaryFile("w+b", 0, prefix="barrow-")
    if file.fileno() > 2 or sys.platform == "win32":
        return file
    with file:
        return os.fdopen(_above(os.dup(file.fileno())), "w+b", 0)


class Room:
    """Memory for large results, used again once nobody has the arrays in it any more.

    Fresh memory costs several times what the copy into it does: the system clears each page
    when it is first touched. The caller holds the lock of the process.
    """

    LEAST, MOST, BYTES = 1 << 16, 6, 8 << 20  # bytes worth the trouble; pieces, and bytes of all, that are kept

    def __init__(self) -> None:
        # Each with the array that was handed out last, which all views of it keep: no view knows
        # the memory itself, as it is no array.
        self._pieces: List[Tuple[bytearray, weakref.ref[Any]]] = []

    def copy(self, view: Array) -> Array:
        size = view.nbytes
        if size < self.LEAST or size > self.BYTES:
            return view.copy()
        at = next((k for k, (piece, array) in enumerate(self._pieces) if len(piece) == size and array() is None), -1)
        piece = self._pieces.pop(at)[0] if at >= 0 else bytearray(size)
        array: Array = np.ndarray(view.shape, view.dtype, piece)
        array[...] = view
        kept = [(piece, weakref.ref(array)), *self._pieces[: self.MOST - 1]]
        while sum(len(one) for one, _ in kept) > self.BYTES:
            kept.pop()
        self._pieces = kept
        return array


class Arena:
    """The mapped file. The worker may make it longer, too; nobody makes it shorter."""

    def __init__(self) -> None:
        self._file = nameless()
        self.descriptor: int = self._file.fileno()
        self.size = 0
        self.used = 0  # bytes that the last request and its reply reach to
        self.reach(1 << 20)

    def reach(self, size: int) -> None:
        """Make the file, and the mapping of it, at least this long."""
        if size <= self.size:
            return
        now = os.fstat(self.descriptor).st_size
        if now < size:
            now = max(now, 1 << 20)
            while now < size:
                now *= 2
            try:
                os.ftruncate(self.descriptor, now)
            except OSError as e:
                limit = "; ulimit -f bounds it" if e.errno == errno.EFBIG else ""
                raise OSError(
                    e.errno, f"barrow: {now} bytes of the file that is shared with the worker: {e.strerror}{limit}"
                ) from e
        # What lay in the old mapping lies in the new one, too; whoever has views of the
        # old one may go on with them.
        self.map = mmap.mmap(self.descriptor, now)
        self.size = now

    def view(self, offset: int, shape: Tuple[int, ...], dtype: Any) -> Array:
        return np.ndarray(shape, dtype, self.map, offset)

    def trim(self) -> None:
        """Give memory back that only a large request needs."""
        if sys.platform == "linux" and self.used > KEPT:
            try:
                self.map.madvise(mmap.MADV_REMOVE, KEPT, self.size - KEPT)
            except OSError:
                pass  # not every file system can
        self.used = 0

    def close(self) -> None:
        self._file.close()
