"""The trigger chip ECON-T in integers, bit for bit.

:func:`run` is the chip as it stands, words in and words out. :func:`encode` sends images
through one of its algorithms and decodes them; :func:`decode` reads the frames again.
"""

from __future__ import annotations

import os
import warnings
from typing import Any, Callable, Dict, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from ._arrays import numbers
from ._images import CELLS, LATENT, FileName, absolute, image_or_images
from ._settings import flag, text, whole
from ._worker import Object, call, chunks

__all__ = ["Decoded", "Encoded", "decode", "encode", "run"]

#: Input words of a bunch crossing, output words, and words of 16 bits in a frame.
WORDS_IN, WORDS_OUT, FRAME = 12, 13, 26


def _count(name: str, value: Any) -> int:
    return whole(name, value, 0, (1 << 22) - 1)


_DROPPING = ("TS", "STC", "BC", "RPT")

#: Settings of an algorithm: the algorithms that make something of it, and what holds a
#: value to its type. All but the first three may be None, the worker's default.
_SETTINGS: Dict[str, Tuple[Tuple[str, ...], Callable[[str, Any], Any]]] = {
    "links": ((), lambda name, value: whole(name, value, 0, 1 << 30)),
    "density": ((), text),
    "entry": ((), text),
    "threshold": (("TS",), _count),
    "stc_type": (("STC",), _count),
    "share": (("STC",), text),
    "rest": (("TS", "BC"), flag),
    "use_sum": (("TS", "BC"), flag),
    "drop_lsb": (_DROPPING, _count),
    "zero_code": (_DROPPING, flag),
    "point": (_DROPPING, text),
    "pedestal": (_DROPPING, flag),
    "model": (("AE",), lambda name, value: absolute(value)),
    "weights": (("AE",), lambda name, value: absolute(value)),
    "keep": (("AE",), text),
    "dense_order": (("AE",), text),
    "rounding": (("AE",), text),
    "overflow": (("AE",), text),
}


def run(
    config: Union[FileName, Sequence[FileName]],
    input: Any,
    first_bx: int = 0,
    *,
    mux: str = "auto",
    overflow: str = "saturate",
    drain: bool = False,
    weights: Optional[FileName] = None,
    dense_order: str = "auto",
    rounding: str = "auto",
) -> NDArray[np.uint32]:
    """Run the chip on a test vector's words, as ``barrow econt run`` does.

    Parameters
    ----------
    config : path or list of paths
        Register file; several are read in order, later values winning.
    input : path, or array (N, 12) of whole numbers below 2^32
        RX_DATA_0 to RX_DATA_11, a row a bunch crossing, headers included (9 at bunch
        crossing 0, else a): a test vector's file, CSV with these columns in hexadecimal, or
        its words.
    first_bx : int
        Bunch crossing of the first row, 0 to 3563.
    mux : str
        How Mux registers count inputs: ``prod``, ``p1``, or ``auto``: as the file's dialect does.
    overflow : str
        AE outputs above nine bits: ``saturate`` or ``wrap``; no golden decides.
    drain : bool
        Go on after the last row until the buffer is empty.
    weights : path, optional
        AE: an encoder's weights in place of the registers': Keras HDF5, CSV or YAML, by its
        ending.
    dense_order : str
        How the dense kernel of `weights` in HDF5 is read: ``keras`` (the trained network),
        ``golden`` (untransposed, as the golden files were made), or ``auto``: ``golden`` where that
        gives the weights of `config`, else ``keras``.
    rounding : str
        How `weights` in HDF5 become multiples of 1/32: ``nearest`` (halves to even, as QKeras
        computes), ``floor`` (as the golden files were made), or ``auto``: ``floor`` where
        that gives the weights of `config` or with `dense_order` ``golden``, else ``nearest``.

    Returns
    -------
    array (N, 13), uint32
        TX_DATA_0 to TX_DATA_12; more rows with `drain`. Links that are not active are 0.

    Raises
    ------
    ValueError
        Words that do not fit; the message has row and word. Settings that do not exist, or
        are for nothing here.
    OSError
        Registers, weights or a test vector that are not there, or no chip's.

    Warns
    -----
    UserWarning
        Registers that the files leave out, with the values taken; weights that were rounded
        or clipped; frames that the buffer truncated, or that no golden decides.
    """
    first = whole("first_bx", first_bx, 0, 3563)
    if isinstance(input, (str, bytes, os.PathLike)):
        words = call("econt.words", {"file": absolute(input), "first_bx": first}).arrays["words"]
    else:
        words = _words(input)
    try:
        files = [config] if isinstance(config, (str, os.PathLike)) else list(config)
    except TypeError:
        raise ValueError(f"barrow: config is {config!r}: want a path, or a list of paths") from None
    if not files:
        raise ValueError("barrow: config names no register file")
    params: Dict[str, Any] = {
        "config": [absolute(file) for file in files],
        "mux": text("mux", mux),
        "overflow": text("overflow", overflow),
        "first_bx": first,
        "dense_order": text("dense_order", dense_order),
        "rounding": text("rounding", rounding),
    }
    if weights is not None:
        params["weights"] = absolute(weights)
    chip = Object("econt.chip", params)
    n = len(words)
    sent = np.empty((n, WORDS_OUT), np.uint32)
    for part in chunks(n, 4 * (WORDS_IN + WORDS_OUT), "bunch crossings", 16 << 20):
        out = {"sent": ((part.stop - part.start, WORDS_OUT), "u4")}
        sent[part] = chip.call("run", None, {"words": (words[part], "u4")}, out, row=part.start).arrays["sent"]
    if drain:
        sent = np.concatenate([sent, chip.call("drain", row=n).arrays["sent"]])
    counts = chip.call("counts", row=n).params
    for remark in counts["remarks"] or []:
        warnings.warn(remark, UserWarning, stacklevel=2)
    if counts["truncated"]:
        warnings.warn(f"{counts['truncated']} of {n} frames were truncated by the buffer", UserWarning, stacklevel=2)
    if counts["overflows"]:
        warnings.warn(
            f"{counts['overflows']} of {n} frames have an encoder output above nine bits: "
            "no golden says what the chip does (overflow)",
            UserWarning,
            stacklevel=2,
        )
    return sent


