"""Ground metrics: what it costs to move a unit of mass from one cell to another."""

from __future__ import annotations

import math
import os
import sys
import warnings
from typing import Any, Dict, Literal, Mapping, Optional, Sequence, Tuple, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import is_traced, numbers
from ._images import absolute
from ._settings import whole
from ._worker import Object, call

#: What is done with masses whose totals differ.
Unequal = Union[Literal["error", "normalise", "normalize"], Tuple[Literal["penalty"], float]]
Norm = Literal[1, 2, "l1", "l2", "linf"]
Empty = Literal["error", "skip"]

__all__ = ["Empty", "Ground", "Metric", "Unequal", "check_unequal", "costs_of", "rounded"]

#: Share of its largest entry by which a matrix that is no metric is nearly one.
NEAR = 1e-3

#: Solvers that a metric keeps: each has room of its own in the worker.
KEPT = 8

_NORMS: Dict[Any, str] = {1: "l1", 2: "l2", math.inf: "linf", "l1": "l1", "l2": "l2", "linf": "linf"}


class Metric:
    """The distances between the cells of images, or costs between two sets of cells.

    Made by one of :meth:`hgcal`, :meth:`euclidean`, :meth:`periodic`, :meth:`grid` and
    :meth:`matrix`. It is never changed, and can be pickled, used after ``fork`` and
    shared by threads. What is prepared for it, such as solvers, is kept: use one object
    for many calls.

    Attributes
    ----------
    shape : (int, int)
        The numbers n of cells of a and m of b.
    """

    def __init__(self, *_: Any, **__: Any) -> None:
        raise TypeError("barrow: a Metric is made by Metric.matrix(M), Metric.euclidean(points) or another of its kind")

    @classmethod
    def _made(
        cls, shape: Tuple[int, int], params: Mapping[str, Any], arrays: Optional[Mapping[str, Any]] = None
    ) -> Metric:
        metric = cls._unpickled(shape, params, arrays or {})
        metric._ground.open()  # for what is wrong with it
        return metric

    def _fill(self, shape: Tuple[int, int], params: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
        self.shape = shape
        self._params = dict(params)
        # Those of the recipe, too, which copies what may be written to.
        self._arrays = {key: value.view() for key, value in arrays.items()}
        for value in self._arrays.values():
            value.flags.writeable = False
        self._ground = Object("metric", params, self._arrays)
        self._solvers: Dict[Any, Object] = {}  # those asked for last, the latest at the end
        self._distances: Any = None
        self._is_metric: Optional[bool] = None

    @classmethod
    def _unpickled(cls, shape: Tuple[int, int], params: Mapping[str, Any], arrays: Mapping[str, Any]) -> Metric:
        """The metric again, in a process that may never use it: nothing is started."""
        metric = cls.__new__(cls)
        metric._fill(shape, params, arrays)
        return metric

    @classmethod
    def hgcal(cls, name: Union[str, "os.PathLike[Any]"] = "benchmark") -> Metric:
        """The 48 trigger cells of an HGCAL wafer, in V9 order.

        Parameters
        ----------
        name : {"benchmark", "cmssw"} or path
            Distances in units of half the trigger-cell pitch, or in cm; or a CSV file
            with the columns x and y and a line for each cell, which is read at once.
        """
        if isinstance(name, str) and name in ("benchmark", "cmssw"):
            return cls._made((48, 48), {"ground": "hgcal", "name": name})
        x = call("emd.points", {"name": absolute(name)}).arrays["points"]
        return cls._made((len(x), len(x)), {"ground": "points"}, {"points": x})

    @classmethod
    def euclidean(cls, points: Any) -> Metric:
        """Straight-line distances between points.

        Parameters
        ----------
        points : (n, d) or (n,)
            Coordinates; the distances are in their unit.
        """
        x = _points(points)
        return cls._made((len(x), len(x)), {"ground": "points"}, {"points": x})

    @classmethod
    def periodic(cls, points: Any, periods: Union[float, Sequence[Optional[float]]]) -> Metric:
        """Straight-line distances to the nearest copy of points that repeat.

        Parameters
        ----------
        points : (n, d) or (n,)
            Coordinates.
        periods : (d,), or float for d = 1
            The period of each coordinate, 0, inf or None where it does not repeat: ``(0, 2*pi)``
            for rapidity and azimuth.
        """
        x = _points(points)
        try:
            given = periods if isinstance(periods, Sequence) else np.atleast_1d(np.asarray(periods)).tolist()
            each = [0.0 if p is None or p == math.inf else float(p) for p in given]
        except (TypeError, ValueError):
            raise ValueError(f"barrow: periods={periods!r}: want a number for each coordinate") from None
        if not all(p >= 0 for p in each):
            raise ValueError(f"barrow: periods={periods!r}: must not be NaN or negative")
        return cls._made((len(x), len(x)), {"ground": "points", "periods": each}, {"points": x})

    @classmethod
    def grid(cls, height: int, width: int, norm: Union[Norm, float] = 2) -> Metric:
        """The pixels of an image, a unit apart, flattened row by row.

        Parameters
        ----------
        height, width : int
        norm : {1, 2, inf} or {"l1", "l2", "linf"}
            The distance of two pixels: along the axes, straight, or the larger of the
            two differences.
        """
        if not isinstance(norm, (str, int, float)) or norm not in _NORMS:
            raise ValueError(f"barrow: the norm {norm!r} is none of 1, 2, inf, 'l1', 'l2', 'linf'")
        height = whole("the height of a grid", height, 1, (1 << 31) - 1)
        width = whole("the width of a grid", width, 1, (1 << 31) - 1)
        params = {"ground": "grid", "height": height, "width": width, "norm": _NORMS[norm]}
        return cls._made((height * width, height * width), params)

    @classmethod
    def matrix(cls, M: Any) -> Metric:
        """Distances or costs as a matrix.

        A square one that is a metric (symmetric, no negative entry, zeros on the
        diagonal, triangle inequality) is used as one: the mass that a and b have in
        common stays where it is, which is faster. All others are costs between the n
        cells of a and the m cells of b, of any sign. Of a matrix of float32, float16 or
        bfloat16 what its type rounds away (4 steps of it at the largest entry) makes no
        difference: the shortest paths take the place of distances that go beyond them.

        Parameters
        ----------
        M : (n, m)
            Finite. For a move that must not happen, a cost far above all others will do.
            A Metric is returned as it is.

        Warns
        -----
        UserWarning
            A square matrix that misses being a metric by less than 1e-3 of its largest entry,
            and so is costs: that of ``torch.cdist`` by matrix products, say.
        """
        if isinstance(M, Metric):
            return M
        return cls._matrix(M)

    @classmethod
    def _matrix(cls, M: Any, quick: bool = False, name: str = "M", dtype: str = "") -> Metric:
        """A matrix; quick takes it for a metric only if it obviously is one. It had this dtype, if not its own."""
        x = costs_of(M, name)
        if x.ndim != 2:
            raise ValueError(f"barrow: {name} has the shape {x.shape}: want a matrix")
        arrays = {"costs": np.array(x, dtype="f8", order="C")}
        params: Dict[str, Any] = {"ground": "matrix"}
        if quick:
            params["quick"] = True
        elif dtype or rounded(M):
            params["dtype"] = dtype or rounded(M)
        metric = cls._made((x.shape[0], x.shape[1]), params, arrays)
        if not quick and _nearly(arrays["costs"]) and not metric.is_metric and _nearly_triangles(arrays["costs"]):
            warnings.warn(
                "barrow: the matrix is nearly a metric, but its diagonal, symmetry or triangle inequality is off "
                "by more than rounding: it is taken as costs, which is slower and not 0 for equal images. "
                "Make it by Metric.euclidean(points), or by torch.cdist with "
                'compute_mode="donot_use_mm_for_euclid_dist"',
                UserWarning,
                stacklevel=_outside(),
            )
        return metric

    @property
    def distances(self) -> NDArray[np.float64]:
        """The (n, m) matrix of distances or costs, read-only."""
        if self._distances is None:
            reply = self._ground.call("costs")
            distances = reply.arrays["costs"]
            distances.flags.writeable = False
            self._is_metric = bool(reply.params["metric"])
            self._distances = distances
        found: NDArray[np.float64] = self._distances
        return found

    @property
    def points(self) -> Optional[NDArray[np.float64]]:
        """The (n, d) coordinates of the cells, to draw them, say; None where there is a matrix alone."""
        ground = self._params["ground"]
        if ground == "points":
            points = np.array(self._arrays["points"])
        elif ground == "grid":
            points = np.argwhere(np.ones((self._params["height"], self._params["width"]))).astype("f8")
        elif ground == "hgcal":
            points = call("emd.points", {"name": self._params["name"]}).arrays["points"]
        else:
            return None
        return points

    @property
    def is_metric(self) -> bool:
        """Whether it is a metric, rather than any costs."""
        self.distances
        return bool(self._is_metric)

    def solver(
        self, unequal: Unequal = "error", empty: Empty = "error", threads: int = 0, max_pivots: int = 0
    ) -> Object:
        """The worker's solver with these settings, kept for the next call."""
        key: Any = (unequal, empty, threads, max_pivots)
        settings: Optional[Dict[str, Any]] = None
        if not (type(unequal) is type(empty) is str and type(threads) is type(max_pivots) is int):
            # An R of another type, such as a tensor, is another one every time.
            settings = _settings(unequal, empty, threads, max_pivots)
            key = tuple(settings.values())
        # Without a lock, which a child of fork could find locked: at worst a solver is made twice.
        solver = self._solvers.pop(key, None)
        if solver is None:
            settings = settings or _settings(unequal, empty, threads, max_pivots)
            solver = Object("emd", settings, None, self._ground)
            for oldest in list(self._solvers)[: 1 - KEPT]:
                self._solvers.pop(oldest, None)
        self._solvers[key] = solver
        return solver

    def __eq__(self, other: object) -> bool:
        """Whether both were made of the same: of equal points, say."""
        if not isinstance(other, Metric):
            return NotImplemented
        return self is other or (
            (self.shape, self._params) == (other.shape, other._params)
            and all(np.array_equal(value, other._arrays[key]) for key, value in self._arrays.items())
        )

    def __hash__(self) -> int:
        return hash((self.shape, self._params["ground"], self._params.get("name"), self._params.get("norm")))

    def __reduce__(self) -> Tuple[Any, ...]:
        return (Metric._unpickled, (self.shape, self._params, self._arrays))

    def __repr__(self) -> str:
        words = ", ".join(f"{key}={value!r}" for key, value in self._params.items())
        return f"<barrow.Metric {self.shape[0]}×{self.shape[1]}, {words}>"


#: What moving a unit of mass costs, as the losses and solve_batch take it.
Ground = Union[Metric, ArrayLike]


def costs_of(M: Any, name: str) -> Any:
    """A matrix as an array of numbers."""
    if isinstance(M, str):
        raise ValueError(f"barrow: {name} is {M!r}: want a Metric, such as Metric.hgcal({M!r}), or a matrix")
    return numbers(M, name)


def _nearly(x: Any) -> bool:
    """Whether a matrix not too large to ask is within NEAR of symmetry, zeros on the diagonal and none below 0."""
    if x.shape[0] != x.shape[1] or not 1 < len(x) <= 2048:
        return False
    within = NEAR * float(np.abs(x).max())
    return bool(np.abs(x.diagonal()).max() < within and x.min() > -within and np.abs(x - x.T).max() < within)


def _nearly_triangles(x: Any) -> bool:
    """Whether no entry goes beyond the sum of two others by more than NEAR of the largest."""
    within = NEAR * float(x.max())
    return all(float((x - column[:, None] - row).max()) < within for column, row in zip(x.T, x))


def _outside() -> int:
    """The stacklevel, for the function that asks, of the first caller outside of the package."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "barrow":
        level, frame = level + 1, frame.f_back
    return level


def rounded(M: Any) -> str:
    """The type of a matrix, where it holds less than float64 does; "" for all others."""
    name = str(getattr(M, "dtype", "")).rpartition(".")[2]
    return name if name in ("float32", "float16", "bfloat16") else ""


def check_unequal(unequal: Any) -> Dict[str, Any]:
    """What is done with totals that differ, as the worker has it; ValueError where it is nothing of that."""
    params: Dict[str, Any] = {}
    if isinstance(unequal, str):
        if unequal not in ("error", "normalise", "normalize"):
            raise _bad_unequal(unequal)
        params["unequal"] = "error" if unequal == "error" else "normalise"
    else:
        try:
            word, price = unequal
            if isinstance(price, (str, bytes)):
                raise TypeError
            params["penalty"] = float(price)
        except (TypeError, ValueError):
            if isinstance(unequal, (list, tuple)) and any(is_traced(x) for x in unequal):
                raise ValueError("barrow: R of unequal=('penalty', R) is traced by JAX: it must be a number") from None
            raise _bad_unequal(unequal) from None
        if word != "penalty" or not 0 < params["penalty"] < math.inf:
            raise _bad_unequal(unequal)
        params["unequal"] = "penalty"
    return params


def _settings(unequal: Unequal, empty: Empty, threads: int, max_pivots: int) -> Dict[str, Any]:
    """A solver's settings as the worker has them."""
    params = check_unequal(unequal)
    if not isinstance(empty, str) or empty not in ("error", "skip"):
        raise ValueError(f"barrow: empty={empty!r} is none of 'error', 'skip'")
    params["empty"] = empty
    for name, value in (("threads", threads), ("max_pivots", max_pivots)):
        params[name] = whole(name, value, 0, (1 << 31) - 1)
    return params


def _bad_unequal(unequal: Any) -> ValueError:
    return ValueError(f"barrow: unequal={unequal!r} is none of 'error', 'normalise', ('penalty', R) with R > 0")


def _points(points: Any) -> Any:
    x = np.array(numbers(points, "points"), dtype="f8", order="C")
    if x.ndim == 1:
        x = x[:, None]
    if x.ndim != 2:
        raise ValueError(f"barrow: points have the shape {x.shape}: want (n, d)")
    return x
