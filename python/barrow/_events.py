"""Distances between all pairs of events, sets of particles with places of their own."""

from __future__ import annotations

import math
import sys
from typing import Any, Dict, List, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

from ._arrays import numbers
from ._settings import flag, whole
from ._worker import Object, chunks

__all__ = ["emds"]

#: Places of the fields of records: whatever their order is, a name is what it says.
_FIELDS = {"pt": 0, "y": 1, "rapidity": 1, "eta": 1, "phi": 2}


def emds(
    events0: Any,
    events1: Any = None,
    R: float = 1.0,
    beta: float = 1.0,
    norm: bool = False,
    gdim: Optional[int] = 2,
    *,
    dtype: Any = "float64",
    periodic_phi: bool = False,
    mask: bool = False,
    n_jobs: Optional[int] = -1,
    n_iter_max: int = 0,
    print_every: int = 0,
    verbose: int = 0,
) -> NDArray[np.floating[Any]]:
    """Energy mover's distances between all pairs of events, as EnergyFlow's ``emds``.

    For events of particles with transverse momenta p_i and q_j at distances θ_ij,

        EMD = min Σ F_ij (θ_ij/R)^beta + |Σp − Σq|,  all of the lighter event being moved

    (P. T. Komiske, E. M. Metodiev, J. Thaler, Phys. Rev. Lett. 123 (2019) 041801), or with
    norm the first term alone, of p/Σp and q/Σq.

    Parameters
    ----------
    events0 : sequence of (M, 1+d)
        Events of any numbers of particles (pt, y, phi) or (pt, coordinates…); also an
        array (N, M, 1+d), where particles without pt do not count, and lists of Awkward
        Array and Arrow, of lists of numbers or of records (NumPy's structured arrays, too)
        with the fields pt, y (or eta, rapidity) and phi, in any order. Further fields are left
        out, as gdim = 2 leaves out further coordinates.
    events1 : the same, optional
        The other events; without them pairs are within events0.
    R : float
        The distance that costs as much as a unit that has no partner. A metric between
        events needs at least half the largest distance.
    beta : float
        The exponent of the distance, positive.
    norm : bool
        Whether both events are scaled to total 1.
    gdim : int, optional
        At most so many coordinates count, by default the first two: of (pt, y, phi, pid)
        not the last; None for all.
    dtype : {"float64", "float32"}
        The type of the result. It is computed in float64.
    periodic_phi : bool
        Whether the second coordinate is an azimuth, of period 2π.
    mask : bool
        Whether particles further than R from the origin are left out.
    n_jobs : int, optional
        Pairs at a time; −1 or None for all processors.
    n_iter_max : int
        Bound on the simplex steps of a pair, 0 for one that none is known to come near.
    print_every, verbose : int
        Ignored.

    Returns
    -------
    (len(events0), len(events1)) array
        In units of pt, or without unit where norm is set. Symmetric with zeros on the
        diagonal without events1.

    Raises
    ------
    EMDError
        A pt that is NaN, infinite or negative, a coordinate that is not finite, with norm an
        event without pt: .row is the event, of the list that the message names, .cell the
        particle.
    ValueError
        Events of other shapes, settings out of range.

    Notes
    -----
    EnergyFlow's options for the handling of results (``pairwise_emd``, ``external_emd_handler``,
    ``throw_on_error``, …) are left out, and what follows ``gdim`` is given by name; ``gdim``
    leaves coordinates out before ``mask`` looks at them. An event without particles is at the
    distance Σq from another.
    """
    try:
        known = np.dtype(dtype) in (np.dtype("f8"), np.dtype("f4"))
    except TypeError:
        known = False
    if not known:
        raise ValueError(f"barrow: dtype={dtype!r} is none of 'float64', 'float32'")
    params: Dict[str, Any] = {
        "r": _positive(R, "R"), "beta": _positive(beta, "beta"), "norm": flag("norm", norm),
        "max_pivots": whole("n_iter_max", n_iter_max, 0, (1 << 31) - 1),
        "threads": max(0, whole("n_jobs", 0 if n_jobs is None else n_jobs, -1, (1 << 31) - 1)),
    }  # fmt: skip
    radius = params["r"] if flag("mask", mask) else math.inf
    arrays = _flat(events0, "0", gdim, radius)
    rows = len(arrays["starts0"]) - 1
    cols = rows
    if events1 is not None:
        arrays.update(_flat(events1, "1", gdim, radius))
        cols = len(arrays["starts1"]) - 1
    result: NDArray[np.floating[Any]] = np.zeros((rows, cols), dtype=dtype)
    if not rows or not cols:
        return result
    if flag("periodic_phi", periodic_phi):
        width = arrays["particles0"].shape[1]
        if width < 3:
            raise ValueError("barrow: periodic_phi needs a second coordinate")
        params["periods"] = [0.0, 2 * math.pi] + [0.0] * (width - 3)
    pairs = Object("emd.events", params, arrays)
    for part in chunks(rows, 1024 * cols, "barrow: rows of distances"):
        reply = pairs.call(
            "rows", {"from": part.start, "to": part.stop}, None, {"value": ((part.stop - part.start, cols), "f8")}
        )
        result[part] = reply.arrays["value"]
    if events1 is None:
        result += result.T
    return result


