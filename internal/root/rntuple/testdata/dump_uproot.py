"""dump_uproot.py TABLE FILE…: the columns of an RNTuple in each file as uproot reads them, as JSON:
descriptions, texts as they are, numbers as the hexadecimal digits of their bytes."""
import json
import sys

import awkward as ak
import numpy as np
import uproot


def dump(path):
    out = {}
    table = uproot.open(path)[sys.argv[1]]
    for name in table.keys():
        array = table[name].array()
        about = table[name].description
        if "string" in str(array.type):
            out[name] = {"about": about, "text": array.to_list()}
            continue
        flat = ak.to_numpy(ak.ravel(array))
        kind = "<f8" if flat.dtype.kind == "f" else "<i8"
        out[name] = {"about": about, "bytes": flat.astype(kind).tobytes().hex()}
    return out


print(json.dumps([dump(path) for path in sys.argv[2:]]))
