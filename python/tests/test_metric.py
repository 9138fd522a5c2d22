"""Metrics where they are kept: many settings, pickles, folders, forks."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest

import barrow
from barrow import Metric, solve_batch

LINE = np.arange(6.0)
x = np.random.default_rng(4).random((4, 6)) + 0.1


def test_equality():
    a, b = barrow.Metric.euclidean([[0, 0], [1, 0]]), barrow.Metric.euclidean([[0, 0], [1, 0]])
    assert a == b and hash(a) == hash(b) and {a: 1}[b] == 1 and pickle.loads(pickle.dumps(a)) == a
    assert a != barrow.Metric.euclidean([[0, 0], [2, 0]]) and a != barrow.Metric.grid(1, 2) and a != "a"
    assert barrow.Metric.grid(2, 3) == barrow.Metric.grid(2, 3) != barrow.Metric.grid(3, 2)


def test_the_constructor_says_what_is_one():
    with pytest.raises(TypeError, match=r"Metric\.matrix\(M\)"):
        barrow.Metric([[0, 1], [1, 0]])


def test_few_solvers_are_kept():
    metric = Metric.euclidean(LINE)
    first = metric.solver(("penalty", 1.0))
    assert metric.solver(["penalty", np.float32(1)]) is first and metric.solver(("penalty", np.array(1))) is first
    for R in np.linspace(1, 2, 50):
        solve_batch(x, x[::-1], metric, ("penalty", R))
        assert len(metric._solvers) <= 8
        assert metric.solver(("penalty", 1.0)) is first  # in use, and so kept
    with pytest.raises(ValueError, match="threads"):
        metric.solver(threads=0.5)


def test_an_unpickled_metric_starts_nothing(tmp_path):
    (tmp_path / "metric").write_bytes(pickle.dumps(Metric.euclidean(LINE)))
    program = (
        "import pickle, sys, barrow, barrow._worker as w\n"
        "metric = pickle.load(open(sys.argv[1], 'rb'))\n"
        "assert w._state.worker is None and metric.shape == (6, 6)\n"
        "assert barrow.solve_batch([1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1], metric).value == 5\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "metric")], check=True, timeout=120)


def test_a_file_of_positions_is_read_at_once(tmp_path, monkeypatch):
    points = np.random.default_rng(5).random((48, 2))
    np.savetxt(tmp_path / "positions.csv", points, fmt="%.17g", delimiter=",", header="x,y", comments="")
    monkeypatch.chdir(tmp_path)
    metric = Metric.hgcal("positions.csv")
    assert (Metric.hgcal(tmp_path / "positions.csv").distances == metric.distances).all()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with pytest.raises(FileNotFoundError):
        Metric.hgcal("positions.csv")
    os.remove(tmp_path / "positions.csv")
    again = pickle.loads(pickle.dumps(metric))
    np.testing.assert_array_equal(again.points, points)
    np.testing.assert_array_equal(again.distances, Metric.euclidean(points).distances)
    with pytest.raises(ValueError, match="path"):
        Metric.hgcal(3)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_fork_while_threads_are_in_a_metric():
    metric = Metric.euclidean(LINE)
    matrix = Metric.grid(2, 3).distances
    ended = threading.Event()

    def work():
        R = 1.0
        while not ended.is_set():
            R += 0.001
            metric.solver(("penalty", R))
            solve_batch(x[:1], x[:1], matrix * R)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            child = os.fork()
            if not child:
                import signal

                signal.alarm(60)
                fine = solve_batch(x[:1], x[1:2], metric, "normalise").value > 0 and solve_batch(x[:1], x[:1], 3 * matrix).value == 0
                os._exit(0 if fine else 1)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def test_what_is_asked_later_changes_no_value():
    a, b = x.copy(), x[::-1].copy()
    solved = solve_batch(a, b, Metric.euclidean(LINE), "normalise", gradient=False)
    value = solved.value.copy()
    a[0] = a[0, ::-1].copy()
    solved.gradient
    np.testing.assert_array_equal(solved.value, value)


def test_one_row_is_compared_with_all():
    metric = Metric.euclidean(LINE)
    want = solve_batch(x[0], x, metric, "normalise")
    for a, b in ((x[:1], x), (x, x[:1])):
        got = solve_batch(a, b, metric, "normalise")
        np.testing.assert_allclose(got.value, want.value, rtol=1e-14)
        assert [side.shape for side in got.gradient] == [(4, 6), (4, 6)]
    assert solve_batch(x[:1], x[:0], metric).value.shape == (0,)
    with pytest.raises(ValueError, match="2 rows of a and 4 of b"):
        solve_batch(x[:2], x, metric)


def test_the_plan_of_a_pair_has_no_length():
    metric = Metric.euclidean(LINE)
    plan = solve_batch(x[0], x[1], metric, "normalise").plan
    with pytest.raises(TypeError, match="single pair"):
        len(plan)
    assert plan and np.asarray(plan).shape == (6, 6)
    assert len(solve_batch(x[:2], x[:2], metric).plan) == 2


def test_errors_keep_their_class():
    with pytest.raises(AssertionError) as caught:
        barrow.emd([[1.0, 0], [1, 0]], [[1.0, 0], [2, 0]], [[0.0, 1], [1, 0]])
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is type(caught.value) and (str(again), again.row) == (str(caught.value), 1)


@pytest.mark.filterwarnings("ignore:.*nearly a metric")
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_rounded_distances_are_a_metric(dtype):
    """What their type rounds away makes distances no costs, which would move what a and b have in common."""
    rng = np.random.default_rng(4)
    x = np.cumsum(rng.random(40))  # on a line: no inequality is strict
    exact = np.abs(x[:, None] - x)
    M = exact.astype(dtype)
    assert not barrow.Metric.matrix(M.astype("f8")).is_metric
    metric = barrow.Metric.matrix(M)
    assert metric.is_metric
    assert np.abs(metric.distances - exact).max() <= 5 * np.finfo(dtype).eps * exact.max()
    a = rng.random((3, 40))
    found = barrow.solve_batch(a, a, M)
    assert not found.value.any() and not found.gradient[0].any()
    assert barrow.solve_batch(a, a, M.astype("f8")).gradient[0].any(), "the same numbers as costs are another ground"
    M[0, 1] *= 2
    assert not barrow.Metric.matrix(M).is_metric


def cdist_by_products(x):
    """Distances in float32 as PyTorch's, with what the products' differences leave on the diagonal."""
    x = x.astype("f4")
    square = (x * x).sum(1)
    return np.sqrt(np.maximum(square[:, None] + square - 2 * x @ x.T, 0) + np.float32(1e-7) * np.eye(len(x), dtype="f4"))


def test_nearly_a_metric_is_said():
    x = np.random.default_rng(2).random((48, 2))
    D = cdist_by_products(x)
    with pytest.warns(UserWarning, match="nearly a metric.*Metric.euclidean") as told:
        metric = barrow.Metric.matrix(D)
    assert len(told) == 1 and told[0].filename == __file__ and not metric.is_metric
    with pytest.warns(UserWarning, match="nearly a metric"):
        barrow.solve_batch(np.ones(48), np.ones(48), cdist_by_products(x + 1))
    line = np.abs(x[:, :1] - x[:, 0])
    line[3, 5] = line[5, 3] = line[3, 5] * (1 + 1e-4)  # off by triangles alone
    with pytest.warns(UserWarning, match="nearly a metric"):
        barrow.Metric.matrix(line)
    exact = barrow.Metric.euclidean(x).distances
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for costs in (exact, exact.astype("f4"), exact**2, exact[:20], exact + 1, -exact, np.zeros((3, 3)), np.triu(exact)):
            barrow.Metric.matrix(costs)


def test_a_metric_for_a_matrix():
    metric = barrow.Metric.grid(2, 2)
    assert barrow.Metric.matrix(metric) is metric
    for call in (lambda: barrow.Metric.matrix("benchmark"), lambda: barrow.solve_batch([1, 1], [1, 1], "benchmark")):
        with pytest.raises(ValueError, match=r"Metric.hgcal\('benchmark'\)"):
            call()
