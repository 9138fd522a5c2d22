"""Parts of large inputs, and the bar that shows them."""

from __future__ import annotations

import sys
import types
from typing import Any, List, Tuple

import pytest

from barrow._chunks import chunks, progress


def test_chunks() -> None:
    for n, size in ((0, 8), (1, 8), (1000, 1 << 20), (7, 1 << 40), (10**6, 768)):
        parts = list(chunks(n, size))
        assert parts[0].start == 0 and parts[-1].stop == n
        assert all(a.stop == b.start for a, b in zip(parts, parts[1:]))
        assert all(p.stop - p.start == 1 or (p.stop - p.start) * size <= 32 << 20 for p in parts if n)


def test_rows() -> None:
    assert list(chunks(7, rows=3)) == [slice(0, 3), slice(3, 6), slice(6, 7)]
    assert list(chunks(3, 1 << 40, rows=3)) == [slice(0, 3)]
    assert list(chunks(0, rows=3)) == [slice(0, 0)]


class Tqdm:
    """What tqdm is asked for."""

    def __init__(self, **settings: Any) -> None:
        self.n = 0
        said.append((settings["total"], settings["unit"], settings["desc"]))

    def __enter__(self) -> Tqdm:
        return self

    def __exit__(self, *_: Any) -> None:
        said.append(("closed", self.n, None))

    def update(self, more: int) -> None:
        self.n += more


said: List[Tuple[Any, Any, Any]] = []


@pytest.fixture
def bar(monkeypatch: pytest.MonkeyPatch) -> List[Tuple[Any, Any, Any]]:
    module: Any = types.ModuleType("tqdm.auto")
    module.tqdm = Tqdm
    monkeypatch.setitem(sys.modules, "tqdm.auto", module)
    said.clear()
    return said


def test_bar_of_parts(bar: List[Tuple[Any, Any, Any]]) -> None:
    """It comes where there are several parts, and is full at the end."""
    list(chunks(3, rows=3))
    assert not bar
    list(chunks(7, title="images", rows=3))
    assert bar == [(7, "row", "images"), ("closed", 7, None)]


def test_bar_is_closed_by_errors(bar: List[Tuple[Any, Any, Any]]) -> None:
    with pytest.raises(KeyError), progress(100, "%") as percent:
        percent(30)
        percent(40)
        raise KeyError
    assert bar == [(100, "%", None), ("closed", 40, None)]


def test_no_tqdm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    assert list(chunks(7, rows=4)) == [slice(0, 4), slice(4, 7)]
