"""The exact earth mover's distance, and all losses of the program, as losses of JAX."""

from __future__ import annotations

import functools
import inspect
from typing import Any, Callable, List, Optional, Tuple, Union, cast

import jax
import jax.numpy as jnp
from numpy.typing import ArrayLike

from ._loss import TWICE, Reduction, check_loss, check_reduction, leading, solve
from ._losses import Loss, made
from .metric import Ground, Unequal

__all__ = ["emd_loss", "loss"]


def emd_loss(
    p: ArrayLike,
    q: ArrayLike,
    metric: Ground,
    reduction: Reduction = "mean",
    unequal: Unequal = "normalise",
) -> jax.Array:
    """Return the exact earth mover's distance between images, differentiable in both.

    It may be used under ``jax.jit``, ``jax.grad`` and ``jax.vmap`` (one call for all that is mapped
    over); metric, reduction and unequal are no traced values: close over them.

    Parameters
    ----------
    p, q : array of shape (B, n), or (n,), or (..., n)
        Masses, not negative, on the n points of the metric: predictions and targets, in either
        order. Images of two axes are flattened first, ``x.reshape(len(x), -1)``. Half and
        bfloat16 are computed in float32. On any device: rows go to the CPU and come back.
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
    array
        A scalar, or with "none" the distances, of shape (B,): in units of the metric, times those
        of the mass unless normalised.

    Raises
    ------
    ValueError
        Shapes that do not go together, no metric, settings unknown: when traced. What the library says of the rows
        (negative masses, NaN, no mass, with row and cell) comes as JAX's runtime error with that text in it.

    Notes
    -----
    Value and gradient come from one call; where nothing is differentiated only distances are
    computed. A second differentiation is an error. At kinks the gradient is the middle of its two
    slopes, 0 for p = q.
    """
    return named_loss(p, q, metric, reduction, unequal, ("p", "q"))


def loss(
    predicted: ArrayLike, target: ArrayLike, loss: Union[str, Loss], reduction: Reduction = "mean"
) -> jax.Array:
    """Return a loss of predicted images, differentiable in them.

    It may be used under ``jax.jit``, ``jax.grad`` and ``jax.vmap``; the loss and the reduction are no traced
    values: close over them.

    Parameters
    ----------
    predicted, target : array of shape (B, n), or (n,), or (..., n)
        Images; those of two axes are flattened first, ``x.reshape(len(x), -1)``. Computed with in
        float32, as in the program's own trainings.
    loss : Loss or str
        What :func:`barrow.loss` gives, made once and kept, or its name.
    reduction : "mean", "sum" or "none"
        Over all images.

    Returns
    -------
    array
        A scalar, or with "none" the loss of each image, of shape (B,).

    Raises
    ------
    ValueError
        Shapes that do not go together, a loss that there is none of: when traced. What the library says of the
        rows comes as JAX's runtime error with that text in it.
    TypeError
        The target is differentiated.
    """
    return named_loss(predicted, target, made(loss), reduction, cast(Any, None), ("predicted", "target"))


def named_loss(
    p: Any, q: Any, metric: Any, reduction: Reduction, unequal: Unequal, names: Tuple[str, str]
) -> jax.Array:
    """emd_loss, or a Loss in the place of the metric, of sides that errors call by these names."""
    check_reduction(reduction)
    p, q = jnp.asarray(p), jnp.asarray(q)
    for name, x in zip(names, (p, q)):
        if jnp.iscomplexobj(x):
            raise ValueError(f"barrow: {name} has elements of type {x.dtype}: want real numbers")
    cells, unequal = check_loss(metric, unequal)
    leading(p.shape, q.shape, cells, names)
    kind = jnp.float32 if jnp.float64 not in (p.dtype, q.dtype) else jnp.float64
    value = _distances(_Key(metric), unequal, names)(p.astype(kind), q.astype(kind))
    if reduction == "none":
        return value
    return value.mean() if reduction == "mean" else value.sum()


