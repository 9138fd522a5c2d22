"""Wafer files of any format, read and written as dicts of arrays."""

from __future__ import annotations

import os
import warnings
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Union

import numpy as np

from ._chunks import progress
from ._errors import LossWarning
from ._images import CELLS, FileName, Images, absolute, charge_of, columns_of, images_of, joined, request
from ._settings import flag, listed, text, whole
from ._worker import Object, chunks

__all__ = ["iterate", "read", "write"]

#: Images in a request.
_BLOCK = 16384

_Files = Union[FileName, Sequence[FileName]]


def read(
    files: _Files,
    columns: Union[str, Sequence[str], None] = None,
    select: Optional[str] = None,
    limit: Optional[int] = None,
    every: Optional[int] = None,
    *,
    shuffle: bool = False,
    seed: int = 1,
    order: str = "v9",
    header: Optional[str] = None,
    layout: Optional[str] = None,
    tree: Optional[str] = None,
    charge: Optional[str] = None,
    quirk: Union[str, Sequence[str]] = (),
) -> Images:
    """Read the images of wafer files, of any format that ``barrow convert`` reads.

    Parameters
    ----------
    files : path or list of paths
        Several files, or those that a pattern such as ``"nt_*.root"`` fits, are one set.
    columns : list of str, optional
        Metadata columns to read; all by default, none with ``[]``.
    select : str, optional
        Take the images for which this is true, as in ``"layer == 9 && eta > 2"``.
    limit : int, optional
        Take at most so many, one or more.
    every : int, optional
        Take the first of every so many selected images.
    shuffle : bool
        Put the images in random order, that of `seed`.
    order : str
        Numbering of the cells in the files, where they do not say it: ``v9``, ``postmux``
        or ``raster``.
    header : str, optional
        First line of a text file without names of the charges: ``first`` (names) or
        ``none`` (an image).
    layout : str, optional
        Columns of such a file, as in ``"index,charges,eta"``.
    tree : str, optional
        Table of files that have several, with its folder.
    charge : str, optional
        What the charges of ntuples' trigger cells are: ``calq``, ``calq12``, ``data``, ``mippt``.
    quirk : str or list of str
        Mistakes of other programs to repeat: ``first-row``, ``sum-without-0``.

    Returns
    -------
    dict of arrays
        ``charge`` (N, 48), float64, V9 order; and the metadata columns under the files'
        names, N values each: int64, float64 (NaN where one is missing) or str.

    Raises
    ------
    OSError
        Files that are not there or cannot be read; the message says where.
    ValueError
        Settings that mean nothing for the files.

    Warns
    -----
    UserWarning
        What the files' readers have to say of how they read them.
    """
    params = _params({
        "files": files, "columns": columns, "select": select, "limit": limit, "every": every,
        "shuffle": shuffle, "seed": seed,
        "order": order, "header": header, "layout": layout, "tree": tree, "charge": charge, "quirk": quirk,
    })  # fmt: skip
    blocks: List[Images] = []
    for block in _read(params):
        late = [] if not blocks else [
            name for name, values in block.items() if values.dtype.kind == "U" and blocks[-1][name].dtype.kind != "U"
        ]  # fmt: skip
        if late:
            # Numbers so far, and words now: what stood there before is not told by its number.
            params["words"] = params.get("words", []) + late
            return joined(list(_read(params)))
        blocks.append(block)
    return joined(blocks)


def iterate(files: _Files, rows: int = 65536, **settings: Any) -> Iterator[Images]:
    """Read the images of wafer files block by block, in memory that does not grow.

    Parameters
    ----------
    files : path or list of paths
    rows : int
        Images in a block; the last has fewer.
    **settings
        Those of :func:`read`.

    Yields
    ------
    dict of arrays
        As :func:`read` returns it; a column's type is that of the values so far.
    """
    rows = whole("rows", rows, 1, (1 << 63) - 1)
    known = set(read.__annotations__) - {"return", "files"}
    for name in settings:
        if name not in known:
            raise ValueError(f"barrow: iterate has no setting {name!r}; there are: rows, {', '.join(sorted(known))}")
    return _iterate(_params({"files": files, **settings}), rows)


def _iterate(params: Dict[str, Any], rows: int) -> Iterator[Images]:
    waiting: List[Images] = []
    there = 0
    for block in _read(params, rows):
        if waiting and any(
            (values.dtype.kind == "U") != (waiting[-1][name].dtype.kind == "U") for name, values in block.items()
        ):
            yield joined(waiting)
            waiting, there = [], 0
        waiting.append(block)
        there += len(block["charge"])
        if there >= rows:
            images = joined(waiting)
            yield {name: values[:rows] for name, values in images.items()}
            waiting = [{name: values[rows:] for name, values in images.items()}]
            there -= rows
    if there:
        yield joined(waiting)