def _words(value: Any) -> Any:
    if getattr(np.asarray(value), "dtype", np.dtype("O")).kind in "US":
        raise ValueError(
            "barrow: input has words in letters: want the path of the file, or whole numbers, as int(word, 16) gives them"
        )
    words = numbers(value, "input")
    if words.ndim != 2 or words.shape[1] != WORDS_IN:
        raise ValueError(
            f"barrow: input has the shape {words.shape}: "
            f"want (N, {WORDS_IN}), the input words of a bunch crossing in a row"
        )
    if words.dtype.kind not in "iu" or words.size and (words.min() < 0 or words.max() >= 1 << 32):
        raise ValueError("barrow: input has elements that are no words: want whole numbers from 0 to 2^32-1")
    return words


class Encoded(NamedTuple):
    """Images that were sent through the chip, of which there are N.

    Attributes
    ----------
    decoded : array (N, 48), float64
        Decoded images in V9 order, CALQ counts; of AE without `model` zeros.
    bits : array (N,), int64
        Bits of information in each frame, without padding.
    frames : array (N, 26), uint16
        The frames, 16 bits a word, in the order in which they leave; 0 behind their end.
    latent : array (N, 16), uint16
        AE: the encoder's outputs as they arrive, in units of 1/256; else zeros.
    """

    decoded: NDArray[np.float64]
    bits: NDArray[np.int64]
    frames: NDArray[np.uint16]
    latent: NDArray[np.uint16]


class Decoded(NamedTuple):
    """Frames, read back, of which there are N.

    Attributes
    ----------
    decoded : array (N, 48), float64
        Images in V9 order, CALQ counts; of AE without `model` zeros.
    bits : array (N,), int64
        Bits of information in each frame, without padding.
    sum : array (N,), float64
        Module sums in CALQ counts; 0 for RPT and STC, which send none.
    latent : array (N, 16), uint16
        AE: the outputs, in units of 1/256; else zeros.
    """

    decoded: NDArray[np.float64]
    bits: NDArray[np.int64]
    sum: NDArray[np.float64]
    latent: NDArray[np.uint16]


