"""zoo_root.py FOLDER: ROOT files of every kind, written by ROOT itself, and what is in
them: FOLDER/expected.json, from uproot (zoo_read.py) and from what was written, which
must agree."""
import atexit
import json
import math
import os
import shutil
import sys
import tempfile
import warnings

warnings.simplefilter("ignore")
import ROOT

import zoo_read

ROOT.gErrorIgnoreLevel = ROOT.kError
for library in ("libRIO", "libTree", "libHist", "libPhysics", "libMathCore"):
    ROOT.gSystem.Load(library)
out = sys.argv[1]
here = os.path.dirname(os.path.abspath(__file__))
# Compiled, what ROOT has no dictionaries of gets one; without a compiler those branches
# are missing.
build = tempfile.mkdtemp()
atexit.register(shutil.rmtree, build, True)
if shutil.which("g++"):
    compiled = ROOT.gSystem.CompileMacro(f"{here}/zoo_tree.h", "k-", "zoo_tree", build)
else:
    compiled = ROOT.gInterpreter.Declare(f'#include "{here}/zoo_tree.h"')
if not compiled or not ROOT.gInterpreter.Declare(f'#include "{here}/zoo_rntuple.h"'):
    sys.exit("does not compile")
expected = {}


def written():
    """What was noted while the last file was written, by table and column."""
    tables = {}
    for name, acc in ROOT.truth:
        table, column = str(name).split(":", 1)
        tables.setdefault(table, {})[column] = {
            "values": acc.n, "nonfinite": acc.bad, "sum": acc.sum,
            "min": acc.lo if acc.n else None, "max": acc.hi if acc.n else None}
    ROOT.truth.clear()
    return tables


def same(r, w):
    """Sums may differ by what their order makes of them."""
    noise = 1e-12 * w["values"] * max(abs(w["min"] or 0), abs(w["max"] or 0))
    return all(r[k] == w[k] for k in ("values", "nonfinite", "min", "max")) and math.isclose(r["sum"], w["sum"], rel_tol=1e-9, abs_tol=noise)


def done(name):
    """Closes the account of a file."""
    path = os.path.join(out, name)
    truth = written()
    tables = zoo_read.read(path)
    for table, columns in truth.items():
        t = tables.setdefault(table, {"columns": {}, "unread": {}})
        for column, w in columns.items():
            r = t["columns"].get(column)
            if r is None:
                t["columns"][column] = {"type": "as written", "required": True, **w}
            elif not same(r, w):
                print(f"{name} {table} {column}: written {w}, uproot reads {r}", file=sys.stderr)
                r.update(w)
    expected[name] = tables


def trees():
    codecs = {"none": 0, "zlib1": 101, "zlib9": 109, "lzma1": 201, "lzma9": 209,
              "lz4-1": 401, "lz4-9": 409, "zstd1": 501, "zstd9": 509}
    for name, compression in codecs.items():
        for basket, flush in ((0, 0), (300, 0), (0, 7), (2000, 50)):
            file = f"tree-{name}-basket{basket}-flush{flush}.root"
            if basket == flush == 0 or name in ("none", "zlib1", "lz4-1", "zstd1"):
                ROOT.write_tree(f"{out}/{file}", compression, basket, flush, 150)
                done(file)
    for n in (0, 1, 2):
        ROOT.write_tree(f"{out}/tree-entries{n}.root", 101, 0, 0, n)
        done(f"tree-entries{n}.root")
    for special in ("memory", "memory-autosave", "offset-free", "folders", "cycles", "late-branch", "wide-baskets",
                    "deleted", "big-file", "tntuple", "long-names", "ordered"):
        file = f"tree-{special}.root"
        ROOT.write_special(f"{out}/{file}", special)
        done(file)
    merged = ROOT.TFileMerger(False)
    merged.OutputFile(f"{out}/tree-merged.root", "RECREATE", 404)
    for name in ("zlib1", "zstd1", "none", "lz4-1"):
        merged.AddFile(f"{out}/tree-{name}-basket0-flush0.root")
    merged.Merge()
    ROOT.truth.clear()
    done("tree-merged.root")
    ROOT.write_objects(f"{out}/objects.root")
    done("objects.root")


def rntuples():
    for name, compression in {"none": 0, "zlib1": 101, "zlib9": 109, "lzma1": 201, "lz4-1": 401, "lz4-9": 409,
                              "zstd1": 501, "zstd9": 509}.items():
        for page, cluster in ((0, 0), (64, 40), (1024, 0)):
            file = f"rntuple-{name}-page{page}-cluster{cluster}.root"
            if page == 0 or name in ("none", "zstd1"):
                ROOT.write_rntuple(f"{out}/{file}", compression, page, cluster, 150)
                done(file)
    for n in (0, 1):
        ROOT.write_rntuple(f"{out}/rntuple-entries{n}.root", 505, 0, 0, n)
        done(f"rntuple-entries{n}.root")
    for special in ("encodings", "late", "projected", "indices", "folders", "wide-pages", "nested", "quantised"):
        file = f"rntuple-{special}.root"
        ROOT.write_rntuple_special(f"{out}/{file}", special)
        done(file)


trees()
rntuples()
with open(os.path.join(out, "expected.json"), "w") as f:
    json.dump(expected, f, indent=1)
