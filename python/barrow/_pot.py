"""emd and emd2, as users of POT know them."""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import Any, Dict, List, Literal, Optional, Tuple, Union, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._backends import is_sparse
from ._errors import EMDError
from ._pot_inputs import WORDS, Found, Inputs, settings_of
from ._settings import whole
from ._transport import ground_again
from ._worker import Object
from .metric import Metric

__all__ = ["emd", "emd2"]


@overload
def emd(
    a: NDArray[Any],
    b: NDArray[Any],
    M: Union[NDArray[Any], Metric],
    numItermax: int = ...,
    log: Literal[False] = ...,
    center_dual: bool = ...,
    numThreads: Any = ...,
    check_marginals: bool = ...,
    potentials_init: Optional[Tuple[Any, Any]] = ...,
) -> NDArray[Any]: ...


@overload
def emd(
    a: Optional[ArrayLike],
    b: Optional[ArrayLike],
    M: Any,
    numItermax: int = ...,
    *,
    log: Literal[True],
    center_dual: bool = ...,
    numThreads: Any = ...,
    check_marginals: bool = ...,
    potentials_init: Optional[Tuple[Any, Any]] = ...,
) -> Tuple[Any, Dict[str, Any]]: ...


@overload
def emd(
    a: Optional[ArrayLike],
    b: Optional[ArrayLike],
    M: Any,
    numItermax: int = ...,
    log: bool = ...,
    center_dual: bool = ...,
    numThreads: Any = ...,
    check_marginals: bool = ...,
    potentials_init: Optional[Tuple[Any, Any]] = ...,
) -> Any: ...


def emd(
    a: Optional[ArrayLike],
    b: Optional[ArrayLike],
    M: Any,
    numItermax: int = 100000,
    log: bool = False,
    center_dual: bool = True,
    numThreads: Any = 1,
    check_marginals: bool = True,
    potentials_init: Optional[Tuple[Any, Any]] = None,
) -> Any:
    """An optimal plan, as ``ot.emd`` of POT 0.9.7 returns it.

    Parameters
    ----------
    a : (n,) or (B, n)
        Masses; an empty list or None is uniform of total 1. Arrays of NumPy, and tensors
        of PyTorch, JAX and TensorFlow on any device.
    b : (m,) or (B, m)
        Masses of the other side. They are scaled to the total of a.
    M : (n, m) or Metric
        Costs. A sparse matrix of SciPy or PyTorch has costs only for the moves that are
        allowed; it is solved as a dense one.
    numItermax : int
        Bound on the steps, 0 for none that matters: one for each arc of the tree that the
        simplex starts from, n + m − 1, and one a pivot. Where they are not enough, a
        warning says so and the plan is the best so far.
    log : bool
        Whether a dict comes with the plan.
    center_dual : bool
        Whether a constant is moved from u to v so that Σ a u = Σ b v. Without it the
        constant is the solver's: see :attr:`Transport.potentials`.
    numThreads : int or "max"
        Ignored, as in POT.
    check_marginals : bool
        Whether totals that differ by more than 1.5e-6 are an error.
    potentials_init : ((n,), (m,)), optional
        Potentials to start from; the result is optimal whatever they are. Up to 64 cells in
        all they are ignored.

    Returns
    -------
    plan : (n, m) or (B, n, m)
        Of the library and type of the first of a, b, M that is no list and not empty, as
        in POT; sparse if M is. Integers are rounded down, with a warning.
    log : dict, if asked for
        ``cost``, ``u`` (n,), ``v`` (m,), ``warning`` (None or words) and ``result_code``
        (1 optimal, 3 numItermax reached, 0 infeasible). For (B, n) each is a list, u and
        v are (B, n) and (B, m).

    Raises
    ------
    EMDError
        Masses that are NaN, infinite or negative, with .row (of (B, n); None for a single
        pair) and .cell; and, as an AssertionError, too, shapes or totals that do not fit.

    Notes
    -----
    Differences from POT: rows of masses are solved one after another (``solve_batch`` is
    faster); bad masses are errors instead of warnings; the plan and the potentials are
    other ones where several are optimal. u and v are feasible everywhere, also for cells
    without mass, where they are the middle between the extremes that are possible, and so
    they are at every kink; POT's are those that its tree happens to end with. CuPy is
    not supported.
    """
    _threads(numThreads)
    one = Inputs(a, b, M, numItermax, check_marginals, potentials_init)
    found = [one.solve(row, center_dual) for row in range(one.rows)]
    _warn(found)
    plans = [one.plan(x) for x in found]
    plan = plans[0] if one.single else one.lib.stack(plans)
    if not log:
        return plan
    if one.single:
        return plan, one.log(found[0])
    logs = [one.log(x) for x in found]
    merged: Dict[str, Any] = {key: [x[key] for x in logs] for key in logs[0]} if logs else {}
    for key in ("u", "v"):
        if merged:
            merged[key] = one.lib.stack(merged[key])
    return plan, merged


