"""Settings of another type, or out of range: errors that name them."""

from __future__ import annotations

import numpy as np
import pytest

import barrow

x = np.ones((1, 2))
M = np.array([[0.0, 1.0], [1.0, 0.0]])
jets = [[[1.0, 0.0, 0.0]]]


@pytest.mark.parametrize(
    "name, wrong",
    [
        *[(name, lambda name=name: barrow.simulate(1, **{name: 3})) for name in ("preset", "links", "unit")],
        *[(name, lambda name=name: barrow.simulate(1, **{name: None})) for name in ("geometry", "threshold", "seed")],
        *[(name, lambda name=name: barrow.simulate(1, **{name: "a"})) for name in ("pileup", "energy_index", "compress", "whole", "keep_empty")],
        *[(name, lambda name=name: barrow.simulate(1, **{name: 2**70})) for name in ("threads", "layer", "elinks")],
        ("pileup", lambda: barrow.simulate(1, pileup=float("nan"))),
        ("dtype", lambda: barrow.emds(jets, dtype="foo")),
        ("norm", lambda: barrow.emds(jets, norm="x")),
        ("mask", lambda: barrow.emds(jets, mask="x")),
        ("numItermax", lambda: barrow.emd2([1.0, 0], [0, 1.0], M, numItermax="a")),
        ("numItermax", lambda: barrow.emd2([1.0, 0], [0, 1.0], M, numItermax=None)),
        *[("threads", lambda call=call: call(threads=2.0)) for call in (
            lambda **given: barrow.simulate(1, **given), lambda **given: barrow.solve_batch(x, x, M, **given), barrow.surrogate.Estimator.load,
        )],  # fmt: skip
        ("numThreads", lambda: barrow.emd2([1.0, 0], [0, 1.0], M, numThreads=1.5)),
        ("n_jobs", lambda: barrow.emds(jets, n_jobs=2.0)),
        ("periods", lambda: barrow.Metric.periodic([[0, 0], [1, 1]], "ab")),
        ("grid", lambda: barrow.Metric.grid(2**70, 1)),
        ("norm", lambda: barrow.Metric.grid(2, 2, norm=[1])),
        ("empty", lambda: barrow.solve_batch(x, x, M, empty=["x"])),
        ("unequal", lambda: barrow.solve_batch(x, x, M, unequal=("penalty", "1"))),
        ("threads", lambda: barrow.surrogate.Estimator.load(threads=1.5)),
        ("threads", lambda: barrow.surrogate.Estimator.load(threads=2**70)),
        ("threads", lambda: barrow.surrogate.Estimator.load(threads=-1)),
        ("config", lambda: barrow.econt.run(3, np.zeros((1, 12), np.uint32))),
        ("config", lambda: barrow.econt.run([], np.zeros((1, 12), np.uint32))),
    ],
)
def test_a_wrong_setting_is_named(name, wrong):
    with pytest.raises(ValueError, match=rf"^barrow: .*\b{name}\b") as caught:
        wrong()
    assert "json" not in str(caught.value)


def test_many_steps_are_as_good_as_any():
    assert barrow.emd2([1.0, 0], [0, 1.0], M, numItermax=10**30) == 1
    assert barrow.emd2([1.0, 0], [0, 1.0], M, numItermax=2e5) == 1  # as users of POT write it


@pytest.mark.parametrize("wrong", [{"metric": None}, {"unequal": "x"}, {"metric": np.ones(3)}])
def test_losses_check_their_settings_at_once(wrong):
    """torch: in the call; Keras: in the constructor (tests/keras_fit.py); JAX: when traced."""
    jax = pytest.importorskip("jax")
    from barrow.jax import emd_loss

    given = {"metric": M, **wrong}
    with pytest.raises(ValueError, match=f"^barrow: .*{next(iter(wrong))}"):
        jax.jit(lambda p: emd_loss(p, p, **given))(np.ones((2, 2)))
    with pytest.raises(ValueError, match="2×2 cells"):
        jax.jit(lambda p: emd_loss(p, p, M))(np.ones((2, 3)))
