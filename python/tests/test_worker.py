"""The worker: what must hold whatever happens to either process.

BARROW_KILLS is how often something is killed or interrupted at random (20).
"""

from __future__ import annotations

import concurrent.futures
import gc
import multiprocessing
import os
import pickle
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any, Callable, Dict, Iterator, List, Set, Tuple

import numpy as np
import pytest

import barrow
from barrow import _frames, _worker
from barrow._program import program

KILLS = int(os.environ.get("BARROW_KILLS", "20"))

if sys.platform == "win32":
    pytest.skip("processes are looked at by the ways of Unix", allow_module_level=True)
try:
    program()
except barrow.WorkerError as e:
    pytest.skip(str(e), allow_module_level=True)


def worker_pid() -> int:
    """The process of this process's worker, which is started."""
    _worker.call("version")
    worker = _worker._state.worker
    assert worker is not None and worker.process is not None
    return worker.process.pid


def processes() -> Dict[int, Tuple[int, str, str]]:
    """All processes: parent, state and command line."""
    found = {}
    for line in subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,state=,args="], check=True, capture_output=True, text=True
    ).stdout.splitlines():
        pid, parent, state, *command = line.split(None, 3)
        found[int(pid)] = (int(parent), state, command[0] if command else "")
    return found


def until(what: Any, seconds: float = 60.0) -> bool:
    """Wait for something to be so; the limit is for machines with much else to do."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody waits for any more has, too."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            # The first thread is a zombie before the others have let go of the pipes.
            return f.read().rsplit(")", 1)[1].split()[0] == "Z" and len(os.listdir(f"/proc/{pid}/task")) == 1
    except OSError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def when_asked(do: Callable[[], None]) -> None:
    """Do something once the worker has been sent a request, before its reply is read."""
    worker = _worker._state.worker
    assert worker is not None
    receive = worker._receive

    def asked() -> bytes:
        setattr(worker, "_receive", receive)
        do()
        return receive()

    setattr(worker, "_receive", asked)


def children_that_are_zombies() -> List[int]:
    return [pid for pid, (parent, state, _) in processes().items() if parent == os.getpid() and state == "Z"]


def temporary() -> Set[str]:
    """Files of the package's in shared memory and the temporary folder."""
    return {
        os.path.join(folder, name)
        for folder in ("/dev/shm", tempfile.gettempdir())
        if os.path.isdir(folder)
        for name in os.listdir(folder)
        if name.startswith("barrow-") or folder == "/dev/shm" and "barrow" in name
    }


@pytest.fixture(autouse=True)
def tidy() -> Iterator[None]:
    """Whatever a test did, nothing is left of it."""
    files = temporary()
    yield
    gc.collect()
    assert temporary() <= files
    _worker.call("version")  # waits for one that was killed, and starts another
    assert not children_that_are_zombies()


def right(n: int = 48) -> None:
    """A call whose answer can be told from any other's."""
    a = np.random.default_rng().random(n)
    answer = _worker.call("echo", {"n": n}, {"a": a})
    assert answer.params == {"n": n}
    assert (answer.arrays["a"] == a).all()


# Calls


def test_echo() -> None:
    given = {
        "strided": np.arange(10, dtype="f4")[::3],
        "big endian": np.arange(6, dtype=">f8").reshape(2, 3),
        "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "backwards": np.arange(5, dtype="i8")[::-1],
        "empty": np.zeros((0, 3)),
        "scalar": np.array(2.5),
        "bool": np.array([True, False]),
        "u2": np.arange(3, dtype="u2"),
    }
    reply = _worker.call("echo", {"x": [1, "ä", None]}, {**given, "converted": (np.arange(4), "f8")})
    assert reply.params == {"x": [1, "ä", None]}
    for name, a in given.items():
        b = reply.arrays[name]
        assert b.shape == a.shape and (b == a).all(), name
        assert b.dtype == (a.dtype.newbyteorder("=") if a.dtype != bool else np.uint8)
        assert b.flags.owndata and b.flags.writeable, "the array is the caller's own"
    assert reply.arrays["converted"].dtype == np.float64


