"""Writes HDF5 tables of h5py, PyTables and pandas into the folder argv[1] and prints what
is in them, a line each of JSON: {"file", "tree", "order", "unit", "charges", "columns"},
charges as the hexadecimal digits of big-endian float64, columns by name as texts or
numbers."""
import json
import os
import sys
import warnings

import h5py
import numpy as np
import pandas as pd
import tables

warnings.filterwarnings("ignore")
out = sys.argv[1]
rng = np.random.default_rng(2)
N = 2500
calq = rng.integers(0, 900, (N, 48)) * (rng.random((N, 48)) < 0.3)
meta = {"event": np.arange(N) // 7 + 2**40, "layer": rng.integers(1, 50, N).astype("i1"), "eta": rng.uniform(1.5, 3, N),
        "zside": rng.choice([-1, 1], N).astype("i4"), "good": rng.random(N) < 0.5}
kind = rng.choice(["FI", "FM", "Föö", ""], N)


def path(name):
    return os.path.join(out, name + ".h5")


def say(name, charges, columns, tree="", order="", unit="", left=0):
    print(json.dumps({"file": name + ".h5", "tree": tree, "order": order, "unit": unit, "left": left,
                      "charges": np.asarray(charges).astype(">f8").tobytes().hex(),
                      "columns": {k: [str(x) for x in v] if np.asarray(v).dtype.kind in "UOS" else
                                  [int(x) if np.asarray(v).dtype.kind in "iub" else float(x) for x in v]
                                  for k, v in columns.items()}}))


# Groups of h5py, every type of charges, layout and version.
for version in ["earliest", "latest"]:
    for t in ["f2", "f4", ">f8", "u2", ">i4", "i8"]:
        for n, how in enumerate([{}, dict(chunks=(300, 48), compression="gzip"), dict(chunks=(256, 5), maxshape=(None, 48), compression="lzf", shuffle=True)]):
            name = f"group_{version}_{t.replace('>', 'big')}_{n}"
            with h5py.File(path(name), "w", libver=version) as f:
                f.create_dataset("CALQ", data=calq.astype(t), **how)
                for k, v in meta.items():
                    f.create_dataset(k, data=v, **({} if n == 0 else dict(chunks=(100,))))
                f["ModType"] = np.array(kind, dtype=h5py.string_dtype())
                f["short"] = np.arange(7)
                f["CALQ"].attrs["unit"] = "mippt"
            say(name, calq.astype(t), {**meta, "ModType": kind}, unit="mippt", left=1)
with h5py.File(path("cells"), "w", userblock_size=512) as f:
    g = f.create_group("wafers/data")
    for i in range(48):
        g[f"CALQ_postmux_{i}"] = calq[:, i]
    g["phi"] = meta["eta"].reshape(N, 1)
    g.attrs["unit"] = "calq"
    f["other/y"] = np.zeros((5, 3))
say("cells", calq, {"phi": meta["eta"]}, order="postmux", unit="calq")
with h5py.File(path("order"), "w") as f:
    f["CALQ"] = calq
    f.attrs["order"] = "raster"
say("order", calq, {}, order="raster")
with h5py.File(path("training"), "w") as f:
    for part, at in {"train": slice(0, 2000), "test": slice(2000, N)}.items():
        f["X_" + part] = calq[at].reshape(-1, 48, 1)
        f["y_" + part] = meta["eta"][at]
say("training", calq[:2000], {"y_train": meta["eta"][:2000]}, tree="X_train", left=2)
say("training", calq[2000:], {"y_test": meta["eta"][2000:]}, tree="/X_test", left=2)
with h5py.File(path("only"), "w") as f:
    f["x"] = calq.astype("f4")
say("only", calq.astype("f4"), {}, left=1)

with h5py.File(path("beside"), "w") as f:
    about = np.zeros(N, [("eta", "f4"), ("layer", "i1")])
    about["eta"], about["layer"] = meta["eta"], meta["layer"]
    f["images"], f["meta"], f["event"] = calq, about, meta["event"]
