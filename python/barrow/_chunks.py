"""Large inputs in parts, so that the mapped file stays small whatever comes."""

from __future__ import annotations

import sys
from typing import Iterator, List


def chunks(n: int, bytes_a_row: int, title: str = "", limit: int = 32 << 20) -> Iterator[slice]:
    """Slices that cut n rows into parts of at most some 32 MB (at least one row each).

    Where there are several, they come with a progress bar if tqdm is installed and the
    work takes more than a second. Without rows there is one empty slice.
    """
    step = max(1, limit // max(1, bytes_a_row))
    parts = [slice(i, min(i + step, n)) for i in range(0, n, step)] or [slice(0, 0)]
    if len(parts) == 1:
        return iter(parts)
    return _progress(parts, title)


def _progress(parts: List[slice], title: str) -> Iterator[slice]:
    try:
        from tqdm.auto import tqdm  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        yield from parts
        return
    quiet = None if "ipykernel" not in sys.modules else False  # None: where nobody watches
    with tqdm(total=parts[-1].stop, desc=title or None, unit="row", unit_scale=True, delay=1, leave=False, disable=quiet) as bar:
        for part in parts:
            yield part
            bar.update(part.stop - part.start)