def test_known_results() -> None:
    o = _worker.Object("echo")
    for n in (3, 4, 3, 300_000, 3):
        for _ in range(3):
            a, b = np.random.rand(n), np.random.rand(n).astype("f4")
            r = o.call("echo", None, {"a": a, "b": (b, "f8")}, {"a": ((n,), "f8"), "b": ((n,), "f8")})
            assert (r.arrays["a"] == a).all() and (r.arrays["b"] == b).all()
    with pytest.raises(ValueError, match=r"\[4\].*\[3\]"):
        o.call("echo", None, {"a": np.zeros(3)}, {"a": ((4,), "f8")})
    with pytest.raises(ValueError, match='no result "c"'):
        o.call("echo", None, {"a": np.zeros(3)}, {"c": ((4,), "f8")})


def test_large() -> None:
    a = np.random.rand(10_000_000)  # 80 MB each way
    assert (_worker.call("echo", None, {"a": a}).arrays["a"] == a).all()
    right()


def test_errors() -> None:
    with pytest.raises(ValueError, match='no function "nothing"; there are: .*version'):
        _worker.call("nothing")
    with pytest.raises(ValueError, match='no kind of object "nothing"'):
        _worker.Object("nothing").open()
    with pytest.raises(ValueError, match='unknown field "colour"'):
        _worker.call("version", {"colour": 1})
    with pytest.raises(ValueError, match="complex128"):
        _worker.call("echo", None, {"a": np.zeros(2, complex)})
    with pytest.raises(ValueError, match="there may be 255"):
        _worker.call("echo", None, {str(i): np.zeros(1) for i in range(256)})
    with pytest.raises(ValueError, match="parameters"):
        _worker.call("echo", {"x": "x" * (17 << 20)})
    right()


def test_errors_travel() -> None:
    e = pickle.loads(pickle.dumps(barrow.EMDError("emd: row 3: no mass", 3, 4)))
    assert (str(e), e.row, e.cell) == ("emd: row 3: no mass", 3, 4)


def test_object_closed() -> None:
    o = _worker.Object("echo")
    o.open()
    handle = o._handle
    worker = _worker._state.worker
    assert worker is not None
    del o
    gc.collect()
    right()
    with pytest.raises(ValueError, match=f"no object {handle}"):
        worker.request(_frames.CALL, handle, "echo")


def test_errors_of_closing_are_nobodys() -> None:
    """What nobody has any more fails no call, and is closed though its closing was interrupted."""
    o = _worker.Object("echo")
    o.open()
    worker = _worker._state.worker
    assert worker is not None
    _worker._state.closing.append((worker.number, 12345))  # no such object
    handle = o._handle
    del o
    gc.collect()
    assert len(_worker._state.closing) == 2
    request = worker.request

    def interrupted(*_: Any) -> Any:
        setattr(worker, "request", request)
        raise KeyboardInterrupt

    setattr(worker, "request", interrupted)
    with pytest.raises(KeyboardInterrupt):
        right()
    assert len(_worker._state.closing) == 2
    right()
    assert not _worker._state.closing and _worker._state.worker is worker
    with pytest.raises(ValueError, match=f"no object {handle}"):
        worker.request(_frames.CALL, handle, "echo")


def test_object_travels() -> None:
    o = _worker.Object("echo", {"k": 1}, {"a": np.arange(3)})
    o.call("recipe")
    copy = pickle.loads(pickle.dumps(o))
    assert copy.call("recipe").params == {"k": 1}
    os.kill(worker_pid(), signal.SIGKILL)
    assert until(lambda: gone_or_zombie())
    for x in (o, copy):
        assert (x.call("recipe").arrays["a"] == np.arange(3)).all(), "opened again in a new worker"


def gone_or_zombie() -> bool:
    worker = _worker._state.worker
    assert worker is not None and worker.process is not None
    return gone(worker.process.pid)


# Many processes and threads


