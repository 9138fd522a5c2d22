"""Frames: requests and replies as bytes, version 1 of the protocol (docs/worker.md)."""

from __future__ import annotations

import errno
import json
import struct
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple, Union

import numpy as np

from ._arena import Arena, Array, Room
from ._errors import EMDError, RowError, WorkerError

PROTOCOL = 1

HELLO, OPEN, CALL, CLOSE = 1, 2, 3, 4
_REQUEST = struct.Struct("<IHHQQQIHBB")
REPLY = struct.Struct("<IHHQQQIHH")
_ENTRY = struct.Struct("<QBBHI")
LONGEST = 16 << 20
_ALIGNMENT = 64
_room = Room()

_DTYPES = {1: "f8", 2: "f4", 3: "i8", 4: "i4", 5: "u1", 6: "u2", 7: "u4", 8: "u8"}
_CODES = {np.dtype(name): code for code, name in _DTYPES.items()}

#: Arrays of a request. A pair of an array and a type ("f8") is converted on its way.
Arrays = Mapping[str, Union[Array, Tuple[Array, str]]]
#: Results whose shape and type ("f8") are known beforehand.
Out = Mapping[str, Tuple[Tuple[int, ...], str]]


class Reply(NamedTuple):
    """What a call returned; the arrays are the caller's own."""

    params: Dict[str, Any]
    arrays: Dict[str, Array]


class Plan:
    """A request as bytes, with the views that its arrays go through."""

    __slots__ = ("frame", "inputs", "outputs", "end")

    def __init__(self, frame: bytearray, inputs: List[Array], outputs: List[Tuple[str, Array]], end: int) -> None:
        self.frame = frame
        self.end = end  # of the arrays, in the mapped file
        self.inputs = inputs
        self.outputs = outputs


def lay_out(
    arena: Arena,
    kind: int,
    handle: int,
    name: str,
    params: Optional[Mapping[str, Any]],
    arrays: Optional[Arrays],
    out: Optional[Out],
) -> Tuple[Plan, List[Array]]:
    """Lay a request out: its plan, and what its arrays are filled from."""
    text = b"" if params is None else json.dumps(params, allow_nan=False, default=_plain).encode()
    table = bytearray()
    places: List[Tuple[int, Tuple[int, ...], Any]] = []
    sources: List[Array] = []
    end = 0
    wanted = [(key, shape, np.dtype(dtype)) for key, (shape, dtype) in (out or {}).items()]
    given: List[Tuple[str, Tuple[int, ...], Any]] = []
    for key, value in (arrays or {}).items():
        array, dtype = value if isinstance(value, tuple) else (value, value.dtype)
        sources.append(array)
        given.append((key, array.shape, _wire(np.dtype(dtype), key)))
    for key, shape, dtype in given + wanted:
        count = 1
        for d in shape:
            count *= d
        bytes_ = key.encode()
        table += _ENTRY.pack(end, _CODES[dtype], len(shape), len(bytes_), 0)
        table += struct.pack(f"<{len(shape)}Q", *shape)
        table += bytes_
        places.append((end, tuple(shape), dtype))
        end += -(-count * dtype.itemsize // _ALIGNMENT) * _ALIGNMENT
    if len(given) > 255 or len(wanted) > 255:
        raise ValueError(f"barrow: {len(given)} arrays and {len(wanted)} results in a call: there may be 255 of each")
    arena.reach(end)
    views = [arena.view(*place) for place in places]
    method = name.encode()
    length = _REQUEST.size - 4 + len(method) + len(table) + len(text)
    if length > LONGEST:
        raise ValueError(f"barrow: {len(text)} bytes of parameters: a request may have {LONGEST}")
    head = _REQUEST.pack(length, kind, PROTOCOL, 0, handle, 0, len(text), len(method), len(given), len(wanted))
    frame = bytearray(head + method + table + text)
    outputs = [(key, view) for (key, _, _), view in zip(wanted, views[len(given) :])]
    return Plan(frame, views[: len(given)], outputs, end), sources


def take(arena: Arena, plan: Plan, number: int, data: bytes) -> Tuple[int, Reply, Optional[Exception]]:
    """What a reply to a request holds: handle, answer, and the error if it is one."""
    _, status, protocol, id_, size, handle, params, count, _ = REPLY.unpack_from(data)
    if protocol != PROTOCOL and status == 0 or id_ != number:
        raise WorkerError("barrow: the worker's reply is none to this request")
    at = REPLY.size
    arrays = {key: _room.copy(view) for key, view in plan.outputs} if status == 0 else {}
    if count:
        arena.reach(size)
        for _ in range(count):
            offset, code, rank, named, _ = _ENTRY.unpack_from(data, at)
            at += _ENTRY.size
            shape = struct.unpack_from(f"<{rank}Q", data, at)
            at += 8 * rank
            key = data[at : at + named].decode()
            at += named
            view = arena.view(offset, shape, _DTYPES[code])
            arena.used = max(arena.used, offset + view.nbytes)
            arrays[key] = view.copy()
    answer: Dict[str, Any] = json.loads(data[at : at + params]) if params else {}
    return handle, Reply({} if status else answer, arrays), _error(answer) if status else None


def _plain(value: Any) -> Any:
    """NumPy's numbers and arrays among params."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"barrow: a parameter of type {type(value).__name__}")


def _wire(dtype: Any, key: str) -> Any:
    """The type in which an array travels."""
    native = dtype.newbyteorder("=")
    if native == np.dtype(bool):
        native = np.dtype("u1")
    if native not in _CODES:
        raise ValueError(f"barrow: the array {key!r} has elements of type {dtype}")
    return native


def _error(answer: Dict[str, Any]) -> Exception:
    """The exception that a reply stands for."""
    kind, message = answer.get("kind"), str(answer.get("message"))
    if kind == "input":
        row = answer.get("row")
        return ValueError(message) if row is None else RowError(message, row, answer.get("cell"))
    if kind == "emd":
        return EMDError(message, answer.get("row"), answer.get("cell"))
    if kind == "file":
        code = getattr(errno, str(answer.get("code")), None)  # its name in POSIX
        if code is None:
            return OSError(message)
        file = answer.get("file")
        # Python puts the name behind the message: it need not be in front, too.
        return OSError(code, message.partition(f"{file}: ")[2] or message, file)
    return WorkerError(message + (f"\n{answer['stack']}" if answer.get("stack") else ""))
