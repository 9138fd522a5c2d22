"""What is taken as an array of numbers, and what errors say of all else."""

from __future__ import annotations

import decimal

import numpy as np
import pytest

import barrow
from barrow import Metric, solve_batch
from barrow._arrays import numbers

M = [[0.0, 1, 2], [1, 0, 1], [2, 1, 0]]
ROWS = [[1.0, 1, 0], [0.5, 0, 1.5]]


class Opaque:
    """No array, and nothing that becomes one."""


@pytest.mark.parametrize(
    "wrong, words",
    [
        (np.ma.masked_greater([[1, 1, 7e5]], 1e5), r"a .*1 entries are masked.*filled\(0\)"),
        ([np.ma.masked_equal([1.0, 1, 0], 0)], "masked"),
        ({"charge": np.ones((2, 3))}, "a is of type dict.*'charge'"),
        ((x for x in ROWS), "a is of type generator.*list"),
        (zip([1], [2]), "a is of type zip"),
        ({1.0, 2.0, 3.0}, "a is of type set"),
        (Opaque(), "a is of type Opaque"),
        ([Opaque(), Opaque(), Opaque()], "a: row 0 is <"),
        (None, "a is of type NoneType"),
        ([[1, None, 0]], r"a: entry \(0, 1\) is None"),
        ([[1.0, 1, 0], None], "a: row 1 is None"),
        ([[1.0, 1, 0], [1.0, 1]], "a: row 1 has 2 entries"),
        (np.array([[1.0, "x", 0]], dtype=object), r"a: entry \(0, 1\)"),
    ],
)
def test_what_is_no_array(wrong, words):
    with pytest.raises(ValueError, match=words):
        solve_batch(wrong, ROWS, M)


def test_a_metric_of_a_metric():
    metric = Metric.matrix(M)
    assert Metric.matrix(metric) is metric
    with pytest.raises(ValueError, match="metric is of type NoneType"):
        solve_batch(ROWS, ROWS, None)


def test_objects_that_are_numbers():
    want = solve_batch(ROWS, ROWS[::-1], M).value
    for given in (
        np.array(ROWS, dtype=object),
        [[decimal.Decimal(str(x)) for x in row] for row in ROWS],
        np.ma.masked_array(ROWS),
        np.array(ROWS).tolist(),
    ):
        np.testing.assert_array_equal(solve_batch(given, ROWS[::-1], M).value, want)


def test_scipy():
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(ValueError, match=r"a is of type csr_.*toarray\(\)"):
        solve_batch(sparse.csr_matrix(ROWS), ROWS, M)


def test_pandas():
    pd = pytest.importorskip("pandas")
    with pytest.raises(ValueError, match=r"a: entry \(0, 1\) is <NA>"):
        solve_batch(pd.DataFrame([[1, pd.NA, 1]], dtype="Int64"), ROWS, M)
    whole = pd.DataFrame([[1, 1, 0]], dtype="Int64")
    assert solve_batch(whole, [[0, 1, 1]], M).value[0] == 2


def test_arrow():
    pa = pytest.importorskip("pyarrow")
    empty = pa.array([], pa.list_(pa.float64()))
    r = solve_batch(empty, empty, M)
    assert r.value.shape == (0,) and r.gradient[0].shape == (0, 3)
    d = pa.array([[decimal.Decimal("1.5"), decimal.Decimal("0.5"), decimal.Decimal("0")]])
    assert solve_batch(d, [[0.5, 1.5, 0]], M).value[0] == 1
    for wrong in (pa.table({"x": [1.0]}), pa.scalar(1.0), pa.scalar([1.0, 2, 3])):
        with pytest.raises(ValueError, match="of Arrow.*column"):
            solve_batch(wrong, ROWS, M)


def test_bfloat16():
    dtypes = pytest.importorskip("ml_dtypes")
    x = np.array(ROWS, dtype=dtypes.bfloat16)
    np.testing.assert_array_equal(numbers(x, "x"), ROWS)


def test_bfloat16_of_torch():
    torch = pytest.importorskip("torch")
    x = torch.tensor(ROWS, dtype=torch.bfloat16, requires_grad=True)
    np.testing.assert_array_equal(numbers(x, "x"), ROWS)


def test_errors_name_the_sides_as_the_caller_does():
    for wrong, words in (([1.0, np.nan, 0], r"a\[1\]"), ([1.0, 1, 1], "totals of a, 3, and b, 2"), ([0.0, 0, 0], "a")):
        with pytest.raises(barrow.EMDError, match=words):
            solve_batch(wrong, [1.0, 1, 0], M)
    with pytest.raises(barrow.EMDError, match=r"b\[2\]"):
        solve_batch([1.0, 1, 0], [1.0, 1, -1], M)


@pytest.mark.parametrize("wrong", [None, "x", (True,), (True, None), 2])
def test_gradient(wrong):
    with pytest.raises(ValueError, match="gradient="):
        solve_batch(ROWS, ROWS, M, gradient=wrong)


def test_plans():
    plan = solve_batch(ROWS, ROWS[::-1], M).plan
    whole = plan.toarray()
    np.testing.assert_array_equal(plan[0:2], whole)
    np.testing.assert_array_equal(plan[::-1], whole[::-1])
    assert plan[2:].shape == (0, 3, 3)
    assert repr(plan) == f"<barrow.Plan 2×3×3, {len(plan.mass)} moves>"
    with pytest.raises(TypeError, match="number of its pair"):
        plan["x"]
