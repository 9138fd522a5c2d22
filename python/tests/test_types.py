"""What type checkers make of a user's program."""

from __future__ import annotations

import os
import site
import subprocess
import sys
from pathlib import Path

import pytest

import barrow

PROGRAM = """\
import numpy as np
from numpy.typing import NDArray

import barrow

metric = barrow.Metric.grid(2, 2, norm="l1")
a = np.ones((3, 4))


def distances() -> NDArray[np.float64]:
    return barrow.solve_batch(a, a, metric, unequal=("penalty", 1.0), empty="skip").value


def ground() -> NDArray[np.float64]:
    return metric.distances


solved = barrow.solve_batch(a, a, metric, unequal="normalise")
to_a: NDArray[np.float64] = solved.gradient[0]
plan: NDArray[np.float64] = solved.plan.toarray()
jets = barrow.emds([[[1.0, 0.0, 0.0]]], R=0.4)
rows: int = jets.shape[0]
images = barrow.simulate(3, seed=2)
sent = barrow.econt.encode(images)
frames: NDArray[np.uint16] = sent.frames
said = barrow.surrogate.predict(images, images["charge"])
value: NDArray[np.float64] = said.value
moved: NDArray[np.float64] = barrow.emd(a, a, metric)
log = barrow.emd(a[0], a[1], metric, log=True)[1]
proved: NDArray[np.bool_] = solved.certificate.proves()
moves = barrow.solve_batch([1, 0, 0, 0], [[0, 0, 0, 1.0]], metric.distances).plan
cost = float(log["cost"]) + float(barrow.emd2(a[0], a[1], metric))
"""

WRONG = [
    'barrow.solve_batch(a, a, metric, unequal="nonsense")',
    'barrow.solve_batch(a, a, metric, empty="nonsense")',
    "barrow.simulate(3, foo=1)",
    "barrow.simulate(3, preset=1)",
    'barrow.Metric.grid(2, 2, norm="l3")',
    "barrow.Encoder.load(3)",
    "bits: str = sent.bits",
    "plans: str = barrow.emd(a, a, metric)",
    "barrow.solve_batch(a, a, None)",
    "barrow.emd2(object(), a[0], metric)",
    "proofs: str = solved.certificate.proves()",
    "barrow.nonsense",
]


def test_a_users_program(tmp_path):
    """mypy --strict takes a program that uses the package, and finds each wrong line."""
    pytest.importorskip("mypy", reason="mypy is not installed")
    file = tmp_path / "program.py"
    file.write_text(PROGRAM + "\n".join(WRONG) + "\n")
    package = str(Path(barrow.__file__).parents[1])
    if package in site.getsitepackages():  # installed: mypy finds it by itself, and wants it not to be named
        package = ""
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", str(tmp_path / "cache"), str(file)]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "MYPYPATH": package}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300
    )
    found = {int(line.split(":")[1]) for line in done.stdout.splitlines() if line.startswith(file.name) and ": error:" in line}
    first = PROGRAM.count("\n") + 1
    assert found == set(range(first, first + len(WRONG))), done.stdout
