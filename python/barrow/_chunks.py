"""Large inputs in parts, so that the mapped file stays small whatever comes."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import Callable, Iterator, List, Optional


def chunks(
    n: int, bytes_a_row: int = 1, title: str = "", limit: int = 32 << 20, *, rows: Optional[int] = None
) -> Iterator[slice]:
    """Slices that cut n rows into parts: of so many rows, or of at most some 32 MB.

    A part has at least one row. Where there are several, they come with a progress bar.
    Without rows there is one empty slice.
    """
    step = max(1, limit // max(1, bytes_a_row)) if rows is None else rows
    parts = [slice(i, min(i + step, n)) for i in range(0, n, step)] or [slice(0, 0)]
    return iter(parts) if len(parts) == 1 else _watched(parts, title)


def _watched(parts: List[slice], title: str) -> Iterator[slice]:
    with progress(parts[-1].stop, "row", title) as done:
        for part in parts:
            yield part
            done(part.stop)


@contextmanager
def progress(total: int, unit: str, title: str = "") -> Iterator[Callable[[int], object]]:
    """A progress bar, if tqdm is installed and the work takes more than a second.

    What comes is told how much of the total is done.
    """
    try:
        from tqdm.auto import tqdm  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        yield lambda done: None
        return
    quiet = None if "ipykernel" not in sys.modules else False  # None: where nobody watches
    with tqdm(
        total=total, desc=title or None, unit=unit, unit_scale=total >= 1000, delay=1, leave=False, disable=quiet
    ) as bar:
        yield lambda done: bar.update(done - bar.n)
