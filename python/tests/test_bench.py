"""The benchmark runs, whatever its figures are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import barrow

# Started by its path it would take the package beside it, which is not the one under test.
START = "import runpy, sys; del sys.argv[0]; runpy.run_path(sys.argv[0], run_name='__main__')"
BENCH = Path(__file__).resolve().parents[1] / "bench.py"


def test_bench(tmp_path: Path) -> None:
    path = os.pathsep.join([str(Path(barrow.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", START, str(BENCH), "--rounds", "1", "--only", "batch,pair", "--json"],
        cwd=tmp_path, capture_output=True, text=True, timeout=600, env=dict(os.environ, PYTHONPATH=path),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    assert [r["name"] for r in rows if r["name"].startswith("one pair")] and all(r["barrow_us"] > 0 for r in rows)
    if "emd.Batch" not in done.stderr:  # that is left out where there is no Go
        assert any(r["ratio"] and r["ratio"] > 0 for r in rows)
