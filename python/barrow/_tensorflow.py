"""Distances with known derivatives as functions of TensorFlow."""

from __future__ import annotations

from typing import Any, Callable, List, Optional, Sequence, Tuple

import tensorflow as tf

from ._loss import TWICE, check_loss, leading, solve
from ._losses import Loss


def distances(p: Any, q: Any, metric: Any, unequal: Any, names: Sequence[str] = "pq") -> Any:
    """The distances of rows p and q of one floating type, differentiable in both; errors call them by names.

    With a Loss in the place of the metric it is that, differentiable in p.
    """
    cells, _ = check_loss(metric, unequal)
    sides = [p] if isinstance(metric, Loss) else [p, q]
    _check_shapes(p.shape, q.shape, cells, names)

    def host(wanted: bool) -> List[Any]:
        def call(p: Any, q: Any) -> Tuple[Any, ...]:
            leading(p.shape, q.shape, cells, names)
            return tuple(x for x in solve(p, q, metric, unequal, wanted, wanted, names) if x is not None)

        out = tf.numpy_function(call, [p, q], [p.dtype] * (1 + len(sides) if wanted else 1))
        out = list(out) if isinstance(out, (list, tuple)) else [out]  # of one result, versions differ
        for x, shape in zip(out, (p.shape[:-1], p.shape, q.shape)):
            x.set_shape(shape)
        return out

    if _recording():
        value, *gradients = host(True)
        return known(value, lambda: gradients, sides, rows=True, once=True)
    value = host(False)[0]
    # A function that is traced without a tape may be called under one.
    return known(value, lambda: host(True)[1:], sides, rows=True, once=True) if tf.inside_function() else value


def _check_shapes(p: Any, q: Any, cells: Tuple[int, int], names: Sequence[str]) -> None:
    """Refuse what is known to be wrong of shapes when a function is traced: some axes may not be known yet."""
    if p.rank is None or q.rank is None:
        return
    a, b = p.as_list(), q.as_list()

    def filled(one: List[Any], other: List[Any], last: int) -> List[Any]:
        return [there if here is None else here for here, there in zip(one, [*other[:-1], last])]

    if len(a) == len(b) > 0:
        a, b = filled(a, b, cells[0]), filled(b, a, cells[1])
    leading(tuple(a), tuple(b), cells, names)


def known(
    value: Any, gradients: Callable[[], Sequence[Any]], inputs: Sequence[Any], rows: bool = False, once: bool = False
) -> Any:
    """The value as a function of tensors with these derivatives, which are asked for when they are needed.

    With rows they are of each row's value; once makes another differentiation an error,
    without it they count as constant.
    """

    @tf.custom_gradient  # type: ignore[untyped-decorator, unused-ignore]
    def differentiable(*tensors: Any) -> Any:
        def gradient(above: Any) -> List[Any]:
            found = gradients()
            # With the inputs, so that whoever differentiates again meets it.
            return list(last(above, *found, *inputs)) if once else scaled(above, found)

        return tf.identity(value), gradient

    def scaled(above: Any, found: Sequence[Any]) -> List[Any]:
        return [g * (tf.expand_dims(above, -1) if rows else above) for g in found]

    @tf.custom_gradient  # type: ignore[untyped-decorator, unused-ignore]
    def last(above: Any, *rest: Any) -> Any:
        def again(*_: Any) -> Any:
            raise RuntimeError(TWICE)

        return tuple(scaled(above, rest[: len(inputs)])), again

    return differentiable(*inputs)


def _recording() -> bool:
    """Whether anything may be differentiated here; True where TensorFlow does not say."""
    may: Optional[Any] = None
    try:
        from tensorflow.python.eager import record

        may = record.could_possibly_record
    except (ImportError, AttributeError):
        try:
            from tensorflow.python.eager import tape

            may = tape.could_possibly_record
        except (ImportError, AttributeError):
            return True
    # Without tapes a graph may still be differentiated, by tf.gradients.
    return bool(may()) or not (tf.executing_eagerly() or tf.inside_function())
