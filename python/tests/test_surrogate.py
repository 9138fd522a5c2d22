"""Networks that estimate the EMD: the program's numbers, gradients, and a bound that holds."""

from __future__ import annotations

import pickle
import subprocess
from pathlib import Path
from typing import Any, Tuple

import numpy as np
import pytest

import barrow
from barrow import surrogate


@pytest.fixture(scope="module")
def pairs(command: str) -> Tuple[Any, Any]:
    charge = barrow.simulate(400, seed=8)["charge"]
    return charge[:200], charge[200:]


def of_program(command: str, tmp_path: Path, pairs: Tuple[Any, Any], *flags: str) -> Any:
    for name, charge in zip("pq", pairs):
        barrow.write(tmp_path / f"{name}.csv", {"charge": charge}, force=True)
    run = [command, "surrogate", "eval", *flags, str(tmp_path / "p.csv"), str(tmp_path / "q.csv")]
    out = subprocess.run(run, check=True, capture_output=True, text=True).stdout
    return np.array(out.split(), dtype=np.float64)


def test_as_the_program_estimates(command: str, tmp_path: Path, pairs: Tuple[Any, Any]) -> None:
    found = surrogate.predict(*pairs, bound=True)
    np.testing.assert_allclose(found.value, of_program(command, tmp_path, pairs), rtol=1e-11)
    np.testing.assert_allclose(found.bound, of_program(command, tmp_path, pairs, "--bound"), rtol=1e-11)


def test_images_as_they_are_simulated(pairs: Tuple[Any, Any]) -> None:
    images = barrow.simulate(5, seed=8)
    want = surrogate.predict(images["charge"], pairs[1][:5])
    np.testing.assert_array_equal(surrogate.predict(images, pairs[1][:5]).value, want.value)
    with pytest.raises(ValueError, match="the q have no charge, only 'eta'"):
        surrogate.predict(images, {"eta": images["eta"]})
    charge = images["charge"].copy()
    charge[3, 2] = -1
    with pytest.raises(barrow.RowError) as caught:
        surrogate.predict(charge, pairs[1][:5])
    assert (caught.value.row, caught.value.cell) == (3, 2)


def test_near_the_exact_distance(pairs: Tuple[Any, Any]) -> None:
    found = surrogate.predict(*pairs, bound=True)
    metric = barrow.Metric.hgcal("benchmark")
    exact = barrow.solve_batch(*pairs, metric, unequal="normalise")
    assert found.bound is not None and (found.bound <= exact.value + 1e-9).all()
    assert np.median(np.abs(found.value / exact.value - 1)) < 0.02
    p, q = (rows / rows.sum(axis=1, keepdims=True) for rows in pairs)
    np.testing.assert_allclose(((p - q) * found.potentials).sum(axis=1), found.bound, atol=1e-9)


def test_gradients(pairs: Tuple[Any, Any]) -> None:
    p, q = pairs[0][:20], pairs[1][:20]
    found = surrogate.predict(p, q, bound=True)
    # They are the bound's: directions along the rows themselves change nothing.
    for rows, gradient in zip((p, q), found.gradient):
        assert gradient.shape == rows.shape
        np.testing.assert_allclose((rows * gradient).sum(axis=1), 0, atol=1e-6)
    step = np.random.default_rng(2).random(q.shape) * q * 1e-4
    there, back = (surrogate.predict(p, q + sign * step, bound=True).bound for sign in (1, -1))
    change = (found.gradient[1] * step).sum(axis=1)
    assert np.corrcoef((there - back) / 2, change)[0, 1] > 0.95


def test_shapes(pairs: Tuple[Any, Any]) -> None:
    p, q = pairs
    all_of_one = surrogate.predict(p[0], q)
    one = surrogate.predict(p[0], q[3])
    assert np.ndim(one.value) == 0 and one.gradient[0].shape == (48,) and one.bound is None
    np.testing.assert_allclose(all_of_one.value[3], one.value, rtol=1e-6)
    single = surrogate.predict(p.astype(np.float32), np.asfortranarray(q))
    np.testing.assert_allclose(single.value, surrogate.predict(p, q).value, rtol=1e-5)
    none = surrogate.predict(p[:0], q[:0], bound=True)
    assert none.value.shape == (0,) and none.gradient[1].shape == (0, 48)


def test_network_of_others(command: str, shared_data: Path, tmp_path: Path, pairs: Tuple[Any, Any]) -> None:
    weights = shared_data / "emd_cnn" / "ae_mse.h5"
    if not weights.exists():
        pytest.skip(f"no {weights}")
    estimator = pickle.loads(pickle.dumps(surrogate.Estimator.load(weights)))
    found = surrogate.predict(*pairs, weights=estimator)
    np.testing.assert_allclose(found.value, of_program(command, tmp_path, pairs, "--weights", str(weights)), rtol=1e-11)
    with pytest.raises(ValueError, match="networks of potentials"):
        surrogate.predict(*pairs, weights=weights, bound=True)


def test_errors(pairs: Tuple[Any, Any], tmp_path: Path) -> None:
    p, q = pairs
    empty, bad = q.copy(), p.copy()
    empty[150], bad[70, 3] = 0, -1
    with pytest.raises(barrow.EMDError, match="row 150 of q") as caught:
        surrogate.predict(p, empty)
    assert caught.value.row == 150
    with pytest.raises(ValueError, match="p: image 70, cell 3"):
        surrogate.predict(bad, q)
    with pytest.raises(ValueError, match="q: image 70, cell 3"):
        surrogate.predict(q, bad)
    assert "built-in" in repr(surrogate.Estimator.load())
    with pytest.raises(ValueError, match="200 rows and q 3"):
        surrogate.predict(p, q[:3])
    with pytest.raises(ValueError, match="47"):
        surrogate.predict(p[:, :47], q)
    with pytest.raises(FileNotFoundError):
        surrogate.predict(p, q, weights=tmp_path / "none")
    (tmp_path / "text").write_text("no model")
    with pytest.raises(OSError, match="text"):
        surrogate.predict(p, q, weights=tmp_path / "text")
