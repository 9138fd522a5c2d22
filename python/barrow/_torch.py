"""Values with known derivatives as functions of PyTorch."""

from __future__ import annotations

from typing import Any, List, Optional, Sequence, Tuple, cast

import torch

from ._loss import TWICE

__all__ = ["known"]


def known(
    value: torch.Tensor,
    gradients: Sequence[Optional[torch.Tensor]],
    inputs: Sequence[Any],
    rows: bool = False,
    once: bool = False,
) -> torch.Tensor:
    """The value as a function of tensors with these derivatives; None has none.

    With rows they are of each row's value; once makes another differentiation an error,
    without it they count as constant.
    """
    return cast(torch.Tensor, _Known.apply(value, tuple(gradients), rows, once, *inputs))


class _Known(torch.autograd.Function):  # type: ignore[misc, unused-ignore]
    @staticmethod
    def forward(ctx: Any, value: torch.Tensor, gradients: Any, rows: bool, once: bool, *inputs: Any) -> torch.Tensor:
        ctx.gradients, ctx.rows = gradients, rows
        # As they are: no derivative needs their numbers, so they may change in between.
        ctx.inputs = inputs if once else ()
        return value

    @staticmethod
    def backward(ctx: Any, above: torch.Tensor) -> Any:
        found: List[Any] = []
        for gradient, needed in zip(ctx.gradients, ctx.needs_input_grad[4:]):
            if gradient is None or not needed:
                found.append(None)
            elif ctx.inputs and torch.is_grad_enabled():
                # With the inputs, so that whoever differentiates again meets it, even where
                # nothing above depends on them.
                found.append(_Last.apply(_scaled(gradient, above, ctx.rows), *ctx.inputs))
            else:
                found.append(_scaled(gradient, above, ctx.rows))
        return (None, None, None, None, *found)


def _scaled(gradient: torch.Tensor, above: torch.Tensor, rows: bool) -> torch.Tensor:
    return gradient * (above.unsqueeze(-1).to(gradient) if rows else above)


class _Last(torch.autograd.Function):  # type: ignore[misc, unused-ignore]
    """What cannot be differentiated, though it depends on the inputs."""

    @staticmethod
    def forward(ctx: Any, gradient: torch.Tensor, *inputs: Any) -> torch.Tensor:
        return gradient.view_as(gradient)

    @staticmethod
    def backward(ctx: Any, above: torch.Tensor) -> Tuple[Any, ...]:
        raise RuntimeError(TWICE)