def test_threads() -> None:
    o = _worker.Object("echo")
    errors: List[BaseException] = []

    def hammer(seed: int) -> None:
        try:
            rng = np.random.default_rng(seed)
            for _ in range(60):
                a = rng.random(int(rng.integers(1, 2000)))
                if rng.random() < 0.5:
                    r = o.call("echo", None, {"a": a}, {"a": (a.shape, "f8")})
                else:
                    r = _worker.call("echo", None, {"a": a})
                assert (r.arrays["a"] == a).all()
        except BaseException as e:
            errors.append(e)

    threads = [threading.Thread(target=hammer, args=(i,)) for i in range(16)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors


def test_fork() -> None:
    o = _worker.Object("echo", {"k": 2})
    mine = worker_pid()
    for _ in range(3):
        o.call("recipe")
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                for _ in range(20):
                    right()
                if o.call("recipe").params == {"k": 2} and worker_pid() != mine:
                    status = 0
                _worker._exit()
            finally:
                os._exit(status)
        for _ in range(20):
            right()
            assert o.call("recipe").params == {"k": 2}
        assert os.waitpid(pid, 0)[1] == 0
    assert worker_pid() == mine


def test_fork_beside_a_call() -> None:
    """A child of fork begins afresh though another thread was in the middle of a call."""
    stop = threading.Event()

    def busy() -> None:
        while not stop.is_set():
            right(20_000)

    thread = threading.Thread(target=busy)
    thread.start()
    try:
        for _ in range(5):
            pid = os.fork()
            if pid == 0:
                status = 1
                try:
                    right()
                    _worker._exit()
                    status = 0
                finally:
                    os._exit(status)
            assert os.waitpid(pid, 0)[1] == 0
            right()
    finally:
        stop.set()
        thread.join()


def doubled(job: Tuple[Any, int]) -> Tuple[int, int]:
    o, n = job
    a = o.call("echo", None, {"a": np.full(1000, n)}).arrays["a"]
    assert (a == n).all() and o.call("recipe").params == {"k": 3}
    return os.getpid(), int(a[0]) * 2


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(method: str) -> None:
    o = _worker.Object("echo", {"k": 3})
    right()
    with concurrent.futures.ProcessPoolExecutor(2, multiprocessing.get_context(method)) as pool:
        results = list(pool.map(doubled, [(o, i) for i in range(40)]))
    assert [r for _, r in results] == [2 * i for i in range(40)]
    assert os.getpid() not in {p for p, _ in results}
    right()


def test_pool_of_multiprocessing() -> None:
    """As PyTorch's DataLoader: children that are forked while the worker is in use."""
    o = _worker.Object("echo", {"k": 3})
    right()
    with multiprocessing.get_context("fork").Pool(2, maxtasksperchild=4) as pool:
        for i, (_, r) in enumerate(pool.imap(doubled, [(o, i) for i in range(24)])):
            assert r == 2 * i
            right()


def test_data_loader() -> None:
    data = pytest.importorskip("torch.utils.data", reason="PyTorch is not installed")

    class Images(data.Dataset):  # type: ignore[misc, name-defined]
        o = _worker.Object("echo", {"k": 6})

        def __len__(self) -> int:
            return 40

        def __getitem__(self, i: int) -> Any:
            assert self.o.call("recipe").params == {"k": 6}
            return self.o.call("echo", None, {"a": np.full(48, i)}).arrays["a"]

    images = Images()
    assert images[3][0] == 3  # the children inherit an object that is in use
    for workers in (0, 2):
        batches = list(data.DataLoader(images, batch_size=8, num_workers=workers))
        assert [int(b[0, 0]) for b in batches] == [0, 8, 16, 24, 32]
        right()


# Ends


def test_killed_while_idle() -> None:
    os.kill(worker_pid(), signal.SIGKILL)
    assert until(gone_or_zombie)
    right()


def test_start_left_over() -> None:
    """A worker whose start was interrupted serves the next call, and not once it has ended."""
    state = _worker._state
    if state.worker is not None:
        state.worker.kill()
    state.starting = start = _worker._Start()
    assert worker_pid() == start.result().process.pid  # type: ignore[union-attr]
    state.starting = start  # as if interrupted just before it is cleared
    os.kill(worker_pid(), signal.SIGKILL)
    assert until(gone_or_zombie)
    right()
    assert worker_pid() != start.result().process.pid  # type: ignore[union-attr]


def test_killed_at_work() -> None:
    pid = worker_pid()
    when_asked(lambda: threading.Timer(0.3, os.kill, (pid, signal.SIGKILL)).start())
    with pytest.raises(barrow.WorkerError, match="killed by signal 9"):
        _worker.call("wait", {"seconds": 30})
    assert gone(pid)
    right()


def test_called_by_a_signal_handler() -> None:
    """A handler may call in the middle of a call, which goes on afterwards."""
    called = []

    def handler(*_: Any) -> None:
        right()
        called.append(True)

    outer = worker_pid()
    before = signal.signal(signal.SIGUSR1, handler)
    try:
        when_asked(lambda: os.kill(os.getpid(), signal.SIGUSR1))
        _worker.call("wait", {"seconds": 0.05})
        assert called
        right()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert worker_pid() != outer
    assert until(lambda: gone(outer)), "that of the outer call has ended"


def test_last_words() -> None:
    """A crash of the program is told in its own words, however many they are."""
    pid = worker_pid()
    when_asked(lambda: threading.Timer(0.3, os.kill, (pid, signal.SIGQUIT)).start())  # Go prints all its stacks
    with pytest.raises(barrow.WorkerError, match="(?s)with status 2.*SIGQUIT"):
        _worker.call("wait", {"seconds": 30})
    right()


def script(text: str, **more: str) -> "subprocess.Popen[str]":
    """A Python of its own, in a session of its own."""
    paths = [os.path.dirname(os.path.dirname(os.path.abspath(barrow.__file__))), os.environ.get("PYTHONPATH", "")]
    return subprocess.Popen(
        [sys.executable, "-c", text],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), **more},
    )


