"""Simulated images: those of the program, to the bit."""

from __future__ import annotations

import csv
import subprocess
from pathlib import Path
from typing import Any, Dict

import numpy as np
import pytest

import barrow
from barrow import _simulate


def test_as_the_program_draws(command: str, tmp_path: Path) -> None:
    file = tmp_path / "images.csv"
    flags = ["--events", "700", "--seed", "9", "--preset", "electrons", "--eta", "1.8:2.4", "--layer", "7,9", "--pileup", "140"]
    subprocess.run([command, "simulate", *flags, "--out", str(file)], check=True, capture_output=True)
    images = barrow.simulate(700, "electrons", 9, eta=(1.8, 2.4), layer=[7, 9], pileup=140)
    with open(file, newline="") as f:
        rows = list(csv.reader(f))
    assert rows[0] == [f"CALQ_{i}" for i in range(48)] + [name for name in images if name != "charge"]
    assert images["charge"].shape == (700, 48)
    np.testing.assert_array_equal(images["charge"], np.array([row[:48] for row in rows[1:]], dtype=np.float64))
    for i, name in enumerate(rows[0][48:], 48):
        column = np.array([row[i] for row in rows[1:]])
        np.testing.assert_array_equal(images[name], column if images[name].dtype.kind == "U" else column.astype(np.float64))
    assert images["layer"].dtype == np.int64 and set(images["layer"]) == {7, 9}
    assert images["eta"].dtype == np.float64 and images["class"].dtype.kind == "U"


def same(a: Dict[str, Any], b: Dict[str, Any]) -> None:
    assert list(a) == list(b)
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])


def test_parts(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = barrow.simulate(250, seed=3)
    part = barrow.simulate(50, seed=3, first=200)
    same(part, {name: values[200:] for name, values in whole.items()})
    same(barrow.simulate(250, seed=3, threads=1), whole)
    monkeypatch.setattr(_simulate, "_BLOCK", 64)
    same(barrow.simulate(250, seed=3), whole)
    assert (barrow.simulate(250, seed=4)["charge"] != whole["charge"]).any()


def test_events(command: str) -> None:
    one, two = barrow.simulate(1, "pions", whole=True, layer=9), barrow.simulate(2, "pions", whole=True, layer=9)
    assert set(one["entry"]) == {0} and len(two["charge"]) > len(one["charge"])
    same(one, {name: values[: len(one["charge"])] for name, values in two.items()})


def test_none(command: str) -> None:
    images = barrow.simulate(0)
    assert images["charge"].shape == (0, 48) and images["layer"].shape == (0,)


def test_parameters(command: str, tmp_path: Path) -> None:
    file = tmp_path / "of mine.toml"
    file.write_text("[electronics]\ncut = 50\n")
    assert barrow.simulate(100, parameters=file)["charge"].sum() < barrow.simulate(100)["charge"].sum()
    with pytest.raises(FileNotFoundError):
        barrow.simulate(1, parameters=tmp_path / "none.toml")


@pytest.mark.parametrize(
    "settings, said",
    [
        ({"preset": "muons"}, "mixed, pileup200, electrons, photons, pions"),
        ({"colour": 1}, "'colour'; there are: preset, seed, first, eta"),
        ({"unit": "gev"}, "calq, adc"),
        ({"links": "all"}, "signal"),
        ({"geometry": "v9"}, "v11"),
        ({"layer": 2}, "want one of"),
        ({"layer": 9.5}, "layer"),
        ({"eta": (2, 1)}, "2"),
        ({"eta": "wide"}, r"\(low, high\)"),
        ({"energy": (1, 2, 3)}, r"\(low, high\)"),
        ({"seed": -1}, "seed"),
        ({"n": -1}, "from 0 on"),
        ({"n": 1.5}, "whole number"),
        ({"first": 1 << 64}, "2"),
    ],
)
def test_wrong_settings(command: str, settings: Dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        barrow.simulate(**{"n": 1, **settings})
