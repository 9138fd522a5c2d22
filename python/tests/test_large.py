"""Pairs that are more than memory: both processes stay small.

BARROW_LARGE is how many gigabytes (0.5); so much is written to the temporary folder, and removed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

GIGABYTES = float(os.environ.get("BARROW_LARGE", "0.5"))

if sys.platform != "linux":
    pytest.skip("memory is asked for by the ways of Linux", allow_module_level=True)

PROGRAM = """\
import sys
import threading

import numpy as np

import barrow
from barrow import _worker

CELLS, TILE = 48, 20_000
gigabytes, file = float(sys.argv[1]), sys.argv[2]
tiles = max(2, round(gigabytes * 1e9 / (TILE * 2 * CELLS * 8)))


def memory(pid):
    # What the system cannot take back, in bytes: pages of the file of pairs it can.
    with open(f"/proc/{pid}/status") as f:
        parts = dict(line.split(":", 1) for line in f)
    return sum(int(parts[name].split()[0]) for name in ("RssAnon", "RssShmem")) << 10


metric = barrow.Metric.hgcal("benchmark")
tile = np.random.default_rng(1).random((TILE, 2, CELLS)) ** 4
one = barrow.solve_batch(tile[:, 0], tile[:, 1], metric, "normalise")

# Tile k is the first one in units of 2^(k mod 9), but for a scale nothing rounds.
with open(file, "wb") as f:
    for k in range(tiles):
        f.write((tile * 2.0 ** (k % 9)).data)

pairs = np.memmap(file, np.float64, "r", shape=(tiles * TILE, 2, CELLS))
pids = "self", _worker._state.worker.process.pid
before = [memory(pid) for pid in pids]
peak = list(before)
done = threading.Event()


def watch():
    while not done.wait(0.02):
        peak[:] = [max(most, memory(pid)) for most, pid in zip(peak, pids)]


watcher = threading.Thread(target=watch)
watcher.start()
try:
    value = barrow.solve_batch(pairs[:, 0], pairs[:, 1], metric, "normalise", gradient=False).value
    # Gradients are as large as the pairs: by parts, as large as there is room for.
    for k in range(tiles - 1, -1, -max(1, tiles // 4)):
        part = pairs[k * TILE : (k + 1) * TILE]
        to_a, to_b = barrow.solve_batch(part[:, 0], part[:, 1], metric, "normalise").gradient
        for found, right in zip((to_a, to_b), one.gradient):
            assert (found == right / 2.0 ** (k % 9)).all(), k
finally:
    done.set()
    watcher.join()
assert len(value) == tiles * TILE
for k in range(tiles):
    assert (value[k * TILE : (k + 1) * TILE] == one.value).all(), k
assert pids[1] == _worker._state.worker.process.pid
print(pairs.nbytes, value.nbytes, *peak, *(most - at for most, at in zip(peak, before)))
"""


def test_more_than_memory(tmp_path: Path) -> None:
    """Pairs in a mapped file: neither process grows by more than a few parts and the values."""
    file = tmp_path / "pairs"
    start = time.monotonic()
    try:
        done = subprocess.run([sys.executable, "-c", PROGRAM, str(GIGABYTES), str(file)], capture_output=True, text=True)
    finally:
        file.unlink(missing_ok=True)
    assert not done.returncode, done.stderr
    size, values, *peaks, client, worker = (int(word) / 1e6 for word in done.stdout.split())
    print(
        f"{size:.0f} MB of pairs in {time.monotonic() - start:.0f} s: client +{client:.0f} to {peaks[0]:.0f} MB, "
        f"worker +{worker:.0f} to {peaks[1]:.0f} MB"
    )
    assert client < values + 100 < size
    assert worker < 100