@overload
def emd2(
    a: Optional[ArrayLike],
    b: Optional[ArrayLike],
    M: Any,
    processes: int = ...,
    numItermax: int = ...,
    *,
    log: Literal[True],
    return_matrix: bool = ...,
    center_dual: bool = ...,
    numThreads: Any = ...,
    check_marginals: bool = ...,
    potentials_init: Optional[Tuple[Any, Any]] = ...,
) -> List[Any]: ...


@overload
def emd2(
    a: Optional[ArrayLike],
    b: Optional[ArrayLike],
    M: Any,
    processes: int = ...,
    numItermax: int = ...,
    log: bool = ...,
    return_matrix: bool = ...,
    center_dual: bool = ...,
    numThreads: Any = ...,
    check_marginals: bool = ...,
    potentials_init: Optional[Tuple[Any, Any]] = ...,
) -> Any: ...


def emd2(
    a: Optional[ArrayLike],
    b: Optional[ArrayLike],
    M: Any,
    processes: int = 1,
    numItermax: int = 100000,
    log: bool = False,
    return_matrix: bool = False,
    center_dual: bool = True,
    numThreads: Any = 1,
    check_marginals: bool = True,
    potentials_init: Optional[Tuple[Any, Any]] = None,
) -> Any:
    """The distance, as ``ot.emd2`` of POT 0.9.7 returns it.

    Parameters
    ----------
    a : (n,) or (B, n)
        Masses, as :func:`emd` takes them.
    b : (m,), (m, k) or (B, m)
        Masses of the other side. Beside a of one dimension, columns are k problems, as in
        POT; beside (B, n), rows.
    M : (n, m) or Metric
        Costs; dense, sparse or a metric.
    processes : int
        Ignored.
    return_matrix : bool
        Whether the log has the plan as ``G``; the log is then returned, too.
    numItermax, log, center_dual, numThreads, check_marginals, potentials_init
        As in :func:`emd`.

    Returns
    -------
    cost : float or scalar tensor
        A float for NumPy (whatever its type), else a tensor of the type of the first of a,
        b, M. Several columns give a list of k, rows (B, n) an array (B,).
    [cost, log]
        With log or return_matrix; a list of such for several columns or rows.

    Raises
    ------
    EMDError
        As of :func:`emd`; for columns of b .row is the column.

    Notes
    -----
    Gradients: tensors of PyTorch and TensorFlow (under a GradientTape) get u − mean(u),
    v − mean(v) and the plan as derivatives to a, b and M, as in POT; the total of b being
    scaled to that of a is not differentiated. They are exact subgradients for changes that
    keep the totals equal. ``barrow.torch``, ``barrow.jax`` and ``barrow.keras`` have losses for
    whole batches. Other differences from POT are in :func:`emd`.
    """
    _threads(numThreads)
    if processes > 1:
        warnings.warn("barrow: emd2 takes no notice of processes", stacklevel=2)
    detail = log or return_matrix
    if not detail and potentials_init is None and type(a) is type(b) is np.ndarray and a.ndim == b.ndim == 1:
        quick = _quick(a, b, M, numItermax, check_marginals)
        if quick is not None:
            return quick
    flat = a is None or np.ndim(a) < 2 and not _rows_of_lists(a)
    if flat and b is not None and np.ndim(b) == 2 and not is_sparse(b):
        return _columns(a, b, M, numItermax, log, return_matrix, center_dual, check_marginals, potentials_init)
    one = Inputs(a, b, M, numItermax, check_marginals, potentials_init)
    found = [one.solve(row, center_dual) for row in range(one.rows)]
    _warn(found)
    results: List[Any] = []
    for row, x in enumerate(found):
        cost = one.cost(x, row)
        if detail:
            entry = {**one.log(x), "cost": cost}
            if return_matrix:
                entry["G"] = one.plan(x)
            results.append([cost, entry])
        else:
            results.append(cost)
    if one.single:
        return results[0]
    return results if detail else one.lib.stack(results)


