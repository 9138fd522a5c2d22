"""emd and emd2 beside POT, and POT's own tests of both."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import barrow

rng = np.random.default_rng(97)
ROOT = Path(__file__).resolve().parents[2]
TESTS = Path(os.environ.get("BARROW_DATA") or ROOT.parent / "shared" / "data") / "peers" / "POT" / "test_ot.py"


def unit(n, zeros=0.0):
    x = rng.exponential(size=n) * (rng.random(n) >= zeros)
    x[0] += 0.1
    return x / x.sum()


def test_the_tests_of_pot(ot):
    """POT's test file as it lies, with ot.emd and ot.emd2 replaced wherever POT has them."""
    if not TESTS.exists():
        pytest.skip(f"POT's tests are not there: {TESTS}")
    here = str(Path(__file__).parent)
    path = os.pathsep.join([here, str(Path(barrow.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "replace_pot", "-p", "no:cacheprovider", str(TESTS)]
    done = subprocess.run(
        command, cwd=here, env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600,
    )
    print(done.stdout[-4000:])
    assert done.returncode == 0, done.stdout[-4000:]
    assert int(done.stdout.rsplit(" passed", 1)[0].split()[-1]) >= 30


@pytest.fixture
def ot():
    found = pytest.importorskip("ot", reason="POT is not installed")
    if tuple(map(int, found.__version__.split(".")[:3])) < (0, 9, 7):
        pytest.skip(f"POT {found.__version__} is older than 0.9.7, whose ways these are")
    return found


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("n, m, zeros", [(3, 3, 0), (20, 30, 0), (20, 30, 0.5), (90, 70, 0), (90, 70, 0.6), (1, 5, 0)])
def test_beside_pot(ot, n, m, zeros):
    for M in (rng.random((n, m)), rng.normal(size=(n, m)), ot.dist(rng.random((n, 2)), rng.random((m, 2)))):
        a, b = unit(n, zeros), unit(m, zeros)
        want, theirs = ot.emd(a, b, M, log=True)
        plan, log = barrow.emd(a, b, M, log=True)
        assert set(log) == set(theirs) and log["warning"] is None and log["result_code"] == theirs["result_code"]
        np.testing.assert_allclose(log["cost"], theirs["cost"], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(plan, want, atol=1e-9)  # the optimum is one plan with chance 1
        u, v = log["u"], log["v"]
        assert (u[:, None] + v - M).max() < 1e-12 * np.abs(M).max()
        np.testing.assert_allclose(a @ u + b @ v, log["cost"], atol=1e-12)
        np.testing.assert_allclose(a @ u, b @ v, atol=1e-12)
        assert np.abs((M - u[:, None] - v)[plan > 0]).max() < 1e-11
        if not zeros and n == m == 3:
            np.testing.assert_allclose(u, theirs["u"], atol=1e-9)
        assert barrow.emd2(a, b, M) == pytest.approx(log["cost"], rel=1e-14, abs=1e-15)
        cost, log2 = barrow.emd2(a, b, M, return_matrix=True)
        assert cost == log2["cost"] == log["cost"]
        np.testing.assert_array_equal(log2["G"], plan)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", ["f4", "f8", "i8"])
def test_types_are_those_of_pot(ot, dtype):
    M = rng.random((4, 4))
    a, b = np.array([1, 2, 0, 1], dtype), np.array([1, 1, 1, 1], dtype)
    for x, y, c in ((a, b, M), (a.tolist(), b, M), ([], b, M), ([], [], M.astype("f4")), (a.tolist(), b.tolist(), M.tolist())):
        if len(x) == 0 and len(y):
            y = y / y.sum()
            y = y.astype("f4") if dtype == "f4" else y
        want, theirs = ot.emd(x, y, c, log=True)
        plan, log = barrow.emd(x, y, c, log=True)
        assert plan.dtype == want.dtype and log["u"].dtype == theirs["u"].dtype and type(log["cost"]) is float
        assert type(barrow.emd2(x, y, c)) is type(ot.emd2(x, y, c)) is float
        assert barrow.emd2(x, y, c) == pytest.approx(ot.emd2(x, y, c), rel=1e-6)


def test_columns_and_rows():
    M = rng.random((6, 5))
    a = unit(6)
    b = np.stack([unit(5) for _ in range(4)], 1)
    costs = barrow.emd2(a, b, M)
    assert isinstance(costs, list) and len(costs) == 4
    detail = barrow.emd2(a, b, M, log=True, return_matrix=True)
    for k in range(4):
        assert costs[k] == pytest.approx(barrow.emd2(a, b[:, k], M), rel=1e-14)
        assert detail[k][0] == pytest.approx(costs[k], rel=1e-14) and detail[k][1]["G"].shape == (6, 5)
    rows = np.stack([a] * 4)
    np.testing.assert_allclose(barrow.emd2(rows, b.T, M), costs, rtol=1e-14)
    plans, log = barrow.emd(rows, b.T, M, log=True)
    assert plans.shape == (4, 6, 5) and log["u"].shape == (4, 6) and log["v"].shape == (4, 5)
    np.testing.assert_allclose(log["cost"], costs, rtol=1e-14)
    np.testing.assert_allclose((plans * M).sum((1, 2)), costs, rtol=1e-13)


def test_a_metric_in_the_place_of_costs():
    metric = barrow.Metric.hgcal()
    a, b = unit(48), unit(48)
    want = barrow.solve_batch(a, b, metric).value
    assert barrow.emd2(a, b, metric) == pytest.approx(want, rel=1e-14)
    plan, log = barrow.emd(a, b, metric, log=True)
    assert log["cost"] == pytest.approx(want, rel=1e-14) and plan.shape == (48, 48)
    assert barrow.emd2(a, b, metric.distances) == pytest.approx(want, rel=1e-14)


def test_numItermax_and_starts():
    n = 90
    M, a, b = rng.random((n, n)), unit(n), unit(n)
    best, full = barrow.emd(a, b, M, log=True)
    for steps in (1, 100, 2 * n + 20):
        with pytest.warns(UserWarning, match="numItermax"):
            plan, log = barrow.emd(a, b, M, numItermax=steps, log=True)
        assert log["result_code"] == 3 and "numItermax" in log["warning"] and log["cost"] >= full["cost"] - 1e-12
        np.testing.assert_allclose(plan.sum(1), a, atol=1e-12)
        np.testing.assert_allclose(plan.sum(0), b, atol=1e-12)
        with pytest.warns(UserWarning, match="numItermax"):
            assert barrow.emd2(a, b, M, numItermax=steps) == log["cost"]
        for start in ((log["u"], log["v"]), (full["u"], full["v"])):
            again, warm = barrow.emd(a, b, M, log=True, potentials_init=start)
            np.testing.assert_allclose(again, best, atol=1e-12)
            assert warm["cost"] == pytest.approx(full["cost"], rel=1e-13)
    with pytest.raises(ValueError, match="potentials_init"):
        barrow.emd(a, b, M, potentials_init=(a, b[:-1]))


def test_totals():
    M, a = rng.random((4, 4)), unit(4)
    for f in (barrow.emd, barrow.emd2):
        for error in (AssertionError, ValueError, barrow.EMDError):
            with pytest.raises(error, match="totals"):
                f(a, 2 * a, M)
            with pytest.raises(error, match="shapes"):
                f(unit(5), a, M)
    np.testing.assert_allclose(barrow.emd(a, 2 * a, M, check_marginals=False).sum(1), a, rtol=1e-13)
    assert barrow.emd2(a, 2 * a, M, check_marginals=False) == pytest.approx(barrow.emd2(a, a, M), rel=1e-13)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0])
def test_bad_masses(bad):
    M, a, b = rng.random((4, 4)), unit(4), unit(4)
    b[2] = bad
    for f in (barrow.emd, barrow.emd2):
        for check in (True, False):
            with pytest.raises(barrow.EMDError) as e:
                f(a, b, M, check_marginals=check)
            if not isinstance(e.value, AssertionError):  # -1 changes the total, too
                assert e.value.cell == 2
    with pytest.raises(barrow.EMDError) as e:
        barrow.emd2(np.stack([a, a]), np.stack([a, b]), M, check_marginals=False)
    assert e.value.row == 1 and e.value.cell == 2
    with pytest.raises(ValueError, match="NaN"):
        barrow.emd(a, a, M * np.nan)
    with pytest.raises(ValueError):
        barrow.emd2(np.zeros(4), np.zeros(4), M)


def test_errors_say_which_column():
    D = np.array([[0.0, 1], [1, 0]])
    with pytest.raises(barrow.EMDError, match="column 1") as e:
        barrow.emd2([0.5, 0.5], [[0.5, 0.2], [0.5, 1.2]], D)
    assert e.value.row == 1
    many = np.full((2, 500), 0.5)
    many[1, 321] = np.nan
    with pytest.raises(barrow.EMDError, match=r"column 321.*b\[1\] = NaN") as e:
        barrow.emd2(np.array([0.5, 0.5]), many, D)
    assert (e.value.row, e.value.cell) == (321, 1)
    with pytest.raises(barrow.EMDError, match="^barrow: the totals") as e:
        barrow.emd([0.5, 0.5], [0.5, 0.7], D)
    assert e.value.row is None
    for wrong in (-1, 2.5):
        with pytest.raises(ValueError, match="numItermax"):
            barrow.emd2([0.5, 0.5], [0.5, 0.5], D, numItermax=wrong)


def test_other_errors():
    M, a = rng.random((4, 4)), unit(4)
    for threads in (0, -1, "many", 1.5):
        with pytest.raises(ValueError, match="numThreads"):
            barrow.emd2(a, a, M, numThreads=threads)
    for call in (lambda: barrow.emd(1.0, a, M), lambda: barrow.emd(a, a, a), lambda: barrow.emd(a * 1j, a, M), lambda: barrow.emd(a, np.stack([a, a]), M)):
        with pytest.raises(ValueError):
            call()
    with pytest.warns(UserWarning, match="integers"):
        plan = barrow.emd([1, 2], [2, 1], np.array([[0, 1], [1, 0]]))
    assert plan.dtype.kind == "i" and plan.tolist() == [[1, 0], [1, 1]]


def test_sparse_costs():
    sparse = pytest.importorskip("scipy.sparse")
    M = sparse.coo_array(np.array([[1.0, 5.0], [0.0, 3.0]]))
    plan, log = barrow.emd([0.5, 0.5], [0.5, 0.5], M, log=True)
    assert sparse.issparse(plan) and plan.toarray().tolist() == [[0.5, 0], [0, 0.5]] and log["cost"] == 2
    with pytest.warns(UserWarning, match="infeasible"):
        plan, log = barrow.emd([0.1, 0.9], [0.9, 0.1], M, log=True)
    assert log["result_code"] == 0 and plan.nnz == 0
    zero = sparse.coo_array(([0.0, 2.0], ([0, 1], [1, 0])), shape=(2, 2))
    assert barrow.emd2([0.25, 0.75], [0.75, 0.25], zero) == 1.5


def test_torch_gradients():
    torch = pytest.importorskip("torch")
    n, m = 7, 9
    base = [torch.tensor(unit(n)), torch.tensor(unit(m)), torch.rand(n, m, dtype=torch.float64)]
    a, b, M = (x.clone().requires_grad_() for x in base)
    cost, log = barrow.emd2(a, b, M, log=True)
    (3 * cost).backward()
    step = 1e-6
    for k, x in enumerate((a, b, M)):
        d = torch.randn(x.shape, dtype=torch.float64)
        if k < 2:
            d -= d.mean()  # totals stay
        near = [barrow.emd2(*[y + s * d if j == k else y for j, y in enumerate(base)]) for s in (step, -step)]
        assert float((x.grad * d).sum()) == pytest.approx(3 * float(near[0] - near[1]) / (2 * step), rel=1e-5, abs=1e-6)
    np.testing.assert_allclose(a.grad.numpy(), 3 * (log["u"] - log["u"].mean()).numpy(), rtol=1e-12)
    single = barrow.emd2(a.float(), b.float(), M.float())
    assert single.dtype == torch.float32 and single.requires_grad
    rows = barrow.emd2(torch.stack([a, a]), torch.stack([b, b]), M)
    a.grad = None
    rows.sum().backward()
    np.testing.assert_allclose(a.grad.numpy(), 2 * (log["u"] - log["u"].mean()).numpy(), rtol=1e-12)
    with pytest.raises(ValueError, match="one library"):
        barrow.emd(a.detach().numpy(), b, M)


def test_tensorflow_gradients():
    tf = pytest.importorskip("tensorflow")
    a, b, M = (tf.Variable(x) for x in (unit(5), unit(6), rng.random((5, 6))))
    with tf.GradientTape() as tape:
        cost, log = barrow.emd2(tf.identity(a), tf.identity(b), tf.identity(M), log=True, return_matrix=True)
        loss = 2 * cost
    da, db, dM = tape.gradient(loss, [a, b, M])
    np.testing.assert_allclose(da, 2 * (log["u"] - tf.reduce_mean(log["u"])), rtol=1e-12)
    np.testing.assert_allclose(db, 2 * (log["v"] - tf.reduce_mean(log["v"])), rtol=1e-12)
    np.testing.assert_allclose(dM, 2 * log["G"], rtol=1e-12)


def test_a_matrix_comes_again():
    """A new matrix is solved at once, one that comes again on a ground that is kept: the same bits."""
    for n, m in (1, 2), (10, 10), (40, 30), (150, 150):
        a, b = unit(n), unit(m)
        x = rng.random((max(n, m), 2))
        for M in (rng.random((n, m)), np.hypot(*(x[:n, None] - x[None, :m]).transpose(2, 0, 1))):
            values = {barrow.emd2(a, b, M) for _ in range(4)}
            assert values == {barrow.emd2(a, b, M.copy(order="F"))}
            M[n // 2, m // 2] += 1  # the same array, other costs
            assert barrow.emd2(a, b, M) == pytest.approx(barrow.solve_batch(a, b * (a.sum() / b.sum()), M.copy()).value, abs=1e-13)


def test_torch_twice():
    """Second derivatives through the value, as POT's: the gradients are constants."""
    torch = pytest.importorskip("torch")
    inputs = [unit(4), unit(3), rng.random((4, 3))]

    def second(emd2):
        a, b, M = (torch.tensor(x, requires_grad=True) for x in inputs)
        first = torch.autograd.grad(emd2(a, b, M) ** 2, [a, b, M], create_graph=True)
        return torch.autograd.grad(sum((x**2).sum() for x in first), [a, b, M])

    found = second(barrow.emd2)
    a, b, M = (torch.tensor(x, requires_grad=True) for x in inputs)
    value = barrow.emd2(a, b, M)
    slopes = torch.autograd.grad(value, [a, b, M])
    norm = sum(float((x**2).sum()) for x in slopes)
    for got, slope in zip(found, slopes):  # of |2 value slope|²
        np.testing.assert_allclose(got, 8 * float(value.detach()) * norm * slope, rtol=1e-12)
    ot = pytest.importorskip("ot")
    np.testing.assert_allclose(found[2], second(ot.emd2)[2], rtol=1e-9)


def test_the_cost_of_integers_is_a_float():
    """Of which nothing is rounded, and so nothing is said."""
    a, b, M = np.array([1, 0]), np.array([0, 1]), np.array([[0.0, 1.5], [1.5, 0.0]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert barrow.emd2(a, b, M) == barrow.emd2(a[None], b[None], M)[0] == 1.5
