"""Images with their columns, as the worker has them and as the caller has them.

The caller has a dict of arrays: ``charge`` (N×48, V9 order) and the metadata columns by
their names. The worker has charges and one array for all columns of a kind.
"""

from __future__ import annotations

import os
import re
from typing import Any, Dict, Iterable, List, Mapping, Sequence, Tuple, Union

import numpy as np

from ._arrays import numbers
from ._worker import Reply

__all__ = [
    "CELLS",
    "LATENT",
    "FileName",
    "Images",
    "absolute",
    "charge_of",
    "columns_of",
    "image_or_images",
    "images_of",
    "joined",
    "request",
]

#: The charges of an image.
CELLS = 48

#: The numbers that an encoder sends of one.
LATENT = 16

Images = Dict[str, Any]
FileName = Union[str, "os.PathLike[Any]"]

_DTYPES = {"whole": np.int64, "number": np.float64}


def absolute(name: Any, pattern: bool = False) -> str:
    """A file's name wherever the worker is; what may be a pattern stays one."""
    try:
        text = os.fsdecode(os.fspath(name))
    except TypeError:
        raise ValueError(f"barrow: {name!r} is no name of a file: want a path") from None
    if not text:
        raise ValueError("barrow: the name of a file is empty")
    if os.path.isabs(text):
        return text
    here = os.getcwd()
    if pattern and re.search(r"[*?\[]", text) and not os.path.lexists(text):
        here = re.sub(r"([*?\[])", r"[\1]", here)
    return os.path.join(here, text)


def images_of(reply: Reply) -> Images:
    """The caller's form of images in a reply."""
    images: Images = {"charge": reply.arrays["charge"]}
    rows = {kind: iter(reply.arrays[kind]) for kind in ("whole", "number", "words")}
    for head in reply.params["columns"]:
        name, values = head["name"], next(rows[head["kind"]])
        if name == "charge":
            raise ValueError(
                'barrow: the images have a metadata column that is called "charge", as the charges are: '
                "leave it out by columns="
            )
        if head["kind"] == "words":
            values = np.array(head.get("words") or [""], dtype=str)[values]
        images[name] = values
    return images


def joined(blocks: Sequence[Images]) -> Images:
    """Blocks as one; the last one knows the types of all columns."""
    if len(blocks) == 1:
        return blocks[0]
    last = blocks[-1]
    images: Images = {}
    for name, values in last.items():
        parts = [block[name] for block in blocks]
        if values.dtype.kind != "U":
            # Words of a column of numbers are all empty: values that are missing.
            parts = [np.full(part.shape, np.nan) if part.dtype.kind == "U" else part for part in parts]
        images[name] = np.concatenate(parts)
    return images


def image_or_images(images: Any) -> Tuple[Any, bool]:
    """charge_of, and whether it is of a single image, an array of 48 charges, which becomes 1×48."""
    if not (isinstance(images, Mapping) or hasattr(images, "keys")):
        array = numbers(images, "images")
        if array.shape == (CELLS,):
            return array[None], True
    return charge_of(images), False


def charge_of(images: Any, name: str = "images") -> Any:
    """The N×48 charges of images, which are an array or, as read and simulate return them, a mapping."""
    if not (isinstance(images, Mapping) or hasattr(images, "keys") and "charge" in images):
        return _charges(numbers(images, name), f"the array of {name}")
    if "charge" not in images:
        has = f", only {', '.join(map(repr, images))}" if len(images) else ""
        raise ValueError(f"barrow: the {name} have no charge{has}: want charge (N, {CELLS})")
    return _charges(numbers(images["charge"], "charge"), "charge")


def _charges(array: Any, name: str) -> Any:
    if array.ndim != 2 or array.shape[1] != CELLS:
        raise ValueError(
            f"barrow: {name} has the shape {array.shape}: "
            f"want (N, {CELLS}), a row of charges in V9 order for each image"
        )
    return array


def columns_of(data: Mapping[str, Any], n: int, names: Iterable[str]) -> List[Tuple[str, str, Any]]:
    """Name, kind and values of columns, each of n values."""
    out: List[Tuple[str, str, Any]] = []
    for name in names:
        kind, values = _column(name, data[name])
        if values.shape != (n,):
            raise ValueError(
                f"barrow: the column {name!r} has the shape {values.shape}: want ({n},), as there are {n} images"
            )
        out.append((str(name), kind, values))
    return out


def _column(name: str, value: Any) -> Tuple[str, Any]:
    if isinstance(value, np.ma.MaskedArray):
        value = np.where(np.ma.getmaskarray(value), np.nan, value.data) if np.ma.is_masked(value) else value.data
    array = np.asarray(value)
    if array.dtype.kind == "O":
        items: List[Any] = (
            [None if item is None or _missing(item) else item for item in array.tolist()] if array.ndim == 1 else []
        )
        if all(item is None or isinstance(item, str) for item in items):
            array = np.array(["" if item is None else item for item in items], dtype=str)
        else:
            several = next(
                (item for item in items if np.ndim(item) or isinstance(item, (list, tuple, dict, set))), None
            )
            if several is not None:
                raise ValueError(
                    f"barrow: the column {name!r} has values such as {several!r:.60}: "
                    "want one number or word for each image"
                )
            try:
                array = np.array([np.nan if item is None else item for item in items])
            except ValueError:
                pass
    kind = array.dtype.kind
    if kind == "S":
        return "words", np.char.decode(array, "utf-8")
    if kind == "U":
        return "words", array
    if kind == "u" and array.size and int(array.max()) > np.iinfo(np.int64).max:
        raise ValueError(f"barrow: the column {name!r} has a number beyond 64 bits with a sign")
    if kind in "biu":
        return "whole", array.astype(np.int64)
    if kind == "f":
        return "number", array.astype(np.float64)
    raise ValueError(
        f"barrow: the column {name!r} has elements of the type {array.dtype}: want whole numbers, numbers or words"
    )


def _missing(item: Any) -> bool:
    """NaN, NaT or NA; what compares element by element is there."""
    try:
        return bool(item != item)
    except (TypeError, ValueError):
        return not hasattr(item, "__len__")


def request(charge: Any, columns: Sequence[Tuple[str, str, Any]], part: slice) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """Params and arrays of a request that has some of the images."""
    rows: Dict[str, List[Any]] = {"whole": [], "number": [], "words": []}
    heads: List[Dict[str, Any]] = []
    for name, kind, values in columns:
        head: Dict[str, Any] = {"name": name, "kind": kind}
        values = values[part]
        if kind == "words":
            words, values = np.unique(values, return_inverse=True)
            head["words"] = words.tolist()
        heads.append(head)
        rows[kind].append(values)
    arrays: Dict[str, Any] = {"charge": (charge[part], "f8")}
    for kind, dtype in (("whole", "i8"), ("number", "f8"), ("words", "i4")):
        if rows[kind]:
            arrays[kind] = (np.stack(rows[kind]), dtype)
    return {"columns": heads}, arrays
