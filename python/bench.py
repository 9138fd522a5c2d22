"""What the Python package's calls cost, beside the Go library's and other packages'.

    python python/bench.py [--json] [--rounds N] [--peers A,B] [--only batch,pair,loop,training]

Every contender has its turn in every round, in short bursts, so that a machine that is
slower for a while is so for all; the ratios are medians over rounds, with their quartiles.
The other packages run in processes of their own (bench/emd/peer.py), in the first of the
interpreters --peers (or the environment variable BARROW_PYTHON, or this one) that has them;
emd.Batch in one that the Go command compiles (bench/batch). What is not there is left out,
with a line that says how to install it. Run it from a clone, on a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Iterable, Optional

import numpy as np

import barrow

ROOT = Path(__file__).resolve().parent.parent
BATCH, LOOP = 500, 20_000  # pairs
BURST = 0.15  # seconds, of each contender in each round
MANY = os.cpu_count() or 1


class Left(Exception):
    """A contender that is left out, and why."""


def burst(call: Callable[[], Any], seconds: float = BURST) -> float:
    """The median time of a call, in seconds, over a burst of them; the first tenth is warming up."""
    times = []
    end = time.perf_counter() + seconds
    while len(times) < 11 or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times[len(times) // 10:])


class Process:
    """A program that holds the pairs and times itself: what it is sent and answers is binary."""

    def __init__(self, command: list[str], threads: int, head: bytes) -> None:
        env = dict(os.environ, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS="1")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
        self._send(head)

    def _send(self, data: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def ask(self, request: bytes, answers: int) -> np.ndarray:
        """So many float64, in answer to the request."""
        assert self.process.stdout
        self._send(request)
        data = self.process.stdout.read(8 * answers)
        if len(data) != 8 * answers:
            raise RuntimeError(f"{self.process.args!r} ended with status {self.process.wait()}")
        return np.frombuffer(data)

    def close(self) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class GoBatch(Process):
    """emd.Batch, value and both gradients."""

    def __init__(self, pairs: Pairs, threads: int) -> None:
        try:
            subprocess.run(["go", "build", "-o", f"{SCRATCH}/batch", "./bench/batch"], cwd=ROOT, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise Left(f"emd.Batch in Go: {error}; it needs Go and a clone of Barrow") from error
        head = struct.pack("<qqq", len(pairs.p), pairs.cells, threads)
        super().__init__([f"{SCRATCH}/batch"], threads, head + pairs.distances.tobytes() + pairs.p.tobytes() + pairs.q.tobytes())

    def time(self, pairs: int, times: int) -> tuple[float, np.ndarray]:
        """The median time of so many times, and the distances."""
        answer = self.ask(struct.pack("<qq", pairs, times), times + pairs)
        return float(np.median(answer[times // 10:times])), answer[times:]


class Peer(Process):
    """A package that bench/emd/peer.py knows by name."""

    INSTALL = {"pot_python": ("ot", "POT", "pip install POT"),
               "wasserstein": ("wasserstein", "Wasserstein", 'pip install Wasserstein "numpy<2"'),
               "pyemd": ("pyemd", "pyemd", 'pip install pyemd "numpy<2"')}

    def __init__(self, name: str, interpreters: Iterable[str], pairs: Pairs, threads: int) -> None:
        module, package, install = self.INSTALL[name]
        script = f"import {module}\nfrom importlib.metadata import version\nprint(version({package!r}))"
        for python in interpreters:
            found = subprocess.run([python, "-W", "ignore", "-c", script], capture_output=True, text=True)
            if found.returncode == 0:
                self.title = f"{package} {found.stdout.strip()}"
                break
        else:
            raise Left(f"{package}: not in any of {', '.join(interpreters)} ({install}; --peers names interpreters)")
        script = (ROOT / "bench" / "emd" / "peer.py").read_text()
        head = struct.pack("<qq", pairs.cells, len(pairs.p))
        super().__init__([python, "-W", "ignore", "-c", script, name, str(threads)], threads,
                         head + pairs.places.tobytes() + pairs.distances.tobytes() + pairs.p.tobytes() + pairs.q.tobytes())

    def time(self, start: int, count: int) -> tuple[float, np.ndarray]:
        """The time of a pair, and the distances."""
        answer = self.ask(struct.pack("<qq", start, start + count), 1 + count)
        return float(answer[0]) / count, answer[1:]


class Pairs:
    """Pairs of images, each of sum 1, and the metric that they are on."""

    def __init__(self, p: np.ndarray, q: np.ndarray) -> None:
        self.metric = barrow.Metric.hgcal("benchmark")
        self.cells = p.shape[1]
        self.p, self.q = (np.ascontiguousarray(x / x.sum(1, keepdims=True), dtype=np.float64) for x in (p, q))
        self.distances = np.ascontiguousarray(self.metric.distances, dtype=np.float64)
        self.places = np.ascontiguousarray(self.metric.points, dtype=np.float64)

    def solve(self, count: int, threads: int = 0) -> Any:
        return barrow.solve_batch(self.p[:count], self.q[:count], self.metric, unequal="normalise", threads=threads)


def draw(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Simulated images, and beside them images that a decoder might make of them: smeared, positive in every cell."""
    x = np.asarray(barrow.simulate(n, seed=1)["charge"], dtype=np.float64)
    near = np.exp(-barrow.Metric.hgcal("benchmark").distances ** 2 / 3)
    y = x @ near / near.sum(0)
    y = y / y.sum(1, keepdims=True) + 1e-4 * np.random.default_rng(1).exponential(size=y.shape)
    return x, y


