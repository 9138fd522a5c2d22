#!/usr/bin/env python3
"""Writes reference.bin and reference.json: ten training steps of small
versions of N1 (the EMD CNN) and of N2 (the autoencoder), done by PyTorch in
float64. TestAgainstPyTorch repeats them with package nn.

Run it with Debian's python3-torch: /usr/bin/python3 dump.py

The index lists each array's name, shape and offset (in float32s) in the binary
file: the initial weights in Keras' layouts, the inputs and targets, and for
every step the loss and the gradient of every weight.
"""

import json
import math

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.manual_seed(20261123)
STEPS, BATCH, RATE = 10, 12, 1e-3

index, values = [], []


def put(name, tensor):
    t = tensor.detach().to(torch.float32).contiguous()
    index.append({"name": name, "shape": list(t.shape), "offset": sum(v.numel() for v in values)})
    values.append(t.flatten())


def glorot(*shape, fans):
    # Rounded to float32, so that both sides start from the same numbers.
    limit = math.sqrt(6 / fans)
    w = ((torch.rand(*shape) * 2 - 1) * limit).float().double()
    return w.requires_grad_()


def vector(n, value):
    v = (torch.full((n,), value) + 0.1 * torch.rand(n)).float().double()
    return v.requires_grad_()


class Adam:
    """As Keras writes it, from its definition."""

    def __init__(self, params):
        self.params, self.t = params, 0
        self.m = [torch.zeros_like(p) for p in params]
        self.v = [torch.zeros_like(p) for p in params]

    def step(self):
        self.t += 1
        rate = RATE * math.sqrt(1 - 0.999 ** self.t) / (1 - 0.9 ** self.t)
        with torch.no_grad():
            for p, m, v in zip(self.params, self.m, self.v):
                m.mul_(0.9).add_(p.grad, alpha=0.1)
                v.mul_(0.999).addcmul_(p.grad, p.grad, value=0.001)
                p.sub_(rate * m / (v.sqrt() + 1e-7))


def batch_norm(x, p, name):
    axes = [0] + list(range(2, x.dim()))
    shape = [1, -1] + [1] * (x.dim() - 2)
    mean = x.mean(axes, keepdim=True)
    var = x.var(axes, unbiased=False, keepdim=True)
    return (x - mean) / torch.sqrt(var + 1e-3) * p[name + "/gamma"].view(shape) + p[name + "/beta"].view(shape)


def conv_kernel(w):  # Keras: height, width, in, out
    return w.permute(3, 2, 0, 1)


def turned_kernel(w):  # Keras: height, width, out, in
    return w.permute(3, 2, 0, 1)


def n1():
    filters, dense = 6, 10
    p, c = {}, 6
    for k in (1, 2, 3):
        p[f"conv2d_{k}/kernel"] = glorot(5, 5, c, filters, fans=25 * (c + filters))
        p[f"conv2d_{k}/bias"] = vector(filters, 0)
        p[f"batch_norm_{k}/gamma"] = vector(filters, 1)
        p[f"batch_norm_{k}/beta"] = vector(filters, 0)
        c = filters
    p["dense_1/kernel"] = glorot(16 * filters, dense, fans=16 * filters + dense)
    p["dense_1/bias"] = vector(dense, 0)
    p["batch_norm_4/gamma"] = vector(dense, 1)
    p["batch_norm_4/beta"] = vector(dense, 0)
    p["dense_2/kernel"] = glorot(dense, 1, fans=dense + 1)
    p["dense_2/bias"] = vector(1, 0)

    def single(x):
        for k in (1, 2, 3):
            x = F.conv2d(x, conv_kernel(p[f"conv2d_{k}/kernel"]), p[f"conv2d_{k}/bias"], padding=2)
            x = F.relu(batch_norm(x, p, f"batch_norm_{k}"))
        x = x.permute(0, 2, 3, 1).flatten(1)  # (y, x, channel)
        x = F.relu(batch_norm(x @ p["dense_1/kernel"] + p["dense_1/bias"], p, "batch_norm_4"))
        return x @ p["dense_2/kernel"] + p["dense_2/bias"]

    def loss(x, target):
        # Both orders share one batch, as they share its statistics.
        n = len(x)
        y = single(torch.cat([x, torch.cat([x[:, 3:], x[:, :3]], 1)]))
        value = F.huber_loss((y[:n] + y[n:]) / 2, target)
        for name, w in p.items():
            if name.endswith("kernel") and name != "dense_2/kernel":
                value = value + 1e-4 * w.square().sum()
        return value

    a = torch.rand(STEPS, BATCH, 2, 3, 4, 4)
    x = (a / a.sum((3, 4, 5), keepdim=True)).flatten(2, 3).float().double()
    return "n1", p, loss, x, (5 * torch.rand(STEPS, BATCH, 1)).float().double()


def n2():
    p = {
        "conv2d_1/kernel": glorot(3, 3, 1, 8, fans=9 * 9), "conv2d_1/bias": vector(8, 0),
        "latent/kernel": glorot(128, 16, fans=144), "latent/bias": vector(16, 0),
        "dense_2/kernel": glorot(16, 128, fans=144), "dense_2/bias": vector(128, 0),
        "conv2d_transpose_1/kernel": glorot(3, 3, 8, 8, fans=9 * 16), "conv2d_transpose_1/bias": vector(8, 0),
        "conv2d_transpose_2/kernel": glorot(3, 3, 1, 8, fans=9 * 9), "conv2d_transpose_2/bias": vector(1, 0),
    }

    def loss(x, target):
        h = F.pad(x, (0, 1, 0, 1))  # TensorFlow pads a stride of 2 at the end
        h = F.relu(F.conv2d(h, conv_kernel(p["conv2d_1/kernel"]), p["conv2d_1/bias"], stride=2))
        h = h.permute(0, 2, 3, 1).flatten(1)
        h = F.relu(h @ p["latent/kernel"] + p["latent/bias"])
        h = F.relu(h @ p["dense_2/kernel"] + p["dense_2/bias"]).view(-1, 4, 4, 8).permute(0, 3, 1, 2)
        h = F.conv_transpose2d(h, turned_kernel(p["conv2d_transpose_1/kernel"]), p["conv2d_transpose_1/bias"], stride=2)
        h = F.relu(h[:, :, :8, :8])
        h = F.conv_transpose2d(h, turned_kernel(p["conv2d_transpose_2/kernel"]), p["conv2d_transpose_2/bias"], padding=1)
        return (torch.sigmoid(h) - target).square().mean()

    x = (torch.rand(STEPS, BATCH, 1, 8, 8) ** 4 / 4).float().double()
    return "n2", p, loss, x, x


for name, p, loss, x, target in (n1(), n2()):
    adam = Adam(list(p.values()))
    for key, w in p.items():
        put(f"{name}/weight/{key}", w)
    for step in range(STEPS):
        put(f"{name}/{step}/input", x[step].permute(0, 2, 3, 1))
        put(f"{name}/{step}/target", target[step].permute(0, 2, 3, 1) if name == "n2" else target[step])
        for w in p.values():
            w.grad = None
        value = loss(x[step], target[step])
        value.backward()
        put(f"{name}/{step}/loss", value.view(1))
        for key, w in p.items():
            put(f"{name}/{step}/grad/{key}", w.grad)
        adam.step()

with open("reference.bin", "wb") as f:
    f.write(torch.cat(values).numpy().astype("<f4").tobytes())
with open("reference.json", "w") as f:
    json.dump({"made_with": "PyTorch " + torch.__version__, "steps": STEPS, "rate": RATE, "arrays": index}, f, indent=0)
