"""write_uproot.py FOLDER: RNTuples of every type that uproot writes, in each
compression; prints by file what uproot reads of them, as dump.py says."""
import json
import os
import sys

import awkward as ak
import numpy as np
import uproot

sys.path.insert(0, os.path.dirname(__file__))
from dump import dump

N = 300
rng = np.random.default_rng(1)
codecs = {
    "none": None, "zlib": uproot.ZLIB(1), "lz4": uproot.LZ4(4),
    "zstd": uproot.ZSTD(5), "lzma": uproot.LZMA(1),
}


def jagged(values, most):
    counts = rng.integers(0, most, N)
    return ak.unflatten(values(counts.sum()), counts)


def data():
    out = {"bool": rng.integers(0, 2, N).astype(bool)}
    for bits in (8, 16, 32, 64):
        for sign in ("int", "uint"):
            info = np.iinfo(f"{sign}{bits}")
            x = rng.integers(info.min, info.max, N, dtype=info.dtype, endpoint=True)
            x[:2] = info.min, info.max
            out[f"{sign}{bits}"] = x
            out[f"v_{sign}{bits}"] = jagged(lambda n: rng.integers(0, 100, n).astype(info.dtype), 7)
    for bits in (32, 64):
        x = rng.normal(size=N).astype(f"float{bits}")
        x[:4] = np.nan, np.inf, -np.inf, -0.0
        out[f"float{bits}"] = x
        out[f"v_float{bits}"] = jagged(lambda n: rng.normal(size=n).astype(x.dtype), 7)
    out["fixed"] = rng.normal(size=(N, 48))
    out["fixed2"] = rng.integers(0, 9, (N, 2, 3))
    out["text"] = ["", "ö", "x" * 300][:3] * (N // 3)
    out["v_text"] = ak.Array([[str(k)] * (k % 4) for k in range(N)])
    out["vv"] = ak.Array([[[k + i] * (i % 3) for i in range(k % 5)] for k in range(N)])
    out["records"] = ak.zip({"x": jagged(lambda n: rng.normal(size=n), 5)})
    out["record"] = ak.zip({"a": np.arange(N), "b": np.arange(N) / 4})
    out["maybe"] = ak.Array([None if k % 3 else k / 8 for k in range(N)])
    out["v_maybe"] = ak.Array([[None if i % 2 else i for i in range(k % 4)] for k in range(N)])
    return out


all = {}
for codec, compression in codecs.items():
    name = f"uproot_{codec}.root"
    path = os.path.join(sys.argv[1], name)
    with uproot.recreate(path, compression=compression) as f:
        f.mkrntuple("t", data())
        f["t"].extend(data())
    all[name] = dump(uproot.open(path)["t"])
print(json.dumps(all))
