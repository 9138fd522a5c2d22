"""The benchmark runs, whatever its figures are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import barrow

BENCH = Path(__file__).resolve().parents[1] / "bench.py"


def test_bench() -> None:
    path = os.pathsep.join([str(Path(barrow.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, str(BENCH), "--rounds", "1", "--only", "batch,pair", "--json"],
        capture_output=True, text=True, timeout=600, env=dict(os.environ, PYTHONPATH=path),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    assert [r["name"] for r in rows if r["name"].startswith("one pair")] and all(r["barrow_us"] > 0 for r in rows)
    if "emd.Batch" not in done.stderr:  # that is left out where there is no Go
        assert any(r["ratio"] and r["ratio"] > 0 for r in rows)
