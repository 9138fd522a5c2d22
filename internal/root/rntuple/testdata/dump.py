"""What uproot reads of an RNTuple: by column its description, how many values each
entry has, and texts as they are or numbers as the hexadecimal digits of their bytes.
Records and variants have none, what is absent is left out."""
import awkward as ak
import numpy as np


def dump(table):
    out = {}
    for name in table.keys():
        array = table[name].array()
        about = table[name].description
        if any(word in str(array.type) for word in ("{", "(", "union")):
            continue
        if "string" in str(array.type):
            lists = array.to_list()
            flat = []
            counts = []
            for x in lists:
                before = len(flat)
                add(flat, x)
                counts.append(len(flat) - before)
            if len(lists) > 1000:
                counts = None
            out[name] = {"about": about, "counts": counts, "text": flat}
            continue
        counts = None
        if len(array) <= 1000:
            counts = [len(ak.flatten(x, axis=None)) if isinstance(x, ak.Array) else int(x is not None) for x in array]
        flat = ak.to_numpy(ak.flatten(array, axis=None))
        kind = "<f8" if flat.dtype.kind == "f" else "<i8"
        if flat.dtype == np.uint64:
            kind = "<u8"
        out[name] = {"about": about, "counts": counts, "bytes": flat.astype(kind).tobytes().hex()}
    return out


def add(flat, x):
    if isinstance(x, str):
        flat.append(x)
    else:
        for y in x or []:
            add(flat, y)
