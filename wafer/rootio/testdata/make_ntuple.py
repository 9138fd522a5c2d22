"""make_ntuple.py uproot|root FOLDER: writes HGCalTriggerNtuples as that program writes them, and beside each
FILE.root what its images are, computed here cell by cell, as FILE.json."""
import json
import math
import sys

import numpy as np

WRITER, FOLDER = sys.argv[1], sys.argv[2]

# The coordinates of the 48 trigger cells in V9 order, as CMSSW's cellUVremap lists them.
UV = ([(7 - c, 4 + r) for r in range(4) for c in range(4)]
      + [(1 + r + c, c) for r in range(4) for c in range(4)]
      + [(3 - r, 6 - r - c) for r in range(4) for c in range(4)])
# The chip's 8x8 pixels, row by row.
PIXELS = [28, 29, 30, 31, 0, 4, 8, 12, 24, 25, 26, 27, 1, 5, 9, 13, 20, 21, 22, 23, 2, 6, 10, 14, 16, 17, 18, 19, 3, 7, 11, 15,
          47, 43, 39, 35, -1, -1, -1, -1, 46, 42, 38, 34, -1, -1, -1, -1, 45, 41, 37, 33, -1, -1, -1, -1, 44, 40, 36, 32, -1, -1, -1, -1]
TC_INT = ["subdet", "zside", "layer", "waferu", "waferv", "wafertype", "cellu", "cellv"]
TC_UINT = ["id", "data", "uncompressedCharge", "compressedCharge", "cluster_id", "multicluster_id"]
TC_FLOAT = ["pt", "mipPt", "energy", "simenergy", "eta", "phi", "x", "y", "z"]
OLD = ["wafer", "cell", "panel_number", "panel_sector"]


def make_events(seed, events, wafers, tiles=0, empty=()):
    """Events of trigger cells, each a list of dicts, in no order."""
    r = np.random.default_rng(seed)
    out = []
    for e in range(events):
        cells = []
        for _ in range(0 if e in empty else wafers):
            z = int(r.choice([-1, 1]))
            layer = int(r.integers(1, 48))
            where = dict(zside=z, subdet=1 if layer <= 26 else 2, layer=layer, waferu=int(r.integers(-11, 12)), waferv=int(r.integers(-11, 12)),
                         wafertype=int(r.integers(0, 3)))
            key = tuple(where[k] for k in ("zside", "subdet", "layer", "waferu", "waferv"))
            if any(tuple(c[k] for k in ("zside", "subdet", "layer", "waferu", "waferv")) == key for c in cells):
                continue
            eta, phi = r.uniform(1.6, 2.9), r.uniform(-math.pi, math.pi)
            for tc in r.choice(48, int(r.integers(1, 49)), replace=False):
                p = np.float32(math.remainder(phi + r.uniform(-.05, .05), 2 * math.pi))
                cells.append(dict(where, cellu=UV[tc][0], cellv=UV[tc][1], data=int(r.pareto(1.3) * 60) + 1, mipPt=np.float32(r.exponential(3)),
                                  simenergy=np.float32(r.exponential(.1)), eta=np.float32(z * (eta + r.uniform(-.05, .05))), phi=p, cell=int(tc)))
        for _ in range(tiles):
            cells.append(dict(zside=1, subdet=10, layer=40, waferu=-999, waferv=-999, wafertype=0, cellu=int(r.integers(1, 40)), cellv=int(r.integers(1, 289)),
                              data=7, mipPt=np.float32(1), simenergy=np.float32(.5), eta=np.float32(1.5), phi=np.float32(0), cell=-999))
        r.shuffle(cells)
        for i, c in enumerate(cells):
            c.update(id=i, uncompressedCharge=c["data"], compressedCharge=c["data"], cluster_id=0, multicluster_id=0, pt=c["mipPt"], energy=c["mipPt"],
                     x=np.float32(1), y=np.float32(2), z=np.float32(300), wafer=-999, panel_number=-999, panel_sector=-999)
        out.append(cells)
    return out


def make_gen(seed, events):
    r = np.random.default_rng(seed)
    return [[(np.float32(r.uniform(-3, 3)), np.float32(r.exponential(20))) for _ in range(int(r.integers(0, 5)))] for _ in range(events)]


