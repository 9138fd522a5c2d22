"""What encoders are trained on: the losses of the program, with values and gradients."""

from __future__ import annotations

import math
import re
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import numbers
from ._errors import EMDError, RowError
from ._images import FileName, absolute
from ._settings import number, text, whole
from ._transport import name_sides
from ._worker import Object, call, chunks

__all__ = ["Evaluated", "Loss", "loss", "losses"]


class Evaluated(NamedTuple):
    """What a loss says of images."""

    #: The loss of each image, (B,).
    value: NDArray[np.float64]
    #: Each one's gradient with respect to the predicted image, (B, n); None unless asked for.
    gradient: Optional[NDArray[np.float32]]


class Loss:
    """A loss by its name; made by :func:`loss`."""

    def __init__(
        self,
        name: str,
        *,
        grid: Optional[Sequence[int]] = None,
        pitch: float = 1.0,
        unit: float = 1.0,
        metric: FileName = "benchmark",
        network: Optional[FileName] = None,
        threads: int = 0,
    ) -> None:
        """Make the loss: see :func:`barrow.loss`."""
        params: Dict[str, Any] = {"name": text("the loss", name), "threads": whole("threads", threads, 0, 1 << 30)}
        if grid is not None:
            params.update(zip(("height", "width"), _sides(grid)), pitch=_positive("pitch", pitch))
        known = isinstance(metric, str) and metric in ("benchmark", "cmssw")
        params["metric"] = str(metric) if known else absolute(metric)
        if network is not None:
            params["network"] = absolute(network)
        self._unit, self._params = _positive("unit", unit), params
        self._object = Object("loss", params)
        info = self._object.call("info").params
        self._name, self._cells = str(info["name"]), int(info["cells"])

    @property
    def name(self) -> str:
        """The loss as it is written shortest: without the options that are the defaults."""
        return self._name

    @property
    def cells(self) -> int:
        """How many cells an image has."""
        return self._cells

    def __call__(self, predicted: ArrayLike, target: ArrayLike, unit: Union[float, ArrayLike, None] = None) -> float:
        """The mean of the loss over images: see :meth:`evaluate`."""
        value = self.evaluate(predicted, target, unit, gradient=False).value
        if np.size(value) == 0:
            raise ValueError("barrow: the mean of a loss over no images")
        return float(np.mean(value))

    def evaluate(
        self,
        predicted: ArrayLike,
        target: ArrayLike,
        unit: Union[float, ArrayLike, None] = None,
        gradient: bool = True,
    ) -> Evaluated:
        """Evaluate the loss of each image.

        Parameters
        ----------
        predicted, target : (B, n) or (n,), or (B, height, width) and (height, width) on grids
            Images, finite numbers; computed with in float32, as in a training.
        unit : float or (B,), optional
            How many MIP_T one of an image is, of each if they differ: thresholds are in MIP_T. By
            default the unit of the loss.
        gradient : bool
            Whether the gradient is wanted.

        Returns
        -------
        Evaluated
            ``value`` (B,), and ``gradient`` of the shape of ``predicted``, of each image's own value: that of
            the mean is 1/B of it. Without B of a single image.

        Raises
        ------
        ValueError
            Shapes that do not fit.
        RowError, EMDError
            What is no number, or for distances no mass; ``row`` and ``cell`` say where.
        """
        p, q, shape = self._rows(predicted, target, ("predicted", "target"))
        units = self._units(unit, len(p))
        value, slope = self._solve(p, q, units, bool(gradient), ("predicted", "target"))
        lead = shape[: len(shape) - self._axes(shape)]
        found = None if slope is None else slope.reshape(shape)
        return Evaluated(value.reshape(lead)[()], found)

    def _axes(self, shape: Tuple[int, ...]) -> int:
        """How many of the last axes are an image's."""
        grid = self._grid()
        return 2 if grid is not None and shape[-2:] == grid and shape[-1] != self._cells else 1

    def _grid(self) -> Optional[Tuple[int, int]]:
        return (self._params["height"], self._params["width"]) if "height" in self._params else None

    def _rows(self, predicted: Any, target: Any, names: Sequence[str]) -> Tuple[Any, Any, Tuple[int, ...]]:
        """Both as (B, n), and the shape that they had."""
        p, q = numbers(predicted, names[0]), numbers(target, names[1])
        axes = self._axes(p.shape) if p.ndim else 1
        if p.shape != q.shape or p.ndim not in (axes, axes + 1) or math.prod(p.shape[p.ndim - axes :]) != self._cells:
            grid = self._grid()
            want = f"(B, {self._cells}) or ({self._cells},)" + (f", or (B, {grid[0]}, {grid[1]})" if grid else "")
            raise ValueError(f"barrow: {names[0]} and {names[1]} have the shapes {p.shape} and {q.shape}: want both {want}")
        return p.reshape(-1, self._cells), q.reshape(-1, self._cells), p.shape

    def _units(self, unit: Any, rows: int) -> Any:
        """The unit of each row, None where it is 1."""
        if unit is None:
            unit = self._unit
        if np.ndim(unit) == 0:
            one = _positive("unit", unit)
            return None if one == 1 else np.full(rows, one)
        units = numbers(unit, "unit")
        if units.shape != (rows,):
            raise ValueError(f"barrow: unit has the shape {units.shape}: want a number or ({rows},), one for each image")
        return units

    def _solve(self, p: Any, q: Any, units: Any, gradient: bool, names: Sequence[str]) -> Tuple[Any, Any]:
        """Values, and gradients with respect to p where wanted, of rows; errors call p and q by names."""
        n = len(p)
        value, slope = np.empty(n), np.empty((n, self._cells), "f4") if gradient else None
        for part in chunks(n, 12 * self._cells, "images", 16 << 20) if n else ():
            size = part.stop - part.start
            arrays: Dict[str, Any] = {"target": (q[part], "f4"), "predicted": (p[part], "f4")}
            if units is not None:
                arrays["unit"] = (units[part], "f8")
            out: Dict[str, Any] = {"value": ((size,), "f8")}
            if gradient:
                out["gradient"] = ((size, self._cells), "f4")
            try:
                with np.errstate(over="ignore"):  # what float32 cannot hold is refused with its row
                    reply = self._object.call("evaluate", None, arrays, out, part.start)
            except EMDError as e:  # of distances, which call the target p
                raise name_sides(e, (names[1], names[0])) from None
            except RowError as e:
                words = re.sub(r"\b(predicted|target)(?=\[)", lambda side: names[side[0] == "target"], str(e))
                raise RowError(words, e.row, e.cell) from None
            value[part] = reply.arrays["value"]
            if slope is not None:
                slope[part] = reply.arrays["gradient"]
        return value, slope

    def _recipe(self) -> Dict[str, Any]:
        """What it is made of, as JSON can hold it."""
        found: Dict[str, Any] = {key: self._params[key] for key in ("pitch", "metric", "network", "threads") if key in self._params}
        grid = self._grid()
        return {"name": self._name, "grid": None if grid is None else list(grid), "unit": self._unit, **found}

    def __reduce__(self) -> Tuple[Any, ...]:
        return (_made, (self._recipe(),))

    def __eq__(self, other: object) -> bool:
        return self._recipe() == other._recipe() if isinstance(other, Loss) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(map(str, self._recipe().values())))

    def __repr__(self) -> str:
        grid = self._grid()
        return f"<barrow.Loss {self._name}, {f'{grid[0]}×{grid[1]} pixels' if grid else 'of wafers'}>"