def encode(
    images: Any,
    algorithm: str = "BC",
    links: int = 4,
    *,
    density: str = "ld",
    entry: str = "calq",
    drop_lsb: Optional[int] = None,
    stc_type: Optional[int] = None,
    threshold: Optional[int] = None,
    use_sum: Optional[bool] = None,
    point: Optional[str] = None,
    share: Optional[str] = None,
    zero_code: Optional[bool] = None,
    pedestal: Optional[bool] = None,
    rest: Optional[bool] = None,
    model: Optional[FileName] = None,
    overflow: Optional[str] = None,
    weights: Optional[FileName] = None,
    keep: Optional[str] = None,
    dense_order: Optional[str] = None,
    rounding: Optional[str] = None,
) -> Encoded:
    """Send images through one algorithm of the chip and decode them, as ``barrow econt encode`` does.

    Parameters
    ----------
    images : array (N, 48), or mapping with ``charge``; or one image, (48,)
        CALQ counts in V9 order; fractions are cut off.
    algorithm : str
        ``TS``, ``STC``, ``BC``, ``RPT`` or ``AE``.
    links : int
        Output links, 32 bits each a bunch crossing.
    density : str
        ``ld`` or ``hd``: input codes in units of 2 or 8 counts, 1 or 3 bits dropped.
    entry : str
        ``calq``, or ``erx``: images go through the readout's 4E3M code first.
    drop_lsb : int
        Bits dropped before 4E3M (the density's); not of AE.
    stc_type : int
        STC: 0 4×5E4M (the default), 1 16×5E4M, 2 coarse 4E3M, 3 4×4E3M, 4 coarse 5E4M.
    threshold : int
        TS: lowest charge sent (47).
    use_sum : bool
        TS and BC: send the sum of all cells, not of those left out.
    point : str
        Decoder: ``middle`` (the default) or ``lowest`` value of a code's interval.
    share : str
        Decoder of STC: sum of a super trigger cell to the ``largest`` cell (the default), or
        ``equal`` to all.
    zero_code : bool
        Decoder: where bits are dropped, read code 0 as the point of its interval.
    pedestal : bool
        Decoder: subtract what an empty input adds inside the chip.
    rest : bool
        Decoder of TS and BC: spread the module sum over the cells not sent.
    model : path
        AE: run folder or weights file of a model trained with the precision ``asic``.
    overflow : str
        AE outputs above nine bits: ``saturate`` (the default) or ``wrap``.
    weights : path
        AE, in place of `model`: an encoder alone, as Keras HDF5, CSV or register YAML, by its
        ending. It gives outputs, but no images: `decoded` is zeros.
    keep : str
        AE of `weights`: ``top``, the bits meant for so many links (the default), or ``all``:
        of 144, as far as they fit.
    dense_order : str
        How the dense kernel of `weights` in HDF5 is read: ``keras`` (the trained network),
        ``golden`` (untransposed, as the golden files were made), or ``auto``: ``keras``.
    rounding : str
        How `weights` in HDF5 become multiples of 1/32: ``nearest`` (halves to even, as QKeras
        computes), ``floor`` (as the golden files were made), or ``auto``: ``floor`` with
        `dense_order` ``golden``, else ``nearest``.

    Returns
    -------
    Encoded
        Arrays with a row for each image; of one image without N.

    Raises
    ------
    ValueError
        Charges that are not in 0 to 2^22 (a RowError with .row and .cell), settings that do
        not exist, or that the algorithm makes nothing of.
    OSError
        A model, or weights, that cannot be read.

    Warns
    -----
    UserWarning
        Weights that were rounded or clipped.
    """
    settings = _settings(locals())
    charge, single = image_or_images(images)
    chip = _opened(settings)
    if weights is not None:
        for remark in chip.call("remarks").params["remarks"] or []:
            warnings.warn(remark, UserWarning, stacklevel=2)
    n = len(charge)
    decoded, bits = np.empty((n, CELLS)), np.empty(n, np.int64)
    frames, latent = np.empty((n, FRAME), np.uint16), np.empty((n, LATENT), np.uint16)
    for part in chunks(n, 16 * CELLS, "images", 16 << 20):
        size = part.stop - part.start
        out = {
            "decoded": ((size, CELLS), "f8"),
            "bits": ((size,), "i8"),
            "frames": ((size, FRAME), "u2"),
            "latent": ((size, LATENT), "u2"),
        }
        reply = chip.call("encode", None, {"charge": (charge[part], "f8")}, out, row=part.start).arrays
        decoded[part], bits[part], frames[part], latent[part] = (
            reply["decoded"],
            reply["bits"],
            reply["frames"],
            reply["latent"],
        )
    if single:
        return Encoded(decoded[0], bits[0], frames[0], latent[0])
    return Encoded(decoded, bits, frames, latent)