class Row:
    """A line of the table: a time of Barrow's and, maybe, another's, round by round."""

    def __init__(self, name: str, other: str = "", goal: Optional[float] = None, slower: bool = False) -> None:
        self.name, self.other, self.goal = name, other, goal
        self.slower = slower  # the ratio is Barrow over the other, at most the goal; else the reverse, at least
        self.ours: list[float] = []
        self.theirs: list[float] = []

    def add(self, ours: float, theirs: Optional[float] = None) -> None:
        self.ours.append(ours)
        if theirs is not None:
            self.theirs.append(theirs)

    def summary(self) -> dict[str, Any]:
        """Times in microseconds; the ratio's median and quartiles over rounds."""
        d: dict[str, Any] = {"name": self.name, "barrow_us": statistics.median(self.ours) * 1e6, "other": self.other or None,
                             "barrow_us_quartiles": [float(x) * 1e6 for x in np.percentile(self.ours, [25, 75])],
                             "other_us": None, "ratio": None, "ratio_quartiles": None, "goal": self.goal}
        if self.theirs:
            ratio = np.divide(self.ours, self.theirs) if self.slower else np.divide(self.theirs, self.ours)
            d.update(other_us=statistics.median(self.theirs) * 1e6, ratio=float(np.median(ratio)),
                     ratio_quartiles=[float(x) for x in np.percentile(ratio, [25, 75])])
        return d

    def markdown(self) -> str:
        d = self.summary()
        low, high = d["barrow_us_quartiles"]
        cells = [self.name, f"{figure(d['barrow_us'])} ({figure(low)}–{figure(high)})", "–", "–", "–"]
        if self.theirs:
            low, high = d["ratio_quartiles"]
            of = "Barrow / it" if self.slower else "it / Barrow"
            cells[2:4] = f"{self.other}: {figure(d['other_us'])}", f"{d['ratio']:.2f} ({low:.2f}–{high:.2f}), {of}"
        if self.goal is not None:
            cells[4] = ("≤ " if self.slower else "≥ ") + f"{self.goal:g}" + ("" if self.theirs else " µs")
        return "| " + " | ".join(cells) + " |"


def figure(x: float) -> str:
    return f"{x:.3g}" if x < 1000 else f"{x:,.0f}"


def agree(name: str, ours: np.ndarray, theirs: np.ndarray) -> None:
    """Fast and wrong is no contender."""
    worst = float(np.max(np.abs(ours - theirs) / np.maximum(1, np.abs(theirs))))
    if not worst <= 1e-9:
        raise RuntimeError(f"{name} differs by {worst:g}")


