"""Metric and solve_batch: values, gradients, proofs, inputs of every kind, errors."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

import barrow
from barrow import Metric, solve_batch

rng = np.random.default_rng(19)


def images(rows, cells, total=1.0):
    x = rng.exponential(size=(rows, cells)) * (rng.random((rows, cells)) < 0.6)
    x[:, 0] += 0.1
    return total * x / x.sum(1, keepdims=True)


def check(r, a, b, M, normalise=False):
    """Plan and potentials prove each other and the value."""
    a, b = np.asarray(a, "f8"), np.asarray(b, "f8")
    if normalise:
        a, b = a / a.sum(1, keepdims=True), b / b.sum(1, keepdims=True)
    f, h = r.potentials
    plan = r.plan.toarray()
    scale = a.sum(1).max() * np.abs(M).max()
    assert (f[:, :, None] + h[:, None, :] - M).max() <= 1e-13 * np.abs(M).max()
    np.testing.assert_allclose((a * f).sum(1) + (b * h).sum(1), r.value, rtol=0, atol=1e-12 * scale)
    np.testing.assert_allclose((plan * M).sum((1, 2)), r.value, rtol=0, atol=1e-12 * scale)
    np.testing.assert_allclose(plan.sum(2), a, rtol=0, atol=1e-13 * a.sum(1).max())
    np.testing.assert_allclose(plan.sum(1), b, rtol=0, atol=1e-13 * a.sum(1).max())
    assert plan.min() >= 0
    # Complementary slackness.
    slack = M - f[:, :, None] - h[:, None, :]
    assert (slack[plan > 1e-12 * a.sum()]).max(initial=0) <= 1e-11 * np.abs(M).max()
    assert r.certificate.proves().all()


GROUNDS = {
    "benchmark": lambda: Metric.hgcal(),
    "cmssw": lambda: Metric.hgcal("cmssw"),
    "line": lambda: Metric.euclidean(np.arange(9.0)),
    "plane": lambda: Metric.euclidean(rng.random((70, 2))),
    "space": lambda: Metric.euclidean(rng.random((20, 3))),
    "torus": lambda: Metric.periodic(rng.random((30, 2)), (1, 0.7)),
    "cylinder": lambda: Metric.periodic(rng.random((30, 3)), (None, 0.7, 0)),
    "grid": lambda: Metric.grid(5, 7, 1),
    "metric": lambda: Metric.matrix(Metric.grid(3, 4, "linf").distances),
    "squares": lambda: Metric.matrix(Metric.euclidean(rng.random((25, 2))).distances ** 2),
    "costs": lambda: Metric.matrix(rng.normal(size=(12, 17))),
    "many": lambda: Metric.matrix(rng.normal(size=(50, 40))),
}


@pytest.mark.parametrize("name", GROUNDS)
def test_proofs(name):
    metric = GROUNDS[name]()
    n, m = metric.shape
    a, b = images(8, n), images(8, m)
    check(solve_batch(a, b, metric), a, b, metric.distances)
    a *= 3.7
    b *= rng.random((8, 1))
    check(solve_batch(a, b, metric, "normalise"), a, b, metric.distances, normalise=True)


def test_penalty():
    metric = Metric.hgcal()
    a, b = images(6, 48), images(6, 48, 1.7)
    r = solve_batch(a, b, metric, ("penalty", 9.0))
    plan, (f, h) = r.plan.toarray(), r.potentials
    np.testing.assert_allclose(r.value, (plan * metric.distances).sum((1, 2)) + 9 * 0.7, rtol=1e-12)
    np.testing.assert_allclose(r.value, (a * f).sum(1) + (b * h).sum(1), rtol=1e-12)
    assert h.max() <= 9 * (1 + 1e-12)
    assert r.certificate.proves().all()


@pytest.mark.parametrize("unequal", ["normalise", ("penalty", 20.0)])
@pytest.mark.parametrize("name", ["benchmark", "plane", "costs", "many"])
def test_gradient_is_the_slope(name, unequal):
    """Central differences, where they agree on both sides: away from kinks."""
    metric = GROUNDS[name]()
    n, m = metric.shape
    a, b = 0.05 + rng.random((3, n)), 0.05 + rng.random((3, m))
    r = solve_batch(a, b, metric, unequal)
    step, smooth = 1e-6, 0
    for side, x in enumerate((a, b)):
        for _ in range(10):
            d = rng.normal(size=x.shape)
            near = [solve_batch(*((x + s * d, b) if side == 0 else (a, x + s * d)), metric, unequal, gradient=False).value for s in (step, -step)]
            up, down = (near[0] - r.value) / step, (r.value - near[1]) / step
            slope = (r.gradient[side] * d).sum(1)
            same = np.abs(up - down) < 1e-4
            smooth += same.sum()
            np.testing.assert_allclose(slope[same], (up + down)[same] / 2, rtol=0, atol=1e-6)
    assert smooth > 40


def test_values_of_known_problems():
    line = Metric.euclidean([0.0, 1.0, 3.0])
    assert solve_batch([1, 0, 0], [0, 0, 1], line).value == 3
    ring = Metric.periodic([0.0, 1.0, 3.0], 4)
    assert solve_batch([1, 0, 0], [0, 0, 1], ring).value == 1
    for norm, want in ((1, 3), (2, math.sqrt(5)), (math.inf, 2)):
        grid = Metric.grid(2, 3, norm)
        assert solve_batch(np.eye(6)[0], np.eye(6)[5], grid).value == pytest.approx(want, abs=1e-15)
    r = solve_batch([4.0, 6.0], [3.0, 3.0, 4.0], [[2.2, 7, 1], [3, 4, 5]])
    assert r.value == pytest.approx(25, abs=1e-14)
    same = images(4, 48)
    r = solve_batch(same, same, Metric.hgcal())
    assert (r.value == 0).all() and (r.gradient[0] == 0).all() and (r.gradient[1] == 0).all()


def test_inputs_of_every_kind():
    metric = Metric.hgcal()
    a, b = images(10, 48), images(10, 48)
    want = solve_batch(a, b, metric)
    a32, b32 = a.astype("f4"), b.astype("f4")
    exact = solve_batch(a32.astype("f8"), b32.astype("f8"), metric, "normalise").value
    assert want.value.dtype == np.float64
    wide = np.zeros((20, 96))
    wide[::2, ::2] = a
    for x in (np.asfortranarray(a), wide[::2, ::2], a[::-1][::-1], a.astype(">f8"), a.tolist(), list(a)):
        np.testing.assert_array_equal(solve_batch(x, b, metric).value, want.value)
    np.testing.assert_array_equal(solve_batch(a32, b32, metric, "normalise").value, exact)
    counts = rng.integers(0, 9, size=(10, 48))
    counts[:, 0] += 1
    np.testing.assert_array_equal(
        solve_batch(counts, counts[::-1], metric, "normalise").value,
        solve_batch(counts * 1.0, counts[::-1] * 1.0, metric, "normalise").value,
    )
    one = solve_batch(a[3], b[3], metric)
    assert one.value == want.value[3] and one.value.shape == () and one.gradient[0].shape == (48,)
    assert one.plan.toarray().shape == (48, 48) and one.certificate.proves()
    many = solve_batch(a[3], b, metric)
    np.testing.assert_array_equal(many.value, solve_batch(np.repeat(a[3:4], 10, 0), b, metric).value)
    np.testing.assert_array_equal(want.plan[3], one.plan.toarray())
    none = solve_batch(a[:0], b[:0], metric)
    assert none.value.shape == (0,) and none.gradient[0].shape == (0, 48) and none.plan.toarray().shape == (0, 48, 48)
    assert none.certificate.gap.shape == (0,)


def test_results_are_lazy_and_the_same():
    metric = Metric.hgcal()
    a, b = images(5, 48, 2.0), images(5, 48, 3.0)
    now = solve_batch(a, b, metric, "normalise")
    later = solve_batch(a, b, metric, "normalise", gradient=False)
    left = solve_batch(a, b, metric, "normalise", gradient=(True, False))
    for r in (later, left):
        for side in (0, 1):
            np.testing.assert_array_equal(now.gradient[side], r.gradient[side])


@pytest.mark.parametrize("name", ["pyarrow", "awkward"])
def test_lists_of_other_libraries(name):
    lib = pytest.importorskip(name)
    metric = Metric.hgcal()
    a, b = images(10, 48), images(10, 48)
    want = solve_batch(a, b, metric).value
    make = lib.array if name == "pyarrow" else lib.from_iter
    kinds = [make(a.tolist())]
    if name == "pyarrow":
        kinds += [lib.array(a.tolist(), lib.list_(lib.float64(), 48)), lib.chunked_array([a[:4].tolist(), a[4:].tolist()])]
    else:
        kinds += [lib.to_regular(kinds[0])]
    for x in kinds:
        np.testing.assert_array_equal(solve_batch(x, b, metric).value, want)
    ragged = a.tolist()
    ragged[7] = ragged[7][:-1]
    with pytest.raises(ValueError):
        solve_batch(make(ragged), b, metric)


def test_chunks(monkeypatch):
    """Many parts give what one gives, and rows keep their numbers."""
    import barrow._transport as module

    metric = Metric.hgcal()
    a, b = images(3000, 48), images(3000, 48)
    want = solve_batch(a, b, metric, "normalise")
    plan, certificate = want.plan, want.certificate
    real = module.chunks
    monkeypatch.setattr(module, "chunks", lambda n, size, title="": real(n, size, title, 200_000))
    got = solve_batch(a, b, metric, "normalise")
    np.testing.assert_array_equal(got.value, want.value)
    for side in (0, 1):
        np.testing.assert_array_equal(got.gradient[side], want.gradient[side])
        np.testing.assert_array_equal(got.potentials[side], want.potentials[side])
    for column in ("pair", "source", "target", "mass"):
        np.testing.assert_array_equal(getattr(got.plan, column), getattr(plan, column))
    np.testing.assert_array_equal(got.certificate.gap, certificate.gap)
    a[2987, 11] = -1
    with pytest.raises(barrow.EMDError) as e:
        solve_batch(a, b, metric)
    assert (e.value.row, e.value.cell) == (2987, 11) and "2987" in str(e.value)
    for lazy in ("plan", "certificate", "potentials", "gradient"):
        late = solve_batch(images(3000, 48), b, metric, "normalise", gradient=False)
        late._p = a
        with pytest.raises(barrow.EMDError) as e:
            getattr(late, lazy)
        assert (e.value.row, e.value.cell) == (2987, 11), lazy


def test_memory_map(tmp_path):
    metric = Metric.hgcal()
    a = images(20000, 48).astype("f4")
    file = np.memmap(tmp_path / "a.bin", "f4", "w+", shape=a.shape)
    file[:] = a
    np.testing.assert_array_equal(
        solve_batch(file, file[::-1], metric, "normalise", gradient=False).value,
        solve_batch(a, a[::-1], metric, "normalise", gradient=False).value,
    )


@pytest.mark.parametrize("bad", [math.nan, -1.0, math.inf])
@pytest.mark.parametrize("side", [0, 1])
def test_bad_masses(bad, side):
    for metric in (Metric.hgcal(), Metric.matrix(rng.random((48, 48)))):
        pair = [images(50, 48), images(50, 48)]
        pair[side][41, 7] = bad
        for unequal in ("error", "normalise", ("penalty", 9.0)):
            with pytest.raises(barrow.EMDError) as e:
                solve_batch(*pair, metric, unequal)
            assert (e.value.row, e.value.cell) == (41, 7)
            assert isinstance(e.value, ValueError)


def test_empty_and_unequal():
    metric = Metric.hgcal()
    a, b = images(50, 48), images(50, 48)
    a[33] = 0
    with pytest.raises(barrow.EMDError) as e:
        solve_batch(a, b, metric)
    assert e.value.row == 33 and e.value.cell is None
    r = solve_batch(a, b, metric, empty="skip")
    assert np.isnan(r.value[33]) and np.isfinite(np.delete(r.value, 33)).all()
    assert (r.gradient[0][33] == 0).all() and (r.plan[33] == 0).all() and np.isnan(r.certificate.gap[33])
    assert r.potentials[0].shape == (50, 48)
    assert solve_batch(a, b, metric, ("penalty", 7.0)).value[33] == pytest.approx(7, rel=1e-12)
    a[33] = 1
    with pytest.raises(barrow.EMDError) as e:
        solve_batch(a, b, metric)
    assert e.value.row == 33


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda m: solve_batch(np.ones((3, 47)), np.ones((3, 48)), m), "47"),
        (lambda m: solve_batch(np.ones((3, 48)), np.ones((4, 48)), m), "same number"),
        (lambda m: solve_batch(np.ones((3, 2, 48)), np.ones((3, 48)), m), "shapes"),
        (lambda m: solve_batch(1.0, np.ones((3, 48)), m), "shapes"),
        (lambda m: solve_batch(np.ones(48) * 1j, np.ones(48), m), "complex"),
        (lambda m: solve_batch(["a"] * 48, np.ones(48), m), "a has elements"),
        (lambda m: solve_batch([[1.0] * 48, [1.0] * 47], np.ones((2, 48)), m), "a"),
        (lambda m: solve_batch(np.ones(48), np.ones(48), m, "scale"), "scale"),
        (lambda m: solve_batch(np.ones(48), np.ones(48), m, ("penalty", -1)), "penalty"),
        (lambda m: solve_batch(np.ones(48), np.ones(48), m, ["penalty", 0]), "penalty"),
        (lambda m: solve_batch(np.ones(48), np.ones(48), m, empty="drop"), "drop"),
        (lambda m: solve_batch(np.ones(48), np.ones(48), m, threads=-1), "threads"),
        (lambda m: solve_batch(np.ones(48), np.ones(48), np.ones(48)), "matrix"),
        (lambda m: solve_batch(np.ones(2), np.ones(2), [[0, math.nan], [1, 0]]), "[0][1]"),
        (lambda m: Metric.hgcal("nonsense"), "nonsense"),
        (lambda m: Metric.euclidean(np.ones((4, 2))), "same"),
        (lambda m: Metric.euclidean([[0, math.nan], [1, 1]]), "point 0"),
        (lambda m: Metric.euclidean([[0, 0, 1], [1, math.inf, 1]]), "point 1"),
        (lambda m: Metric.periodic(np.eye(3), (1, 2)), "periods"),
        (lambda m: Metric.periodic(np.eye(2), (-1, 2)), "period"),
        (lambda m: Metric.grid(0, 3), "grid"),
        (lambda m: Metric.grid(3, 3, 3), "norm"),
        (lambda m: Metric.grid(2.5, 3), "whole"),
        (lambda m: solve_batch(np.ones(48), np.ones(48), m, threads=None), "threads"),
        (lambda m: solve_batch(np.ones(48), np.ones(48), m, threads=2**63), "threads is"),
        (lambda m: solve_batch(np.ones(48), np.ones(48), m, max_pivots=1.5), "max_pivots"),
        (lambda m: Metric.matrix(np.zeros((0, 3))), "cells"),
    ],
)
def test_errors(call, words):
    with pytest.raises((ValueError, OSError)) as e:
        call(Metric.hgcal())
    assert words in str(e.value)


def test_matrices_changed_in_place():
    """The same array object with other numbers is another matrix."""
    M = rng.random((6, 6))
    a, b = images(1, 6)[0], images(1, 6)[0]
    first = solve_batch(a, b, M).value
    assert solve_batch(a, b, M).value == first
    M *= 2
    assert solve_batch(a, b, M).value == pytest.approx(2 * first, rel=1e-13)
    for _ in range(20):  # more than are kept
        M = rng.random((6, 6))
        assert solve_batch(a, b, M).value == solve_batch(a, b, Metric.matrix(M)).value


def test_pickle():
    for metric in (Metric.hgcal("cmssw"), Metric.matrix(rng.random((4, 5))), Metric.grid(2, 2)):
        again = pickle.loads(pickle.dumps(metric))
        assert again.shape == metric.shape
        np.testing.assert_array_equal(again.distances, metric.distances)
        assert again.is_metric == metric.is_metric
    with pytest.raises(ValueError):
        metric.distances[0, 0] = 1


@pytest.mark.parametrize("metric", [Metric.hgcal(), Metric.hgcal("cmssw"), Metric.grid(3, 4), Metric.euclidean(rng.random((5, 3)))])
def test_points(metric):
    x = metric.points
    assert x.shape[0] == metric.shape[0]
    between = np.linalg.norm(x[:, None] - x[None], axis=2)
    np.testing.assert_allclose(between, metric.distances, rtol=1e-13, atol=1e-13)
    assert Metric.matrix(between).points is None


@pytest.mark.skipif(not hasattr(__import__("os"), "memfd_create"), reason="files with holes are needed")
def test_more_than_is_held(tmp_path):
    """Pairs of some 800 MB go through a mapped file of at most 64 MB."""
    from barrow import _worker

    rows = 1_000_000
    with open(tmp_path / "a.bin", "wb") as f:
        f.truncate(rows * 48 * 4)
    a = np.memmap(tmp_path / "a.bin", "f4", "r+", shape=(rows, 48))
    a[rows - 2, 5] = 2
    b = np.memmap(tmp_path / "a.bin", "f4", "r", shape=(rows, 48))[::-1]
    r = solve_batch(a, b, Metric.hgcal(), ("penalty", 9.0), gradient=False)
    assert np.flatnonzero(r.value).tolist() == [1, rows - 2] and r.value[1] == 18
    assert _worker._state.worker.arena.size <= 64 << 20


def test_results_that_are_kept_stay_as_they_are():
    """Memory of large results is used again, but only once nobody has them."""
    metric = barrow.Metric.euclidean(np.arange(48.0))
    pairs = [np.random.default_rng(seed).random((2, 500, 48)) for seed in range(20)]

    def gradients(p, q):
        return barrow.solve_batch(p, q, metric, unequal="normalise").gradient

    want = [[side.copy() for side in gradients(*pair)] for pair in pairs]
    kept = [gradients(*pair) for pair in pairs]
    parts = [gradients(*pair)[1][::7, 3:].T for pair in pairs]  # of whose array nobody knows any more
    views = [memoryview(gradients(*pair)[0]) for pair in pairs]
    for _ in range(5):
        gradients(*pairs[0])
    for (to_p, to_q), both, part, view in zip(want, kept, parts, views):
        np.testing.assert_array_equal(both[0], to_p)
        np.testing.assert_array_equal(both[1], to_q)
        np.testing.assert_array_equal(part, to_q[::7, 3:].T)
        np.testing.assert_array_equal(np.asarray(view), to_p)
    both[0][:] = 7  # they are the caller's, to write to
    np.testing.assert_array_equal(gradients(*pairs[3])[0], want[3][0])


def test_memory_of_results_is_used_again():
    from barrow._arena import Room

    room, x = Room(), np.arange(20000.0).reshape(100, 200)
    first = room.copy(x)
    at = first.ctypes.data
    second = room.copy(x)
    assert second.ctypes.data != at and second.dtype == x.dtype and second.shape == x.shape
    del first
    assert room.copy(x.astype("i8")).ctypes.data == at  # nobody had it, and nobody has it now
    part = room.copy(x)[:, 5]
    assert room.copy(x).ctypes.data != at
    del part
    for n in range(1, 30):
        room.copy(np.zeros(n << 16))
        assert len(room._pieces) <= room.MOST and sum(len(piece) for piece, _ in room._pieces) <= room.BYTES