def charge(c, reading):
    if reading == "calq":
        return math.floor(c["data"] * round(2**11 / math.cosh(float(c["eta"]))) / 2**11)
    if reading == "calq12":
        return math.floor(c["data"] * math.floor(2**12 / math.cosh(float(c["eta"]))) / 2**12)
    return float(c["data"] if reading == "data" else c["mipPt"])


def images(events, gen=None, number=None):
    """The images, by charge, and their columns."""
    rows, columns = {k: [] for k in ("calq", "calq12", "data", "mippt")}, {}

    def put(**values):
        for k, v in values.items():
            columns.setdefault(k, []).append(None if isinstance(v, float) and math.isnan(v) else v)
    for e, cells in enumerate(events):
        by = {}
        for c in cells:
            if c["waferu"] != -999:
                by.setdefault(tuple(c[k] for k in ("zside", "subdet", "layer", "waferu", "waferv")), []).append(c)
        total = sum(float(c["simenergy"]) for c in cells)
        for key in sorted(by):
            mine = by[key]
            for reading, out in rows.items():
                image = [0] * 48
                for c in mine:
                    image[UV.index((c["cellu"], c["cellv"]))] = charge(c, reading)
                out.append(image)
            sim = sum(float(c["simenergy"]) for c in mine)
            kind = mine[0]["wafertype"]
            first = float(mine[0]["phi"])
            put(entry=e, zside=key[0], subdet=key[1], layer=key[2], waferu=key[3], waferv=key[4], wafertype=kind, HD_LD="HD" if kind == 0 else "LD",
                eta=sum(float(c["eta"]) for c in mine) / len(mine),
                phi=math.remainder(first + sum(math.remainder(float(c["phi"]) - first, 2 * math.pi) for c in mine) / len(mine), 2 * math.pi),
                SimEnergyTotal=sim, EventSimEnergy=total, SimEnergyFraction=sim / total)
            if number:
                put(event=number[e], run=1, lumi=2)
            if gen:
                here = [g for g in gen[e] if (g[0] < 0) == (key[0] < 0)]
                best = max(here, key=lambda g: g[1]) if here else (math.nan, math.nan)
                put(gen_eta=float(best[0]), gen_pt=float(best[1]))
    return rows, columns


def wafers_of(events, order, count):
    """Vectors wafer_* of the events: charges as the fork's plugin numbers them."""
    rows, columns = images(events)
    out = [dict() for _ in events]
    for e, o in enumerate(out):
        mine = [i for i, x in enumerate(columns["entry"]) if x == e]
        np.random.default_rng(e).shuffle(mine)
        o["index"] = mine
        for name in ("zside", "layer", "subdet", "waferu", "waferv", "wafertype"):
            o[name] = [columns[name][i] for i in mine]
        for name in ("eta", "phi"):
            o[name] = [float(np.float32(columns[name][i])) for i in mine]
        o["simenergy"] = [float(np.float32(columns["SimEnergyTotal"][i])) for i in mine]
        o["sumCALQ"] = [int(sum(rows["calq"][i])) for i in mine]
        for j in range(count):
            cell = PIXELS[j] if order == "pixels" else j if j < 48 else -1
            o[f"CALQ{j}"] = [0 if cell < 0 else int(rows["calq"][i][cell]) for i in mine]
    return rows, columns, out


def expected(name, charges, columns, tree="", remarks=()):
    with open(f"{FOLDER}/{name}.json", "w") as f:
        json.dump({"tree": tree, "charges": charges, "columns": columns, "remarks": list(remarks)}, f, default=float)


def pick(rows, columns, index, keep):
    return [rows[i] for i in index], {k: [columns[k][i] for i in index] for k in keep if k in columns}


# What a file has by event: (name, C++ type, values by event), scalars with a type of one number.
def tc_branches(events, old=False, late=False):
    out = [("tc_n", "int", [len(c) for c in events])]
    for names, kind in ((TC_UINT, "unsigned int"), (TC_INT + (OLD if old else []), "int"), (TC_FLOAT, "float")):
        for name in names:
            out.append(("tc_" + name, f"vector<{kind}>", [[c[name] for c in cells] for cells in events]))
    out.append(("tc_genparticle_index", "vector<int>", [[-1] * (len(c) + 3) for c in events]))
    if late:  # a producer that does not clear tc_layer
        at, kept = [n for n, _, _ in out].index("tc_layer"), []
        name, kind, values = out[at]
        for v in values:
            kept.append((kept[-1] if kept else []) + v)
        out[at] = (name, kind, kept)
    return out


