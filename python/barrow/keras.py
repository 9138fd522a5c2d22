"""The exact earth mover's distance, and all losses of the program, as losses of Keras 3 and Keras 2.

:class:`EMDLoss` and :class:`Loss` are losses of the Keras that is installed (Keras 3, or with the environment
variable TF_USE_LEGACY_KERAS, or without Keras, tf.keras); :func:`loss_class` and :func:`named_loss_class` make
them for another.

>>> model.compile("adam", loss=EMDLoss(barrow.Metric.hgcal()), jit_compile=False)  # doctest: +SKIP

``jit_compile=False`` is for TensorFlow, whose XLA cannot call Python.
"""

from __future__ import annotations

import functools
import os
from typing import Any, Dict, Optional, Union

import numpy as np

from ._loss import check_loss
from ._losses import Loss as Named
from ._losses import made
from .metric import Ground, Metric, Unequal

__all__ = ["EMDLoss", "Loss", "loss_class", "named_loss_class"]

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
            super().__init__(reduction=_reduction(three, reduction), name=name, **more)
            self.metric = metric

        def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
            """Return the loss; complex numbers are refused, which Keras would cut to their real parts."""
            _refuse_complex(y_true, y_pred)
            return super().__call__(y_true, y_pred, sample_weight)

        def call(self, y_true: Any, y_pred: Any) -> Any:
            """Return the distance of every pair, of shape (B,)."""
            return _distances(keras, three, y_true, y_pred, self.metric, self.unequal, _NAMES)

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

    return _registered(keras, three, EMDLoss, "EMDLoss")


_NAMED_DOC = """A loss of the program between target and predicted images.

    A loss for ``model.compile(loss=barrow.keras.Loss("neighbourhood:radius=2"))``.

    Parameters
    ----------
    loss : Loss or str
        What :func:`barrow.loss` gives, or its name.
    reduction, name
        As of EMDLoss.

    Raises
    ------
    ValueError
        A loss that there is none of, options that it does not have: at once. Images of other
        shapes, when the loss is first called.

    Notes
    -----
    ``y_true`` and ``y_pred`` have the shape (B, n), or (..., n); images of two axes are flattened
    first. Computed with in float32; the gradient is that of ``y_pred``. A model is compiled with
    ``jit_compile=False`` on TensorFlow.
    """


@functools.lru_cache(maxsize=None)
def named_loss_class(keras: Any) -> Any:
    """Return Loss on the Loss of another Keras module, as :func:`loss_class` returns EMDLoss."""
    three = hasattr(keras, "ops")

    class Loss(keras.losses.Loss):  # type: ignore[misc, unused-ignore]
        __doc__ = _NAMED_DOC

        def __init__(
            self,
            loss: Union[str, Named],
            reduction: Optional[str] = "sum_over_batch_size",
            name: str = "barrow_loss",
            **more: Any,
        ) -> None:
            """Make the loss: see the class for what the arguments are."""
            self.loss = made(loss)
            super().__init__(reduction=_reduction(three, reduction), name=name, **more)

        def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
            """Return the loss; complex numbers are refused, which Keras would cut to their real parts."""
            _refuse_complex(y_true, y_pred)
            return super().__call__(y_true, y_pred, sample_weight)

        def call(self, y_true: Any, y_pred: Any) -> Any:
            """Return the loss of every image, of shape (B,)."""
            return _distances(keras, three, y_pred, y_true, self.loss, None, _NAMES[::-1])

        def get_config(self) -> Dict[str, Any]:
            """Return what a saved model keeps of the loss: its name, and what images it is of."""
            return {**super().get_config(), "loss": self.loss._recipe()}

        def __repr__(self) -> str:
            return f"<barrow.keras.Loss {self.loss}, reduction={self.reduction!r}>"

        @classmethod
        def from_config(cls, config: Dict[str, Any]) -> Any:
            kept = dict(config["loss"])
            return cls(**{**config, "loss": Named(kept.pop("name"), **kept)})

    return _registered(keras, three, Loss, "Loss")


def _registered(keras: Any, three: bool, cls: Any, name: str) -> Any:
    """A class of this module as Keras saves it: by another name for Keras 2, so that a process that has both
    loads each as what it was."""
    saving = getattr(keras, "saving", None) or keras.utils
    register = getattr(saving, "register_keras_serializable", None) or keras.utils.register_keras_serializable
    cls.__module__, cls.__qualname__ = __name__, name
    return register(package="barrow", name=name if three else name + "2")(cls)


def _reduction(three: bool, reduction: Optional[str]) -> Optional[str]:
    """A reduction of Keras 3 as this Keras calls it."""
    if three or reduction not in (None, "mean"):
        return reduction
    return "none" if reduction is None else "sum_over_batch_size"


def _refuse_complex(y_true: Any, y_pred: Any) -> None:
    for side, y in (("y_true", y_true), ("y_pred", y_pred)):
        if "complex" in str(getattr(y, "dtype", "")):
            raise ValueError(f"barrow: {side} has complex elements: want real numbers")


def _distances(keras: Any, three: bool, p: Any, q: Any, metric: Any, unequal: Any, names: Any) -> Any:
    """The distances of pairs, or the loss of p, in the backend of a Keras module; errors call them by names."""
    backend = keras.backend.backend() if three else "tensorflow"
    if backend == "torch":
        from .torch import named_loss as by_torch

        return by_torch(p, q, metric, "none", unequal, names)
    if backend == "jax":
        from .jax import named_loss as by_jax

        return by_jax(p, q, metric, "none", unequal, names)
    if backend != "tensorflow":
        raise ValueError(f"barrow: Keras' backend {backend!r} cannot train: want tensorflow, jax or torch")
    import tensorflow as tf

    from ._tensorflow import distances

    p, q = tf.convert_to_tensor(p), tf.convert_to_tensor(q)
    predicted = p if names[0] == "y_pred" else q
    kind = predicted.dtype if predicted.dtype in (tf.float32, tf.float64) else tf.float32
    return distances(tf.cast(p, kind), tf.cast(q, kind), metric, unequal, names)


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


EMDLoss, Loss = loss_class(_installed()), named_loss_class(_installed())