@pytest.mark.skipif(not hasattr(os, "waitid"), reason="no waitid in this Python")
def test_interrupted_start() -> None:
    """A start that is interrupted, wherever, is nothing to the next call."""
    text = """
import os, random, signal
from barrow import WorkerError, _worker
interrupted = 0

def stop(*_):
    global interrupted
    if armed:
        interrupted += 1
        raise KeyboardInterrupt

signal.signal(signal.SIGALRM, stop)
for k in range(5 * int(os.environ.get("BARROW_KILLS", "20"))):
    worker = _worker._state.worker
    if worker is not None:
        os.kill(worker.process.pid, signal.SIGKILL)
        # A request to one that is still dying would fail, and rightly so.
        os.waitid(os.P_PID, worker.process.pid, os.WEXITED | os.WNOWAIT)
    try:
        armed = True
        signal.setitimer(signal.ITIMER_REAL, random.uniform(0.0005, 0.012))
        _worker.call("wait", {"seconds": 0.02})
    except (KeyboardInterrupt, WorkerError):
        pass
    armed = False
    assert "version" in _worker.call("version").params
print("interrupted", interrupted > 0)
"""
    said, _ = script(text).communicate(timeout=60 + 10 * KILLS)
    assert said == "interrupted True\n"


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_closed_streams(closed: str, tmp_path: Any) -> None:
    """The standard streams may be closed, as a daemon's are; their numbers go to no other file."""
    out = tmp_path / "said"
    text = f"from barrow import _worker; text = str(_worker.call('version').params); open({str(out)!r}, 'w').write(text)"
    paths = os.path.dirname(os.path.dirname(os.path.abspath(barrow.__file__)))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([paths, os.environ.get("PYTHONPATH", "")])}
    subprocess.run(["sh", "-c", f'exec "$0" -c "$1" {closed}', sys.executable, text], env=environment, check=True, timeout=120)
    assert "version" in out.read_text()


def test_death_of_an_idle_worker_with_objects_to_close() -> None:
    pid = worker_pid()
    thing = barrow.Metric.euclidean(np.random.default_rng().random((5, 2)))
    del thing
    gc.collect()
    os.kill(pid, signal.SIGKILL)
    assert until(lambda: gone(pid))
    right()