def event_branches(gen, number):
    out = [("run", "int", [1] * len(number)), ("event", "int", number), ("lumi", "int", [2] * len(number)), ("gen_n", "int", [len(g) for g in gen])]
    for j, name in enumerate(("eta", "pt")):
        out.append(("gen_" + name, "vector<float>", [[x[j] for x in g] for g in gen]))
    out.append(("gen_daughters", "vector<vector<int>>", [[[1, 2]] for _ in gen]))
    return out


def econ_branches(events, lacking):
    """econ_*: 16 numbers a wafer, but for the first wafers; index, waferu and waferv are not cleared."""
    _, columns = images(events)
    by, values = [], []
    for e in range(len(events)):
        mine = [i for i, x in enumerate(columns["entry"]) if x == e][lacking:]
        items = [(i, j) for i in mine for j in range(16)]
        by.append(items)
        values.append({i: [(37 * i + 11 * j) % 1500 for j in range(16)] for i in mine})
    out = [("econ_n", "int", [len(b) for b in by])]
    for name in ("subdet", "zside", "layer", "waferu", "waferv", "wafertype"):
        out.append(("econ_" + name, "vector<int>", [[columns[name][i] for i, _ in b] for b in by]))
    out.append(("econ_index", "vector<unsigned int>", [[j for _, j in b] for b in by]))
    out.append(("econ_data", "vector<unsigned int>", [[values[e][i][j] for i, j in b] for e, b in enumerate(by)]))
    for k, (name, kind, v) in enumerate(out):
        if name in ("econ_index", "econ_waferu", "econ_waferv"):
            kept = []
            for x in v:
                kept.append((kept[-1] if kept else []) + x)
            out[k] = (name, kind, kept)
    all = {}
    for v in values:
        all.update(v)
    return out, {f"AE{j}": [all.get(i, [0] * 16)[j] for i in range(len(columns["entry"]))] for j in range(16)}


def wafer_branches(out, late=False):
    branches = [("wafer_n", "int", [len(o["index"]) for o in out])]
    for name in out[0]:
        if name == "index":
            continue
        kind = "float" if name in ("eta", "phi", "simenergy") else "unsigned long" if name == "sumCALQ" else "unsigned int" if name.startswith("CALQ") else "int"
        values = [o[name] for o in out]
        if late and name == "sumCALQ":
            kept = []
            for v in values:
                kept.append((kept[-1] if kept else []) + v)
            values = kept
        branches.append(("wafer_" + name, f"vector<{kind}>", values))
    return branches


NUMPY = {"int": np.int32, "unsigned int": np.uint32, "float": np.float32, "unsigned long": np.uint64, "double": np.float64}


