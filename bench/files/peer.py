"""The other programs of bench/files: reads requests, a JSON object a line, and answers
each with the processor's seconds that it took."""
import json
import os
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS", "ARROW_NUM_THREADS"):
    os.environ[name] = "1"
import numpy as np

EVENTS, WAFERS, HIT = 1000, 300, 10  # HIT cells of each of so many wafers an event
CELLS = WAFERS * HIT


def uv():
    """u and v of the 48 trigger cells of a wafer."""
    k, r, c = np.arange(48) // 16, np.arange(48) % 16 // 4, np.arange(48) % 4
    return (np.choose(k, [7 - c, 1 + r + c, 3 - r]).astype("i4"), np.choose(k, [4 + r, c, 6 - r - c]).astype("i4"))


U, V = uv()
NUMPY = {"int": "i4", "unsigned int": "u4", "float": "f4"}


def cells(dice):
    """The trigger cells of an event: name, type in C++, values."""
    wafer = np.repeat(np.sort(dice.choice(47 * 121 * 2, WAFERS, replace=False)), HIT)
    zside, u, v = (wafer % 2 * 2 - 1).astype("i4"), (wafer // 2 % 11 - 5).astype("i4"), (wafer // 22 % 11 - 5).astype("i4")
    layer = (wafer // 242 + 1).astype("i4")
    cell = dice.random((WAFERS, 48)).argsort(axis=1)[:, :HIT].ravel()
    cu, cv = U[cell], V[cell]
    eta = dice.uniform(1.6, 2.9, CELLS).astype("f4")
    data = dice.exponential(100, CELLS).astype("u4") + 1
    zero = np.zeros(CELLS, "i4")
    columns = [
        ("id", "unsigned int", dice.integers(0, 1 << 31, CELLS).astype("u4")),
        ("subdet", "int", np.where(layer > 28, 2, 1).astype("i4")), ("zside", "int", zside),
        ("layer", "int", layer), ("waferu", "int", u), ("waferv", "int", v), ("wafertype", "int", zero),
        ("cellu", "int", cu), ("cellv", "int", cv), ("data", "unsigned int", data),
        ("uncompressedCharge", "unsigned int", data), ("compressedCharge", "unsigned int", data & ~np.uint32(7)),
        ("pt", "float", data * np.float32(0.01)), ("mipPt", "float", data * np.float32(0.03)), ("energy", "float", data * np.float32(0.1)),
        ("simenergy", "float", data * np.float32(0.05)), ("eta", "float", eta), ("phi", "float", dice.uniform(-3.14, 3.14, CELLS).astype("f4")),
        ("x", "float", dice.normal(0, 50, CELLS).astype("f4")), ("y", "float", dice.normal(0, 50, CELLS).astype("f4")), ("z", "float", layer * np.float32(3)),
        ("cluster_id", "unsigned int", zero.astype("u4")), ("multicluster_id", "unsigned int", zero.astype("u4")), ("multicluster_pt", "float", zero.astype("f4")),
    ]
    return [(name, kind, np.ascontiguousarray(values, NUMPY[kind])) for name, kind, values in columns]


# What of an event is read to make wafers of it.
NEEDED = ["subdet", "zside", "layer", "waferu", "waferv", "wafertype", "cellu", "cellv", "data", "simenergy", "eta", "phi"]
BRANCHES = ["event", "tc_n"] + ["tc_" + n for n in NEEDED]


def make_root(path, kind):
    import ROOT

    if not hasattr(ROOT, "refill_int"):
        ROOT.gInterpreter.Declare("#include <vector>\n" + "".join(
            f"void refill_{c.replace(' ', '_')}(std::vector<{c}> &v, unsigned long from, int n) {{ auto p = ({c} *)from; v.assign(p, p + n); }}\n"
            for c in NUMPY))

    def refill(c, vector, values):
        getattr(ROOT, "refill_" + c.replace(" ", "_"))(vector, values.ctypes.data, CELLS)

    dice = np.random.default_rng(1)
    first = cells(dice)
    if kind == "ttree":
        f = ROOT.TFile(path, "RECREATE", "", 101)
        f.mkdir("ntuplizer").cd()
        t = ROOT.TTree("HGCalTriggerNtuple", "")
        event, n = np.zeros(1, "i4"), np.zeros(1, "i4")
        t.Branch("event", event, "event/I")
        t.Branch("tc_n", n, "tc_n/I")
        held = {name: ROOT.std.vector[c]() for name, c, _ in first}
        for name, v in held.items():
            t.Branch("tc_" + name, v)
        entry, fill = None, t.Fill
    else:
        model = ROOT.RNTupleModel.Create()
        model.MakeField["int"]("event")
        model.MakeField["int"]("tc_n")
        for name, c, _ in first:
            model.MakeField[f"std::vector<{c}>"]("tc_" + name)
        options = ROOT.RNTupleWriteOptions()
        options.SetCompression(505)
        writer = ROOT.RNTupleWriter.Recreate(model, "HGCalTriggerNtuple", path, options)
        entry = writer.CreateEntry()
        held = {name: entry["tc_" + name] for name, _, _ in first}
    for e in range(EVENTS):
        if entry is None:
            event[0], n[0] = e + 1, CELLS
        else:
            entry["event"], entry["tc_n"] = e + 1, CELLS
        for name, c, values in cells(dice):
            refill(c, held[name], values)
        if entry is None:
            fill()
        else:
            writer.Fill(entry)
    if entry is None:
        t.ResetBranchAddresses()
        t.Write()
        f.Close()
    else:
        del entry, writer
    return "ROOT " + str(ROOT.gROOT.GetVersion())


def make_uproot(path, kind):
    import awkward as ak
    import uproot

    dice = np.random.default_rng(1)
    step = 100
    with uproot.recreate(path, compression=uproot.ZLIB(1) if kind == "ttree" else uproot.ZSTD(5)) as f:
        t = None
        for first in range(0, EVENTS, step):
            events = [cells(dice) for _ in range(step)]
            part = {"event": np.arange(first + 1, first + step + 1, dtype="i4"), "tc_n": np.full(step, CELLS, "i4")}
            for i, (name, _, _) in enumerate(events[0]):
                part["tc_" + name] = ak.from_numpy(np.stack([e[i][2] for e in events]), regulararray=False)
                part["tc_" + name] = ak.unflatten(ak.flatten(part["tc_" + name]), CELLS)
            if t is None:
                name = "ntuplizer/HGCalTriggerNtuple" if kind == "ttree" else "HGCalTriggerNtuple"
                t = f.mktree(name, part) if kind == "ttree" else f.mkrntuple(name, part)
            else:
                t.extend(part)
    return "uproot " + uproot.__version__


def make(r):
    try:
        import ROOT
    except ImportError:
        return {"by": make_uproot(r["path"], r["kind"])}
    return {"by": make_root(r["path"], r["kind"])}


def uproot_arrays(r):
    import awkward as ak
    import uproot

    start = time.process_time()
    with uproot.open(r["path"], object_cache=None, array_cache=None) as f:
        t = f[r["tree"]]
        a = t.arrays(r["branches"], library=r["how"]) if r["how"] == "np" else t.arrays(r["branches"])
        seconds = time.process_time() - start
    data = np.concatenate(list(a["tc_data"])) if r["how"] == "np" else ak.to_numpy(ak.flatten(a["tc_data"]))
    return {"seconds": seconds, "sum": float(data.astype("f8").sum())}


def timed(read):
    start = time.process_time()
    kept = read()
    return {"seconds": time.process_time() - start, "rows": len(kept)}


def pandas_csv(r):
    import pandas as pd

    return timed(lambda: pd.read_csv(r["path"], engine="c"))


def pyarrow_csv(r):
    from pyarrow import csv

    return timed(lambda: csv.read_csv(r["path"], read_options=csv.ReadOptions(use_threads=False)))


def polars_csv(r):
    import polars as pl

    return timed(lambda: pl.read_csv(r["path"]))


def numpy_npz(r):
    def read():
        with np.load(r["path"]) as z:
            return {name: z[name] for name in z.files}["CALQ"]

    return timed(read)


def pyarrow_parquet(r):
    from pyarrow import parquet

    return timed(lambda: parquet.read_table(r["path"], use_threads=False))


def hdf5(r):
    """An HDF5 file of so many rows, the way h5py's users make one."""
    import h5py

    dice = np.random.default_rng(1)
    with h5py.File(r["path"], "w") as f:
        charge = f.create_dataset("CALQ", (r["rows"], 48), "f4", chunks=(1024, 48), compression="gzip", compression_opts=1)
        event = f.create_dataset("event", (r["rows"],), "i8", chunks=(1024,))
        for first in range(0, r["rows"], 10000):
            last = min(first + 10000, r["rows"])
            charge[first:last] = np.where(dice.random((last - first, 48)) < 0.3, dice.integers(1, 500, (last - first, 48)), 0)
            event[first:last] = np.arange(first, last)
    return {}


def version(r):
    import importlib

    return {"by": r["module"] + " " + importlib.import_module(r["module"]).__version__}


TASKS = {f.__name__: f for f in (make, uproot_arrays, pandas_csv, pyarrow_csv, polars_csv, numpy_npz, pyarrow_parquet, hdf5, version)}
for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = TASKS[request["task"]](request)
    except Exception as e:
        answer = {"error": f"{type(e).__name__}: {e}".splitlines()[0]}
    print(json.dumps(answer), flush=True)