def test_no_program(tmp_path: Any) -> None:
    text = "from barrow import _worker; _worker.call('version')"
    said, _ = script(text, BARROW="/nowhere/barrow").communicate(timeout=120)
    assert "WorkerError: barrow: the environment variable BARROW names '/nowhere/barrow'" in said
    wrong = tmp_path / "wrong"
    wrong.write_text("#!/bin/sh\necho not what you want >&2\nexit 3\n")
    wrong.chmod(0o755)
    said, _ = script(text, BARROW=str(wrong)).communicate(timeout=120)
    assert "with status 3" in said and "not what you want" in said
    wrong.write_text("no program at all")
    said, _ = script(text, BARROW=str(wrong)).communicate(timeout=120)
    assert "WorkerError" in said and "does not start" in said


def test_program_that_never_greets(tmp_path: Any) -> None:
    """Ctrl-C gets through while a program says nothing, and it is not waited for for ever."""
    silent = tmp_path / "silent"
    silent.write_text("#!/bin/sh\necho who is there >&2\nexec sleep 600\n")
    silent.chmod(0o755)
    text = """
import signal
from barrow import WorkerError, _process, _worker

_process.PATIENCE = 3.0
signal.signal(signal.SIGALRM, signal.default_int_handler)
signal.setitimer(signal.ITIMER_REAL, 0.3)
try:
    _worker.call("version")
except KeyboardInterrupt:
    print("interrupted")
for _ in range(2):
    try:
        _worker.call("version")
    except WorkerError as e:
        print(e)
"""
    said, _ = script(text, BARROW=str(silent)).communicate(timeout=120)
    assert said.startswith("interrupted\n") and said.count("has not answered for 3 s: is it") == 2
    assert said.count("who is there") == 2
    silent.write_text("#!/bin/sh\necho this is some other program\nexec sleep 600\n")
    said, _ = script(text, BARROW=str(silent)).communicate(timeout=120)
    assert said.count("is no reply of `barrow worker`") == 2


def test_at_exit() -> None:
    p = script("from barrow import _worker; _worker.call('version'); print(_worker._state.worker.process.pid)")
    said, _ = p.communicate(timeout=120)
    assert p.returncode == 0
    assert not os.path.exists(f"/proc/{int(said)}"), "waited for"
    # Functions that run at the end may call, too.
    said, _ = script(
        "import atexit; from barrow import _worker\n"
        "_worker.call('version'); atexit.register(lambda: print(_worker.call('echo', {'x': 1}).params))\n"
        "atexit.register(_worker._exit)"
    ).communicate(timeout=120)
    assert said.strip() == "{'x': 1}"


def test_nameless(tmp_path: Any) -> None:
    """Without memory files, as on macOS, it is temporary ones, which have no names either."""
    text = (
        "import os, sys, numpy as np\n"
        "if hasattr(os, 'memfd_create'): del os.memfd_create\n"
        "from barrow import _worker\n"
        "a = np.random.rand(1_000_000)\n"
        "print((_worker.call('echo', None, {'a': a}).arrays['a'] == a).all(), os.listdir(sys.stdin.read()))"
    )
    said, _ = script(text, TMPDIR=str(tmp_path)).communicate(str(tmp_path), timeout=120)
    assert said.strip() == "True []"


INTERRUPTED = """
import os, random, signal, sys, threading, time
import numpy as np
from barrow import _worker

def right():
    a = np.random.rand(random.choice((10, 48, 100_000)))
    assert (_worker.call("echo", None, {"a": a}).arrays["a"] == a).all()
    assert (o.call("echo", None, {"a": a}, {"a": (a.shape, "f8")}).arrays["a"] == a).all()
    assert o.call("recipe").params == {"k": 4}

def interrupt():
    go.wait()
    time.sleep(random.random() * random.choice((0.001, 0.01, 0.05)))
    if random.random() < 0.5:
        os.killpg(0, signal.SIGINT)  # as a terminal does
    else:
        os.kill(os.getpid(), signal.SIGINT)

o = _worker.Object("echo", {"k": 4})
right()
got = 0
for i in range(int(sys.stdin.readline())):
    go = threading.Event()
    t = threading.Thread(target=interrupt)
    t.start()
    try:
        go.set()
        if i % 4 == 0:
            _worker.call("wait", {"seconds": 60})
        while True:
            right()
    except KeyboardInterrupt:
        got += 1
    t.join()
    right()
print(got)
"""


