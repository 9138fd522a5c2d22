"""What emd and emd2 were given, as arrays of NumPy: solved, and given back as it came."""

from __future__ import annotations

import warnings
from typing import Any, Dict, Tuple

import numpy as np

from ._backends import NUMPY, backend, coordinates, is_sparse
from ._errors import EMDError
from ._settings import whole
from ._transport import Settings, ground, name_sides
from .metric import Metric

__all__ = ["WORDS", "Found", "Inputs", "settings_of"]

OPTIMAL, LIMIT, INFEASIBLE = 1, 3, 0  # POT's result codes
WORDS = {
    OPTIMAL: None,
    LIMIT: (
        "numItermax steps are not enough to reach and prove the optimum: "
        "the plan is the best so far; increase numItermax"
    ),
    INFEASIBLE: "infeasible: the costs that M has leave no way to move all of a to b",
}


class MismatchError(EMDError, AssertionError):
    """Shapes or totals that do not fit: an AssertionError, as POT raises it."""


class Found:
    """The solution of a pair."""

    __slots__ = ("cost", "u", "v", "rows", "cols", "mass", "code")

    def __init__(self, cost: float, u: Any, v: Any, rows: Any, cols: Any, mass: Any, code: int) -> None:
        self.cost, self.u, self.v, self.rows, self.cols, self.mass, self.code = cost, u, v, rows, cols, mass, code


