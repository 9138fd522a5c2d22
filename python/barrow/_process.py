"""A worker's life: how the program is started, asked and ended."""

from __future__ import annotations

import errno
import itertools
import os
import select
import signal
import struct
import subprocess
import sys
import time
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

from ._arena import KEPT, Arena, Array, nameless, pipe
from ._errors import WorkerError
from ._frames import HELLO, LONGEST, REPLY, Arrays, Out, Plan, Reply, lay_out, take
from ._program import program

PATIENCE = 30.0  # seconds that a program has to greet


class Lookout:
    """Looks out for replies that come soon, as to small requests, before it sleeps.

    On an idle machine the system takes longer to wake a process, and the processor under
    it, than a small request takes altogether. The worker does the same for requests.
    Each time that it is in vain, as where requests are large or others need the processors,
    it is left off for twice as many calls.
    """

    ATTENTION = 50e-6  # seconds, at most
    REST = 127  # calls without, at most

    def __init__(self, poll: Callable[[int], List[Any]]) -> None:
        self._poll = poll
        self._vain = 0  # calls to leave off after one in vain
        self._rest = 0

    def wait(self) -> None:
        if self._rest:
            self._rest -= 1
            return
        end = time.perf_counter() + self.ATTENTION
        while not self._poll(0):
            if time.perf_counter() > end:
                self._rest = self._vain
                self._vain = min(2 * self._vain + 1, self.REST)
                return
        self._vain //= 4


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_numbers = itertools.count(1)
_WORD = struct.Struct("<Q")


class Worker:
    """A process of the program, with the pipes and the mapped file that lead to it."""

    def __init__(self) -> None:
        self.number = next(_numbers)
        self.pid = os.getpid()
        self.busy = False  # between a request and the end of its reply
        self.greeted = False
        self.lookout: Optional[Lookout] = None
        self.id = 0
        self.closed = True  # nothing to end yet
        self.input = self.output = -1
        self.process: Optional[subprocess.Popen[bytes]] = None
        self.errors: Any = None
        self.arena = Arena()
        self.closed = False
        try:
            self._start()
        except BaseException:
            self.kill()
            raise

    def _start(self) -> None:
        self.errors = nameless()  # not a pipe, which could fill up and hold the worker
        theirs, self.input = pipe()
        try:
            self.output, theirs_too = pipe()
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

        self.request(HELLO, 0, "", {"client": f"{client} (Python)", "descriptor": descriptor, "pid": self.pid})
        self.greeted = True
        if sys.platform != "win32" and _processors() > 1:
            poll = select.poll()
            poll.register(self.output, select.POLLIN)
            self.lookout = Lookout(poll.poll)

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
        plan, sources = lay_out(self.arena, kind, handle, name, params, arrays, out)
        return self.carry_out(plan, sources, row)

    def carry_out(self, plan: Plan, sources: List[Array], row: int = 0) -> Tuple[int, Reply]:
        """Send a request and take its reply; anything in between ends the worker."""
        self.busy = True
        try:
            for view, source in zip(plan.inputs, sources):
                view[...] = source
            self.id += 1
            _WORD.pack_into(plan.frame, 8, self.id)
            _WORD.pack_into(plan.frame, 24, row)
            handle, reply, error = self._exchange(plan)
        except BaseException:
            self.kill()
            raise
        if plan.end > KEPT or self.arena.used:
            self.arena.used = max(self.arena.used, plan.end)
            self.arena.trim()
        self.busy = False
        if error is not None:
            raise error
        return handle, reply

    def _exchange(self, plan: Plan) -> Tuple[int, Reply, Optional[Exception]]:
        frame: Any = plan.frame
        try:
            sent = os.write(self.input, frame)
            while sent < len(frame):
                frame = memoryview(frame)[sent:]
                sent = os.write(self.input, frame)
        except BrokenPipeError:
            raise Gone(self._ended("before a request")) from None
        except OSError as e:
            if e.errno == errno.EINVAL and sys.platform == "win32":
                raise Gone(self._ended("before a request")) from None
            raise
        return take(self.arena, plan, self.id, self._receive())

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
                if length < REPLY.size or length > 4 + LONGEST and not self.greeted:
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
                    if waited > PATIENCE and not self.greeted:
                        raise self._silent()
            except BrokenPipeError:
                pass  # reading says so
        elif not self.greeted:
            poll = select.poll()
            poll.register(self.output, select.POLLIN)
            if not poll.poll(PATIENCE * 1000):
                raise self._silent()

    def _silent(self) -> WorkerError:
        said = self._said()
        return WorkerError(
            f"barrow: {self.path}, started as a worker, has not answered for {PATIENCE:g} s: is it the program barrow?"
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


class Gone(WorkerError):
    """The worker was gone before the request could be sent."""
