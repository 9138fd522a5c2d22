"""Exact distances of many pairs, with gradients, plans and proofs."""

from __future__ import annotations

import operator
import re
from collections import deque
from typing import Any, Deque, List, Optional, Sequence, Tuple, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import numbers
from ._errors import EMDError
from ._worker import Object, chunks
from .metric import Empty, Ground, Metric, Unequal, costs_of, rounded

Array = NDArray[np.float64]

#: unequal, empty, threads, max_pivots
Settings = Tuple[Unequal, Empty, int, int]

__all__ = ["Certificate", "Plan", "Transport", "ground", "ground_again", "name_sides", "solve_batch", "solve_pairs"]


def solve_batch(
    a: ArrayLike,
    b: ArrayLike,
    metric: Ground,
    unequal: Unequal = "error",
    *,
    empty: Empty = "error",
    gradient: Union[bool, Tuple[bool, bool]] = True,
    threads: int = 0,
    max_pivots: int = 0,
) -> Transport:
    """Exact earth mover's distances of pairs of images, with their gradients.

    Parameters
    ----------
    a : (B, n), (1, n) or (n,)
        Masses: finite, not negative, of any type of real numbers, in any layout. A
        single image is compared with every row of the other side.
    b : (B, m), (1, m) or (m,)
        Masses of the other images.
    metric : Metric or (n, m)
        What moving a unit costs; a matrix is taken by :meth:`Metric.matrix` and kept for
        the next call with the same numbers.
    unequal : {"error", "normalise"} or ("penalty", R)
        What is done with a pair of different totals P and Q: an error where they differ
        by more than 1e-9 of the larger one, both sides scaled to total 1, or R paid for
        each unit of the heavier side that stays unmatched.
    empty : {"error", "skip"}
        What is done with a pair without mass on a side where that has no distance: an
        error, or the value NaN with gradients 0.
    gradient : bool or (bool, bool)
        Whether the gradients (to a, to b) are computed at once. Others are when they are
        asked for.
    threads : int
        Pairs solved at a time, 0 for all processors. It never changes a result.
    max_pivots : int
        Bound on the simplex steps of a pair, 0 for one that none is known to come near.

    Returns
    -------
    Transport
        Float64 whatever the inputs are. What is not computed at once is computed from a
        and b when it is asked for, so they must not be changed until then.

    Raises
    ------
    EMDError
        A mass that is NaN, infinite or negative, totals that differ, an image without
        mass; with .row and .cell, counting from 0.
    ValueError
        Shapes that do not fit, elements that are no real numbers, settings unknown.

    Notes
    -----
    Images scaled to total 1 in float32 have totals that differ by some 1e-7: "normalise"
    is for them.

    The distance is convex and piecewise linear. At a kink the gradient is one of the
    subgradients: each cell's potential is the middle of its two extremes; where a equals b
    the gradients are exactly 0.

    Rows go to the worker in parts of some 32 MB, so a and b may be larger than memory
    (``np.memmap``); the gradients, B × (n + m) numbers, are not computed with
    ``gradient=False``.
    """
    both = gradient if isinstance(gradient, tuple) and len(gradient) == 2 else (gradient, gradient)
    if not all(isinstance(side, (bool, np.bool_)) for side in both):
        raise ValueError(f"barrow: gradient={gradient!r}: want True or False, or one of them for a and one for b")
    return solve_pairs(a, b, metric, (unequal, empty, threads, max_pivots), bool(both[0]), bool(both[1]), "ab")


def solve_pairs(
    a: Any, b: Any, metric: Any, settings: Settings, left: bool, right: bool, names: Sequence[str]
) -> Transport:
    """solve_batch of sides that errors call by these names."""
    if not isinstance(metric, Metric):
        metric = ground(metric, name="metric")
    solver = metric.solver(*settings)
    p, q, single = _pairs(a, b, metric, names)
    unequal = settings[0]
    result = Transport(metric, solver, p, q, single, not isinstance(unequal, str) or unequal == "error", names)
    result._solve(left, right)
    return result


def name_sides(e: EMDError, names: Sequence[str]) -> EMDError:
    """The error of masses that the worker calls p and q."""
    words = re.sub(r"\b[pq](?=[\[,:])", lambda side: names[side.group() == "q"], str(e))
    return EMDError(words, e.row, e.cell)