class Inputs:
    """What emd and emd2 were given, as arrays of NumPy, and the way back."""

    def __init__(self, a: Any, b: Any, M: Any, numItermax: int, check: bool, start: Any) -> None:
        costs = [] if isinstance(M, Metric) else M
        self.lib, self.model = backend(a, b, costs)
        self.given = (a, b, M)
        shape = M.shape if hasattr(M, "shape") and len(M.shape) == 2 else np.shape(M)
        self.settings = settings_of(numItermax, shape)
        self.short = 0 < numItermax < sum(shape) - 1
        self.edges: Any = None
        if isinstance(M, Metric):
            self.metric = M
        elif is_sparse(M):
            self.metric = self._dense(M)
        else:
            self.metric = ground(self.lib.to_numpy(M, "M"), quick=True)
        n, m = self.metric.shape
        p, q = self._masses(a, n, "a"), self._masses(b, m, "b")
        self.single = p.ndim == q.ndim == 1
        if (
            p.ndim > 2
            or q.ndim > 2
            or p.shape[-1] != n
            or q.shape[-1] != m
            or p.ndim < q.ndim
            or p.ndim == q.ndim == 2
            and len(p) != len(q)
        ):
            raise MismatchError(f"barrow: a and b have the shapes {p.shape} and {q.shape}, the costs {(n, m)}")
        p = np.atleast_2d(p)
        q = np.broadcast_to(q, (len(p), m))
        self.rows = len(p)
        total, other = p.sum(1, keepdims=True), q.sum(1, keepdims=True)
        sound = np.isfinite(total) & np.isfinite(other)  # the worker names the cell otherwise
        apart = sound & ~(np.abs(total - other) < 1.5e-6)
        if check and apart.any():
            row = int(np.argmax(apart))
            words = f"the totals of a, {total[row, 0]:g}, and b, {other[row, 0]:g}, differ"
            raise (
                MismatchError(f"barrow: {words}") if self.single else MismatchError(f"barrow: row {row}: {words}", row)
            )
        safe = sound & (other > 0) & (total > 0)
        self.a, self.b = p, q * np.where(safe, total / np.where(safe, other, 1), 1)
        self.start = self._potentials(start)

    def _masses(self, x: Any, cells: int, name: str) -> Any:
        if x is None or is_sparse(x) or isinstance(x, (list, tuple)) and not x or getattr(x, "shape", None) == (0,):
            if x is not None and is_sparse(x):
                raise ValueError(f"barrow: {name} is sparse: want a dense vector")
            return np.full(cells, 1 / cells)
        numbers_ = NUMPY if isinstance(x, (list, tuple)) else self.lib
        found = numbers_.to_numpy(x, name)
        if found.ndim == 0:
            raise MismatchError(f"barrow: {name} is a single number: want masses of {cells} cells")
        return np.asarray(found, dtype=np.float64)

    def _potentials(self, start: Any) -> Any:
        if start is None:
            return {}
        u, v = (np.asarray(self.lib.to_numpy(x, "potentials_init"), dtype=np.float64) for x in start)
        if (u.shape, v.shape) != ((self.metric.shape[0],), (self.metric.shape[1],)):
            raise ValueError(
                f"barrow: potentials_init has the shapes {u.shape} and {v.shape}, the costs {self.metric.shape}"
            )
        return {"f0": u, "h0": v}

    def _dense(self, M: Any) -> Metric:
        """Sparse costs as dense ones, moves that are missing costing far more than all others."""
        rows, cols, values = coordinates(M, self.lib)
        values = np.asarray(values, dtype=np.float64)
        dense = np.full(tuple(M.shape), np.inf)
        np.minimum.at(dense, (rows, cols), values)
        allowed = np.isfinite(dense)
        dense[~allowed] = 1e12 * max(1e-150, np.abs(values).max(initial=0))
        self.edges = (rows, cols, allowed)
        return ground(dense, quick=True)

    def solve(self, row: int, center: bool) -> Found:
        n, m = self.metric.shape
        p, q = self.a[row], self.b[row]
        solver = self.metric.solver(*self.settings)
        try:
            reply = solver.call(
                "solve",
                None,
                {"p": p, "q": q, **self.start},
                {"value": ((1,), "f8"), "f": ((n,), "f8"), "h": ((m,), "f8")},
            )
        except EMDError as e:
            words = str(name_sides(e, "ab")).partition(": ")[2]
            words = f"barrow: {words}" if self.single else f"barrow: row {row}: {words}"
            raise EMDError(words, None if self.single else row, e.cell) from None
        x = reply.arrays
        u, v, rows, cols, mass = x["f"], x["h"], x["source"], x["target"], x["mass"]
        cost, code = float(x["value"][0]), OPTIMAL if reply.params["optimal"] and not self.short else LIMIT
        if center:
            c = (q @ v - p @ u) / (p.sum() + q.sum())
            u, v = u + c, v - c
        if self.edges is not None:
            over = ~self.edges[2][rows, cols]
            if mass[over].sum() > 1e-9 * p.sum():
                code = INFEASIBLE
                u, v, rows, cols, mass, cost = u * 0, v * 0, rows[:0], cols[:0], mass[:0], 0.0
            elif over.any():  # what rounding has left there
                rows, cols, mass = rows[~over], cols[~over], mass[~over]
                cost = float(self.metric.distances[rows, cols] @ mass)
        return Found(cost, u, v, rows, cols, mass, code)

    def _like(self, x: Any) -> Any:
        return self.lib.like(x, self.model) if self.model is not None else x

    def _whole(self) -> None:
        if self.model is not None and not self.lib.floating(self.model):
            warnings.warn(
                "barrow: masses are integers, and so are the results: "
                "hand over floating-point numbers to keep the fractions",
                stacklevel=4,
            )

    def plan(self, x: Found) -> Any:
        if self.edges is not None:
            return self.lib.sparse(x.rows, x.cols, x.mass, self.metric.shape, self.model)
        self._whole()
        return self._like(self._matrix(x))

    def _matrix(self, x: Found) -> Any:
        dense = np.zeros(self.metric.shape)
        np.add.at(dense, (x.rows, x.cols), x.mass)
        return dense

    def log(self, x: Found) -> Dict[str, Any]:
        return {
            "cost": x.cost,
            "u": self._like(x.u),
            "v": self._like(x.v),
            "warning": WORDS[x.code],
            "result_code": x.code,
        }

    def cost(self, x: Found, row: int) -> Any:
        """The cost with its derivatives."""
        if self.lib is NUMPY:  # a float, whatever the type of the masses
            return x.cost
        self._whole()
        a, b, M = self.given
        if self.edges is not None:
            rows, cols, _ = self.edges
            to_m = self.lib.sparse(rows, cols, self._matrix(x)[rows, cols], self.metric.shape, self.model)
        else:
            to_m = None if isinstance(M, Metric) else self._like(self._matrix(x))
        sides = []
        for given, pot in ((a, x.u), (b, x.v)):
            slope = pot - pot.mean()
            if getattr(given, "ndim", 1) == 2:
                of_row = np.zeros((self.rows, len(slope)))
                of_row[row] = slope
                slope = of_row
            sides.append(None if getattr(given, "shape", (0,))[0] == 0 else self._like(slope))
        inputs = [None if isinstance(y, (list, tuple, Metric)) else y for y in (a, b, M)]
        return self.lib.with_gradients(self._like(x.cost), inputs, [*sides, to_m])


def settings_of(numItermax: int, shape: Tuple[int, ...]) -> Settings:
    """The solver's settings: the first tree takes a step for each of its arcs."""
    if isinstance(numItermax, (float, np.floating)) and float(numItermax).is_integer():
        numItermax = int(numItermax)  # 2e5 is what users of POT write
    most = min(whole("numItermax", numItermax, 0), (1 << 31) - 1)  # more than any pair takes
    return ("error", "error", 1, max(1, most - sum(shape) + 1) if most > 0 else 0)