class _Key:
    """A metric, which may be an array, or a loss as the key of a cache: by identity, losses by what they are."""

    def __init__(self, metric: Any) -> None:
        self.metric = metric

    def __hash__(self) -> int:
        return hash(self.metric) if isinstance(self.metric, Loss) else id(self.metric)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Key):
            return False
        return self.metric is other.metric or isinstance(self.metric, Loss) and self.metric == other.metric


@functools.lru_cache(maxsize=64)
def _distances(
    key: _Key, unequal: Any, names: Tuple[str, str]
) -> Callable[[jax.Array, jax.Array], jax.Array]:
    """The differentiable function of two arrays; the same one for the same metric, so that what
    JAX has compiled is used again."""

    def distances(p: jax.Array, q: jax.Array) -> jax.Array:
        return _solve(p, q, key.metric, unequal, (False, False), names)[0]

    def forward(p: Any, q: Any) -> Tuple[jax.Array, Tuple[Optional[jax.Array], ...]]:
        wanted = (p.perturbed, q.perturbed)
        if q.perturbed and isinstance(key.metric, Loss):
            raise TypeError(
                f"barrow: {names[1]} is differentiated: losses have the gradient of {names[0]} alone; "
                "jax.lax.stop_gradient keeps the other one out"
            )
        value, *found = _once(p.value, q.value, key.metric, unequal, wanted, names)
        gradients = [found.pop(0) if w else None for w in wanted]
        return value, tuple(gradients)

    def backward(gradients: Tuple[Optional[jax.Array], ...], above: Any) -> Tuple[Optional[jax.Array], ...]:
        if isinstance(above, jax.custom_derivatives.SymbolicZero):
            return (None, None)
        return tuple(None if d is None else d * above[..., None] for d in gradients)

    f = jax.custom_vjp(distances)
    f.defvjp(forward, backward, symbolic_zeros=True)
    return cast(Callable[[jax.Array, jax.Array], jax.Array], f)


def _once(
    p: jax.Array, q: jax.Array, metric: Any, unequal: Any, wanted: Tuple[bool, bool], names: Tuple[str, str]
) -> List[jax.Array]:
    """_solve, which says what is wrong where its results are differentiated."""

    def results(p: jax.Array, q: jax.Array) -> List[jax.Array]:
        return _solve(p, q, metric, unequal, wanted, names)

    def again(primals: Any, tangents: Any) -> Any:
        if not all(isinstance(t, jax.custom_derivatives.SymbolicZero) for t in tangents):
            raise TypeError(TWICE)
        found = results(*primals)
        return found, [jnp.zeros_like(x) for x in found]

    f = jax.custom_jvp(results)
    f.defjvp(again, symbolic_zeros=True)
    found: List[jax.Array] = f(p, q)
    return found


# A batch of rows is what the callback takes at any rate. Before JAX 0.4.34 arrays that are not
# mapped over came without an axis in its place.
_NEW = "vmap_method" in inspect.signature(jax.pure_callback).parameters


def _solve(
    p: jax.Array, q: jax.Array, metric: Any, unequal: Any, wanted: Tuple[bool, bool], names: Tuple[str, str]
) -> List[jax.Array]:
    """Value and the wanted gradients, by one callback."""
    n = p.shape[-1]

    def host(p: Any, q: Any) -> Tuple[Any, ...]:
        return tuple(x for x in solve(p, q, metric, unequal, *wanted, names) if x is not None)

    shapes = [p.shape[:-1]] + [x.shape for x, w in zip((p, q), wanted) if w]
    results = tuple(jax.ShapeDtypeStruct(s, p.dtype) for s in shapes)  # type: ignore[no-untyped-call, unused-ignore]
    if _NEW:
        return list(jax.pure_callback(host, results, p, q, vmap_method="expand_dims"))

    def both(x: Any) -> Tuple[Any, ...]:
        return host(x[..., :n], x[..., n:])

    old: Any = {"vectorized": True}
    return list(jax.pure_callback(both, results, jnp.concatenate([p, q], -1), **old))
