#!/usr/bin/env python3
"""Loads a whole-model HDF5 file the way Keras 2.x does, without Keras:
python3 keras2.py MODEL.h5 > weights (float64). Needs python3-h5py.

The steps are those of keras.saving.hdf5_format in Keras 2.5: load_model reads
model_config; load_weights_from_hdf5_group pairs the file's layers that have
weights with the model's layers that have weights, in order, and each layer's
weight_names with its weights, trainable ones first. Shapes come from the
configuration alone. Anything that Keras would refuse ends this with an error.
"""
import json
import sys

import h5py
import numpy as np


def attributes(group, name):  # load_attributes_from_hdf5_group
    if name in group.attrs:
        return [n.decode("utf8") if hasattr(n, "decode") else n for n in group.attrs[name]]
    data, chunk = [], 0
    while f"{name}{chunk}" in group.attrs:
        data += [n.decode("utf8") if hasattr(n, "decode") else n for n in group.attrs[f"{name}{chunk}"]]
        chunk += 1
    return data


def same(n, k, s):
    return -(-n // s)


class Model:
    """Builds a functional model's shapes and lists of weights."""

    def __init__(self, config):
        self.config = config
        self.layers = {l["name"]: l for l in config["layers"]}
        assert len(self.layers) == len(config["layers"]), "layer names are not unique"
        self.weights = {}  # name: (trainable shapes, other shapes)
        self.shapes = {}

    def build(self, inputs):
        for (name, node, tensor), shape in zip(self.config["input_layers"], inputs):
            assert node == tensor == 0 and self.layers[name]["class_name"] == "InputLayer"
            self.shapes[name, 0] = shape
        for l in self.config["layers"]:
            for call, inbound in enumerate(l["inbound_nodes"]):
                if isinstance(inbound[0], str):
                    inbound = [inbound]
                shapes = [self.shapes[name, node] for name, node, tensor, kwargs in inbound]
                first = 1 if l["class_name"] in ("Functional", "Model") else 0  # node 0: the model itself
                self.shapes[l["name"], call + first] = self.call(l, shapes)
            self.weights.setdefault(l["name"], ([], []))
        (out,) = self.config["output_layers"]
        return self.shapes[out[0], out[1]]

    def call(self, l, shapes):
        c, kind, s = l["config"], l["class_name"].removeprefix("Q"), shapes[0]
        assert c["name"] == l["name"]
        if kind in ("Functional", "Model"):
            inner = Model(c)
            out = inner.build(shapes)
            lists = [inner.weights[x["name"]] for x in c["layers"]]
            self.weights[l["name"]] = ([w for t, _ in lists for w in t], [w for _, o in lists for w in o])
            return out
        if kind in ("Conv2D", "Conv2DTranspose"):
            assert len(s) == 3, f"{l['name']}: wants an image, gets {s}"
            k, st, f = c["kernel_size"], c["strides"], c["filters"]
            kernel = (k[0], k[1], s[2], f) if kind == "Conv2D" else (k[0], k[1], f, s[2])
            self.weights[l["name"]] = ([kernel] + [(f,)] * c["use_bias"], [])
            if kind == "Conv2D":
                size = [same(n, i, j) if c["padding"] == "same" else (n - i) // j + 1 for n, i, j in zip(s, k, st)]
            else:
                size = [n * j + (0 if c["padding"] == "same" else max(i - j, 0)) for n, i, j in zip(s, k, st)]
            return (*size, f)
        if kind == "Dense":
            self.weights[l["name"]] = ([(s[-1], c["units"])] + [(c["units"],)] * c["use_bias"], [])
            return (*s[:-1], c["units"])
        if kind == "BatchNormalization":
            assert c["axis"] == [len(s)], f"{l['name']}: axis {c['axis']} of {s}"
            n = (s[-1],)
            self.weights[l["name"]] = ([n] * c["scale"] + [n] * c["center"], [n, n])
            return s
        if kind == "Flatten":
            return (int(np.prod(s)),)
        if kind == "Reshape":
            assert np.prod(s) == np.prod(c["target_shape"])
            return tuple(c["target_shape"])
        if kind == "Cropping2D":
            (t, b), (le, r) = c["cropping"]
            return (s[0] - t - b, s[1] - le - r, s[2])
        if kind == "Concatenate":
            return (*s[:-1], sum(x[-1] for x in shapes))
        if kind in ("Add", "Multiply", "Average", "Subtract"):
            assert all(x == s for x in shapes) and len(shapes) == 2
            return s
        assert kind in ("Activation", "TFOpLambda"), f"{l['name']}: class {l['class_name']}"
        return s


f = h5py.File(sys.argv[1], "r")
config = f.attrs.get("model_config")
config = json.loads(config.decode() if hasattr(config, "decode") else config)
assert config["class_name"] == "Functional"
model = Model(config["config"])
by_name = model.layers
model.build([tuple(by_name[n]["config"]["batch_input_shape"][1:]) for n, _, _ in config["config"]["input_layers"]])

g = f["model_weights"]
version = g.attrs["keras_version"]
assert (version.decode() if hasattr(version, "decode") else version).startswith("2.")
assert g.attrs["backend"] in ("tensorflow", b"tensorflow")
names = attributes(g, "layer_names")
assert sorted(names) == sorted(by_name), "layer_names are not the model's layers"
filtered = [l["name"] for l in config["config"]["layers"] if sum(map(len, model.weights[l["name"]]))]
stored = [n for n in names if attributes(g[n], "weight_names")]
assert len(filtered) == len(stored), f"{len(stored)} layers with weights in the file, {len(filtered)} in the model"
for layer, name in zip(filtered, stored):
    assert layer == name
    trainable, other = model.weights[layer]
    values = [np.asarray(g[name][w]) for w in attributes(g[name], "weight_names")]
    assert [v.shape for v in values] == [tuple(w) for w in trainable + other], (layer, [v.shape for v in values], trainable, other)
    for v in values:
        assert v.dtype == np.float32
        sys.stdout.buffer.write(v.astype("<f8").tobytes())
