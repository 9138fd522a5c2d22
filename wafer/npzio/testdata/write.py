"""Writes wafer images as arrays in the ways people do. Usage: write.py FOLDER"""
import os
import sys

import numpy as np

folder = sys.argv[1]
n = 2500
rng = np.random.default_rng(1)
calq = rng.integers(0, 500, (n, 48))
layer = np.arange(n, dtype=np.int32) % 27 + 1
eta = (np.arange(n) / 1000 + 1.5).astype(np.float32)
density = np.where(layer % 2 == 0, "HD", "LD")
signal = layer > 20
columns = dict(layer=layer, eta=eta, HD_LD=density, signal=signal)
order = [31, 30, 27, 26, 28, 29, 24, 25, 19, 18, 23, 22, 16, 17, 20, 21, 15, 14, 11, 10, 12, 13, 8, 9,
         3, 2, 7, 6, 0, 1, 4, 5, 47, 46, 43, 42, 44, 45, 40, 41, 35, 34, 39, 38, 32, 33, 36, 37]
postmux = np.empty_like(calq)
postmux[:, order] = calq  # cell i of V9 is channel order[i]


def path(name):
    return os.path.join(folder, name)


np.savez(path("plain.npz"), CALQ=calq, **columns)
np.savez_compressed(path("packed.npz"), CALQ=calq.astype(np.float32), **columns)
np.savez_compressed(path("turned.npz"), wafer_calq=np.asfortranarray(calq.astype(">f8")), **columns)
np.savez(path("turnedstored.npz"), CALQ=np.asfortranarray(calq.astype("f2")), **columns)
np.savez(path("other.npz"), x=calq.astype("u2"), latent=np.zeros((n, 16)), ids=np.arange(7), threshold=1.35,
         names=np.array([{}] * n, object), when=np.arange(n).astype("M8[s]"), **columns)
np.savez(path("cells.npz"), **{f"CALQ_{k}": calq[:, k] for k in range(48)}, **columns)
np.savez(path("channels.npz"), CALQ=calq.reshape(n, 48, 1), **{k: v.reshape(n, 1) for k, v in columns.items()})
np.savez(path("order.npz"), CALQ=postmux, order="postmux", unit="mippt", **columns)
np.savez(path("postmux.npz"), CALQ_postmux=postmux, unit=np.array("mippt"), **columns)
np.savez(path("two.npz"), a=calq, b=calq, **columns)
np.savez(path("list.npz"), CALQ=[list(map(int, r)) for r in calq], layer=list(map(int, layer)),
         eta=list(map(float, eta)), HD_LD=list(density), signal=list(map(bool, signal)))
np.save(path("plain.npy"), calq)
np.save(path("turned.npy"), np.asfortranarray(calq.astype("f4")))
record = np.zeros(n, [("CALQ", "<f4", (48,)), ("layer", "<i4"), ("eta", "<f4"), ("HD_LD", "S2"), ("signal", "?")])
record["CALQ"] = calq
fields = np.zeros(n, [(f"CALQ_{k}", "u2") for k in range(48)] + [("layer", ">i8"), ("eta", "f4"), ("HD_LD", "U2"), ("signal", "?")])
for k in range(48):
    fields[f"CALQ_{k}"] = calq[:, k]
for a in record, fields:
    for name, v in columns.items():
        a[name] = v
np.save(path("record.npy"), record)
np.save(path("fields.npy"), fields)
np.savez(path("table.npz"), table=record, edges=np.arange(5))
with open(path("images.csv"), "w") as f:
    f.write(",".join([f"CALQ_{k}" for k in range(48)] + list(columns)) + "\n")
    for i in range(n):
        f.write(",".join(map(str, [*calq[i], layer[i], float(eta[i]), density[i], int(signal[i])])) + "\n")

# Refused.
np.save(path("object.npy"), np.array([[{}] * 48], object), allow_pickle=True)
pickled = np.zeros(4, [("CALQ", "f4", (48,)), ("HD_LD", object)])
np.save(path("objects.npy"), pickled, allow_pickle=True)
np.savez(path("transposed.npz"), CALQ=calq.T)
np.savez(path("sixtyfour.npz"), x=np.zeros((5, 64)))
np.savez(path("arranged.npz"), x=np.zeros((5, 8, 8)))
np.savez(path("nothing.npz"), layer=layer)
np.savez(path("empty.npz"), CALQ=np.zeros((0, 48)))
np.savez(path("missing.npz"), **{f"CALQ_{k}": calq[:, k] for k in range(47)})
np.savez(path("one.npz"), **{f"CALQ_{k}": calq[:, k - 1] for k in range(1, 49)})
np.savez(path("unequal.npz"), **{f"CALQ_{k}": calq[: n - (k == 5), k] for k in range(48)})
np.savez(path("negative.npz"), CALQ=np.where(np.arange(n * 48).reshape(n, 48) == 1300 * 48 + 7, -1, calq))
np.savez(path("nan.npz"), CALQ=np.where(np.arange(n * 48).reshape(n, 48) == 1300 * 48 + 7, np.nan, calq))
np.savez(path("large.npz"), CALQ=calq, id=np.full(n, 2**63, "u8"))
np.savez(path("inexact.npz"), CALQ=np.full((3, 48), 2**53 + 1))
np.savez(path("badorder.npz"), CALQ=calq, order="spiral")
np.savez(path("contradiction.npz"), CALQ_postmux=calq, order="raster")