say("beside", calq, {"eta": meta["eta"].astype("f4"), "layer": meta["layer"], "event": meta["event"]}, left=1)

# Structures of h5py and PyTables.
t = np.dtype([("event", "<i8"), ("CALQ", "<f4", (48,)), ("eta", ">f8"), ("ModType", "S8"), ("grid", "i2", (2, 2)), ("pos", [("x", "f4"), ("y", "f4")])])
rows = np.zeros(N, t)
rows["event"], rows["CALQ"], rows["eta"], rows["ModType"] = meta["event"], calq, meta["eta"], [k.encode() for k in kind]
rows["pos"]["x"] = meta["eta"]
for n, how in enumerate([{}, dict(chunks=(111,), compression="gzip", maxshape=(None,))]):
    with h5py.File(path(f"rows_{n}"), "w") as f:
        f.create_dataset("data/rows", data=rows, **how)
        f["data/rows"].attrs["unit"] = "data"
    say(f"rows_{n}", calq, {"event": meta["event"], "eta": meta["eta"], "ModType": kind, "pos.x": meta["eta"].astype("f4"), "pos.y": np.zeros(N)}, tree="data" if n else "", unit="data", left=1)
t = np.dtype([("layer", "i1")] + [(f"CALQ_{i}", "u2") for i in range(48)] + [("good", "?")])
rows = np.zeros(N, t)
rows["layer"], rows["good"] = meta["layer"], meta["good"]
for i in range(48):
    rows[f"CALQ_{i}"] = calq[:, i]
libraries = ["", "zlib", "bzip2"] + ["blosc:" + c for c in tables.blosc_compressor_list()]
for n, lib in enumerate(libraries):
    for k, how in enumerate([dict(shuffle=True), dict(shuffle=False, fletcher32=True)] + [dict(shuffle=False, bitshuffle=True)] * lib.startswith("blosc")):
        name = f"pytables_{n}_{k}"
        filters = tables.Filters(complevel=5 if lib else 0, complib=lib or "zlib", **how)
        with tables.open_file(path(name), "w") as f:
            f.create_table("/", "wafers", rows, filters=filters)
        say(name, calq, {"layer": meta["layer"], "good": meta["good"]})
        with tables.open_file(path(name + "_arrays"), "w") as f:
            f.create_carray("/", "CALQ", obj=calq.astype("f4"), chunkshape=(2100, 48), filters=filters)
            f.create_carray("/", "eta", obj=meta["eta"], chunkshape=(1001,), filters=filters)
            f.create_carray("/", "layer", obj=meta["layer"], chunkshape=(1003,), filters=filters)
        say(name + "_arrays", calq.astype("f4"), {"eta": meta["eta"], "layer": meta["layer"]})
with tables.open_file(path("earray"), "w") as f:
    a = f.create_earray("/", "CALQ", tables.Float32Atom(), (0, 48), filters=tables.Filters(complevel=1))
    for i in range(0, N, 90):
        a.append(calq[i:i + 90].astype("f4"))
    f.create_array("/", "good", meta["good"])
say("earray", calq, {"good": meta["good"]})

# Data frames.
names = [f"CALQ_{i}" for i in range(48)]
frame = pd.DataFrame(calq, columns=names)
for k, v in meta.items():
    frame[k] = v
frame["half"] = calq[:, 3].astype("f4")
index = {"index": np.arange(N)}
words = {"ModType": kind}
for k, how in {"fixed": dict(format="fixed"), "zlib": dict(format="fixed", complib="zlib", complevel=4), "table": dict(format="table"),
               "columns": dict(format="table", data_columns=True), "packed": dict(format="table", complib="zlib", complevel=4)}.items():
    f = frame.copy()
    if how["format"] == "table":
        f["ModType"] = kind
    f.to_hdf(path("pandas_" + k), key="some/df", **how)
    say("pandas_" + k, calq, {**index, **meta, "half": calq[:, 3].astype("f4"), **(words if how["format"] == "table" else {})}, tree="" if k != "table" else "some/df")
