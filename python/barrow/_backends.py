"""Tensors of other libraries, in and out, with gradients: what emd and emd2 take.

A library is imported by whoever has tensors of it; none is imported here.
"""

from __future__ import annotations

import sys
from typing import Any, Optional, Sequence, Tuple

import numpy as np

from ._arrays import TRACED, is_traced, numbers

__all__ = ["NUMPY", "Backend", "backend", "coordinates", "is_sparse"]


class Backend:
    """NumPy, and everything that becomes an array of it."""

    name = "numpy"

    def to_numpy(self, x: Any, name: str) -> Any:
        return numbers(x, name)

    def like(self, x: Any, model: Any) -> Any:
        """x as a tensor of the kind, type and device of the model."""
        if isinstance(x, float) or not isinstance(model, np.ndarray):
            return x
        return np.asarray(x, dtype=model.dtype)

    def floating(self, model: Any) -> bool:
        return np.dtype(getattr(model, "dtype", "f8")).kind == "f"

    def sparse(self, rows: Any, cols: Any, values: Any, shape: Tuple[int, int], model: Any) -> Any:
        from scipy.sparse import coo_array

        return coo_array((np.asarray(values, dtype=getattr(model, "dtype", None)), (rows, cols)), shape=shape)

    def with_gradients(self, value: Any, inputs: Sequence[Any], gradients: Sequence[Any]) -> Any:
        """The value as a function of inputs with these derivatives; None has none."""
        return value

    def stack(self, values: Sequence[Any]) -> Any:
        return np.array(values)


class _Torch(Backend):
    name = "torch"

    def to_numpy(self, x: Any, name: str) -> Any:
        import torch

        if not isinstance(x, torch.Tensor):
            return numbers(x, name)
        x = x.detach().cpu()
        return numbers(x.double().numpy() if x.is_floating_point() else x.numpy(), name)

    def like(self, x: Any, model: Any) -> Any:
        import torch

        return torch.as_tensor(x, dtype=model.dtype, device=model.device)

    def floating(self, model: Any) -> bool:
        return bool(model.is_floating_point())

    def sparse(self, rows: Any, cols: Any, values: Any, shape: Tuple[int, int], model: Any) -> Any:
        import torch

        at = torch.as_tensor(np.stack([rows, cols]), dtype=torch.int64, device=model.device)
        return torch.sparse_coo_tensor(at, self.like(values, model), shape)

    def with_gradients(self, value: Any, inputs: Sequence[Any], gradients: Sequence[Any]) -> Any:
        from ._torch import known

        return known(value, gradients, inputs)

    def stack(self, values: Sequence[Any]) -> Any:
        import torch

        return torch.stack(list(values))


class _Jax(Backend):
    name = "jax"

    def to_numpy(self, x: Any, name: str) -> Any:
        if is_traced(x):
            raise ValueError(f"barrow: {name} {TRACED}")
        return numbers(np.asarray(x), name)

    def like(self, x: Any, model: Any) -> Any:
        import jax
        import jax.numpy as jnp

        return jax.device_put(jnp.asarray(x, dtype=model.dtype), list(model.devices())[0])

    def floating(self, model: Any) -> bool:
        import jax.numpy as jnp

        return bool(jnp.issubdtype(model.dtype, jnp.floating))

    def stack(self, values: Sequence[Any]) -> Any:
        import jax.numpy as jnp

        return jnp.stack(list(values))


class _Tensorflow(Backend):
    name = "tensorflow"

    def to_numpy(self, x: Any, name: str) -> Any:
        return numbers(x.numpy() if hasattr(x, "numpy") else x, name)

    def like(self, x: Any, model: Any) -> Any:
        import tensorflow as tf

        with tf.device(model.device):
            return tf.convert_to_tensor(np.asarray(x, dtype=model.dtype.as_numpy_dtype))

    def floating(self, model: Any) -> bool:
        return bool(model.dtype.is_floating)

    def with_gradients(self, value: Any, inputs: Sequence[Any], gradients: Sequence[Any]) -> Any:
        import tensorflow as tf

        from ._tensorflow import known

        given = [(x, g) for x, g in zip(inputs, gradients) if g is not None and tf.is_tensor(x)]
        return known(value, lambda: [g for _, g in given], [x for x, _ in given])

    def stack(self, values: Sequence[Any]) -> Any:
        import tensorflow as tf

        return tf.stack(list(values))


NUMPY = Backend()
_BACKENDS = {"torch": _Torch(), "jax": _Jax(), "jaxlib": _Jax(), "tensorflow": _Tensorflow()}


def _of(x: Any) -> Backend:
    for one in type(x).__mro__:
        found = _BACKENDS.get(one.__module__.partition(".")[0])
        if found is not None:
            return found
    return NUMPY


def backend(*xs: Any) -> Tuple[Backend, Any]:
    """The library that the tensors are of, and the first tensor that is not empty.

    Lists fit any library. The model is None where there are only lists.
    """
    model: Optional[Any] = None
    found = NUMPY
    for x in xs:
        if x is None or isinstance(x, (list, tuple)) or not is_sparse(x) and hasattr(x, "shape") and 0 in x.shape:
            continue
        one = _of(x)
        if model is None:
            model, found = x, one
        elif one.name != found.name:
            raise ValueError(f"barrow: tensors of {found.name} and of {one.name} in one call: want one library")
    return found, model


def is_sparse(x: Any) -> bool:
    """Whether it is a sparse matrix of SciPy or PyTorch."""
    scipy = sys.modules.get("scipy.sparse")
    if scipy is not None and scipy.issparse(x):
        return True
    return bool(getattr(x, "is_sparse", False)) or type(x).__name__ == "SparseTensor"


def coordinates(x: Any, lib: Backend) -> Tuple[Any, Any, Any]:
    """Rows, columns and values of a sparse matrix, explicit zeros among them."""
    if lib.name == "torch":
        x = x.coalesce()
        rows, cols = x.indices().cpu().numpy()
        return rows, cols, lib.to_numpy(x.values(), "M")
    if lib.name != "numpy":
        raise NotImplementedError(f"barrow: sparse costs of {lib.name} are not supported: hand over a dense matrix")
    x = x.tocoo()
    return np.asarray(x.row, "i8"), np.asarray(x.col, "i8"), numbers(x.data, "M")
