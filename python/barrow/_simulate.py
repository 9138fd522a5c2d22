"""Wafer images drawn by the simulation."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, NoReturn, Optional, Sequence, Tuple, Union

import numpy as np

from ._images import FileName, Images, absolute, images_of, joined
from ._settings import flag, number, text
from ._settings import whole as _whole
from ._worker import Object, chunks

__all__ = ["simulate"]

#: Images in a request.
_BLOCK = 8192

_Range = Union[float, Tuple[float, float], Sequence[float]]


def simulate(
    n: int,
    preset: str = "mixed",
    seed: int = 1,
    *,
    first: int = 0,
    eta: _Range = (1.6, 2.9),
    energy: _Range = (5.0, 500.0),
    energy_index: float = 0.0,
    layer: Union[int, Sequence[int], None] = None,
    elinks: Union[int, Sequence[int], None] = None,
    links: str = "signal",
    pileup: float = 0.0,
    unit: str = "calq",
    threshold: float = 0.0,
    compress: bool = False,
    keep_empty: bool = False,
    whole: bool = False,
    geometry: str = "v11",
    parameters: Optional[FileName] = None,
    threads: int = 0,
    **unknown: NoReturn,
) -> Images:
    """Draw images of HGCAL wafers, as ``barrow simulate`` does, to the bit.

    Image k of a seed is a function of the seed, k and the settings alone.

    Parameters
    ----------
    n : int
        Images to draw, or events with `whole`.
    preset : str
        ``mixed`` (pile-up with and without a particle), ``pileup200``, ``electrons``,
        ``photons`` or ``pions``. A setting that is left at 0 or None has the preset's value.
    seed : int
    first : int
        Number of the first image, to draw a set in parts.
    eta : (low, high)
        Pseudorapidity of wafers and particles.
    energy : (low, high)
        Energy of the particle in GeV.
    energy_index : float
        Energies have the density E^-energy_index; 1 is uniform in the logarithm.
    layer : int or list of int
        Trigger layers.
    elinks : int or list of int
        Only modules with so many output links.
    links : str
        How links are allocated: ``signal`` (by layer) or ``module`` (the geometry's).
    pileup : float
        Mean number of collisions; negative: none.
    unit : str
        Of the charges: ``calq`` (35 to a MIP_T), ``adc`` (not transverse) or ``mipt``.
    threshold : float
        Cells below so many MIP_T are 0; negative: never.
    compress : bool
        Pass charges through the front end's 7-bit format.
    keep_empty : bool
        Keep images without any charge.
    whole : bool
        Draw whole endcap events: all wafers with charge.
    geometry : str
        ``v11`` or ``v16``.
    parameters : path, optional
        TOML file with parameters of the model.
    threads : int
        0 is all processors; the images are the same.

    Returns
    -------
    dict of arrays
        ``charge`` (n, 48), float64, V9 order, in `unit`; and the truth as metadata columns
        of n values each, int64, float64 or str: ``entry``, ``class``, ``SimEnergyTotal``,
        ``EventSimEnergy``, ``SimEnergyFraction``, ``eta``, ``gen_eta``, ``subdet``,
        ``layer``, ``waferu``, ``waferv``, ``sector``, ``HD_LD``, ``ModType``, ``elinks``,
        ``threshold``.

    Raises
    ------
    ValueError
        Settings that do not exist or cannot be met; the message lists what there is.
    OSError
        `parameters` that cannot be read.
    """
    if unknown:
        raise ValueError(
            f"barrow: simulate has no setting {', '.join(map(repr, unknown))}; there are: {', '.join(_settings())}"
        )
    count, begin = _whole("n", n), _whole("first", first)
    if count < 0 or begin < 0 or begin + count > 1 << 64:
        raise ValueError(f"barrow: n is {count} and first {begin}: want numbers from 0 on, and of images below 2^64")
    params: Dict[str, Any] = {
        "preset": text("preset", preset), "seed": _whole("seed", seed),
        "eta": _range("eta", eta), "energy": _range("energy", energy),
        "energy_index": number("energy_index", energy_index), "layer": _list("layer", layer),
        "elinks": _list("elinks", elinks),
        "links": text("links", links), "pileup": number("pileup", pileup), "unit": text("unit", unit),
        "threshold": number("threshold", threshold), "compress": flag("compress", compress),
        "keep_empty": flag("keep_empty", keep_empty), "whole": flag("whole", whole),
        "geometry": text("geometry", geometry), "threads": _whole("threads", threads, 0, 1 << 30),
    }  # fmt: skip
    if parameters is not None:
        params["parameters"] = absolute(parameters)
    if not 0 <= params["seed"] < 1 << 64:
        raise ValueError(f"barrow: seed is {seed}: want 0 to 2^64-1")
    generator = Object("simulate", params)
    if count == 0:
        return {name: values[:0] for name, values in images_of(generator.call("draw", {"first": 0, "n": 1})).items()}
    return joined(list(_blocks(generator, begin, count, 1 if whole else _BLOCK)))


def _blocks(generator: Object, first: int, n: int, block: int) -> Iterator[Images]:
    for part in chunks(n, title="images", rows=block):
        yield images_of(
            generator.call("draw", {"first": first + part.start, "n": part.stop - part.start}, row=part.start)
        )


def _settings() -> List[str]:
    code = simulate.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return [name for name in names if name != "n"]


def _list(name: str, value: Any) -> Optional[List[int]]:
    if value is None:
        return None
    return [_whole(name, item, -(1 << 31), 1 << 31) for item in np.atleast_1d(np.asarray(value)).tolist()]


def _range(name: str, value: Any) -> List[float]:
    try:
        numbers = [float(item) for item in np.atleast_1d(np.asarray(value, dtype=np.float64))]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) == 1:
        numbers *= 2
    if len(numbers) != 2 or not all(0 < item < float("inf") for item in numbers):
        raise ValueError(f"barrow: {name} is {value!r}: want (low, high), both above 0")
    return numbers
