"""The worker: a process of the program ``barrow worker`` that does the work.

There is one a process, started with the first call. Requests and replies are frames on
two pipes, arrays lie in a file that both sides have mapped (docs/worker.md has the
protocol). What the other modules use is :class:`Object`, :func:`call` and
:func:`chunks`.

Threads take turns: one lock a process. A child of ``fork`` forgets the worker that it
inherits and starts its own. Whatever interrupts a call (Ctrl-C) ends the worker with it,
so that no reply is ever taken for another's; the next call starts a new one, and objects
are opened again there.
"""

from __future__ import annotations

import _thread
import atexit
import errno
import itertools
import json
import math
import mmap
import os
import select
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from typing import Any, Callable, Deque, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple, TypeVar, Union

import numpy as np

from ._errors import EMDError, WorkerError
from ._program import program

__all__ = ["Object", "Reply", "call", "chunks"]

PROTOCOL = 1

_Array = Any  # np.ndarray; its parameters differ between the versions of NumPy
#: Arrays of a request. A pair of an array and a type ("f8") is converted on its way.
Arrays = Mapping[str, Union[_Array, Tuple[_Array, str]]]
#: Results whose shape and type ("f8") are known beforehand.
Out = Mapping[str, Tuple[Tuple[int, ...], str]]

_HELLO, _OPEN, _CALL, _CLOSE = 1, 2, 3, 4
_REQUEST = struct.Struct("<IHHQQQIHBB")
_REPLY = struct.Struct("<IHHQQQIHH")
_ENTRY = struct.Struct("<QBBHI")
_LONGEST = 16 << 20
_ALIGNMENT = 64
_KEPT = 64 << 20  # bytes of the mapped file that stay in memory between calls
_PATIENCE = 30.0  # seconds that a program has to greet

_DTYPES = {1: "f8", 2: "f4", 3: "i8", 4: "i4", 5: "u1", 6: "u2", 7: "u4", 8: "u8"}
_CODES = {np.dtype(name): code for code, name in _DTYPES.items()}


class Reply(NamedTuple):
    """What a call returned; the arrays are the caller's own."""

    params: Dict[str, Any]
    arrays: Dict[str, _Array]


def _above(descriptor: int) -> int:
    """A descriptor of the same that is none of the standard streams', which may be closed."""
    if descriptor > 2 or sys.platform == "win32":
        return descriptor
    import fcntl

    try:
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)
    finally:
        os.close(descriptor)


def _pipe() -> Tuple[int, int]:
    reader, writer = os.pipe()
    return _above(reader), _above(writer)


def _nameless() -> Any:
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


class _Arena:
    """The mapped file. The worker may make it longer, too; nobody makes it shorter."""

    def __init__(self) -> None:
        self._file = _nameless()
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
                raise OSError(e.errno, f"barrow: {now} bytes of the file that is shared with the worker: {e.strerror}{limit}") from e
        # What lay in the old mapping lies in the new one, too; whoever has views of the
        # old one may go on with them.
        self.map = mmap.mmap(self.descriptor, now)
        self.size = now

    def view(self, offset: int, shape: Tuple[int, ...], dtype: Any) -> _Array:
        return np.ndarray(shape, dtype, self.map, offset)

    def trim(self) -> None:
        """Give memory back that only a large request needs."""
        if sys.platform == "linux" and self.used > _KEPT:
            try:
                self.map.madvise(mmap.MADV_REMOVE, _KEPT, self.size - _KEPT)
            except OSError:
                pass  # not every file system can
        self.used = 0

    def close(self) -> None:
        self._file.close()


class _Plan:
    """A request as bytes, with the views that its arrays go through."""

    __slots__ = ("frame", "inputs", "outputs", "end")

    def __init__(
        self, frame: bytearray, inputs: List[_Array], outputs: List[Tuple[str, _Array]], end: int
    ) -> None:
        self.frame = frame
        self.end = end
        self.inputs = inputs
        self.outputs = outputs


class _Lookout:
    """Looks out for replies that come soon, as to small requests, before it sleeps.

    On an idle machine the system takes longer to wake a process, and the processor under
    it, than a small request takes altogether. The worker does the same for requests.
    """

    ATTENTION = 50e-6  # seconds, at most
    REST = 100  # calls: after looking out in vain, as where others need the processors

    def __init__(self, descriptor: int) -> None:
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)
        self._rest = 0

    def wait(self) -> None:
        if self._rest:
            self._rest -= 1
        else:
            end = time.perf_counter() + self.ATTENTION
            while not self._poll.poll(0):
                if time.perf_counter() > end:
                    self._rest = self.REST
                    break


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_numbers = itertools.count(1)


