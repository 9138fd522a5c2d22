"""What uproot reads of ROOT files: by file, table and column the number of finite and
other values, their least, greatest and sum."""
import re

import awkward as ak
import numpy as np
import uproot

NUMBERS = re.compile(r"((var|\d+) \* )*\??(bool|u?int(8|16|32|64)|float(16|32|64))$")
# What any reader must give: numbers, arrays of them, std::vector of them. What goes
# deeper may be refused, but must be right where it is not.
PLAIN = re.compile(r"(var \* )?(\d+ \* )*(bool|u?int(8|16|32|64)|float(16|32|64))$")


def stats(a):
    a = ak.to_numpy(ak.flatten(ak.drop_none(ak.ravel(a)), axis=None)).astype(np.float64)
    f = a[np.isfinite(a)]
    n = len(f)
    return {"values": n, "nonfinite": len(a) - n,
            "min": float(f.min()) if n else None, "max": float(f.max()) if n else None,
            "sum": float(f.sum()) if n else 0.0}


def numbers(columns, name, a, members):
    kind = str(a.type.content)
    if NUMBERS.match(kind):
        columns[name] = {"type": kind, "required": bool(PLAIN.match(kind)), **stats(a)}
    elif members and "union" not in kind:
        for f in ak.fields(a):
            numbers(columns, f"{name}.{f}", a[f], members)


def table(t):
    ntuple = "RNTuple" in type(t).__name__
    names = [f for f in t.keys(recursive=False)] if ntuple else t.keys(recursive=True, full_paths=True)
    columns, unread = {}, {}
    for name in names:
        try:
            if not ntuple and t[name].branches:  # the members of a class are in them
                continue
            numbers(columns, name, t.arrays([name])[name] if ntuple else t[name].array(), ntuple)
        except Exception as e:
            unread[name] = f"{type(e).__name__}: {str(e).strip().splitlines()[0] if str(e).strip() else ''}"
    return {"kind": "RNTuple" if ntuple else "TTree", "entries": t.num_entries,
            "columns": columns, "unread": unread}


def read(path):
    tables = {}
    with uproot.open(path) as f:
        for key, cls in f.classnames(recursive=True).items():
            if cls in ("TTree", "TNtuple", "TNtupleD") or "RNTuple" in cls:
                name, cycle = key.rsplit(";", 1)
                if name not in tables or int(cycle) > tables[name][0]:
                    tables[name] = (int(cycle), key)
        return {name: table(f[key]) for name, (_, key) in tables.items()}
