"""What users hand over, as arrays of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["numbers"]


def numbers(x: Any, name: str) -> Any:
    """x as an array of numbers, without a copy where it is one.

    Anything that NumPy takes will do, and arrays of lists of equal length of Arrow,
    Awkward Array and pandas.

    Raises
    ------
    ValueError
        Where the elements are no real numbers, or rows differ in length.
    """
    if type(x) is np.ndarray and x.dtype.kind in "fiub":
        return x
    try:
        array = _array(x)
    except (TypeError, ValueError) as e:
        raise ValueError(f"barrow: {name} cannot be read as an array of numbers: {e}") from e
    if array.dtype.kind == "O":
        array = _stacked(array, name)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"barrow: {name} has elements of type {array.dtype}: want real numbers")
    return array


def _array(x: Any) -> Any:
    if isinstance(x, np.ndarray):
        return x
    module = type(x).__module__
    if module.startswith("pyarrow"):
        if x.null_count:
            raise ValueError(f"{x.null_count} entries are null")
        return x.to_numpy() if module.endswith("ChunkedArray") else x.to_numpy(zero_copy_only=False)
    if module.startswith("torch"):
        return x.detach().cpu().numpy()
    return np.asarray(x)


def _stacked(rows: Any, name: str) -> Any:
    """An array of rows as one of numbers."""
    width = -1
    parts = []
    for i, row in enumerate(rows.ravel()):
        part = numbers(row, f"{name}: row {i}") if row is not None else None
        if part is None or part.ndim == 0:
            raise ValueError(f"barrow: {name}: row {i} is {row!r}: want numbers")
        if width >= 0 and len(part) != width:
            raise ValueError(f"barrow: {name}: row {i} has {len(part)} entries, those before it have {width}")
        width = len(part)
        parts.append(part)
    if not parts:
        raise ValueError(f"barrow: {name} has no rows")
    return np.stack(parts).reshape(rows.shape + parts[0].shape)
