"""Distances with known derivatives as functions of TensorFlow."""

from __future__ import annotations

from typing import Any, Callable, List, Optional, Sequence, Tuple

import tensorflow as tf

from ._loss import TWICE, leading, solve


def distances(p: Any, q: Any, metric: Any, unequal: Any) -> Any:
    """The distances of rows p and q of one floating type, differentiable in both."""

    def host(wanted: bool) -> List[Any]:
        def call(p: Any, q: Any) -> Tuple[Any, ...]:
            leading(p.shape, q.shape)
            return tuple(x for x in solve(p, q, metric, unequal, wanted, wanted) if x is not None)

        out = tf.numpy_function(call, [p, q], [p.dtype] * (3 if wanted else 1))
        out = list(out) if isinstance(out, (list, tuple)) else [out]  # of one result, versions differ
        for x, shape in zip(out, (p.shape[:-1], p.shape, q.shape)):
            x.set_shape(shape)
        return out

    if _recording():
        value, dp, dq = host(True)
        return known(value, lambda: [dp, dq], [p, q], rows=True, once=True)
    value = host(False)[0]
    # A function that is traced without a tape may be called under one.
    return known(value, lambda: host(True)[1:], [p, q], rows=True, once=True) if tf.inside_function() else value


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
