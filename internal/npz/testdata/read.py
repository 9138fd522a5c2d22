"""Prints what NumPy reads of a file: name, type, shape and items of every array, a line
each. Usage: read.py FILE..."""
import sys

import numpy as np

for path in sys.argv[1:]:
    a = np.load(path)
    for name, v in a.items() if hasattr(a, "items") else [("", a)]:
        print(name, v.dtype.str, v.shape, v.reshape(-1).tolist())
