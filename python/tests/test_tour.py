"""The tour runs from its first cell to its last, and leaves its pictures."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOUR = Path(__file__).resolve().parents[1] / "examples" / "tour.py"


def test_tour(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    pytest.importorskip("mplhep", reason="mplhep is not installed")
    run = subprocess.run([sys.executable, str(TOUR), str(tmp_path / "new")], capture_output=True, text=True, env={**os.environ, "MPLBACKEND": "agg"})
    assert run.returncode == 0, run.stderr
    named = {line.split('"')[1] for line in TOUR.read_text(encoding="utf-8").splitlines() if line.startswith('show("')}
    found = {p.stem: p.stat().st_size for p in (tmp_path / "new").glob("*.png")}
    assert set(found) == named and min(found.values()) > 5000
