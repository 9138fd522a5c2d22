"""The exact earth mover's distance as a loss of Keras 3 and Keras 2.

:class:`EMDLoss` is the loss, of the Keras that is installed (Keras 3, or with the environment
variable TF_USE_LEGACY_KERAS, or without Keras, tf.keras); :func:`loss_class` makes it for another.

>>> model.compile("adam", loss=EMDLoss(barrow.Metric.hgcal()), jit_compile=False)  # doctest: +SKIP

``jit_compile=False`` is for TensorFlow, whose XLA cannot call Python.
"""

from __future__ import annotations

import functools
import os
from typing import Any, Dict, Optional

import numpy as np

from ._loss import check_loss
from .metric import Ground, Metric, Unequal

__all__ = ["EMDLoss", "loss_class"]

#: What errors call the two sides.
_NAMES = ("y_true", "y_pred")

_DOC = """The exact earth mover's distance between target and predicted images.

    A loss for ``model.compile(loss=barrow.keras.EMDLoss(metric))``.

    Parameters
    ----------
    metric : Metric or array (n, n)
        Ground metric on n points.
    unequal : "normalise", "error" or ("penalty", R)
        What is done where totals differ; by default both images are scaled to sum 1. The gradient
        is always that of the images as given, before any scaling.
    reduction : "sum_over_batch_size" (the mean), "mean", "sum", "none" or None
        As Keras has it, with sample weights.
    name : str

    Raises
    ------
    ValueError
        What is no metric, or settings that are unknown: at once. Images of other shapes, when
        the loss is first called.

    Notes
    -----
    ``y_true`` and ``y_pred`` have the shape (B, n), or (..., n); images of two axes are flattened
    first, by a Flatten layer or ``keras.ops.reshape``. Masses are not negative. float32 and
    float64 as they are, others in float32.

    With Keras 3 it works on TensorFlow, JAX and PyTorch. TensorFlow's XLA cannot call Python:
    there a model is compiled with ``jit_compile=False``. What the library says of rows (negative
    masses, NaN, no mass, with row and cell) comes as the error of the backend with that text in it.
    """


@functools.lru_cache(maxsize=None)
def loss_class(keras: Any) -> Any:
    """Return EMDLoss on the Loss of another Keras module, such as ``tf_keras``.

    ``barrow.keras.EMDLoss`` is ``loss_class(keras)``, or with the environment variable
    TF_USE_LEGACY_KERAS, or without Keras, ``loss_class(tf.keras)``.

    Parameters
    ----------
    keras : module
        ``keras``, ``tf_keras`` or ``tensorflow.keras``.
    """
    three = hasattr(keras, "ops")  # tf.keras has no version
    saving = getattr(keras, "saving", None) or keras.utils
    register = getattr(saving, "register_keras_serializable", None) or keras.utils.register_keras_serializable

    class EMDLoss(keras.losses.Loss):  # type: ignore[misc, unused-ignore]
        __doc__ = _DOC

        def __init__(
            self,
            metric: Ground,
            unequal: Unequal = "normalise",
            reduction: Optional[str] = "sum_over_batch_size",
            name: str = "emd_loss",
            **more: Any,
        ) -> None:
            """Make the loss: see the class for what the arguments are."""
            _, self.unequal = check_loss(metric, unequal)
            if not three and reduction in (None, "mean"):
                reduction = "none" if reduction is None else "sum_over_batch_size"
            super().__init__(reduction=reduction, name=name, **more)
            self.metric = metric

        def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
            """Return the loss; complex numbers are refused, which Keras would cut to their real parts."""
            for side, y in (("y_true", y_true), ("y_pred", y_pred)):
                if "complex" in str(getattr(y, "dtype", "")):
                    raise ValueError(f"barrow: {side} has complex elements: want real numbers")
            return super().__call__(y_true, y_pred, sample_weight)

        def call(self, y_true: Any, y_pred: Any) -> Any:
            """Return the distance of every pair, of shape (B,)."""
            return _distances(keras, three, y_true, y_pred, self.metric, self.unequal)

        def get_config(self) -> Dict[str, Any]:
            """Return what a saved model keeps of the loss: the metric as it was made."""
            kept = super().get_config()
            kept["metric"] = _recipe(self.metric)
            return {**kept, "unequal": list(self.unequal) if isinstance(self.unequal, tuple) else self.unequal}

        def __repr__(self) -> str:
            metric = self.metric if isinstance(self.metric, Metric) else "a matrix"
            return f"<barrow.keras.EMDLoss {metric}, unequal={self.unequal!r}, reduction={self.reduction!r}>"

        @classmethod
        def from_config(cls, config: Dict[str, Any]) -> Any:
            return cls(**{**config, "metric": _from_recipe(config["metric"])})

    EMDLoss.__module__, EMDLoss.__qualname__ = __name__, "EMDLoss"
    # By another name for Keras 2, so that a process that has both loads each as what it was.
    return register(package="barrow", name="EMDLoss" if three else "EMDLoss2")(EMDLoss)


def _distances(keras: Any, three: bool, y_true: Any, y_pred: Any, metric: Any, unequal: Any) -> Any:
    """The distances of pairs in the backend of a Keras module."""
    backend = keras.backend.backend() if three else "tensorflow"
    if backend == "torch":
        from .torch import named_loss as by_torch

        return by_torch(y_true, y_pred, metric, "none", unequal, _NAMES)
    if backend == "jax":
        from .jax import named_loss as by_jax

        return by_jax(y_true, y_pred, metric, "none", unequal, _NAMES)
    if backend != "tensorflow":
        raise ValueError(f"barrow: Keras' backend {backend!r} cannot train: want tensorflow, jax or torch")
    import tensorflow as tf

    from ._tensorflow import distances

    y_pred = tf.convert_to_tensor(y_pred)
    kind = y_pred.dtype if y_pred.dtype in (tf.float32, tf.float64) else tf.float32
    return distances(tf.cast(y_true, kind), tf.cast(y_pred, kind), metric, unequal, _NAMES)


def _recipe(metric: Any) -> Any:
    """A metric as what JSON can hold."""
    if not isinstance(metric, Metric):
        return np.asarray(metric).tolist()
    shape, params, arrays = metric.__reduce__()[1]
    return {"shape": list(shape), "params": params, "arrays": {k: v.tolist() for k, v in arrays.items()}}


def _from_recipe(kept: Any) -> Any:
    """The metric that a recipe is of."""
    if not isinstance(kept, dict):
        return np.array(kept)
    n, m = kept["shape"]
    return Metric._made((n, m), kept["params"], {k: np.array(v) for k, v in kept["arrays"].items()})


def _installed() -> Any:
    """The Keras that a user of this environment means."""
    if os.environ.get("TF_USE_LEGACY_KERAS", "").lower() not in ("1", "true"):
        try:
            import keras

            return keras
        except ImportError:
            pass
    import tensorflow as tf

    return tf.keras


EMDLoss = loss_class(_installed())
