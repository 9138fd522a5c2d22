"""Networks that estimate the exact EMD, with gradients and a certified bound.

>>> from barrow import surrogate
>>> value, (to_p, to_q) = surrogate.predict(p, q)[:2]  # doctest: +SKIP
"""

from __future__ import annotations

from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from ._arrays import numbers
from ._images import CELLS, FileName, absolute, charge_of
from ._settings import whole
from ._worker import Object, chunks

__all__ = ["Estimator", "Prediction", "predict"]


class Prediction(NamedTuple):
    """What a network says of pairs of images."""

    #: Estimated EMD of each pair, (B,), in units of half a trigger-cell pitch.
    value: NDArray[np.float64]
    #: Gradients of the values to the rows of p and of q as given, each (B, 48).
    gradient: Tuple[NDArray[np.float64], NDArray[np.float64]]
    #: What is certainly not above the EMD, (B,); None unless asked for.
    bound: Optional[NDArray[np.float64]] = None
    #: The potentials that prove the bound, (B, 48): ``bound = Σ (p − q) potentials`` of rows
    #: scaled to sum 1, and no two differ by more than their cells' distance.
    potentials: Optional[NDArray[np.float64]] = None


class Estimator:
    """A network that estimates the EMD of two images; opened by :meth:`load`."""

    def __init__(self, network: Object) -> None:
        self._object = network

    @classmethod
    def load(cls, weights: Optional[FileName] = None, threads: int = 0) -> Estimator:
        """Open a network.

        Parameters
        ----------
        weights : path, optional
            Run folder of ``barrow surrogate train`` or ``barrow reproduce``, weights file, or
            an EMD network of another program; the built-in network by default.
        threads : int
            0 is all processors.

        Raises
        ------
        OSError
            A model that is not there, or cannot be read.
        """
        params: Dict[str, Any] = {"threads": whole("threads", threads, 0, 1 << 30)}
        if weights is not None:
            params["weights"] = absolute(weights)
        estimator = cls(Object("surrogate", params))
        estimator._object.open()
        return estimator

    def predict(self, p: Any, q: Any, bound: bool = False) -> Prediction:
        """Estimate the EMD of the rows of p to those of q: see :func:`predict`."""
        a, b = _rows(p, "p"), _rows(q, "q")
        one = a.ndim == b.ndim == 1
        a, b = np.atleast_2d(a), np.atleast_2d(b)
        if len(a) != len(b):
            if 1 not in (len(a), len(b)):
                raise ValueError(f"barrow: p has {len(a)} rows and q {len(b)}: want as many, or one")
            a, b = np.broadcast_arrays(a, b)
        n = len(a)
        value, dp, dq = np.empty(n), np.empty((n, CELLS)), np.empty((n, CELLS))
        least, potentials = (np.empty(n), np.empty((n, CELLS))) if bound else (None, None)
        for part in chunks(n, 8 * CELLS * 5, "pairs", 16 << 20):
            size = part.stop - part.start
            arrays = {"p": (a[part], "f8"), "q": (b[part], "f8")}
            wide = ((size, CELLS), "f8")
            reply = self._object.call(
                "estimate", None, arrays, {"value": ((size,), "f8"), "dp": wide, "dq": wide}, row=part.start
            )
            value[part], dp[part], dq[part] = reply.arrays["value"], reply.arrays["dp"], reply.arrays["dq"]
            if least is not None and potentials is not None:
                reply = self._object.call(
                    "bound", None, arrays, {"bound": ((size,), "f8"), "potentials": wide}, row=part.start
                )
                least[part], potentials[part] = reply.arrays["bound"], reply.arrays["potentials"]
        found = Prediction(value, (dp, dq), least, potentials)
        if not one:
            return found
        return Prediction(
            value[0], (dp[0], dq[0]), None if least is None else least[0], None if potentials is None else potentials[0]
        )

    def __repr__(self) -> str:
        return f"<barrow.surrogate.Estimator: {self._object._recipe[1].get('weights', 'the built-in network')}>"


_built_in: Optional[Estimator] = None


def predict(p: Any, q: Any, weights: Union[FileName, Estimator, None] = None, bound: bool = False) -> Prediction:
    """Estimate the EMD of the rows of p to those of q by a network.

    Parameters
    ----------
    p, q : array, (B, 48) or (48,), or mapping with ``charge``
        Charges in V9 order, any unit; every row has charge. A single row is taken with all
        of the others.
    weights : path or Estimator, optional
        Run folder, weights file or EMD network of another program; the built-in network by
        default. An :class:`Estimator` is opened once for many calls.
    bound : bool
        Add what is certainly not above the EMD. Only networks of potentials have that, as
        the built-in one.

    Returns
    -------
    Prediction
        ``value`` (B,), the distance of the rows scaled to sum 1; ``gradient`` (to p, to q;
        each (B, 48), of the rows as given): of a network of potentials, as the built-in one,
        what the exact EMD's is of its potentials, and so not the derivative of ``value``;
        ``bound`` (B,) and ``potentials`` (B, 48) or None. Without B where both are single rows.

    Raises
    ------
    ValueError
        Arrays that do not fit; a bound that the network does not have.
    EMDError
        A row without charge; ``row`` says which.
    OSError
        Weights that are not there, or cannot be read.
    """
    global _built_in
    if isinstance(weights, Estimator):
        return weights.predict(p, q, bound)
    if weights is not None:
        return Estimator.load(weights).predict(p, q, bound)
    if _built_in is None:
        _built_in = Estimator.load()
    return _built_in.predict(p, q, bound)


def _rows(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return charge_of(value, name)
    array = numbers(value, name)
    if array.ndim not in (1, 2) or array.shape[-1] != CELLS:
        raise ValueError(f"barrow: {name} has the shape {array.shape}: want (B, {CELLS}) or ({CELLS},)")
    return array