def _params(given: Mapping[str, Any]) -> Dict[str, Any]:
    """The worker's params of a call of read."""
    params = {name: value for name, value in given.items() if value is not None}
    files = given["files"]
    if hasattr(files, "read"):
        raise ValueError(f"barrow: files is {files!r}, a file that is open: want its path")
    try:
        names = [files] if isinstance(files, (str, bytes, os.PathLike)) else list(files)
        params["files"] = [absolute(name, pattern=True) for name in names]
    except TypeError:
        raise ValueError(f"barrow: files is {files!r}: want a path, or a list of paths") from None
    if not names:
        raise ValueError("barrow: no file is named")
    for name in ("columns", "quirk"):
        if name in params:
            params[name] = listed(name, params[name])
    for name in ("select", "order", "header", "layout", "tree", "charge"):
        if name in params:
            params[name] = text(name, params[name])
    for name in ("limit", "every"):
        if name in params:
            params[name] = whole(name, params[name], 1, (1 << 63) - 1)
    if "seed" in params:
        params["seed"] = whole("seed", params["seed"], 0, (1 << 64) - 1)
    if "shuffle" in params:
        params["shuffle"] = flag("shuffle", params["shuffle"])
    return params


def _read(params: Dict[str, Any], rows: int = _BLOCK) -> Iterator[Images]:
    """Blocks of images; the last may be empty, and is if there are none."""
    reader = Object("files.reader", params)
    done, first = 0, True
    with progress(100, "%") as percent:
        while True:
            reply = reader.call("read", {"rows": rows}, row=done)
            if reply.params.get("end"):
                break
            block = images_of(reply)
            done += len(block["charge"])
            if (share := reply.params.get("share")) is not None:
                percent(int(100 * share))
            first = False
            yield block
    if first:
        empty: Images = {"charge": np.empty((0, CELLS))}
        empty.update((name, np.empty(0)) for name in reply.params.get("names") or [])
        yield empty
    for remark in reply.params.get("remarks") or []:
        warnings.warn(remark, UserWarning, stacklevel=4)


def write(
    file: FileName,
    data: Mapping[str, Any],
    force: bool = False,
    *,
    order: str = "v9",
    dialect: Optional[str] = None,
    digits: int = 0,
    unit: Optional[str] = None,
) -> None:
    """Write images to a wafer file, in the format of its ending.

    The file appears complete or not at all.

    Parameters
    ----------
    file : path
        ``.csv``, ``.parquet``, ``.npz``, ``.npy`` or ``.root``; ``.gz`` and ``.zst`` behind
        it compress.
    data : mapping of arrays
        ``charge`` (N, 48), V9 order, finite and not negative; all others are metadata
        columns of N numbers or words.
    force : bool
        Replace a file that is there.
    order : str
        Numbering of the cells in the file: ``v9``, ``postmux`` or ``raster``.
    dialect : str, optional
        Layout of the file, as ``barrow convert --help`` lists them.
    digits : int
        Digits behind the decimal point of charges in CSV; 0 writes the shortest exact form.
    unit : str, optional
        What the charges are, for formats that say it: ``calq``, ``calq12``, ``data``, ``mippt``.

    Raises
    ------
    ValueError
        Arrays that do not fit, charges that are none; the message has image and cell.
    FileExistsError, OSError
        A file that is there, or cannot be written.

    Warns
    -----
    LossWarning
        What the file cannot hold.
    """
    if not hasattr(data, "keys"):
        raise ValueError(f"barrow: data is a {type(data).__name__}: want a mapping of arrays, with charge (N, {CELLS})")
    charge = charge_of(data, "data")
    columns = columns_of(data, len(charge), [name for name in data if name != "charge"])
    if not len(charge):
        raise ValueError("barrow: there are no images to write")
    params: Dict[str, Any] = {
        "file": absolute(file), "force": flag("force", force), "order": text("order", order),
        "digits": whole("digits", digits, 0, 40),
    }  # fmt: skip
    params.update(
        (name, text(name, value)) for name, value in (("dialect", dialect), ("unit", unit)) if value is not None
    )
    writer = Object("files.writer", params)
    temporary = writer.call("temporary").params["file"]
    try:
        for part in chunks(len(charge), 8 * (CELLS + len(columns)), "images", 8 << 20):
            texts, arrays = request(charge, columns, part)
            writer.call("write", texts, arrays, row=part.start)
        reply = writer.call("finish", row=len(charge))
    except Exception:
        writer.call("abort")
        raise
    finally:
        # Of a worker that was killed in between the file is left.
        if temporary and os.path.exists(temporary):
            os.remove(temporary)
    for lost in reply.params.get("lost") or []:
        warnings.warn(f"{os.fspath(file)}: does not have {lost}", LossWarning, stacklevel=2)
