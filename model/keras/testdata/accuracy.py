#!/usr/bin/env python3
"""The figures that TestPaperAccuracy expects, from PyTorch and POT, without
Barrow: python3 accuracy.py DATA-FOLDER. Takes about a minute.
Needs python3-pot, python3-torch, python3-h5py and python3-numpy.
"""
import os
import subprocess
import sys

import numpy as np
import ot

data = sys.argv[1]
xy = np.loadtxt(f"{data}/geometry/hex_benchmark.csv", delimiter=",")
d = np.sqrt(((xy[:, None] - xy[None]) ** 2).sum(-1))
p = np.loadtxt(f"{data}/wafers/ldm.csv", delimiter=",", skiprows=1)[:, :48]
p /= p.sum(1, keepdims=True)
kernel = np.exp(-(d**2) / (2 * 1.2**2))
smeared = p @ (kernel / kernel.sum(0)).T + 0.002
smeared /= smeared.sum(1, keepdims=True)


def pixels(x):  # 48 cells to 4x4x3
    return x.reshape(-1, 3, 16).transpose(0, 2, 1).reshape(-1, 48)


def centred(x, on):
    return np.where(on, x - (x * on).sum(1, keepdims=True) / on.sum(1, keepdims=True), 0)


script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "emdcnn.py")
for kind, q in ("real", np.roll(p, -1500, 0)), ("smeared", smeared):
    exact, dual = [], []
    for a, b in zip(p, q):
        e, log = ot.emd2(a, b * (a.sum() / b.sum()), d, log=True, return_matrix=True)
        exact.append(e)
        dual.append(log["v"])
    exact, dual = np.array(exact), np.array(dual)
    for model in "ae_mse", "pair_huber", "pair_msle":
        pairs = np.stack([pixels(p), pixels(q)], 1).astype("<f4")
        run = subprocess.run([sys.executable, script, f"{data}/emd_cnn/{model}.h5", "float64"], input=pairs.tobytes(), stdout=subprocess.PIPE, check=True)
        out = np.frombuffer(run.stdout, "<f8").reshape(-1, 97)
        r = out[:, 0] / exact - 1
        g = centred(out[:, 49:].reshape(-1, 16, 3).transpose(0, 2, 1).reshape(-1, 48), q > 0)
        v = centred(dual, q > 0)
        norm = np.sqrt((g * g).sum(1) * (v * v).sum(1))
        c = np.sort((g * v).sum(1)[norm > 0] / norm[norm > 0])  # one cell has no centred gradient
        n = len(c)
        print(f'"{model} {kind}": {{{r.mean():.4f}, {r.std():.4f}, {c[n//2]:.4f}, {c[n//10]:.4f}}},')
