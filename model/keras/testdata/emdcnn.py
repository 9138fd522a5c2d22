#!/usr/bin/env python3
"""An EMD CNN of the paper, evaluated by PyTorch from its HDF5 file:
python3 emdcnn.py MODEL.h5 float32|float64 < pairs > values-and-gradients.

Standard input: float32 pairs of two 4x4x3 images, (y, x, channel) order.
Standard output: float64, for each pair the value and its gradient with respect
to both images (1 + 96 numbers). Written from the file's layout, not from
Barrow's code; it assumes the layers that `model_config` of those files lists.
Needs python3-torch, python3-h5py and python3-numpy.
"""
import json
import sys

import h5py
import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(1)
real = np.dtype(sys.argv[2])
f = h5py.File(sys.argv[1], "r")
base = json.loads(f.attrs["model_config"])["config"]["layers"][2]
assert base["name"] == "base_model"
weights = f["model_weights/base_model"]


def w(layer, name):
    return torch.tensor(np.array(weights[f"{layer}/{name}:0"], dtype=real))


def base_model(a, b):
    x = torch.cat([a, b], dim=3)  # NHWC
    for layer in base["config"]["layers"]:
        kind, name, c = layer["class_name"], layer["name"], layer["config"]
        if kind == "Conv2D":
            assert c["padding"] == "same" and c["strides"] == [1, 1]
            k = w(name, "kernel").permute(3, 2, 0, 1)  # HWIO to OIHW
            x = F.conv2d(x.permute(0, 3, 1, 2), k, w(name, "bias"), padding=k.shape[2] // 2).permute(0, 2, 3, 1)
        elif kind == "BatchNormalization":
            scale = w(name, "gamma") / torch.sqrt(w(name, "moving_variance") + c["epsilon"])
            x = (x - w(name, "moving_mean")) * scale + w(name, "beta")
        elif kind == "Activation":
            assert c["activation"] == "relu"
            x = torch.relu(x)
        elif kind == "Flatten":
            x = x.reshape(x.shape[0], -1)
        elif kind == "Dense":
            x = x @ w(name, "kernel") + w(name, "bias")
        else:
            assert kind in ("InputLayer", "Concatenate"), kind
    return x[:, 0]


pairs = np.frombuffer(sys.stdin.buffer.read(), dtype="<f4").astype(real).reshape(-1, 2, 4, 4, 3)
for part in range(0, len(pairs), 500):
    ab = torch.tensor(pairs[part : part + 500], requires_grad=True)
    y = (base_model(ab[:, 0], ab[:, 1]) + base_model(ab[:, 1], ab[:, 0])) / 2
    y.sum().backward()
    out = np.concatenate([y.detach().numpy()[:, None], ab.grad.numpy().reshape(len(y), -1)], axis=1)
    sys.stdout.buffer.write(out.astype("<f8").tobytes())
