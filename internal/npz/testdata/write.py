"""Writes arrays of every kind in every storage, and prints what they hold as JSON:
{file: {array: [items, row after row]}}. Usage: write.py FOLDER"""
import json
import os
import sys

import numpy as np

folder = sys.argv[1]
plain = {}
for kind in "b1 i1 i2 i4 i8 u1 u2 u4 f2 f4 f8".split():
    for order in "<>":
        t = np.dtype(order + kind)
        a = np.arange(-6 if kind[0] in "if" else 0, 18 if kind[0] in "if" else 24).reshape(4, 3, 2)
        plain[("big" if order == ">" else "little") + kind] = (a * (0.5 if kind[0] == "f" else 1)).astype(t)
plain["large"] = np.array([2**63 - 1, 2**53 + 1], "u8")
plain["turned"] = np.asfortranarray(np.arange(5 * 48.0).reshape(5, 48))
plain["turned3"] = np.asfortranarray(np.arange(4 * 3 * 2, dtype="<i2").reshape(4, 3, 2))
plain["turnedbig"] = np.asfortranarray(np.arange(3000 * 48, dtype=">f4").reshape(3000, 48))
plain["one"] = np.float64(2.5)
plain["none"] = np.zeros((0, 48))
plain["text"] = np.array(["HD", "", "größer", "\U0001f642", "a\0b"])
plain["bigtext"] = np.array(["LD", "x"], ">U3")
plain["bytes"] = np.array([b"FI", b"", "é".encode()], "S5")
plain["word"] = np.array("mippt")

record = np.zeros(6, [("CALQ", "<f4", (3, 2)), ("layer", ">i2"), ("naïve 'x\"", "<U4"), (("title", "eta"), "<f8")])
record["CALQ"] = np.arange(36).reshape(6, 3, 2)
record["layer"] = np.arange(6) - 2
record["naïve 'x\""] = ["a", "bc", "def", "ghij", "", "k"]
record["eta"] = np.arange(6) / 4
aligned = np.zeros(3, np.dtype([("a", "u1"), ("b", "<f8"), ("in", [("x", "<i4"), ("y", "S2")])], align=True))
aligned["a"], aligned["b"] = [1, 2, 3], [0.5, 1.5, 2.5]

said = {}


def items(a):
    return [v.decode() if isinstance(v, bytes) else v for v in a.reshape(-1).tolist()]


np.savez(os.path.join(folder, "stored.npz"), **plain)
np.savez_compressed(os.path.join(folder, "packed.npz"), **plain)
said["stored.npz"] = said["packed.npz"] = {k: items(a) for k, a in plain.items()}
np.savez_compressed(os.path.join(folder, "records.npz"), r=record, a=aligned)
said["records.npz"] = {
    "r": {n: items(np.ascontiguousarray(record[n])) for n in record.dtype.names},
    "a": {n: items(np.ascontiguousarray(aligned[n])) for n in "ab"},
}
for version in (1, 2, 3):
    name = f"v{version}.npy"
    with open(os.path.join(folder, name), "wb") as f:
        np.lib.format.write_array(f, plain["turned"], version=(version, 0))
    said[name] = {"": items(plain["turned"])}
np.save(os.path.join(folder, "object.npy"), np.array([{}, 1], object), allow_pickle=True)
json.dump(said, sys.stdout)
