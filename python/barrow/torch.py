"""The exact earth mover's distance as a loss of PyTorch (1.13 and later)."""

from __future__ import annotations

from typing import Any, Callable, Optional, Tuple, TypeVar, cast

import torch

from ._loss import TWICE, Reduction, check_loss, check_reduction, leading, solve
from .metric import Unequal

__all__ = ["emd_loss"]

_F = TypeVar("_F", bound=Callable[..., Any])


def _not_compiled(f: _F) -> _F:
    """Let torch.compile leave f alone: the graph ends before it and goes on after it."""
    compiler = getattr(torch, "compiler", None)  # PyTorch 2.1
    disable = getattr(compiler, "disable", None)
    return f if disable is None else cast(_F, disable(f))


@_not_compiled
def emd_loss(
    p: torch.Tensor,
    q: torch.Tensor,
    metric: Any,
    reduction: Reduction = "mean",
    unequal: Unequal = "normalise",
) -> torch.Tensor:
    """Return the exact earth mover's distance between images, differentiable in both.

    Parameters
    ----------
    p, q : Tensor of shape (B, n), or (n,), or (..., n)
        Masses, not negative, on the n points of the metric: predictions and targets, in either
        order. Images of two axes are flattened first, ``x.flatten(1)``. float32 and float64 as
        they are; half and bfloat16 are computed in float32, integers in the other one's type. On
        any device: rows go to the CPU and come back.
    metric : Metric or array
        Ground metric, or costs of shape (n, m), as of :func:`barrow.solve_batch`; build a Metric
        once and keep it.
    reduction : "mean", "sum" or "none"
        Over all pairs.
    unequal : "normalise", "error" or ("penalty", R)
        What is done where totals differ; by default both images are scaled to sum 1. The
        gradient is always that of p and q as given, before any scaling.

    Returns
    -------
    Tensor
        A scalar, or with "none" the distances, of shape (B,): in units of the metric, times those
        of the mass unless normalised.

    Raises
    ------
    ValueError, EMDError
        What the library says of the rows: negative masses, NaN, no mass (with row and cell).

    Notes
    -----
    Value and gradient come from one call; without anything that requires a gradient (or under
    ``torch.no_grad()``) only distances are computed. The distance is piecewise linear where totals
    are fixed: its second derivatives are 0 or do not exist, and a second differentiation is an
    error. At kinks the gradient is the middle of its two slopes, 0 for p = q.
    """
    check_reduction(reduction)
    for name, x in (("p", p), ("q", q)):
        if not isinstance(x, torch.Tensor):
            raise ValueError(f"barrow: {name} is a {type(x).__name__}: want a torch.Tensor")
        if x.is_complex():
            raise ValueError(f"barrow: {name} has elements of type {x.dtype}: want real numbers")
    cells, unequal = check_loss(metric, unequal)
    leading(tuple(p.shape), tuple(q.shape), cells)
    p, q = _floating(p, q), _floating(q, p)
    if torch.is_grad_enabled() and (p.requires_grad or q.requires_grad):
        value = cast(torch.Tensor, _EMD.apply(p, q, metric, unequal))
    else:
        value = _solve(p, q, metric, unequal, False, False)[0]
    if reduction == "none":
        return value
    return value.mean() if reduction == "mean" else value.sum()


def _floating(x: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """x in a type that the library computes with."""
    if x.dtype in (torch.float32, torch.float64):
        return x
    if x.is_floating_point():
        return x.to(torch.float32)
    return x.to(torch.float64 if other.dtype == torch.float64 else torch.float32)


_Solved = Tuple[torch.Tensor, Optional[torch.Tensor], Optional[torch.Tensor]]


def _solve(p: torch.Tensor, q: torch.Tensor, metric: Any, unequal: Any, to_p: bool, to_q: bool) -> _Solved:
    """Value and the wanted gradients, each on the device and in the type of what it is of."""
    rows = [x.detach().cpu().numpy() for x in (p, q)]
    value, dp, dq = solve(rows[0], rows[1], metric, unequal, to_p, to_q)
    return (
        torch.from_numpy(value).to(p.device),
        None if dp is None else torch.from_numpy(dp).to(p),
        None if dq is None else torch.from_numpy(dq).to(q),
    )


class _EMD(torch.autograd.Function):  # type: ignore[misc, unused-ignore]
    """Distances of pairs; the gradients are found with them and kept for the backward pass."""

    @staticmethod
    def forward(ctx: Any, p: torch.Tensor, q: torch.Tensor, metric: Any, unequal: Any) -> torch.Tensor:
        value, dp, dq = _solve(p, q, metric, unequal, ctx.needs_input_grad[0], ctx.needs_input_grad[1])
        ctx.save_for_backward(p, q, dp, dq)
        return value

    @staticmethod
    def backward(ctx: Any, above: torch.Tensor) -> Tuple[Optional[torch.Tensor], ...]:
        p, q, *gradients = ctx.saved_tensors
        # p and q go along, so that whoever differentiates the gradients meets _Once, even where
        # nothing above depends on them.
        return (*(None if d is None else cast(torch.Tensor, _Once.apply(d, above, p, q)) for d in gradients), None, None)


class _Once(torch.autograd.Function):  # type: ignore[misc, unused-ignore]
    """A gradient times what comes from above; it cannot be differentiated."""

    @staticmethod
    def forward(ctx: Any, d: torch.Tensor, above: torch.Tensor, p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
        return d * above.unsqueeze(-1).to(d)

    @staticmethod
    def backward(ctx: Any, above: torch.Tensor) -> Any:
        raise RuntimeError(TWICE)