def write_uproot(name, tree, branches, compression, rntuple=False, zipped=""):
    import awkward as ak
    import uproot

    def array(kind, values):
        inner = kind.removeprefix("vector<").removesuffix(">")
        if inner == kind:
            return np.array(values, NUMPY[kind])
        flat = np.array([x for v in values for x in v], NUMPY[inner])
        return ak.unflatten(flat, [len(v) for v in values])
    arrays = {n: array(k, v) for n, k, v in branches if not k.startswith("vector<vector")}
    if zipped:
        same = {n.removeprefix(zipped + "_"): arrays.pop(n) for n in list(arrays)
                if n.startswith(zipped + "_") and n not in (zipped + "_n", zipped + "_genparticle_index")}
        arrays.pop(zipped + "_n", None)
        arrays[zipped] = ak.zip(same)
    with uproot.recreate(f"{FOLDER}/{name}.root", compression=compression) as f:
        if rntuple:
            f.mkrntuple(tree, arrays)
        else:
            t = f.mktree(tree, {n: a.type if isinstance(a, ak.Array) else a.dtype for n, a in arrays.items()})
            half = max(1, len(branches[0][2]) // 2)
            for part in (slice(0, half), slice(half, None)):
                if len(branches[0][2][part]):
                    t.extend({n: a[part] for n, a in arrays.items()})


def write_root(name, tree, branches, compression, rntuple=False, arrays=False):
    import ROOT
    from array import array
    folder, _, short = tree.rpartition("/")
    algorithm = {"zlib": 1, "lzma": 2, "lz4": 4, "zstd": 5, "none": 0}[compression] * 100 + (0 if compression == "none" else 5)
    path = f"{FOLDER}/{name}.root"
    n = len(branches[0][2])
    cpp = {"unsigned long": "unsigned long long"}

    def vector(kind):
        inner = kind.removeprefix("vector<").removesuffix(">")
        return ROOT.std.vector(cpp.get(inner, inner)) if not inner.startswith("vector") else ROOT.std.vector("vector<int>")
    if rntuple:
        model = ROOT.RNTupleModel.Create()
        for b, k, _ in branches:
            model.MakeField["std::" + k.replace("vector<vector<int>>", "vector<std::vector<int>>").replace("unsigned long", "std::uint64_t").replace("unsigned int", "std::uint32_t")
                            if k.startswith("vector") else "std::int32_t"](b)
        options = ROOT.RNTupleWriteOptions()
        options.SetCompression(algorithm)
        with ROOT.RNTupleWriter.Recreate(model, tree, path, options) as w:
            entry = w.CreateEntry()
            for e in range(n):
                for b, k, v in branches:
                    if not k.startswith("vector"):
                        entry[b] = int(v[e])
                        continue
                    to = entry[b]
                    to.clear()
                    for x in v[e]:
                        to.push_back(ROOT.std.vector("int")(x) if k.startswith("vector<vector") else float(x) if k == "vector<float>" else int(x))
                w.Fill(entry)
        return
    f = ROOT.TFile(path, "RECREATE", "", algorithm)
    (f.mkdir(folder) if folder else f).cd()
    t = ROOT.TTree(short, "ntuple")
    hold = {}
    for b, k, _ in branches:
        if k.startswith("vector"):
            hold[b] = vector(k)()
            t.Branch(b, hold[b])
        else:
            hold[b] = array("i", [0])
            t.Branch(b, hold[b], b + "/I")
    for e in range(n):
        for b, k, v in branches:
            if not k.startswith("vector"):
                hold[b][0] = int(v[e])
                continue
            hold[b].clear()
            for x in v[e]:
                hold[b].push_back(ROOT.std.vector("int")(x) if k.startswith("vector<vector") else float(x) if k == "vector<float>" else int(x))
        t.Fill()
    t.Write()
    f.Close()


def write_rows_uproot(name, rows, layer, words, how):
    import uproot
    with uproot.recreate(f"{FOLDER}/{name}.root") as f:
        data = dict(layer=np.array(layer, np.int16))
        if how == "columns":
            data.update({f"CALQ_{j}": np.array(rows, np.float32)[:, j] for j in range(48)})
        else:
            data["CALQ"] = np.array(rows, np.float64)
        if how == "rntuple":
            f.mkrntuple("images", dict(data, ModType=words))
        else:
            f.mktree("a/b/images", {k: (v.dtype, v.shape[1:]) if v.ndim > 1 else v.dtype for k, v in data.items()}).extend(data)


def write_rows_root(name, rows, layer, words, how):
    import ROOT
    from array import array
    path = f"{FOLDER}/{name}.root"
    if how == "rntuple":
        model = ROOT.RNTupleModel.Create()
        for k, kind in (("layer", "std::int16_t"), ("CALQ", "std::array<double,48>"), ("ModType", "std::string")):
            model.MakeField[kind](k)
        with ROOT.RNTupleWriter.Recreate(model, "images", path) as w:
            entry = w.CreateEntry()
            for r, x, s in zip(rows, layer, words):
                entry["layer"], entry["ModType"] = x, s
                for j, v in enumerate(r):
                    entry["CALQ"][j] = v
                w.Fill(entry)
        return
    f = ROOT.TFile(path, "RECREATE")
    t = ROOT.TTree("images", "")
    x, r, s = array("h", [0]), array("d", [0] * 48), ROOT.std.string()
    t.Branch("layer", x, "layer/S")
    single = [array("f", [0]) for _ in range(48)]
    if how == "columns":
        for j in range(48):
            t.Branch(f"CALQ_{j}", single[j], f"CALQ_{j}/F")
    else:
        t.Branch("CALQ", r, "CALQ[48]/D")
    t.Branch("ModType", s)
    for row, layer1, word in zip(rows, layer, words):
        x[0] = layer1
        for j, v in enumerate(row):
            r[j] = single[j][0] = v
        s.assign(word)
        t.Fill()
    t.Write()
    f.Close()


NTUPLE = "FloatingpointThreshold0DummyHistomaxDummynTuple/HGCalTriggerNtuple"


def main():
    if WRITER == "uproot":
        import uproot
        variants = [("tree_zlib", uproot.ZLIB(4), dict()), ("tree_lz4", uproot.LZ4(3), dict(zipped="tc")), ("tree_zstd", uproot.ZSTD(3), dict()),
                    ("tree_lzma", uproot.LZMA(2), dict()), ("tree_none", None, dict()),
                    ("rntuple_zstd", uproot.ZSTD(3), dict(rntuple=True)), ("rntuple_zipped", None, dict(rntuple=True, zipped="tc"))]
        write = write_uproot
    else:
        variants = [("tree_zlib", "zlib", dict()), ("tree_lz4", "lz4", dict()), ("tree_zstd", "zstd", dict()), ("tree_lzma", "lzma", dict()),
                    ("tree_none", "none", dict()), ("rntuple_zstd", "zstd", dict(rntuple=True)), ("rntuple_none", "none", dict(rntuple=True))]
        write = write_root
    for i, (name, compression, how) in enumerate(variants):
        tree = "HGCalTriggerNtuple" if how.get("rntuple") else NTUPLE
        events = make_events(i, 5 + i, 8 * (1 + i % 4), tiles=3 * (i % 2), empty=(1,))
        gen, number = make_gen(i, len(events)), [1000 + 7 * e for e in range(len(events))]
        late = i == 2
        branches = event_branches(gen, number) + tc_branches(events, old=i == 0, late=late)
        rows, columns = images(events, gen, number)
        remarks = ["tiles of scintillator"] if i % 2 else []
        if late:
            remarks.append("tc_layer")
        if i in (3, 5):
            econ, more = econ_branches(events, lacking=1)
            branches, columns = branches + econ, dict(columns, **more)
            remarks += ["econ_waferu, econ_waferv, econ_index", "not in econ_*"]
        write(f"{WRITER}_{name}", tree, branches, compression, **how)
        expected(f"{WRITER}_{name}", rows, columns, tree, remarks)
    # Wafers with charges as such: 48 of them; 64 of which the last are empty; the pixels of 8x8.
    for i, (name, order, count) in enumerate([("wafer48", "v9", 48), ("wafer64", "v9", 64), ("wafer_pixels", "pixels", 64)]):
        events = make_events(100 + i, 4, 30)
        rows, columns, out = wafers_of(events, order, count)
        index = [x for o in out for x in o["index"]]
        rows, columns = pick(rows["calq"], columns, index, ("entry", "zside", "subdet", "layer", "waferu", "waferv", "wafertype", "HD_LD"))
        columns["sumCALQ"] = [x for o in out for x in o["sumCALQ"]]
        columns["event"] = [5 + e for e in columns["entry"]]
        write(f"{WRITER}_{name}", NTUPLE, [("event", "int", [5 + e for e in range(4)])] + wafer_branches(out, late=i == 0), variants[i][1])
        expected(f"{WRITER}_{name}", {"calq": rows}, columns, NTUPLE,
                 [["wafer_sumCALQ"], ["beyond the first 48 are 0"], ["pixels of 8×8"]][i])
    # An image a row.
    for how in ("columns", "array", "rntuple"):
        rows, columns = images(make_events(200, 3, 20))
        layer, words = columns["layer"], [("FI", "aO", "")[i % 3] for i in range(len(rows["calq"]))]
        (write_rows_uproot if WRITER == "uproot" else write_rows_root)(f"{WRITER}_rows_{how}", rows["calq"], layer, words, how)
        more = {} if WRITER == "uproot" and how != "rntuple" else {"ModType": words}  # uproot writes no strings to a TTree here
        expected(f"{WRITER}_rows_{how}", {"": rows["calq"]}, dict({"layer": layer}, **more), "a/b/images" if WRITER == "uproot" and how != "rntuple" else "images")


if WRITER in ("uproot", "root"):
    main()