def measure_batch(images: Pairs, decoded: Pairs, rounds: int) -> list[Row]:
    """500 pairs with both gradients, beside emd.Batch on the same pairs and as many threads."""
    rows = []
    for title, pairs in (("images", images), ("images and what is decoded", decoded)):
        row = Row(f"`solve_batch`, {BATCH} pairs of {title}, value and both gradients", "`emd.Batch` in Go", 1.3, slower=True)
        go = GoBatch(pairs, 0)
        agree("emd.Batch", pairs.solve(BATCH).value, go.time(BATCH, 1)[1])

        def ours() -> None:
            s = pairs.solve(BATCH)
            s.value, s.gradient

        for _ in range(rounds):
            mine = burst(ours)
            row.add(mine, go.time(BATCH, max(11, int(BURST / mine)))[0])
        go.close()
        rows.append(row)
    return rows


def measure_pair(pairs: Pairs, rounds: int) -> list[Row]:
    """One pair, where the way to the worker and back is what counts."""
    a, b, m = pairs.p[0], pairs.q[0], pairs.distances

    def solve() -> None:
        s = pairs.solve(1)
        s.value, s.gradient

    calls = [("one pair: `solve_batch`, value and both gradients", solve, 25.0),
             ("one pair: `emd2(a, b, metric)`", lambda: barrow.emd2(a, b, pairs.metric), None),
             ("one pair: `emd2(a, b, M)` of a matrix", lambda: barrow.emd2(a, b, m), None)]
    rows = [Row(name, goal=goal, slower=True) for name, _, goal in calls]
    with subprocess.Popen([sys.executable, "-c", SEND_BACK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as bare:
        assert bare.stdin and bare.stdout
        there, back = bare.stdin.fileno(), bare.stdout.fileno()

        def pipe() -> None:
            os.write(there, bytes(200))
            os.read(back, 4096)

        pipe()
        calls.append(("not Barrow: 200 bytes through pipes to a process that sends them back", pipe, None))
        rows.append(Row(calls[-1][0]))
        for _ in range(rounds):
            for row, (_, call, _) in zip(rows, calls):
                row.add(burst(call))
        bare.stdin.close()
    return rows


SEND_BACK = "import os\nwhile data := os.read(0, 4096): os.write(1, data)"


def measure_loop(pairs: Pairs, rounds: int, interpreters: list[str]) -> list[Row]:
    """20,000 pairs with both gradients, beside a Python loop over ot.emd2 and other packages,
    which have none. They do a share of the pairs in every round; times are those of a pair."""
    rows = []
    peers: list[tuple[Row, Peer, int, int]] = []
    for name, title, threads, share, goal in (
            ("pot_python", "loop over `ot.emd2`", MANY, 500, 60.0), ("wasserstein", "`PairwiseEMD`", MANY, 200, 6.0),
            ("wasserstein", "`PairwiseEMD`", 1, 200, None), ("pyemd", "loop over `pyemd.emd`", 1, 500, None)):
        try:
            peer = Peer(name, interpreters, pairs, threads)
        except Left as left:
            say(left)
            continue
        row = Row(f"`solve_batch`, {LOOP:,} pairs with both gradients, a pair, {threads} thread{'s' * (threads > 1)}",
                  f"{title}, {peer.title}", goal)
        rows.append(row)
        peers.append((row, peer, share, threads))
    value = pairs.solve(LOOP).value
    for k in range(rounds):
        times = {threads: burst_once(lambda: pairs.solve(LOOP, threads).gradient) / LOOP for threads in {p[3] for p in peers}}
        for row, peer, share, threads in peers:
            start = k * share % (LOOP - share)
            seconds, theirs = peer.time(start, share)
            agree(peer.title, value[start:start + share], theirs)
            row.add(times[threads], seconds)
    for _, peer, _, _ in peers:
        peer.close()
    return rows


def burst_once(call: Callable[[], Any]) -> float:
    """The better of two times of a call that is long itself."""
    times = []
    for _ in range(2):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def measure_training(rounds: int) -> list[Row]:
    """A step of PyTorch with emd_loss and with the mean squared error, of the paper's autoencoder."""
    try:
        import torch
    except ImportError:
        raise Left("the training step: no PyTorch for this Python (Debian: apt-get install python3-torch; pip install torch)") from None
    import torch.nn.functional as F
    import barrow.torch

    torch.set_num_threads(MANY)
    metric = barrow.Metric.hgcal("benchmark")
    x = torch.as_tensor(draw(BATCH)[0], dtype=torch.float32)
    x = x / 2 ** x.sum(1, keepdim=True).log2().floor()
    pixel = torch.randperm(64, generator=torch.Generator().manual_seed(1))[:48]  # which of 8×8 does not matter to the time
    image = torch.zeros(BATCH, 64).index_copy(1, pixel, x).view(-1, 1, 8, 8)

    class Autoencoder(torch.nn.Module):
        """8×8 → Conv 8×3×3, stride 2 → 16 → 128 → transposed convolutions 8×3×3 and 1×3×3."""

        def __init__(self) -> None:
            super().__init__()
            self.conv, self.latent = torch.nn.Conv2d(1, 8, 3, stride=2), torch.nn.Linear(128, 16)
            self.dense, self.up = torch.nn.Linear(16, 128), torch.nn.ConvTranspose2d(8, 8, 3, stride=2)
            self.last = torch.nn.ConvTranspose2d(8, 1, 3, padding=1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = F.relu(self.conv(F.pad(x, (0, 1, 0, 1))))
            x = F.relu(self.dense(F.relu(self.latent(x.flatten(1))))).view(-1, 8, 4, 4)
            return torch.sigmoid(self.last(F.relu(self.up(x)[:, :, :8, :8]))).flatten(1)[:, pixel]

    def step(loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Callable[[], None]:
        torch.manual_seed(1)
        net = Autoencoder()
        adam = torch.optim.Adam(net.parameters(), lr=1e-3)

        def once() -> None:
            adam.zero_grad(set_to_none=True)
            loss(net(image), x).backward()
            adam.step()

        return once

    exact = step(lambda y, x: barrow.torch.emd_loss(y, x, metric, unequal="normalise"))
    square = step(F.mse_loss)
    row = Row(f"a training step of the paper's autoencoder with `emd_loss`, batch {BATCH}, PyTorch {torch.__version__}",
              "with `mse_loss`", 1.5, slower=True)
    for call in (exact, square):
        burst(call, 2)
    for _ in range(rounds):
        row.add(burst(exact, 3 * BURST), burst(square, 3 * BURST))
    return [row]


def say(what: object) -> None:
    print(f"bench.py: left out: {what}", file=sys.stderr)


def processor() -> str:
    try:
        for line in open("/proc/cpuinfo"):
            if line.startswith("model name"):
                return line.split(":")[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object, not a table")
    parser.add_argument("--rounds", type=int, default=15, help="turns of every contender (default 15)")
    parser.add_argument(
        "--peers",
        default=os.environ.get("BARROW_PYTHON", sys.executable),
        help="interpreters to look for other packages in, separated by commas",
    )
    parser.add_argument("--only", default="batch,pair,loop,training", help="what to measure, separated by commas")
    options = parser.parse_args()
    only = options.only.split(",")
    for name in only:
        if name not in ("batch", "pair", "loop", "training"):
            parser.error(f"--only {name}: none of batch, pair, loop, training")
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")

    x, y = draw(LOOP)
    images, decoded = Pairs(x, np.roll(x, 1, 0)), Pairs(x, y)
    rows: list[Row] = []
    jobs: dict[str, Callable[[], list[Row]]] = {
        "batch": lambda: measure_batch(images, decoded, options.rounds),
        "pair": lambda: measure_pair(images, options.rounds),
        "loop": lambda: measure_loop(images, options.rounds, options.peers.split(",")),
        "training": lambda: measure_training(options.rounds),
    }
    for name, job in jobs.items():
        if name in only:
            try:
                rows += job()
            except Left as left:
                say(left)
    machine = {"processor": processor(), "processors": MANY, "python": platform.python_version(), "numpy": np.__version__,
               "barrow": barrow.__version__, "rounds": options.rounds}
    if options.json:
        print(json.dumps({"machine": machine, "rows": [r.summary() for r in rows]}, indent=1))
        return
    head = f"{machine['processor']}, {MANY} processors, Python {machine['python']}, NumPy {machine['numpy']}"
    print(f"{head}; medians of {options.rounds} rounds, quartiles in brackets.\n")
    print("| | Barrow, µs | beside it, µs | ratio | goal |\n|---|---|---|---|---|")
    for row in rows:
        print(row.markdown())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        SCRATCH = Path(folder)
        main()