class _Worker:
    """A process of the program, with the pipes and the mapped file that lead to it."""

    def __init__(self) -> None:
        self.number = next(_numbers)
        self.pid = os.getpid()
        self.busy = False  # between a request and the end of its reply
        self.greeted = False
        self.lookout: Optional[_Lookout] = None
        self.id = 0
        self.closed = True  # nothing to end yet
        self.input = self.output = -1
        self.process: Optional[subprocess.Popen[bytes]] = None
        self.errors: Any = None
        self.arena = _Arena()
        self.closed = False
        try:
            self._start()
        except BaseException:
            self.kill()
            raise

    def _start(self) -> None:
        self.errors = _nameless()  # not a pipe, which could fill up and hold the worker
        theirs, self.input = _pipe()
        try:
            self.output, theirs_too = _pipe()
            try:
                options: Dict[str, Any] = {}
                descriptor = self.arena.descriptor
                if sys.platform == "win32":
                    import msvcrt

                    descriptor = msvcrt.get_osfhandle(descriptor)
                    os.set_handle_inheritable(descriptor, True)
                    info = subprocess.STARTUPINFO()
                    info.lpAttributeList = {"handle_list": [descriptor]}
                    options["startupinfo"] = info
                    options["creationflags"] = subprocess.CREATE_NO_WINDOW
                else:
                    options["pass_fds"] = (descriptor,)
                    options["start_new_session"] = True  # Ctrl-C is for Python
                self.path = program()
                try:
                    self.process = subprocess.Popen(
                        [self.path, "worker"], stdin=theirs, stdout=theirs_too, stderr=self.errors, **options
                    )
                except OSError as e:
                    raise WorkerError(f"barrow: the program {self.path} does not start: {e}") from e
            finally:
                os.close(theirs_too)
        finally:
            os.close(theirs)
        from . import __name__ as client

        self.request(_HELLO, 0, "", {"client": f"{client} (Python)", "descriptor": descriptor})
        self.greeted = True
        if sys.platform != "win32" and _processors() > 1:
            self.lookout = _Lookout(self.output)

    # Requests

    def request(
        self,
        kind: int,
        handle: int,
        name: str,
        params: Optional[Mapping[str, Any]] = None,
        arrays: Optional[Arrays] = None,
        out: Optional[Out] = None,
        row: int = 0,
    ) -> Tuple[int, Reply]:
        plan, sources = self.plan(kind, handle, name, params, arrays, out)
        return self.carry_out(plan, sources, row)

    def plan(
        self,
        kind: int,
        handle: int,
        name: str,
        params: Optional[Mapping[str, Any]],
        arrays: Optional[Arrays],
        out: Optional[Out],
    ) -> Tuple[_Plan, List[_Array]]:
        """Lay a request out."""
        text = b"" if params is None else json.dumps(params, allow_nan=False, default=_plain).encode()
        table = bytearray()
        places: List[Tuple[int, Tuple[int, ...], Any]] = []
        sources: List[_Array] = []
        end = 0
        wanted = [(key, shape, np.dtype(dtype)) for key, (shape, dtype) in (out or {}).items()]
        given: List[Tuple[str, Tuple[int, ...], Any]] = []
        for key, value in (arrays or {}).items():
            array, dtype = value if isinstance(value, tuple) else (value, value.dtype)
            sources.append(array)
            given.append((key, array.shape, _wire(np.dtype(dtype), key)))
        for key, shape, dtype in given + wanted:
            count = 1
            for d in shape:
                count *= d
            bytes_ = key.encode()
            table += _ENTRY.pack(end, _CODES[dtype], len(shape), len(bytes_), 0)
            table += struct.pack(f"<{len(shape)}Q", *shape)
            table += bytes_
            places.append((end, tuple(shape), dtype))
            end += -(-count * dtype.itemsize // _ALIGNMENT) * _ALIGNMENT
        if len(given) > 255 or len(wanted) > 255:
            raise ValueError(f"barrow: {len(given)} arrays and {len(wanted)} results in a call: there may be 255 of each")
        self.arena.reach(end)
        views = [self.arena.view(*place) for place in places]
        method = name.encode()
        length = _REQUEST.size - 4 + len(method) + len(table) + len(text)
        if length > _LONGEST:
            raise ValueError(f"barrow: {len(text)} bytes of parameters: a request may have {_LONGEST}")
        head = _REQUEST.pack(
            length, kind, PROTOCOL, 0, handle, 0, len(text), len(method), len(given), len(wanted)
        )
        frame = bytearray(head + method + table + text)
        outputs = [(key, view) for (key, _, _), view in zip(wanted, views[len(given) :])]
        return _Plan(frame, views[: len(given)], outputs, end), sources

    def carry_out(self, plan: _Plan, sources: List[_Array], row: int = 0) -> Tuple[int, Reply]:
        """Send a request and take its reply; anything in between ends the worker."""
        self.busy = True
        try:
            for view, source in zip(plan.inputs, sources):
                view[...] = source
            self.id += 1
            struct.pack_into("<Q", plan.frame, 8, self.id)
            struct.pack_into("<Q", plan.frame, 24, row)
            handle, reply, error = self._exchange(plan)
        except BaseException:
            self.kill()
            raise
        if plan.end > _KEPT or self.arena.used:
            self.arena.used = max(self.arena.used, plan.end)
            self.arena.trim()
        self.busy = False
        if error is not None:
            raise error
        return handle, reply

    def _exchange(self, plan: _Plan) -> Tuple[int, Reply, Optional[Exception]]:
        frame: Any = plan.frame
        try:
            sent = os.write(self.input, frame)
            while sent < len(frame):
                frame = memoryview(frame)[sent:]
                sent = os.write(self.input, frame)
        except BrokenPipeError:
            raise _Gone(self._ended("before a request")) from None
        except OSError as e:
            if e.errno == errno.EINVAL and sys.platform == "win32":
                raise _Gone(self._ended("before a request")) from None
            raise
        data = self._receive()
        _, status, protocol, id_, size, handle, params, count, _ = _REPLY.unpack_from(data)
        if protocol != PROTOCOL and status == 0 or id_ != self.id:
            raise WorkerError("barrow: the worker's reply is none to this request")
        at = _REPLY.size
        arrays = {key: view.copy() for key, view in plan.outputs} if status == 0 else {}
        if count:
            self.arena.reach(size)
            for _ in range(count):
                offset, code, rank, named, _ = _ENTRY.unpack_from(data, at)
                at += _ENTRY.size
                shape = struct.unpack_from(f"<{rank}Q", data, at)
                at += 8 * rank
                key = data[at : at + named].decode()
                at += named
                view = self.arena.view(offset, shape, _DTYPES[code])
                self.arena.used = max(self.arena.used, offset + view.nbytes)
                arrays[key] = view.copy()
        answer: Dict[str, Any] = json.loads(data[at : at + params]) if params else {}
        return handle, Reply({} if status else answer, arrays), _error(answer) if status else None

    def _receive(self) -> bytes:
        if self.lookout is not None:
            self.lookout.wait()
        data = b""
        length = 4
        while len(data) < length:
            self._wait_for_reply()
            more = os.read(self.output, 1 << 16 if length == 4 else 1 << 20)
            if not more:
                raise WorkerError(self._ended("during a request"))
            data += more
            if length == 4 and len(data) >= 4:
                length += int.from_bytes(data[:4], "little")
                if length < _REPLY.size or length > 4 + _LONGEST and not self.greeted:
                    raise WorkerError(f"barrow: what {self.path} answers is no reply of `barrow worker`")
        return data

    def _wait_for_reply(self) -> None:
        """Wait until there is something to read, where the read may not simply wait for it."""
        if sys.platform == "win32":  # no Ctrl-C gets through to a read that waits
            import _winapi
            import msvcrt

            handle = msvcrt.get_osfhandle(self.output)
            start = time.perf_counter()
            try:
                while not _winapi.PeekNamedPipe(handle, 0)[0]:
                    waited = time.perf_counter() - start
                    if waited > 0.002:  # sleeping takes a millisecond at least
                        time.sleep(0.001)
                    if waited > _PATIENCE and not self.greeted:
                        raise self._silent()
            except BrokenPipeError:
                pass  # reading says so
        elif not self.greeted:
            poll = select.poll()
            poll.register(self.output, select.POLLIN)
            if not poll.poll(_PATIENCE * 1000):
                raise self._silent()

    def _silent(self) -> WorkerError:
        said = self._said()
        return WorkerError(
            f"barrow: {self.path}, started as a worker, has not answered for {_PATIENCE:g} s: is it the program barrow?"
            + (f" It said:\n{said}" if said else "")
        )

    # The end

    def _ended(self, when: str) -> str:
        """What is known of a worker that ended by itself."""
        assert self.process is not None
        status = self._wait(5)
        message = f"barrow: the worker ended {when}"
        if status is not None:
            message += f", killed by signal {-status}" if status < 0 else f", with status {status}"
        said = self._said()
        return message + (f"; its last words:\n{said}" if said else "")

    def _said(self) -> str:
        """What it wrote on standard error: the beginning, where a crash says why, and the end."""
        size = self.errors.seek(0, os.SEEK_END)
        self.errors.seek(0)
        lines = self.errors.read(8192).decode("utf-8", "replace").strip().splitlines()
        if size > 8192:
            self.errors.seek(size - 4096)
            lines += self.errors.read(4096).decode("utf-8", "replace").strip().splitlines()
        return "\n".join(lines if len(lines) <= 24 else lines[:16] + ["…"] + lines[-8:])

    def _wait(self, seconds: Optional[float] = None) -> Optional[int]:
        """The process's exit status, once it has one, or None after so many seconds.

        Popen's own wait and kill share a lock, which an interruption can leave locked.
        """
        process = self.process
        assert process is not None
        if sys.platform == "win32":
            try:
                return process.wait(seconds)
            except subprocess.TimeoutExpired:
                return None
        end = None if seconds is None else time.monotonic() + seconds
        while process.returncode is None:
            try:
                pid, status = os.waitpid(process.pid, os.WNOHANG if end else 0)
            except ChildProcessError:
                pid, status = process.pid, 0  # somebody else has waited for it
            if pid:
                process.returncode = os.waitstatus_to_exitcode(status)
            elif end and time.monotonic() > end:
                break
            else:
                time.sleep(0.001)
        return process.returncode

    def kill(self) -> None:
        """End the process at once and give all back."""
        if self.pid != os.getpid():
            self.forget()
            return
        if self.process is not None:
            if sys.platform == "win32":
                self.process.kill()
            elif self.process.returncode is None:
                try:
                    os.kill(self.process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass  # somebody else has waited for it
            self._wait()
        self._close()

    def finish(self) -> None:
        """End the process by the end of its input: it removes what is half written."""
        if self.pid == os.getpid() and self.process is not None and self.input >= 0 and not self.busy:
            descriptor, self.input = self.input, -1
            os.close(descriptor)
            self._wait(1)
        self.kill()

    def forget(self) -> None:
        """Close what a child of fork has inherited; the process is its parent's."""
        if self.process is not None:
            self.process.returncode = 0  # not ours to wait for
        self._close()

    def _close(self) -> None:
        self.busy = True
        # In this order, lest an interruption close a descriptor twice: it may be another's.
        descriptor, self.input = self.input, -1
        if descriptor >= 0:
            os.close(descriptor)
        descriptor, self.output = self.output, -1
        if descriptor >= 0:
            os.close(descriptor)
        self.arena.close()
        if self.errors is not None:
            self.errors.close()
        self.closed = True

    def __del__(self) -> None:
        if not self.closed:
            self.kill()


class _Gone(WorkerError):
    """The worker was gone before the request could be sent."""


def _plain(value: Any) -> Any:
    """NumPy's numbers and arrays among params."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"barrow: a parameter of type {type(value).__name__}")


def _wire(dtype: Any, key: str) -> Any:
    """The type in which an array travels."""
    native = dtype.newbyteorder("=")
    if native == np.dtype(bool):
        native = np.dtype("u1")
    if native not in _CODES:
        raise ValueError(f"barrow: the array {key!r} has elements of type {dtype}")
    return native


def _error(answer: Dict[str, Any]) -> Exception:
    """The exception that a reply stands for."""
    kind, message = answer.get("kind"), str(answer.get("message"))
    if kind == "input":
        return ValueError(message)
    if kind == "emd":
        return EMDError(message, answer.get("row"), answer.get("cell"))
    if kind == "file":
        code = getattr(errno, str(answer.get("code")), None)  # its name in POSIX
        return OSError(message) if code is None else OSError(code, message, answer.get("file"))
    return WorkerError(message + (f"\n{answer['stack']}" if answer.get("stack") else ""))


# The worker of this process


class _State:
    """What a process has; a child of fork begins with an empty one."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.lock = threading.RLock()
        self.worker: Optional[_Worker] = None
        self.starting: Optional[_Start] = None
        self.registered = False
        self.closing: Deque[Tuple[int, int]] = deque()  # objects that nobody has any more


class _Start:
    """Starts a worker on a thread of its own, which no signal handler interrupts.

    Threads and events of the module threading can be left in disorder by a handler that
    raises; what is used of it here cannot.
    """

    def __init__(self) -> None:
        self.worker: Optional[_Worker] = None
        self.error: Optional[BaseException] = None
        self.done = False
        try:
            _thread.start_new_thread(self._run, ())
        except RuntimeError:  # the interpreter is about to end and starts no more threads
            self._run()

    def _run(self) -> None:
        try:
            self.worker = _Worker()
        except BaseException as e:
            self.error = e
        finally:
            self.done = True

    def result(self, seconds: float = math.inf) -> _Worker:
        end = time.monotonic() + seconds
        while not self.done:
            time.sleep(0.0005)
            if time.monotonic() > end:
                raise WorkerError(f"barrow: the worker has not started in {seconds} s")
        if self.error is not None:
            raise self.error
        assert self.worker is not None
        return self.worker


_state = _State()


def _here() -> _State:
    global _state
    if _state.pid != os.getpid():
        _after_fork()
    return _state


def _after_fork() -> None:
    global _state
    inherited, _state = _state, _State()
    starting = inherited.starting
    for worker in (inherited.worker, starting.worker if starting is not None else None):
        if worker is not None:
            worker.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _current(state: _State) -> _Worker:
    """The worker of this process, a new one where there is none; the lock is held."""
    worker = state.worker
    if worker is not None and not worker.busy:
        _close_objects(state, worker)
        if not worker.busy:
            return worker
        # It has ended, which is nothing to the call to come.
    # A busy one was left in the middle of a call, or is in the middle of one that a
    # signal handler has interrupted to come here: that call ends it.
    state.worker = worker = None
    starting = state.starting
    # One that is left over, of a call that was interrupted right here, may have ended since.
    if starting is None or starting.worker is not None and starting.worker.busy:
        state.starting = starting = _Start()
    try:
        worker = starting.result()
    except Exception:
        state.starting = None
        raise
    state.worker = worker
    state.starting = None
    state.closing.clear()
    _register_exit(state)
    return worker


def _close_objects(state: _State, worker: _Worker) -> None:
    """Close what nobody has any more: whatever the worker says to that is nobody's error."""
    while state.closing and not worker.busy:
        number, handle = thing = state.closing[0]
        try:
            if number == worker.number:
                worker.request(_CLOSE, handle, "")
        except Exception:
            pass
        try:
            state.closing.remove(thing)  # not before: an interruption would leave it open
        except ValueError:
            pass  # a signal handler has called in between, and closed it


def _exit() -> None:
    state = _state
    if state.pid != os.getpid():
        return
    starting, state.starting = state.starting, None
    if starting is not None:
        try:
            starting.result(1).finish()
        except WorkerError:
            pass  # it did not start; one that does not answer ends with its input
    if state.worker is not None:
        state.worker.finish()
        state.worker = None


atexit.register(_exit)


def _register_exit(state: _State) -> None:
    """Children of multiprocessing run no atexit functions, but these."""
    util = sys.modules.get("multiprocessing.util")
    if util is not None and not state.registered:
        state.registered = True
        util.Finalize(None, _exit, exitpriority=10)


# What the other modules use


class Object:
    """Something opened in the worker from a recipe.

    It survives ``fork``, pickling and the worker's death: it is opened again from its
    recipe where it is needed. The worker closes it when nobody has it any more.

    Parameters
    ----------
    kind : str
        What it is, in the worker's words.
    params, arrays
        The recipe. Arrays are copied.
    """

    def __init__(
        self, kind: str, params: Optional[Mapping[str, Any]] = None, arrays: Optional[Mapping[str, _Array]] = None
    ) -> None:
        self._recipe = (kind, dict(params or {}), {key: np.array(value) for key, value in (arrays or {}).items()})
        self._number = 0  # of the worker that it is open in
        self._handle = 0
        self._plans: Dict[Any, _Plan] = {}

    def open(self) -> None:
        """Open it now, for the errors in its recipe."""
        state = _here()
        with state.lock:
            _retry(state, self._ready)

    def call(
        self,
        method: str,
        params: Optional[Mapping[str, Any]] = None,
        arrays: Optional[Arrays] = None,
        out: Optional[Out] = None,
        row: int = 0,
    ) -> Reply:
        """Call a method.

        Parameters
        ----------
        method : str
        params : mapping, optional
            What JSON can hold.
        arrays : mapping of arrays, optional
            As they are, or ``(array, "f8")`` to be converted on the way.
        out : mapping of (shape, dtype), optional
            Results whose shape is known: cheaper.
        row : int
            The number of the first row for the user: errors count from it.
        """
        state = _here()
        with state.lock:
            return _retry(state, self._call, method, params, arrays, out, row)

    def _ready(self, worker: _Worker) -> None:
        if self._number != worker.number:
            kind, params, arrays = self._recipe
            self._plans.clear()
            self._handle, _ = worker.request(_OPEN, 0, kind, params, arrays)
            self._number = worker.number

    def _call(
        self,
        worker: _Worker,
        method: str,
        params: Optional[Mapping[str, Any]],
        arrays: Optional[Arrays],
        out: Optional[Out],
        row: int,
    ) -> Reply:
        if self._number != worker.number:
            self._ready(worker)
        if params is not None:
            return worker.request(_CALL, self._handle, method, params, arrays, out, row)[1]
        # The same call as before with other numbers has the same frame and the same places.
        key: List[Any] = [method]
        sources: List[_Array] = []
        for name, value in (arrays or {}).items():
            if isinstance(value, tuple):
                sources.append(value[0])
                key += (name, value[0].shape, value[1])
            else:
                sources.append(value)
                key += (name, value.shape, value.dtype.char)
        if out:
            key += out.items()
        plan = self._plans.get(tuple(key))
        if plan is None:
            plan, sources = worker.plan(_CALL, self._handle, method, params, arrays, out)
            if len(self._plans) >= 16:
                self._plans.clear()
            self._plans[tuple(key)] = plan
        return worker.carry_out(plan, sources, row)[1]

    def __reduce__(self) -> Tuple[Any, ...]:
        return (Object, self._recipe)

    def __del__(self) -> None:
        try:
            if self._handle:
                _state.closing.append((self._number, self._handle))
        except (AttributeError, TypeError):
            pass  # the interpreter is ending, or __init__ failed


def call(method: str, params: Optional[Mapping[str, Any]] = None, arrays: Optional[Arrays] = None, row: int = 0) -> Reply:
    """Call a function of the worker that belongs to no object."""
    state = _here()
    with state.lock:
        return _retry(state, _function, method, params, arrays, row)


def _function(
    worker: _Worker, method: str, params: Optional[Mapping[str, Any]], arrays: Optional[Arrays], row: int
) -> Reply:
    return worker.request(_CALL, 0, method, params, arrays, None, row)[1]


_T = TypeVar("_T")


def _retry(state: _State, what: Callable[..., _T], *arguments: Any) -> _T:
    """Do it with the worker; with a new one where it was gone before it knew of it."""
    worker = _current(state)
    try:
        return what(worker, *arguments)
    except _Gone:
        worker = _current(state)
        return what(worker, *arguments)
    finally:
        if worker is not state.worker and not worker.closed:
            worker.kill()  # a signal handler has called in between, and has started another


def chunks(n: int, bytes_a_row: int, title: str = "", limit: int = 32 << 20) -> Iterator[slice]:
    """Slices that cut n rows into parts of at most some 32 MB (at least one row each).

    Where there are several, they come with a progress bar if tqdm is installed and the
    work takes more than a second. Without rows there is one empty slice.
    """
    step = max(1, limit // max(1, bytes_a_row))
    parts = [slice(i, min(i + step, n)) for i in range(0, n, step)] or [slice(0, 0)]
    if len(parts) == 1:
        return iter(parts)
    return _progress(parts, title)


def _progress(parts: List[slice], title: str) -> Iterator[slice]:
    try:
        from tqdm.auto import tqdm  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        yield from parts
        return
    quiet = None if "ipykernel" not in sys.modules else False  # None: where nobody watches
    with tqdm(total=parts[-1].stop, desc=title or None, unit="row", unit_scale=True, delay=1, leave=False, disable=quiet) as bar:
        for part in parts:
            yield part
            bar.update(part.stop - part.start)