def _rows_of_lists(a: Any) -> bool:
    return isinstance(a, (list, tuple)) and len(a) > 0 and np.ndim(a[0]) > 0


def _columns(
    a: Any, b: Any, M: Any, numItermax: int, log: bool, return_matrix: bool, center_dual: bool, check: bool, start: Any
) -> List[Any]:
    """emd2 of each column of b."""
    if isinstance(b, (list, tuple)):
        b = np.asarray(b)
    found = []
    for k in range(b.shape[1]):
        try:
            found.append(emd2(a, b[:, k], M, 1, numItermax, log, return_matrix, center_dual, 1, check, start))
        except EMDError as e:
            raise type(e)(f"barrow: column {k} of b: {str(e).partition(': ')[2]}", k, e.cell) from None
    return found


def _quick(a: Any, b: Any, M: Any, numItermax: int, check: bool) -> Optional[float]:
    """The cost of a pair where that is all that is wanted; None where it is not so simple."""
    if isinstance(M, Metric):
        shape = M.shape
    elif type(M) is np.ndarray and M.ndim == 2 and M.size and M.dtype.kind in "fiu":
        shape = M.shape
    else:
        return None
    settings = settings_of(numItermax, shape)
    if (
        0 < numItermax < sum(shape) - 1
        or a.dtype.kind not in "fiu"
        or b.dtype.kind not in "fiu"
        or (len(a), len(b)) != shape
    ):
        return None
    p, q = float(a.sum()), float(b.sum())
    if p != q:
        if not abs(p - q) < 1.5e-6 or q == 0:
            if check or not np.isfinite(p * q) or q == 0:
                return None
        b = b * (p / q)
    metric = M if isinstance(M, Metric) else ground_again(M)
    try:
        if metric is None:
            reply = _once(settings[3]).call(
                "value", None, {"p": (a, "f8"), "q": (b, "f8"), "costs": (M, "f8")}, {"value": ((1,), "f8")}
            )
        else:
            reply = metric.solver(*settings).call(
                "gradient", None, {"p": (a[None], "f8"), "q": (b[None], "f8")}, {"value": ((1,), "f8")}
            )
    except EMDError:
        return None  # the long way says what is wrong, or goes on where numItermax was reached
    return float(reply.arrays["value"][0])


@lru_cache(maxsize=16)
def _once(max_pivots: int) -> Object:
    """What solves pairs on matrices that are not kept."""
    return Object("emd.once", {"max_pivots": max_pivots})


def _warn(found: List[Found]) -> None:
    for code in sorted({x.code for x in found}):
        words = WORDS[code]
        if words is not None:
            warnings.warn("barrow: " + words, stacklevel=3)


def _threads(n: Any) -> None:
    if n is None or isinstance(n, str) and n.lower() == "max":
        return
    whole("numThreads", n, 1)
