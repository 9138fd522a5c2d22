#!/usr/bin/env python3
"""A frozen TensorFlow graph (GraphDef), evaluated by NumPy: python3 frozen.py
GRAPH.pb float32|float64 NAME=SHAPE... < inputs > output.

TensorFlow itself wrote the graph out of the Keras model, so every operation of
every layer is in it, quantisers and custom layers included. Standard input: the
placeholders' values one after the other in the order given, float32; a shape
is as in 100,8,8,1. Standard output: the last node, float64. Needs only
python3-numpy: the protobuf is decoded here.
"""
import struct
import sys

import numpy as np


def varint(b, i):
    v = shift = 0
    while True:
        v |= (b[i] & 127) << shift
        shift += 7
        i += 1
        if b[i - 1] < 128:
            return v, i


def fields(b):
    i = 0
    while i < len(b):
        key, i = varint(b, i)
        kind = key & 7
        if kind == 0:
            v, i = varint(b, i)
        elif kind == 1:
            v, i = b[i : i + 8], i + 8
        elif kind == 2:
            n, i = varint(b, i)
            v, i = b[i : i + n], i + n
        else:
            assert kind == 5, kind
            v, i = b[i : i + 4], i + 4
        yield key >> 3, v


TYPES = {1: np.dtype("<f4"), 2: np.dtype("<f8"), 3: np.dtype("<i4"), 9: np.dtype("<i8"), 10: np.dtype("?")}


def tensor(b):
    dtype, shape, content, values = None, [], b"", []
    for k, v in fields(b):
        if k == 1:
            dtype = TYPES[v]
        elif k == 2:
            shape = [next((y for x, y in fields(d) if x == 1), 0) for n, d in fields(v) if n == 2]
        elif k == 4:
            content = v
        elif k in (5, 7, 10, 11):  # float_val, int_val, int64_val, bool_val
            if isinstance(v, int):
                values.append(v - (1 << 64) if v >> 63 else v)
            elif k == 5:
                values += struct.unpack(f"<{len(v)//4}f", v)
            else:
                i = 0
                while i < len(v):
                    x, i = varint(v, i)
                    values.append(x - (1 << 64) if x >> 63 else x)
    if content:
        return np.frombuffer(content, dtype).reshape(shape)
    a = np.array(values, dtype)
    return np.broadcast_to(a if len(a) > 1 else a.reshape(()) if len(a) else np.zeros((), dtype), shape) if shape != [len(a)] else a


nodes = []
for k, v in fields(open(sys.argv[1], "rb").read()):
    if k != 1:
        continue
    name, op, inputs, attr = "", "", [], {}
    for n, x in fields(v):
        if n == 1:
            name = x.decode()
        elif n == 2:
            op = x.decode()
        elif n == 3:
            inputs.append(x.decode())
        elif n == 5:
            entry = dict(fields(x))
            attr[entry[1].decode()] = dict(fields(entry[2]))
    nodes.append((name, op, inputs, attr))

real = np.dtype(sys.argv[2])


def ints(attr):  # a list of integers, packed or not
    out = []
    for k, v in fields(attr[1]):
        if k == 3:
            if isinstance(v, int):
                out.append(v)
            else:
                i = 0
                while i < len(v):
                    x, i = varint(v, i)
                    out.append(x)
    return out


def conv(x, k, attr):
    assert attr["padding"][2] == b"VALID"
    s = ints(attr["strides"])[1]
    h, w = (x.shape[1] - k.shape[0]) // s + 1, (x.shape[2] - k.shape[1]) // s + 1
    out = np.zeros((x.shape[0], h, w, k.shape[3]), x.dtype)
    for y in range(h):
        for c in range(w):
            out[:, y, c] = np.tensordot(x[:, y * s : y * s + k.shape[0], c * s : c * s + k.shape[1]], k, 3)
    return out


def conv_transpose(shape, k, dy, attr):  # Conv2DBackpropInput
    assert attr["padding"][2] == b"VALID"
    s = ints(attr["strides"])[1]
    out = np.zeros([dy.shape[0]] + list(shape[1:]), dy.dtype)
    for y in range(dy.shape[1]):
        for c in range(dy.shape[2]):
            out[:, y * s : y * s + k.shape[0], c * s : c * s + k.shape[1]] += np.tensordot(dy[:, y, c], k, ([1], [3]))
    return out


def strided_slice(x, begin, end, strides, attr):
    mask = lambda name: attr.get(name, {}).get(3, 0)
    assert not mask("ellipsis_mask") and not mask("new_axis_mask")
    index = []
    for i in range(len(begin)):
        if mask("shrink_axis_mask") >> i & 1:
            index.append(int(begin[i]))
            continue
        b = None if mask("begin_mask") >> i & 1 else int(begin[i])
        e = None if mask("end_mask") >> i & 1 else int(end[i])
        index.append(slice(b, e, int(strides[i])))
    return x[tuple(index)]


data = np.frombuffer(sys.stdin.buffer.read(), dtype="<f4")
feeds = {}
for arg in sys.argv[3:]:
    name, shape = arg.split("=")
    shape = [int(x) for x in shape.split(",")]
    n = int(np.prod(shape))
    feeds[name], data = data[:n].reshape(shape).astype(real), data[n:]
batch = len(next(iter(feeds.values())))

simple = {
    "Mul": np.multiply, "AddV2": np.add, "Add": np.add, "Sub": np.subtract, "RealDiv": np.divide, "Pow": np.power,
    "Minimum": np.minimum, "Maximum": np.maximum, "Neg": np.negative, "Floor": np.floor, "Abs": np.abs, "Sign": np.sign,
    "Round": np.rint, "Relu": lambda x: np.maximum(x, 0), "Identity": lambda x: x, "StopGradient": lambda x: x,
    "ReadVariableOp": lambda x: x, "MatMul": np.matmul, "BiasAdd": np.add, "Pad": lambda x, p: np.pad(x, p),
    "GreaterEqual": np.greater_equal, "Shape": lambda x: np.array(x.shape), "Cast": lambda x: x.astype(real),
}
with np.errstate(all="ignore"):
    value = {}
    for name, op, inputs, attr in nodes:
        args = [value[i.split(":")[0].lstrip("^")] for i in inputs if not i.startswith("^")]
        if op == "NoOp":
            continue
        if op == "Placeholder":
            v = feeds[name]
        elif op == "Const":
            v = tensor(attr["value"][8])
            v = v.astype(real) if v.dtype.kind == "f" else v
        elif op == "Reshape":  # the files are made for batches of 4000
            shape = [batch if i == 0 and len(args[1]) > 1 and d == 4000 else int(d) for i, d in enumerate(args[1])]
            v = args[0].reshape(shape)
        elif op == "ConcatV2":
            v = np.concatenate(args[:-1], int(args[-1]))
        elif op == "Pack":
            v = np.array(args)
        elif op == "StridedSlice":
            v = strided_slice(*args, attr)
        elif op == "Conv2D":
            v = conv(*args, attr)
        elif op == "Conv2DBackpropInput":
            v = conv_transpose(*args, attr)
        elif op == "Select" or op == "SelectV2":
            v = np.where(*args)
        else:
            v = simple[op](*args)
        assert not (isinstance(v, np.ndarray) and v.dtype.kind == "f" and v.dtype != real), (name, op, v.dtype)
        value[name] = v
sys.stdout.buffer.write(np.asarray(v).astype("<f8").tobytes())