def _pairs(a: Any, b: Any, metric: Metric, names: Sequence[str]) -> Tuple[Any, Any, bool]:
    """The pairs as (B, n) and (B, m), and whether it is a single one, without B."""
    first, second = names[0], names[1]
    p, q = numbers(a, first), numbers(b, second)
    n, m = metric.shape
    if p.ndim == q.ndim == 2 and p.shape[1] == n and q.shape == (len(p), m):  # what nearly all are
        return p, q, False
    if p.shape == (0, 0):  # lists without rows say no width
        p = p.reshape(0, n)
    if q.shape == (0, 0):
        q = q.reshape(0, m)
    if not (0 < p.ndim < 3 and 0 < q.ndim < 3) or p.shape[-1] != n or q.shape[-1] != m:
        raise ValueError(
            f"barrow: {first} and {second} have the shapes {p.shape} and {q.shape}: "
            f"want (B, {n}) or ({n},) and (B, {m}) or ({m},)"
        )
    single = p.ndim == q.ndim == 1
    p, q = np.atleast_2d(p), np.atleast_2d(q)
    if len(p) != len(q):
        if len(p) != 1 != len(q):
            raise ValueError(f"barrow: {len(p)} rows of {first} and {len(q)} of {second}: want the same number, or one")
        rows = len(q) if len(p) == 1 else len(p)
        p, q = np.broadcast_to(p, (rows, n)), np.broadcast_to(q, (rows, m))
    return p, q, single


class Plan:
    """Optimal transport plans, as what moves: sparse, some n + m entries a pair.

    Attributes
    ----------
    pair, source, target : (K,) int64
        Entry k moves mass of this pair from this cell of a to this cell of b. Sorted by
        pair; what stays where it is has source == target on a metric.
    mass : (K,) float64
        How much: in the units of a, or shares of 1 with ``unequal="normalise"``. What
        ("penalty", R) leaves unmatched is not in it.
    shape : (B, n, m) or (n, m)
        That of :meth:`toarray`.
    """

    __slots__ = ("pair", "source", "target", "mass", "shape")

    def __init__(self, pair: Any, source: Any, target: Any, mass: Any, shape: Tuple[int, ...]) -> None:
        self.pair, self.source, self.target, self.mass, self.shape = pair, source, target, mass, shape

    def toarray(self) -> Array:
        """The plans as a dense array of their shape."""
        dense = np.zeros(self.shape)
        at = (self.source, self.target) if len(self.shape) == 2 else (self.pair, self.source, self.target)
        np.add.at(dense, at, self.mass)
        return dense

    def __array__(self, dtype: Any = None, copy: Optional[bool] = None) -> Any:
        return self.toarray() if dtype is None else self.toarray().astype(dtype)

    def __getitem__(self, i: Union[int, slice]) -> Array:
        """The plan of pair i as a dense (n, m) array, or those of a slice of the pairs."""
        if len(self.shape) == 2:
            raise IndexError("barrow: the plan is that of a single pair")
        rows = self.shape[0]
        if isinstance(i, slice):
            pairs = range(*i.indices(rows))
            return np.stack([self[k] for k in pairs]) if pairs else np.zeros((0, *self.shape[1:]))
        try:
            i = operator.index(i)
        except TypeError:
            raise TypeError(
                f"barrow: a plan is taken by the number of its pair, not by {i!r}: for more see toarray()"
            ) from None
        if not -rows <= i < rows:
            raise IndexError(f"barrow: pair {i} of {rows}")
        from_, to = np.searchsorted(self.pair, [i % rows, i % rows + 1])
        dense = np.zeros(self.shape[1:])
        np.add.at(dense, (self.source[from_:to], self.target[from_:to]), self.mass[from_:to])
        return dense

    def __len__(self) -> int:
        if len(self.shape) == 2:
            raise TypeError("barrow: the plan is that of a single pair")
        return self.shape[0]

    def __bool__(self) -> bool:
        return True  # whatever its length is

    def __repr__(self) -> str:
        return f"<barrow.Plan {'×'.join(map(str, self.shape))}, {len(self.mass)} moves>"


