"""The distance as a differentiable function of TensorFlow, for Keras."""

from __future__ import annotations

from typing import Any, List, Optional, Tuple

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

    if not _recording():
        return host(False)[0]
    given = p, q

    @tf.custom_gradient  # type: ignore[untyped-decorator, unused-ignore]
    def differentiable(p: Any, q: Any) -> Any:
        value, dp, dq = host(True)

        def gradient(above: Any) -> Tuple[Any, Any]:
            # With given, so that whoever differentiates again meets it.
            both: Tuple[Any, Any] = once(dp, dq, above, *given)
            return both

        return value, gradient

    @tf.custom_gradient  # type: ignore[untyped-decorator, unused-ignore]
    def once(dp: Any, dq: Any, above: Any, p: Any, q: Any) -> Any:
        def again(*_: Any) -> Any:
            raise RuntimeError(TWICE)

        rows = tf.expand_dims(above, -1)
        return (dp * rows, dq * rows), again

    return differentiable(p, q)


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
