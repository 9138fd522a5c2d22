"""What the losses of all frameworks share: rows in, value and gradient out, on arrays."""

from __future__ import annotations

import math
from typing import Any, Literal, Optional, Sequence, Tuple, cast

import numpy as np

from ._transport import ground, solve_pairs
from ._losses import Loss
from .metric import Metric, Unequal, check_unequal

REDUCTIONS = ("mean", "sum", "none")
Reduction = Literal["mean", "sum", "none"]

TWICE = (
    "barrow: the gradient of the loss cannot be differentiated again: "
    "there is no second derivative (keep penalties on gradients out of it, or detach them)"
)

Solved = Tuple["np.ndarray[Any, Any]", Optional["np.ndarray[Any, Any]"], Optional["np.ndarray[Any, Any]"]]


def check_reduction(reduction: str) -> None:
    """Refuse a reduction that is none."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"barrow: reduction {reduction!r}: want one of {', '.join(REDUCTIONS)}")


def check_loss(metric: Any, unequal: Any) -> Tuple[Tuple[int, int], Any]:
    """Refuse what is no metric, and what cannot be done with totals that differ; return the metric's shape.

    In the place of both there may be a Loss, with None for unequal: of predictions p and targets q.
    """
    if unequal is None and isinstance(metric, Loss):
        return (metric.cells, metric.cells), None
    check_unequal(unequal)
    known = cast(Unequal, tuple(unequal) if isinstance(unequal, list) else unequal)
    if not isinstance(metric, Metric):
        metric = ground(metric, name="metric")
    return metric.shape, known


def leading(
    p: Tuple[int, ...], q: Tuple[int, ...], cells: Optional[Tuple[int, int]] = None, names: Sequence[str] = "pq"
) -> Tuple[int, ...]:
    """Return the shape of the values: what p and q have before their last axis, which must agree.

    With cells, their last axes must be these.
    """
    first, second = names
    if not p or not q:
        raise ValueError(
            f"barrow: {first} and {second} must have the shape (..., n), the masses of an image in the last axis"
        )
    if p[:-1] != q[:-1]:
        raise ValueError(f"barrow: {first} has the shape {p} and {second} {q}: all but the last axis must agree")
    if cells is not None and (p[-1], q[-1]) != cells:
        flat = any(_ends_with(shape, n) for shape, n in zip((p, q), cells))
        hint = "; flatten the images first, x.flatten(1) or x.reshape(len(x), -1)" if flat else ""
        raise ValueError(
            f"barrow: {first} has the shape {p} and {second} {q}, of the metric or the loss they have "
            f"{cells[0]}×{cells[1]} cells: the last axes must be these{hint}"
        )
    return p[:-1]


def _ends_with(shape: Tuple[int, ...], cells: int) -> bool:
    """Whether the last axes, more than one of them, have so many entries together."""
    known = (shape[k:] for k in range(len(shape) - 1))  # while TensorFlow traces, some axes are None
    return any(None not in last and math.prod(last) == cells for last in known)


def solve(
    p: Any, q: Any, metric: Any, unequal: Any, to_p: bool, to_q: bool, names: Sequence[str] = "pq"
) -> Solved:
    """Return the distances of pairs and, where asked for, their gradients: one call of the worker.

    Parameters
    ----------
    p, q : arrays of shape (..., n) and (..., m), float32 or float64
        Their leading axes are broadcast against each other.
    to_p, to_q : bool
        Whether the gradients with respect to p and q are wanted; without any, only distances
        are computed.
    names : two of str
        What errors call p and q.
    metric, unequal
        As of :func:`check_loss`; a Loss has no gradient with respect to q, the targets.

    Returns
    -------
    value, gradient to p, gradient to q
        In the wider of the two types, of the broadcast leading shape; None for a gradient that
        was not asked for.
    """
    p, q = np.asarray(p), np.asarray(q)
    kind = np.result_type(p, q)
    lead = np.broadcast_shapes(p.shape[:-1], q.shape[:-1])
    rows = [np.broadcast_to(x, lead + x.shape[-1:]).reshape(-1, x.shape[-1]) for x in (p, q)]
    if rows[0].shape[0] == 0:
        empty = [np.zeros(lead + x.shape[-1:], kind) if wanted else None for x, wanted in ((p, to_p), (q, to_q))]
        return np.zeros(lead, kind), empty[0], empty[1]
    if isinstance(metric, Loss):
        value, slope = metric._solve(rows[0], rows[1], metric._units(None, len(rows[0])), to_p, names)
        shaped = None if slope is None else np.asarray(slope, kind).reshape(lead + p.shape[-1:])
        return np.asarray(value, kind).reshape(lead), shaped, None
    solved = solve_pairs(rows[0], rows[1], metric, (unequal, "error", 0, 0), to_p, to_q, names)
    # Not solved.gradient, which would compute the side that nobody wants, by another call.
    dp, dq = (
        np.asarray(side, kind).reshape(lead + x.shape[-1:]) if wanted else None
        for x, side, wanted in ((p, solved._left, to_p), (q, solved._right, to_q))
    )
    return np.asarray(solved.value, kind).reshape(lead), dp, dq