class Certificate:
    """How far plan and potentials are from proving each other optimal.

    Any plan costs at least ``dual`` if the potentials are feasible, so the distance lies
    between ``dual`` and ``primal`` up to ``violation`` and ``imbalance``. Each is an array
    (B,), or a number for a single pair.

    Attributes
    ----------
    primal, dual : float64
        The cost of the plan and the value of the potentials.
    violation : float64
        The largest f_i + h_j − M_ij, or 0.
    imbalance : float64
        The largest difference of a sum of the plan and the mass it should have.
    negative : float64
        The size of the most negative flow, or 0.
    mass, distance : float64
        The scales to judge by: the plan's total and the largest distance.
    """

    __slots__ = ("primal", "dual", "violation", "imbalance", "negative", "mass", "distance")

    def __init__(self, figures: Any) -> None:
        for k, name in enumerate(self.__slots__):
            setattr(self, name, figures[..., k])

    primal: Array
    dual: Array
    violation: Array
    imbalance: Array
    negative: Array
    mass: Array
    distance: Array

    @property
    def gap(self) -> Array:
        """primal − dual."""
        return self.primal - self.dual

    def proves(self, tolerance: float = 2e-14) -> NDArray[np.bool_]:
        """Whether each pair is proved optimal up to rounding, relative to its scales."""
        ok = (self.violation <= tolerance * self.distance) & (self.imbalance <= tolerance * self.mass)
        ok &= (self.negative <= tolerance * self.mass) & (np.abs(self.gap) <= tolerance * self.mass * self.distance)
        proved: NDArray[np.bool_] = ok
        return proved

    def __repr__(self) -> str:
        if np.ndim(self.primal):
            return f"<barrow.Certificate of {len(self.primal)} pairs, {np.count_nonzero(self.proves())} proved optimal>"
        return f"<barrow.Certificate gap={self.gap:.3g} violation={self.violation:.3g} imbalance={self.imbalance:.3g}>"


class Transport:
    """What :func:`solve_batch` found.

    For a single pair the arrays have no first axis.

    Attributes
    ----------
    value : (B,) float64
        The distances, in units of mass times distance; of distance when normalised.
    gradient : ((B, n), (B, m)) float64
        The derivatives of each value to its row of a and of b as they were passed.
        Where totals must agree only changes of both together mean anything, and the
        derivatives are the potentials.
    potentials : ((B, n), (B, m)) float64
        f and h with f_i + h_j ≤ M_ij and value = Σ a f + Σ b h, of the masses compared
        (a/Σa and b/Σb when normalised). On a metric h = −f, and f has mean zero unless a
        penalty fixes the constant; for other costs the sums of f and h over the cells with
        mass are the same. With a penalty R it is value = Σ a f + Σ b h, too, and no
        potential of the heavier side exceeds R.
    plan : Plan
        Optimal plans, sparse.
    certificate : Certificate
        The proof that they are.
    """

    def __init__(
        self, metric: Metric, solver: Object, p: Any, q: Any, single: bool, raw: bool, names: Sequence[str]
    ) -> None:
        self._metric = metric
        self._solver = solver
        self._p = p
        self._q = q
        self._single = single
        self._names = names
        self._raw = raw  # the derivatives are the potentials

    _value: Any = None
    _left: Any = None
    _right: Any = None
    _potentials: Any = None
    _plan: Optional[Plan] = None
    _certificate: Optional[Certificate] = None

    def _solve(self, left: bool, right: bool) -> None:
        """Compute the values, unless they are there, and the gradients of either side."""
        value, dp, dq = self._run("gradient", "dp" if left else "", "dq" if right else "")
        if self._value is None:
            self._value = value
        if left:
            self._left = dp
        if right:
            self._right = dq

    def _run(self, method: str, first: str, second: str) -> Tuple[Any, Any, Any]:
        rows = len(self._p)
        n, m = self._metric.shape
        dp: Any
        dq: Any
        bytes_a_row = 8 * (1 + (n + m) + (n if first else 0) + (m if second else 0))
        if rows * bytes_a_row <= 1 << 20 or len(list(chunks(rows, bytes_a_row))) == 1:
            whole = self._part(method, first, second, self._p, self._q, 0)
            value, dp, dq = whole["value"], whole.get(first), whole.get(second)
        else:
            value = np.empty(rows)
            dp = np.empty((rows, n)) if first else None
            dq = np.empty((rows, m)) if second else None
            for part in chunks(rows, bytes_a_row, "barrow: distances"):
                found = self._part(method, first, second, self._p[part], self._q[part], part.start)
                value[part] = found["value"]
                if first:
                    dp[part] = found[first]
                if second:
                    dq[part] = found[second]
        if self._single:
            return value[0], dp[0] if first else None, dq[0] if second else None
        return value, dp, dq

    def _part(self, method: str, first: str, second: str, p: Any, q: Any, row: int) -> Any:
        rows = len(p)
        out = {"value": ((rows,), "f8")}
        if first:
            out[first] = (p.shape, "f8")
        if second:
            out[second] = (q.shape, "f8")
        return self._call(method, p, q, out, row)

    def _call(self, method: str, p: Any, q: Any, out: Any, row: int) -> Any:
        try:
            return self._solver.call(method, None, {"p": (p, "f8"), "q": (q, "f8")}, out, row).arrays
        except EMDError as e:
            raise name_sides(e, self._names) from None

    @property
    def value(self) -> Array:
        value: Array = self._value
        return value

    @property
    def gradient(self) -> Tuple[Array, Array]:
        if self._left is None or self._right is None:
            self._solve(self._left is None, self._right is None)
        return self._left, self._right

    @property
    def potentials(self) -> Tuple[Array, Array]:
        if self._raw:
            return self.gradient
        if self._potentials is None:
            _, f, h = self._run("potentials", "f", "h")
            self._potentials = (f, h)
        f, h = self._potentials
        return f, h

    @property
    def plan(self) -> Plan:
        if self._plan is None:
            n, m = self._metric.shape
            found: List[Any] = [
                self._call("flow", self._p[part], self._q[part], None, part.start)
                for part in chunks(len(self._p), 48 * (n + m), "barrow: plans")
            ]
            pair, source, target, mass = (
                np.concatenate([x[key] for x in found]) for key in ("pair", "source", "target", "mass")
            )
            self._plan = Plan(pair, source, target, mass, (n, m) if self._single else (len(self._p), n, m))
        return self._plan

    @property
    def certificate(self) -> Certificate:
        if self._certificate is None:
            n, m = self._metric.shape
            figures = np.empty((len(self._p), 7))
            for part in chunks(len(self._p), 8 * (n + m + 7), "barrow: certificates"):
                out = {"certificate": (figures[part].shape, "f8")}
                figures[part] = self._call("certificate", self._p[part], self._q[part], out, part.start)["certificate"]
            self._certificate = Certificate(figures[0] if self._single else figures)
        return self._certificate

    def __repr__(self) -> str:
        if self._single:
            return f"<barrow.Transport value={self._value!r}>"
        return f"<barrow.Transport of {len(self._p)} pairs, {self._metric!r}>"


