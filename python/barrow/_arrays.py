"""What users hand over, as arrays of numbers."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np

__all__ = ["TRACED", "is_traced", "numbers"]

TRACED = (
    "is traced by JAX, under jit, grad or vmap, and has no numbers: barrow.jax.emd_loss is the function to trace "
    "(its metric and settings are to be closed over)"
)


def is_traced(x: Any) -> bool:
    """Whether it stands for an array that JAX has yet to compute."""
    jax = sys.modules.get("jax")
    return jax is not None and isinstance(x, jax.core.Tracer)


def numbers(x: Any, name: str) -> Any:
    """x as an array of numbers, without a copy where it is one.

    Anything that NumPy takes will do, and arrays of lists of equal length of Arrow,
    Awkward Array and pandas. Without rows, such a list has the shape (0, 0).

    Raises
    ------
    ValueError
        Where the elements are no real numbers, some are masked, or rows differ in length.
    """
    if type(x) is np.ndarray and x.dtype.kind in "fiub":
        return x
    try:
        array = _array(x)
    except (TypeError, ValueError, RuntimeError, OverflowError) as e:
        if is_traced(x):
            raise ValueError(f"barrow: {name} {TRACED}") from None
        raise ValueError(f"barrow: {name} cannot be read as an array of numbers: {e}") from e
    if array.dtype.kind == "O":
        if array.ndim == 0:
            raise ValueError(f"barrow: {name} is of type {type(x).__name__}: {_instead(x)}")
        array = _stacked(array, name)
    if array.dtype.kind == "V" and array.dtype.type is not np.void:  # bfloat16 and its like
        array = array.astype(np.float64)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"barrow: {name} has elements of type {array.dtype}: want real numbers")
    return array


def _array(x: Any) -> Any:
    if isinstance(x, np.ma.MaskedArray):
        return _unmasked(x)
    if isinstance(x, np.ndarray):
        return x
    module = type(x).__module__
    if module.startswith("pyarrow"):
        if not hasattr(x, "null_count") or not hasattr(x, "to_numpy"):
            raise ValueError(f"it is a {type(x).__name__} of Arrow: hand over an array, such as one column of a table")
        if x.null_count:
            raise ValueError(f"{x.null_count} entries are null")
        return x.to_numpy() if type(x).__name__ == "ChunkedArray" else x.to_numpy(zero_copy_only=False)
    if module.startswith("torch") and hasattr(x, "detach"):
        x = x.detach().cpu()
        return (x.double() if x.is_floating_point() and x.element_size() < 4 else x).numpy()
    if isinstance(x, (list, tuple)):
        for row in x:
            if isinstance(row, np.ma.MaskedArray):
                _unmasked(row)
        try:
            return np.asarray(x)
        except (ValueError, RuntimeError):  # rows of different kinds or lengths: the one to blame is found below
            rows = np.empty(len(x), dtype=object)
            for i, row in enumerate(x):
                rows[i] = row
            return rows
    return np.asarray(x)


def _unmasked(x: Any) -> Any:
    """The numbers of an array with a mask that masks none: what a masked one counts is not ours to say."""
    masked = int(np.count_nonzero(np.ma.getmask(x)))
    if masked:
        raise ValueError(f"{masked} entries are masked: hand over x.filled(0) if they have no mass, or leave them out")
    return x.data


def _instead(x: Any) -> str:
    """What to hand over in the place of what is no array."""
    if isinstance(x, Mapping):
        return f"hand over one of its arrays, {', '.join(repr(key) for key in list(x)[:4])}"
    if hasattr(x, "toarray"):
        return "hand over a dense array, x.toarray()"
    if hasattr(x, "__iter__"):
        return "hand over a list or an array, list(x)"
    return "want an array of numbers"


def _stacked(rows: Any, name: str) -> Any:
    """An array of numbers or rows that are objects as one of numbers."""
    flat = rows.ravel()
    if not len(flat):
        return np.zeros((*rows.shape, 0) if rows.ndim == 1 else rows.shape)
    scalars = [isinstance(x, (Real, Decimal, np.bool_)) for x in flat]
    if all(scalars):
        return rows.astype(np.float64)
    width = -1
    parts = []
    for i, row in enumerate(flat):
        at = np.unravel_index(i, rows.shape)
        where = f"{name}: row {i}" if rows.ndim == 1 else f"{name}: entry {tuple(int(k) for k in at)}"
        if any(scalars) or row is None or np.ndim(row) == 0 and not hasattr(row, "__len__"):
            if scalars[i]:
                continue
            raise ValueError(f"barrow: {where} is {_short(row)}: want numbers")
        part = numbers(row, where)
        if width >= 0 and len(part) != width:
            raise ValueError(f"barrow: {where} has {len(part)} entries, those before it have {width}")
        width = len(part)
        parts.append(part)
    return np.stack(parts).reshape(rows.shape + parts[0].shape)


def _short(x: Any) -> str:
    text = repr(x)
    return text if len(text) < 60 else text[:57] + "…"
