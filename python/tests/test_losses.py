"""Losses by name: values, gradients, grids, units, errors, and in PyTorch and JAX."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import barrow

#: One of each kind, with options where there are any.
NAMES = [
    "mse", "l1", "weighted-mse", "telescope", "telescope-equal", "energy", "emd", "sliced", "sliced:count=4",
    "sliced:directions=trained", "sinkhorn", "emd-cnn", "neighbourhood:radius=2", "neighbourhood:filter=max", "spectral",
    "spectral:shortest=8:longest=20:score=l1", "wavelet", "fss:threshold=0.2", "csi:threshold=0.2", "brier:threshold=0.1/0.3",
    "ssim", "0.5*emd+2*mse",
]  # fmt: skip


def images(rows, seed, cells=48):
    rng = np.random.default_rng(seed)
    # Numbers with few bits, so that a step in one of them is exact in float32.
    return np.round(rng.random((rows, cells)) * 512 + 32) / 1024, np.round(rng.random((rows, cells)) * 512 + 32) / 1024


def test_all_are_here():
    there = barrow.losses()
    assert {name.split(":")[0] for name in NAMES[:-1]} == set(there)
    assert all(there.values()) and list(there) == sorted(there)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_those_of_differences(name):
    loss = barrow.loss(name)
    predicted, target = images(3, 1)
    value, gradient = loss.evaluate(predicted, target)
    assert value.shape == (3,) and gradient.shape == (3, 48) and (value > 0).all()
    assert loss(predicted, target) == value.mean()
    if name == "emd-cnn":  # potentials of a network: close to a derivative, none of its value
        return
    rng, h = np.random.default_rng(2), 2.0**-12
    direction = rng.choice([-1.0, 1.0], (3, 48)) * (rng.random((3, 48)) < 0.3)
    up, down = (loss.evaluate(predicted + s * h * direction, target).value for s in (1, -1))
    slope = (gradient * direction).sum(1)
    np.testing.assert_allclose((up - down) / (2 * h), slope, rtol=2e-2, atol=2e-3 * np.abs(gradient).sum(1).max())


def test_values():
    predicted, target = images(5, 3)
    np.testing.assert_allclose(barrow.loss("mse").evaluate(predicted, target).value, ((predicted - target) ** 2).mean(1), rtol=1e-6)
    metric = barrow.Metric.hgcal("cmssw")
    solved = barrow.solve_batch(predicted, target, metric, unequal="normalise")
    value, gradient = barrow.loss("emd", metric="cmssw").evaluate(predicted, target)
    np.testing.assert_allclose(value, solved.value, rtol=1e-12)
    np.testing.assert_allclose(gradient, solved.gradient[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        barrow.loss("emd-cnn").evaluate(predicted, target).value,
        barrow.surrogate.predict(target, predicted).value, rtol=1e-6,
    )  # fmt: skip
    # As NumPy has it.
    means = barrow.loss("neighbourhood:radius=6:score=l1")
    assert means(target, target) == 0 and means.name == "neighbourhood:radius=6:score=l1"
    assert barrow.loss("neighbourhood:radius=1").name == "neighbourhood"
    assert barrow.loss("emd+0.1*mse", threads=1).evaluate(predicted[0], target[0], gradient=False).gradient is None
    assert barrow.loss("mse").evaluate(predicted[:0], target[:0]).gradient.shape == (0, 48)


@pytest.mark.parametrize("name", ["mse", "neighbourhood:filter=max", "spectral:shortest=3:longest=20", "wavelet", "fss:threshold=0.3", "ssim:range=1"])
def test_grids(name):
    loss = barrow.loss(name, grid=(8, 12), pitch=1.5)
    predicted, target = images(4, 5, 96)
    value, gradient = loss.evaluate(predicted, target)
    square = loss.evaluate(predicted.reshape(4, 8, 12), target.reshape(4, 8, 12))
    assert (square.value == value).all() and square.gradient.shape == (4, 8, 12)
    assert (square.gradient.reshape(4, 96) == gradient).all()
    single = loss.evaluate(predicted[1].reshape(8, 12), target[1].reshape(8, 12))
    assert single.value == value[1] and single.gradient.shape == (8, 12)
    k, h = 37, 2.0**-10
    moved = [predicted.copy(), predicted.copy()]
    moved[0][:, k] += h
    moved[1][:, k] -= h
    up, down = (loss.evaluate(x, target).value for x in moved)
    np.testing.assert_allclose((up - down) / (2 * h), gradient[:, k], rtol=1e-2, atol=2e-3 * np.abs(gradient).max())


def test_neighbourhood_by_hand():
    one = np.zeros((5, 5))
    one[2, 2] = 1
    value, gradient = barrow.loss("neighbourhood", grid=(5, 5)).evaluate(one, np.zeros((5, 5)))
    np.testing.assert_allclose(value, 9 / 81 / 25, rtol=1e-6)
    np.testing.assert_allclose(gradient[2, 2], 2 * 9 / 81 / 25, rtol=1e-6)


def test_units():
    predicted, target = images(3, 7)
    fss = barrow.loss("fss:threshold=1")
    value = fss.evaluate(predicted, target, unit=[2, 4, 8]).value
    for i, unit in enumerate((2.0, 4.0, 8.0)):
        assert fss.evaluate(predicted[i], target[i], unit).value == value[i]
        np.testing.assert_allclose(barrow.loss("fss:threshold=1", unit=unit).evaluate(predicted, target).value[i], value[i])
    assert value[0] != fss.evaluate(predicted, target).value[0]
    for wrong in (0, -1, np.nan, [1, 2], [1, 2, 0], "x"):
        with pytest.raises(ValueError, match="unit"):
            fss.evaluate(predicted, target, wrong)


def test_kept():
    predicted, target = images(2, 9)
    loss = barrow.loss("csi:threshold=0.2", grid=(6, 8), unit=2)
    again = pickle.loads(pickle.dumps(loss))
    assert again == loss and hash(again) == hash(loss) and again(predicted, target) == loss(predicted, target)
    assert loss != barrow.loss("csi:threshold=0.2", grid=(6, 8)) and "csi" in repr(loss) and "6×8" in repr(loss)


@pytest.mark.parametrize(
    "name, grid, says",
    [
        ("emdd", None, 'unknown loss "emdd".* did you mean emd'),
        ("emd@mse", None, "is two losses"),
        ("", None, "a loss without a name"),
        ("neighbourhood:radius=0", None, "from 1 to 6"),
        ("neighbourhood:radius=7", None, "from 1 to 6"),
        ("neighbourhood:threshold=5", None, "threshold is of score=brier alone"),
        ("neighbourhood:threshold=5:score=mse", None, "threshold is of score=brier alone"),
        ("spectral:shortest=0.1", None, "leaves the image as it is: those of a wafer are from 6.29 to 31.1 cm"),
        ("spectral:shortest=100", None, "at most 31.1"),
        ("spectral:shortest=9.99:longest=9.991", None, "no wave is from"),
        ("wavelet:finest=1", None, "all levels"),
        ("wavelet:finest=3", None, "from 1 to 2"),
        ("fss:threshold=0", None, "above 0 and at most 119837 MIP_T"),
        ("csi:threshold=1e9", None, "above 0 and at most 119837 MIP_T"),
        ("brier:threshold=-1", None, "above 0"),
        ("ssim:range=0", None, "above 0"),
        ("sliced:count=1", None, "from 2 to 1024"),
        ("emd", (4, 4), "emd is of wafers alone, not of a grid of 4×4"),
        ("neighbourhood:radius=3", (4, 4), "from 1 to 2"),
        ("neighbourhood", (2, 2), "every disc"),
        ("wavelet", (5, 4), "no squares of 2×2"),
        ("mse", (1, 5), "at least 2"),
        ("mse", (5000, 2), "from 2 to 2048"),
        ("mse", 5, "grid is 5"),
        ("mse", (4, 2.5), "whole number"),
    ],
)
def test_refused(name, grid, says):
    with pytest.raises(ValueError, match=says):
        barrow.loss(name, grid=grid)


def test_refused_files_and_settings():
    for wrong in ({"metric": "no such file"}, {"network": "no such file"}):
        with pytest.raises(OSError):
            barrow.loss("emd-cnn", **wrong)
    for wrong in ({"metric": 3}, {"threads": -1}, {"threads": 1.5}, {"pitch": 0, "grid": (4, 4)}, {"unit": 0}, {"unit": None}):
        with pytest.raises(ValueError):
            barrow.loss("mse", **wrong)
    with pytest.raises(ValueError):
        barrow.loss(3)


def test_bad_images():
    mse, emd = barrow.loss("mse"), barrow.loss("emd+mse")
    predicted, target = images(4, 11)
    bad = predicted.copy()
    bad[2, 5] = np.nan
    with pytest.raises(barrow.RowError, match=r"predicted\[5\] in row 2") as error:
        mse(bad, target)
    assert (error.value.row, error.value.cell) == (2, 5)
    bad[2, 5] = 1e300  # more than float32 has
    with pytest.raises(barrow.RowError, match=r"target\[5\] in row 2"):
        mse(predicted, bad)
    bad[2, 5] = -1
    with pytest.raises(barrow.EMDError, match=r"row 2: predicted\[5\] = -1") as error:
        emd(bad, target)
    assert (error.value.row, error.value.cell) == (2, 5)
    with pytest.raises(barrow.EMDError, match="row 1") as error:
        barrow.loss("sliced")(np.where(np.arange(4)[:, None] == 1, 0, predicted), target)
    assert error.value.row == 1
    for p, q in ((predicted[:, :47], target[:, :47]), (predicted[:3], target), (predicted[0], target[:1]), (1.0, 2.0), (predicted[None], target[None])):
        with pytest.raises(ValueError, match="shapes"):
            mse(p, q)
    with pytest.raises(ValueError, match="no images"):
        mse(predicted[:0], target[:0])


def test_torch():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    from barrow.torch import Loss, loss

    predicted, target = (torch.tensor(x, requires_grad=k == 0) for k, x in enumerate(images(4, 13)))
    for name in ("neighbourhood:radius=2", "emd+0.1*mse"):
        named = barrow.loss(name)
        want = named.evaluate(predicted.detach().numpy(), target.numpy())
        each = loss(predicted, target, named, "none")
        np.testing.assert_array_equal(each.detach().numpy(), want.value)
        predicted.grad = None
        module = Loss(name)
        module(predicted, target).backward()
        np.testing.assert_allclose(predicted.grad.numpy(), want.gradient / 4, rtol=1e-6)
        assert name in repr(module) and not list(module.parameters())
        assert torch.equal(pickle.loads(pickle.dumps(module))(predicted, target), each.mean())
    grid = torch.rand(2, 8, 12, requires_grad=True)
    loss(grid.flatten(1), torch.rand(2, 96), barrow.loss("fss:threshold=0.5", grid=(8, 12))).backward()
    assert grid.grad.abs().sum() > 0
    with pytest.raises(ValueError, match="target requires a gradient"):
        loss(predicted, target.requires_grad_(), "mse")
    with pytest.raises(ValueError, match="48×48"):
        loss(predicted[:, :40], target.detach()[:, :40], "mse")
    with pytest.raises(ValueError, match="unknown loss"):
        Loss("emdd")


def test_jax():
    jax = pytest.importorskip("jax", reason="JAX is not installed")
    from barrow.jax import emd_loss, loss

    predicted, target = (x.astype("f4") for x in images(4, 15))
    for name in ("neighbourhood:radius=2", "emd+0.1*mse"):
        want = barrow.loss(name).evaluate(predicted, target)
        value, gradient = jax.jit(jax.value_and_grad(lambda p: loss(p, target, name)))(predicted)
        np.testing.assert_allclose(value, want.value.mean(), rtol=1e-6)
        np.testing.assert_allclose(gradient, want.gradient / 4, rtol=1e-5, atol=1e-9)
        each = jax.vmap(lambda p, q: loss(p, q, name))(predicted, target)
        np.testing.assert_allclose(each, want.value, rtol=1e-6)
    with pytest.raises(TypeError, match="target is differentiated"):
        jax.grad(lambda q: loss(predicted, q, "mse"))(target)
    with pytest.raises(ValueError):
        loss(predicted, target, "emdd")
    with pytest.raises(ValueError):
        emd_loss(predicted, target, barrow.loss("mse"))