def loss(
    name: str,
    *,
    grid: Optional[Sequence[int]] = None,
    pitch: float = 1.0,
    unit: float = 1.0,
    metric: FileName = "benchmark",
    network: Optional[FileName] = None,
    threads: int = 0,
) -> Loss:
    """A loss by the name that ``barrow encoder train --loss`` takes, with its options.

    Parameters
    ----------
    name : str
        ``"neighbourhood:radius=2"``, say, or a sum such as ``"emd+0.1*telescope"``: see :func:`losses` and
        docs/losses.md.
    grid : (height, width), optional
        The images are of so many pixels; without, of the 48 trigger cells of a wafer in V9 order.
    pitch : float
        How far pixels of a grid are apart, in the unit of wavelengths.
    unit : float
        How many MIP_T one of an image is: thresholds are in MIP_T.
    metric : {"benchmark", "cmssw"} or path
        The ground metric of distances, as :meth:`barrow.Metric.hgcal` takes it.
    network : path, optional
        The EMD network of ``emd-cnn``; the built-in one by default.
    threads : int
        0 is all processors; the number changes no result.

    Returns
    -------
    Loss
        ``loss(predicted, target)`` is the mean, ``loss.evaluate`` each image's value and gradient;
        ``barrow.torch``, ``barrow.jax`` and ``barrow.keras`` take it.

    Raises
    ------
    ValueError
        A loss that there is none of, or an option that selects nothing or everything: with the range.
    """
    return Loss(name, grid=grid, pitch=pitch, unit=unit, metric=metric, network=network, threads=threads)


def losses() -> Dict[str, str]:
    """The losses there are, by name, with what each compares."""
    found: Dict[str, str] = call("loss.list").params["losses"]
    return dict(sorted(found.items()))


def made(loss: Union[str, Loss]) -> Loss:
    """A loss, of its name or as it is."""
    if isinstance(loss, Loss):
        return loss
    if not isinstance(loss, str):
        raise ValueError(f"barrow: the loss is a {type(loss).__name__}: want its name, or what barrow.loss gives")
    return Loss(loss)


def _made(recipe: Dict[str, Any]) -> Loss:
    return Loss(recipe["name"], **{key: value for key, value in recipe.items() if key != "name"})


def _sides(grid: Any) -> List[int]:
    try:
        height, width = grid
    except (TypeError, ValueError):
        raise ValueError(f"barrow: grid is {grid!r}: want (height, width)") from None
    return [whole("the height of a grid", height, 2, (1 << 31) - 1), whole("the width of a grid", width, 2, (1 << 31) - 1)]


def _positive(name: str, value: Any) -> float:
    found = number(name, value)
    if found <= 0:
        raise ValueError(f"barrow: {name} is {value!r}: want a number above 0")
    return found