def _positive(x: Any, name: str) -> float:
    try:
        value = float(x)
    except (TypeError, ValueError):
        value = math.nan
    if not 0 < value < math.inf:
        raise ValueError(f"barrow: {name}={x!r}: must be positive and finite")
    return value


def _flat(events: Any, which: str, gdim: Optional[int], radius: float) -> Dict[str, Any]:
    """All particles one after another, and where each event begins."""
    most = None if gdim is None else whole("gdim", gdim, 1)
    particles, counts = _particles(events, f"events{which}", most)
    if most is not None:
        particles = particles[:, : most + 1]
    if radius < math.inf:
        near = ~((particles[:, 1:] ** 2).sum(1) > radius**2)  # NaN stays, to be named
        starts = np.concatenate([[0], np.cumsum(counts)])
        kept = np.concatenate([[0], np.cumsum(near)])
        counts = kept[starts[1:]] - kept[starts[:-1]]
        particles = particles[near]
    starts = np.concatenate([[0], np.cumsum(counts)]).astype("i8")
    return {"particles" + which: np.ascontiguousarray(particles, "f8"), "starts" + which: starts}


def _particles(events: Any, name: str, gdim: Optional[int]) -> Tuple[Any, Any]:
    module = type(events).__module__
    if module.startswith("pyarrow"):
        events = events.to_pylist()
    elif module.startswith("awkward"):
        return _awkward(events, name, gdim)
    if isinstance(events, np.ndarray) and events.dtype.kind in "fiub":
        if events.ndim != 3:
            raise ValueError(f"barrow: {name} has the shape {events.shape}: want events of particles, (N, M, 1+d)")
        return events.reshape(-1, events.shape[2]), np.full(len(events), events.shape[1])
    if isinstance(events, np.ma.MaskedArray):
        events = numbers(events, name)
        return _particles(events, name, gdim)
    if not hasattr(events, "__iter__") and not hasattr(events, "__getitem__") or isinstance(events, (str, dict)):
        raise ValueError(
            f"barrow: {name} is of type {type(events).__name__}: "
            "want a sequence of events, each an array (M, 1+d) of particles"
        )
    parts: List[Any] = []
    width = 0
    for i, event in enumerate(events):
        where = f"{name}: event {i}"
        if isinstance(event, (list, tuple)) and event and isinstance(event[0], dict):
            event = [[particle.get(f) for f in _ordered(event[0], where, gdim)] for particle in event]
        elif isinstance(event, np.ndarray) and event.dtype.names is not None:
            fields = _ordered(event.dtype.names, where, gdim)
            event = np.stack([numbers(event[f], f"{where}: {f}") for f in fields], -1)
        elif event is None:
            raise ValueError(f"barrow: {where} is None: an event without particles is an empty list")
        x = numbers(event, where)
        if x.ndim == 1 and not len(x):
            x = x.reshape(0, width)
        if x.ndim != 2 or len(x) and (x.shape[1] < 2 or width and x.shape[1] != width):
            want = f"(M, {width})" if width else "(M, 1+d)"
            raise ValueError(f"barrow: {where} has the shape {x.shape}: want {want}")
        if len(x):
            width = x.shape[1]
        parts.append(x)
    filled = [x for x in parts if len(x)]
    counts = np.array([len(x) for x in parts], dtype="i8")
    return np.concatenate(filled) if filled else np.zeros((0, 3)), counts


def _ordered(fields: Any, name: str, gdim: Optional[int]) -> List[str]:
    """The fields of records in the order of a particle's numbers, by their names.

    Others are behind them, and left out with what gdim leaves out.
    """
    given = list(fields)
    ordered = sorted((f for f in given if f in _FIELDS), key=lambda f: _FIELDS[f])
    others = gdim is None or gdim > 2
    if len(ordered) < 2 or "pt" not in given or others and len(ordered) < len(given):
        hint = ': leave the others out, as by events[["pt", "y", "phi"]], or by gdim=2' if "pt" in given and others else ""
        raise ValueError(
            f"barrow: {name} has particles with the fields {', '.join(map(str, given))}: "
            f"want pt, y and phi{' alone' if others else ''} (or eta, rapidity){hint}"
        )
    if len({_FIELDS[f] for f in ordered}) < len(ordered):
        raise ValueError(
            f"barrow: {name} has particles with the fields {', '.join(ordered)}: two are the same coordinate"
        )
    return ordered


def _awkward(events: Any, name: str, gdim: Optional[int]) -> Tuple[Any, Any]:
    ak = sys.modules["awkward"]
    try:
        if ak.any(ak.is_none(events)):
            event = int(ak.argmax(ak.is_none(events)))
            raise ValueError(f"event {event} is None: an event without particles is an empty list")
        counts = ak.to_numpy(ak.num(events, axis=1))
        flat = ak.flatten(events, axis=1)
        fields = _ordered(ak.fields(flat), name, gdim) if ak.fields(flat) else []
        x = np.stack([ak.to_numpy(flat[f]) for f in fields], 1) if fields else ak.to_numpy(ak.to_regular(flat, axis=1))
    except (TypeError, ValueError) as e:
        if str(e).startswith("barrow: "):
            raise
        raise ValueError(f"barrow: {name} cannot be read as events of particles: {e}") from e
    return numbers(x, name), counts
