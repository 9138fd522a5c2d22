"""Settings as the caller gives them, held to their types before anything is sent."""

from __future__ import annotations

import math
import operator
from typing import Any, List, Optional

import numpy as np

__all__ = ["flag", "listed", "number", "text", "whole"]


def whole(name: str, value: Any, low: Optional[int] = None, high: Optional[int] = None) -> int:
    """A whole number within bounds, by the rule of NumPy and of range(): 2.0 is none."""
    try:
        number = operator.index(value)
    except TypeError:
        raise ValueError(f"barrow: {name} is {value!r}: want a whole number") from None
    if low is not None and number < low:
        raise ValueError(f"barrow: {name} is {number}: want at least {low}")
    if high is not None and number > high:
        raise ValueError(f"barrow: {name} is {number}: want at most {high}")
    return number


def number(name: str, value: Any) -> float:
    """A finite number."""
    try:
        found = float(value) if not isinstance(value, (str, bytes, bool)) else math.nan
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        raise ValueError(f"barrow: {name} is {value!r}: want a finite number")
    return found


def text(name: str, value: Any) -> str:
    """Words."""
    if not isinstance(value, str):
        raise ValueError(f"barrow: {name} is {value!r}: want a str")
    return str(value)


def listed(name: str, value: Any) -> List[str]:
    """Words, or a list of them."""
    if isinstance(value, str):
        return [str(value)]
    try:
        items = list(value)
    except TypeError:
        raise ValueError(f"barrow: {name} is {value!r}: want a str, or a list of them") from None
    return [text(f"{name}[{i}]", item) for i, item in enumerate(items)]


def flag(name: str, value: Any) -> bool:
    """True or False; 0 and 1 are taken, too."""
    if not isinstance(value, (bool, np.bool_, int, np.integer)) or value not in (0, 1):
        raise ValueError(f"barrow: {name} is {value!r}: want True or False")
    return bool(value)