class _Grounds:
    """The metrics of the matrices seen last, found again by their numbers.

    An array may have been changed since, so that it is the same object says nothing.
    """

    MOST, BYTES = 8, 64 << 20

    def __init__(self) -> None:
        # It is only ever replaced, so that threads need no lock, which a child of fork could find locked.
        self.kept: List[Tuple[bytes, Any, Metric]] = []
        self.marks: Deque[bytes] = deque(maxlen=2 * self.MOST)

    @staticmethod
    def mark(x: Any, quick: bool, dtype: str = "") -> bytes:
        """Some of the numbers: other matrices mostly have others."""
        n, m = x.shape
        some: bytes = x[:: n // 16 + 1, :: m // 16 + 1].tobytes()
        return b"%d %d %d %s " % (n, m, quick, dtype.encode()) + some

    def known(self, x: Any, mark: bytes) -> Optional[Metric]:
        for entry in self.kept:
            if entry[0] == mark and np.array_equal(entry[1], x):
                return entry[2]
        return None

    def again(self, mark: bytes) -> bool:
        """Whether a matrix like this has been asked for lately, so that keeping it will pay."""
        if mark in self.marks:
            return True
        self.marks.append(mark)
        return False

    def find(self, x: Any, mark: bytes, quick: bool, dtype: str = "") -> Metric:
        metric = self.known(x, mark)
        if metric is None:
            metric = Metric._matrix(x, quick, dtype=dtype)
            kept = [(mark, metric._arrays["costs"], metric)]
            size = x.nbytes
            for entry in self.kept[: self.MOST - 1]:
                size += entry[1].nbytes
                if size <= self.BYTES:
                    kept.append(entry)
            self.kept = kept
        return metric


_grounds = _Grounds()


def ground(M: Any, quick: bool = False, name: str = "M") -> Metric:
    """The metric of a matrix, the one of an earlier call where the numbers are the same."""
    x, dtype = _costs(M, name), "" if quick else rounded(M)
    if x.ndim != 2 or x.nbytes > _Grounds.BYTES:
        return Metric._matrix(x, quick, name, dtype)
    return _grounds.find(x, _Grounds.mark(x, quick, dtype), quick, dtype)


def ground_again(M: Any) -> Optional[Metric]:
    """The quick metric of a matrix that has been here before; None for a new one."""
    x = _costs(M, "M")
    if x.nbytes > _Grounds.BYTES:
        return None
    mark = _Grounds.mark(x, True)
    return _grounds.known(x, mark) or (_grounds.find(x, mark, True) if _grounds.again(mark) else None)


def _costs(M: Any, name: str) -> Any:
    x = costs_of(M, name)
    return x if x.dtype == np.float64 else x.astype(np.float64)
