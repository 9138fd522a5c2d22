"""Prints what NumPy reads of a file that Barrow wrote: name, type, shape and a checksum of
every array, a line each. Usage: read.py FILE..."""
import hashlib
import sys

import numpy as np

for path in sys.argv[1:]:
    a = np.load(path)
    for name, v in a.items() if hasattr(a, "items") else [("", a)]:
        digest = hashlib.sha256(repr(v.tolist()).encode()).hexdigest()[:12]
        print(name, v.dtype.str, v.shape, v.reshape(-1)[:3].tolist(), digest)
