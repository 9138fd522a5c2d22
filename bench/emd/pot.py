"""Times POT on request. Reads from standard input: the number of cells and of
pairs (int64), the distances, all p, all q (float64), then requests of three int64
(what, from, to). Answers each with the seconds it took and the values."""
import struct
import sys
import time

import numpy as np
import ot
from ot.lp import emd_c

read, write = sys.stdin.buffer, sys.stdout.buffer
n, pairs = struct.unpack("<qq", read.read(16))
take = lambda k: np.frombuffer(read.read(8 * k)).copy()
d = take(n * n).reshape(n, n)
p, q = take(pairs * n).reshape(pairs, n), take(pairs * n).reshape(pairs, n)
while True:
    request = read.read(24)
    if not request:
        break
    what, a, b = struct.unpack("<qqq", request)
    out = np.empty(b - a)
    start = time.perf_counter()
    if what == 0:  # the C++ network simplex: plan, value and potentials
        for k in range(a, b):
            out[k - a] = emd_c(p[k], q[k], d, 1000000, 1)[1]
    else:
        for k in range(a, b):
            out[k - a] = ot.emd2(p[k], q[k], d)
    seconds = time.perf_counter() - start
    write.write(struct.pack("<d", seconds) + out.tobytes())
    write.flush()