frame["ModType"] = kind
frame.to_hdf(path("pandas_objects"), key="df", format="fixed")
say("pandas_objects", calq, {**index, **meta, "half": calq[:, 3].astype("f4")}, left=1)
for k in ["fixed", "table"]:
    pd.DataFrame(calq.astype("f4")).to_hdf(path("numbered_" + k), key="df", format=k)
    say("numbered_" + k, calq, index)


# Times, as text; without their zone where pandas says it to Python alone. Durations are left out.
moments = pd.Series(pd.to_datetime("2026-01-01T00:00:00.5") + pd.to_timedelta(np.arange(N), unit="h"))
iso = [t.isoformat().rstrip("0") for t in moments]
for k in ["fixed", "table"]:
    z = "Z" if k == "fixed" else ""
    for unit in ["ns", "us", "ms", "s"]:
        timed = pd.DataFrame(calq, columns=names)
        timed["when"] = moments.dt.as_unit(unit)
        timed.loc[3, "when"] = pd.NaT
        timed["paris"] = moments.dt.as_unit(unit).dt.tz_localize("UTC").dt.tz_convert("Europe/Paris")
        timed["long"] = pd.to_timedelta(np.arange(N), unit="s").as_unit(unit)
        timed.index = pd.DatetimeIndex(moments.dt.as_unit(unit))
        timed.to_hdf(path(f"times_{k}_{unit}"), key="df", format=k)
        want = iso if unit != "s" else [t.split(".")[0] for t in iso]
        say(f"times_{k}_{unit}", calq, {"index": want, "when": want[:3] + [""] + want[4:], "paris": [t + z for t in want]}, left=1)

# What is refused.
with h5py.File(path("bad_two"), "w") as f:
    f["a/CALQ"] = calq
    f["b/CALQ"] = calq
with h5py.File(path("bad_fit"), "w") as f:
    f["x"] = calq
    f["y"] = calq
with h5py.File(path("bad_none"), "w") as f:
    f["eta"] = meta["eta"]
    f["images"] = np.zeros((N, 8, 8))
with h5py.File(path("bad_nan"), "w") as f:
    c = calq.astype("f4")
    c[1234, 5] = np.nan
    f["CALQ"] = c
with h5py.File(path("bad_missing"), "w") as f:
    for i in range(47):
        f[f"CALQ_{i}"] = calq[:, i]
with h5py.File(path("bad_lengths"), "w") as f:
    for i in range(48):
        f[f"CALQ_{i}"] = calq[:N - (i == 9), i]
with h5py.File(path("bad_keras"), "w") as f:
    f.attrs["layer_names"] = [b"dense"]
    f["dense/dense/kernel:0"] = np.zeros((16, 48), "f4")
with h5py.File(path("bad_keras3"), "w") as f:
    f["layers/dense/vars/0"] = np.zeros((16, 48), "f4")
    f.create_group("vars")
with h5py.File(path("bad_large"), "w") as f:
    f["CALQ"] = calq
    f["event"] = np.full(N, 2**63 + 5, "u8")
with h5py.File(path("bad_szip"), "w") as f:
    f.create_dataset("CALQ", data=calq, scaleoffset=0)
with h5py.File(path("bad_empty"), "w") as f:
    f["CALQ"] = calq[:0]

# Of one kind and two lengths, for memory.
for times in [1, 20]:
    with h5py.File(path(f"times_{times}"), "w", libver="latest") as f:
        n = 20000 * times
        f.create_dataset("CALQ", data=np.tile(calq.astype("f4"), (8 * times, 1)), chunks=(500, 24), maxshape=(None, None), compression="gzip", compression_opts=1)
        f.create_dataset("entry", data=np.arange(n), chunks=(500,), maxshape=(None,))
        f.create_dataset("ModType", data=np.array(["FI", "FO"] * (n // 2), dtype=h5py.string_dtype()), chunks=(500,))