def test_interrupted(tmp_path: Any) -> None:
    """Ctrl-C at any moment arrives, soon, and the next call is right."""
    said, _ = script(INTERRUPTED, TMPDIR=str(tmp_path)).communicate(f"{KILLS}\n", timeout=60 + 10 * KILLS)
    assert said.strip() == str(KILLS)
    assert os.listdir(tmp_path) == []


def test_workers_killed_at_random() -> None:
    o = _worker.Object("echo", {"k": 5})
    for i in range(KILLS):
        pid = worker_pid()
        timer = threading.Timer(random.random() * 0.02, os.kill, (pid, signal.SIGKILL))
        timer.start()
        try:
            while timer.is_alive() or not gone(pid):
                right(random.choice((10, 100_000)))
                o.call("recipe")
        except barrow.WorkerError:
            pass
        timer.join()
        right()
        assert o.call("recipe").params == {"k": 5}
        assert gone(pid) and not os.path.exists(f"/proc/{pid}"), "waited for"


PARENT = """
import os, random, sys, time
import numpy as np
from barrow import _worker

right = lambda: _worker.call("echo", None, {"a": np.random.rand(random.choice((10, 1_000_000)))})
right()
child = os.fork() if sys.argv[1:] else 1
if child == 0:  # has the parent's descriptors, but for those that the package closes
    time.sleep(600)
    os._exit(0)
print(_worker._state.worker.process.pid, child, flush=True)
while True:
    right()
"""


def test_parents_killed_at_random(tmp_path: Any) -> None:
    """The worker ends with its parent, also where a child of the parent lives on."""
    for i in range(max(2, KILLS // 2)):
        lives_on = i % 2 == 0
        p = script(f"import sys; sys.argv[1:] = {['child'] if lives_on else []}\n" + PARENT, TMPDIR=str(tmp_path))
        assert p.stdout is not None
        worker, child = map(int, p.stdout.readline().split())
        time.sleep(random.random() * 0.05)
        p.kill()
        assert until(lambda: gone(worker), 30), "the worker outlives its parent"
        if lives_on:
            assert not gone(child)
            os.kill(child, signal.SIGKILL)
        p.communicate()
    assert os.listdir(tmp_path) == []


def test_held_open() -> None:
    """The worker ends with its parent though somebody else holds its pipe open."""
    p = script(
        "import os, subprocess, sys; from barrow import _worker; _worker.call('version'); w = _worker._state.worker\n"
        "q = subprocess.Popen(['sleep', '600'], pass_fds=(w.input, w.output))\n"
        "print(w.process.pid, q.pid, flush=True); sys.stdin.read()"
    )
    assert p.stdout is not None
    worker, holder = map(int, p.stdout.readline().split())
    p.kill()
    assert until(lambda: gone(worker), 30)
    assert not gone(holder)
    os.kill(holder, signal.SIGKILL)
    p.communicate()


def test_limit_of_file_sizes(command: str) -> None:
    """A process that may not write files as large as its arrays is told what the file is."""
    pytest.importorskip("resource")
    code = """
import resource, numpy, barrow
metric = barrow.Metric.grid(2, 2)
rows = numpy.ones((200000, 4))
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
try:
    barrow.solve_batch(rows, rows, metric)
except OSError as error:
    print(error.errno, error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(barrow.solve_batch(rows, rows, metric).value.sum())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "bytes of the file that is shared with the worker" in done.stdout and "ulimit -f" in done.stdout
    assert done.stdout.endswith("\n0.0\n")