def decode(
    frames: Any,
    algorithm: str = "BC",
    links: int = 4,
    *,
    density: str = "ld",
    drop_lsb: Optional[int] = None,
    stc_type: Optional[int] = None,
    use_sum: Optional[bool] = None,
    point: Optional[str] = None,
    share: Optional[str] = None,
    zero_code: Optional[bool] = None,
    pedestal: Optional[bool] = None,
    rest: Optional[bool] = None,
    model: Optional[FileName] = None,
    weights: Optional[FileName] = None,
    keep: Optional[str] = None,
    dense_order: Optional[str] = None,
    rounding: Optional[str] = None,
) -> Decoded:
    """Read frames of the chip, with the settings that they were encoded with.

    Parameters
    ----------
    frames : array (N, 26), uint16, or (N, 13), uint32
        As :func:`encode` returns them, or as words of 32 bits, the first 16 of a frame in
        the upper half, as in the rows of :func:`run`. TS sends frames of many lengths, which
        are to be cut out of those rows first.
    algorithm, links, density, drop_lsb, stc_type, use_sum, point, share, zero_code, pedestal, rest
        As of :func:`encode`.
    model, weights, keep, dense_order, rounding
        As of :func:`encode`. An image of AE has the scale of the sum in its frame, the
        middle of a code's interval.

    Raises
    ------
    ValueError
        Frames that the algorithm cannot have sent; the message has the frame.
    """
    settings = _settings(locals())
    words = numbers(frames, "frames")
    if words.ndim == 2 and words.shape[1] == WORDS_OUT:
        if words.dtype.kind not in "iu" or words.size and (words.min() < 0 or words.max() >= 1 << 32):
            raise ValueError("barrow: frames have elements that are no words: want whole numbers from 0 to 2^32-1")
        words = np.stack([words >> 16, words & 0xFFFF], 2).reshape(len(words), FRAME)
    if words.ndim != 2 or words.shape[1] != FRAME:
        raise ValueError(
            f"barrow: frames have the shape {words.shape}: want (N, {FRAME}), or (N, {WORDS_OUT}) as run has them"
        )
    if words.dtype.kind not in "iu" or words.size and (words.min() < 0 or words.max() >= 1 << 16):
        raise ValueError("barrow: frames have elements that are no words: want whole numbers from 0 to 2^16-1")
    chip = _opened(settings)
    n = len(words)
    decoded, bits, total = np.empty((n, CELLS)), np.empty(n, np.int64), np.empty(n)
    latent = np.empty((n, LATENT), np.uint16)
    for part in chunks(n, 8 * CELLS, "frames", 16 << 20):
        size = part.stop - part.start
        out = {
            "decoded": ((size, CELLS), "f8"),
            "bits": ((size,), "i8"),
            "sum": ((size,), "f8"),
            "latent": ((size, LATENT), "u2"),
        }
        reply = chip.call("decode", None, {"frames": (words[part], "u2")}, out, row=part.start).arrays
        decoded[part], bits[part], total[part], latent[part] = (
            reply["decoded"],
            reply["bits"],
            reply["sum"],
            reply["latent"],
        )
    return Decoded(decoded, bits, total, latent)


def _settings(arguments: Mapping[str, Any]) -> Dict[str, Any]:
    """The worker's settings of encode or decode, of which these are the arguments."""
    algorithm = str(arguments["algorithm"]).upper()
    params = {"algorithm": algorithm}
    for name, (algorithms, check) in _SETTINGS.items():
        if algorithms and arguments.get(name) is None or name not in arguments:
            continue
        if algorithms and algorithm not in algorithms:
            raise ValueError(
                f"barrow: {name} is for {' and '.join(algorithms)}, the algorithm {algorithm} makes nothing of it"
            )
        params[name] = check(name, arguments[name])
    return params


def _opened(settings: Dict[str, Any]) -> Object:
    chip = Object("econt.baseline", settings)
    chip.open()
    return chip
