"""zoo_uproot.py FOLDER: ROOT files of every kind, written by uproot, and what it reads of
them: FOLDER/expected.json."""
import json
import os
import sys

import awkward as ak
import numpy as np
import uproot

import zoo_read

out = sys.argv[1]
dice = np.random.default_rng(7)
TYPES = ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]
CODECS = {"none": None, "zlib1": uproot.ZLIB(1), "zlib9": uproot.ZLIB(9), "lzma1": uproot.LZMA(1),
          "lz4-1": uproot.LZ4(1), "lz4-9": uproot.LZ4(9), "zstd1": uproot.ZSTD(1), "zstd9": uproot.ZSTD(9)}


def draw(kind, shape):
    t = np.dtype(kind)
    if kind == "bool":
        return dice.random(shape) < 0.5
    if t.kind == "f":
        a = dice.normal(3, 100, shape).astype(t)
        a[dice.random(shape) < 0.01] = np.inf
        a[dice.random(shape) < 0.01] = np.nan
        return a
    a = dice.integers(0 if t.kind == "u" else -60, 120, shape).astype(t)
    a[dice.random(shape) < 0.01] = np.iinfo(t).max
    return a


def counts(n):
    c = np.where(dice.random(n) < 0.3, 0, dice.poisson(4, n))
    c[0] = 3
    return c


def flat(n):
    """Numbers, fixed arrays, and lists of a length for each of them or in common."""
    c, columns = counts(n), {}
    for t in TYPES:
        columns[t] = draw(t, n)
        columns["a_" + t] = draw(t, (n, 3))
        columns["m_" + t] = draw(t, (n, 2, 2))
        columns["v_" + t] = ak.unflatten(draw(t, int(c.sum())), c)
    columns["jet"] = ak.zip({t: ak.unflatten(draw(t, int(c.sum())), c) for t in ("float32", "int16", "bool")})
    return columns


def deep(n):
    """What RNTuples have besides."""
    c = counts(n)
    total = int(c.sum())
    inner = counts(total)
    columns = flat(n)
    columns["vv"] = ak.unflatten(ak.unflatten(draw("float32", int(inner.sum())), inner), c)
    columns["text"] = ak.Array(["x" * int(k) for k in c])
    columns["texts"] = ak.unflatten(ak.Array(["ab"] * total), c)
    columns["record"] = ak.zip({"a": draw("int32", n), "b": draw("float64", n)})
    # A list of what is there: of what is masked, uproot writes other values.
    present = ak.mask(draw("float32", n), dice.random(n) < 0.5).to_list()
    columns["maybe"] = ak.values_astype(ak.from_iter(present + [None, 1.0])[:n], "float32")
    return columns


def main():
    files, optional = {}, {}
    for name, codec in CODECS.items():
        with uproot.recreate(f"{out}/tree-{name}.root", compression=codec) as f:
            whole = flat(90)
            for n in (whole, flat(1), flat(40)):
                if "tree" in f:
                    f["tree"].extend(n)
                else:
                    f.mktree("tree", n)
            f["folder/of its own/other"] = flat(5)
        with uproot.recreate(f"{out}/rntuple-{name}.root", compression=codec) as f:
            parts = [deep(90), deep(1), deep(40)]
            t = f.mkrntuple("ntuple", parts[0])
            for part in parts[1:]:
                t.extend(part)
            f.mkrntuple("folder/other", deep(5))
        optional[f"rntuple-{name}.root"] = zoo_read.stats(ak.concatenate([p["maybe"] for p in parts]))
    with uproot.recreate(f"{out}/tree-many-baskets.root") as f:  # more than the tree has room for at first
        f.mktree("tree", {"x": "float32", "v": "var * int32"})
        for i in range(60):
            f["tree"].extend({"x": draw("float32", i), "v": ak.unflatten(draw("int32", 2 * i), np.full(i, 2))})
    with uproot.recreate(f"{out}/rntuple-many-clusters.root") as f:
        t = f.mkrntuple("ntuple", {"x": draw("float32", 3), "v": ak.unflatten(draw("int32", 6), np.full(3, 2))})
        for i in range(1, 60):
            t.extend({"x": draw("float32", i), "v": ak.unflatten(draw("int32", 2 * i), np.full(i, 2))})
    with uproot.recreate(f"{out}/tree-empty.root") as f:
        f.mktree("tree", {"x": "float32", "v": "var * int32", "a": np.dtype(("f8", (3,)))})
    with uproot.recreate(f"{out}/wide.root", compression=uproot.ZLIB(1)) as f:  # beyond 16 MB
        f["tree"] = {"x": np.arange(3_000_000) % 1000.0}
        f.mkrntuple("ntuple", {"x": np.arange(3_000_000) % 1000.0})
    for name in sorted(os.listdir(out)):
        files[name] = zoo_read.read(f"{out}/{name}")
    for name, written in optional.items():  # uproot mixes clusters up when it reads these, ROOT does not
        files[name]["ntuple"]["columns"]["maybe"].update(written)
    with open(os.path.join(out, "expected.json"), "w") as f:
        json.dump(files, f, indent=1)


main()
