"""The tour runs from its first cell to its last, and leaves its pictures."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TOUR = Path(__file__).resolve().parents[1] / "examples" / "tour.py"


def test_tour(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    run = subprocess.run([sys.executable, str(TOUR), str(tmp_path / "new")], capture_output=True, text=True, env={**os.environ, "MPLBACKEND": "agg"})
    assert run.returncode == 0, run.stderr
    named = {line.split('"')[1] for line in TOUR.read_text(encoding="utf-8").splitlines() if line.startswith('show("')}
    found = {p.stem: p.stat().st_size for p in (tmp_path / "new").glob("*.png")}
    assert set(found) == named and min(found.values()) > 5000
    # What it says holds: potentials differ by the distance along the plan, descent finds the middle,
    # and training with the distance leaves less of it.
    along, cells = re.search(r"potentials differ by ([\d.]+), the cells by ([\d.]+)", run.stdout).groups()
    assert along == cells
    middle, best = map(float, re.search(r"to 40 images: ([\d.]+), of the best of them ([\d.]+)", run.stdout).groups())
    assert middle < best
    left = dict(re.findall(r"trained with (\w+): ([\d.]+)", run.stdout))
    assert float(left["EMD"]) < 0.9 * float(left["MSE"])
