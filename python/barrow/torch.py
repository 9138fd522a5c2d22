"""The exact earth mover's distance, and all losses of the program, as losses of PyTorch (1.13 and later)."""

from __future__ import annotations

from typing import Any, Callable, Optional, Sequence, Tuple, TypeVar, Union, cast

import torch

from ._loss import Reduction, check_loss, check_reduction, leading, solve
from ._losses import Loss as Named
from ._losses import made
from ._torch import known
from .metric import Ground, Metric, Unequal

__all__ = ["EMDLoss", "Loss", "emd_loss", "loss"]

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
    metric: Ground,
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
    return named_loss(p, q, metric, reduction, unequal, "pq")


@_not_compiled
def named_loss(
    p: torch.Tensor, q: torch.Tensor, metric: Any, reduction: Reduction, unequal: Unequal, names: Sequence[str]
) -> torch.Tensor:
    """emd_loss, or a Loss in the place of the metric, of sides that errors call by these names."""
    check_reduction(reduction)
    if torch.jit.is_tracing():  # type: ignore[no-untyped-call, unused-ignore]
        raise ValueError("barrow: torch.jit.trace would make a constant of the loss: leave it out of what is traced")
    for name, x in zip(names, (p, q)):
        if not isinstance(x, torch.Tensor):
            raise ValueError(f"barrow: {name} is a {type(x).__name__}: want a torch.Tensor")
        if x.is_complex():
            raise ValueError(f"barrow: {name} has elements of type {x.dtype}: want real numbers")
        if x.layout != torch.strided:
            raise ValueError(f"barrow: {name} has the layout {x.layout}: want a dense tensor, x.to_dense()")
        if x.is_meta:
            raise ValueError(f"barrow: {name} is on the device meta, and has no numbers")
        if _is_transformed(x):
            raise ValueError(
                f"barrow: {name} is transformed by torch.func or torch.vmap, which the loss does not work with: "
                "backward() and torch.autograd.grad do, and it takes batches of shape (..., n)"
            )
    cells, unequal = check_loss(metric, unequal)
    if isinstance(metric, Named) and torch.is_grad_enabled() and q.requires_grad:
        raise ValueError(f"barrow: {names[1]} requires a gradient: losses have that of {names[0]} alone; detach it")
    leading(tuple(p.shape), tuple(q.shape), cells, names)
    p, q = _floating(p, q), _floating(q, p)
    wanted = [torch.is_grad_enabled() and x.requires_grad for x in (p, q)]
    value, *gradients = _solve(p, q, metric, unequal, wanted[0], wanted[1], names)
    if any(wanted):
        value = known(value, gradients, [p, q], rows=True, once=True)
    if reduction == "none":
        return value
    return value.mean() if reduction == "mean" else value.sum()


@_not_compiled
def loss(
    predicted: torch.Tensor, target: torch.Tensor, loss: Union[str, Named], reduction: Reduction = "mean"
) -> torch.Tensor:
    """Return a loss of predicted images, differentiable in them.

    Parameters
    ----------
    predicted, target : Tensor of shape (B, n), or (n,), or (..., n)
        Images; those of two axes are flattened first, ``x.flatten(1)``. Computed with in float32, as in the
        program's own trainings. On any device: rows go to the CPU and come back.
    loss : Loss or str
        What :func:`barrow.loss` gives, made once and kept, or its name.
    reduction : "mean", "sum" or "none"
        Over all images.

    Returns
    -------
    Tensor
        A scalar, or with "none" the loss of each image, of shape (B,).

    Raises
    ------
    ValueError, RowError, EMDError
        What the library says of the loss, its options and the rows; a target that requires a gradient.

    Notes
    -----
    Value and gradient come from one call. A second differentiation is an error.
    """
    return named_loss(predicted, target, made(loss), reduction, cast(Any, None), ("predicted", "target"))


class Loss(torch.nn.Module):  # type: ignore[misc, unused-ignore]
    """:func:`loss` as a module: ``Loss("neighbourhood:radius=2")(input, target)``.

    Parameters
    ----------
    loss, reduction
        As of :func:`loss`.

    Raises
    ------
    ValueError
        A loss that there is none of, options that it does not have: at once.
    """

    def __init__(self, loss: Union[str, Named], reduction: Reduction = "mean") -> None:
        super().__init__()
        check_reduction(reduction)
        self.loss, self.reduction = made(loss), reduction

    def forward(self, input: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """The loss of predictions and targets, of shape (B, n), differentiable in the predictions."""
        return loss(input, target, self.loss, self.reduction)

    def extra_repr(self) -> str:
        return f"{self.loss}, reduction={self.reduction!r}"


class EMDLoss(torch.nn.Module):  # type: ignore[misc, unused-ignore]
    """:func:`emd_loss` as a module: ``EMDLoss(metric)(input, target)``.

    Parameters
    ----------
    metric, reduction, unequal
        As of :func:`emd_loss`.

    Raises
    ------
    ValueError
        What is no metric, or settings that are unknown: at once.
    """

    def __init__(self, metric: Ground, reduction: Reduction = "mean", unequal: Unequal = "normalise") -> None:
        super().__init__()
        check_reduction(reduction)
        _, self.unequal = check_loss(metric, unequal)
        self.metric, self.reduction = metric, reduction

    def forward(self, input: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """The distance of predictions and targets, of shape (B, n), differentiable in both."""
        return emd_loss(input, target, self.metric, self.reduction, self.unequal)

    def extra_repr(self) -> str:
        metric = self.metric if isinstance(self.metric, Metric) else "a matrix"
        return f"{metric}, reduction={self.reduction!r}, unequal={self.unequal!r}"


def _is_transformed(x: torch.Tensor) -> bool:
    """Whether it stands for the tensors that torch.func maps or differentiates over."""
    try:
        return bool(torch._C._functorch.is_functorch_wrapped_tensor(x))  # PyTorch 2
    except AttributeError:
        return False


def _floating(x: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """x in a type that the library computes with."""
    if x.dtype in (torch.float32, torch.float64):
        return x
    if x.is_floating_point():
        return x.to(torch.float32)
    return x.to(torch.float64 if other.dtype == torch.float64 else torch.float32)


_Solved = Tuple[torch.Tensor, Optional[torch.Tensor], Optional[torch.Tensor]]


def _solve(
    p: torch.Tensor, q: torch.Tensor, metric: Any, unequal: Any, to_p: bool, to_q: bool, names: Sequence[str]
) -> _Solved:
    """Value and the wanted gradients, each on the device and in the type of what it is of."""
    rows = [x.detach().cpu().numpy() for x in (p, q)]
    value, dp, dq = solve(rows[0], rows[1], metric, unequal, to_p, to_q, names)
    return (
        torch.from_numpy(value).to(p.device),
        None if dp is None else torch.from_numpy(dp).to(p),
        None if dq is None else torch.from_numpy(dq).to(q),
    )
