"""Times another program's exact EMD on request: peer.py NAME [THREADS]. Reads from
standard input: the number of cells and of pairs (int64), the cells' places (x, y),
their distances, all p, all q (float64), then requests of three int64 (from, to,
microseconds). Solves these pairs again and again until so much time is over, once at
least, and answers with the seconds that one time took and their values. Only
Wasserstein has threads. With --processor seconds are the processor's."""
import struct
import sys
import time

import numpy as np

# One thread's processor time is what a machine with other work has for it.
clock = time.process_time if "--processor" in sys.argv else time.perf_counter
threads = int(sys.argv[2]) if sys.argv[2:] and sys.argv[2].isdigit() else 1
read, write = sys.stdin.buffer, sys.stdout.buffer
n, pairs = struct.unpack("<qq", read.read(16))
take = lambda k: np.frombuffer(read.read(8 * k)).copy()
places, d = take(2 * n).reshape(n, 2), take(n * n).reshape(n, n)
p, q = take(pairs * n).reshape(pairs, n), take(pairs * n).reshape(pairs, n)


def pot_core():
    """POT's C++ network simplex: plan, value and potentials."""
    try:
        from ot.lp.emd_wrap import emd_c  # from 0.9 on
    except ImportError:
        from ot.lp import emd_c
    return lambda k: emd_c(p[k], q[k], d, 100000000, 1)[1]


def pot_python():
    import ot
    return lambda k: ot.emd2(p[k], q[k], d, numItermax=100000000)


def pyemd():
    import pyemd
    return lambda k: pyemd.emd(p[k], q[k], d)


def opencv():
    """OpenCV's EMD of what moves, p - q, in float32."""
    import cv2

    def solve(k):
        s = p[k] - q[k]
        a, b = s > 0, s < 0
        total = s[a].sum()
        event = lambda w: np.ascontiguousarray(w[:, None] / total, dtype=np.float32)
        cost = np.ascontiguousarray(d[np.ix_(a, b)], dtype=np.float32)
        return cv2.EMD(event(s[a]), event(-s[b]), cv2.DIST_USER, cost=cost)[0] * total
    return solve


def one_by_one(solve):
    def run(a, b):
        out = np.empty(b - a)
        start = clock()
        for k in range(a, b):
            out[k - a] = solve(k)
        return clock() - start, out
    return run


def wasserstein():
    """Wasserstein's PairwiseEMD: of all p with all q, so the time is
    divided by their number."""
    import wasserstein
    pairwise = wasserstein.PairwiseEMD(R=1.0, beta=1.0, norm=True, num_threads=threads, verbose=0)
    event = lambda w: np.column_stack([w[w > 0], places[w > 0]])

    def run(a, b):
        first, second = [event(w) for w in p[a:b]], [event(w) for w in q[a:b]]
        start = time.perf_counter()
        pairwise(first, second)
        seconds = time.perf_counter() - start
        return seconds / (b - a), np.diag(pairwise.emds()).copy()
    return run


run = {"pot_core": lambda: one_by_one(pot_core()), "pot_python": lambda: one_by_one(pot_python()),
       "pyemd": lambda: one_by_one(pyemd()), "opencv": lambda: one_by_one(opencv()), "wasserstein": wasserstein}[sys.argv[1]]()
while True:
    request = read.read(24)
    if not request:
        break
    a, b, least = struct.unpack("<qqq", request)
    total, times, start = 0.0, 0, clock()
    while times == 0 or clock() - start < 1e-6 * least:
        seconds, out = run(a, b)
        total, times = total + seconds, times + 1
    seconds = total / times
    write.write(struct.pack("<d", seconds) + out.tobytes())
    write.flush()
