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
import math
import os
import sys
import threading
import time
from collections import deque
from typing import Any, Callable, Deque, Dict, List, Mapping, Optional, Tuple, TypeVar

import numpy as np

from ._arena import Array
from ._chunks import chunks
from ._errors import WorkerError
from ._frames import CALL, CLOSE, OPEN, Arrays, Out, Plan, Reply, lay_out
from ._process import Gone, Worker

__all__ = ["Object", "Reply", "call", "chunks"]

# The worker of this process


class _State:
    """What a process has; a child of fork begins with an empty one."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.lock = threading.RLock()
        self.worker: Optional[Worker] = None
        self.starting: Optional[_Start] = None
        self.registered = False
        self.closing: Deque[Tuple[int, int]] = deque()  # objects that nobody has any more


class _Start:
    """Starts a worker on a thread of its own, which no signal handler interrupts.

    Threads and events of the module threading can be left in disorder by a handler that
    raises; what is used of it here cannot.
    """

    def __init__(self) -> None:
        self.worker: Optional[Worker] = None
        self.error: Optional[BaseException] = None
        self.done = False
        try:
            _thread.start_new_thread(self._run, ())
        except RuntimeError:  # the interpreter is about to end and starts no more threads
            self._run()

    def _run(self) -> None:
        try:
            self.worker = Worker()
        except BaseException as e:
            self.error = e
        finally:
            self.done = True

    def result(self, seconds: float = math.inf) -> Worker:
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


def _current(state: _State) -> Worker:
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


def _close_objects(state: _State, worker: Worker) -> None:
    """Close what nobody has any more: whatever the worker says to that is nobody's error."""
    while state.closing and not worker.busy:
        number, handle = thing = state.closing[0]
        try:
            if number == worker.number:
                worker.request(CLOSE, handle, "")
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
        The recipe. Arrays are copied, unless they are read-only.
    of : Object, optional
        What it is opened on.
    """

    def __init__(
        self,
        kind: str,
        params: Optional[Mapping[str, Any]] = None,
        arrays: Optional[Mapping[str, Array]] = None,
        of: Optional[Object] = None,
    ) -> None:
        kept = {key: np.array(value) if value.flags.writeable else value for key, value in (arrays or {}).items()}
        self._recipe = (kind, dict(params or {}), kept, of)
        self._number = 0  # of the worker that it is open in
        self._handle = 0
        self._plans: Dict[Any, Plan] = {}

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

    def _ready(self, worker: Worker) -> None:
        if self._number != worker.number:
            kind, params, arrays, of = self._recipe
            self._plans.clear()
            on = 0
            if of is not None:
                of._ready(worker)
                on = of._handle
            self._handle, _ = worker.request(OPEN, on, kind, params, arrays)
            self._number = worker.number

    def _call(
        self,
        worker: Worker,
        method: str,
        params: Optional[Mapping[str, Any]],
        arrays: Optional[Arrays],
        out: Optional[Out],
        row: int,
    ) -> Reply:
        if self._number != worker.number:
            self._ready(worker)
        if params is not None:
            return worker.request(CALL, self._handle, method, params, arrays, out, row)[1]
        # The same call as before with other numbers has the same frame and the same places.
        key: List[Any] = [method]
        sources: List[Array] = []
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
            plan, sources = lay_out(worker.arena, CALL, self._handle, method, params, arrays, out)
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


def call(
    method: str, params: Optional[Mapping[str, Any]] = None, arrays: Optional[Arrays] = None, row: int = 0
) -> Reply:
    """Call a function of the worker that belongs to no object."""
    state = _here()
    with state.lock:
        return _retry(state, _function, method, params, arrays, row)


def _function(
    worker: Worker, method: str, params: Optional[Mapping[str, Any]], arrays: Optional[Arrays], row: int
) -> Reply:
    return worker.request(CALL, 0, method, params, arrays, None, row)[1]


_T = TypeVar("_T")


def _retry(state: _State, what: Callable[..., _T], *arguments: Any) -> _T:
    """Do it with the worker; with a new one where it was gone before it knew of it."""
    worker = _current(state)
    try:
        return what(worker, *arguments)
    except Gone:
        worker = _current(state)
        return what(worker, *arguments)
    finally:
        if worker is not state.worker and not worker.closed:
            worker.kill()  # a signal handler has called in between, and has started another
