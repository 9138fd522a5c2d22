"""Solves pairs by another program: oracle.py highs|pot FILE OUT. The file has problems, of each the
number of cells of p and of q and of pairs (int64), their costs, all p, all q (float64). Values go to OUT."""
import struct
import sys

import numpy as np


def highs(n, m, d, p, q):
    """HiGHS solves the linear programme as it stands: a variable for each pair of cells, a row for each
    cell. It goes on from one pair's basis to the next one's."""
    import highspy

    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = n * m, n + m
    lp.col_cost_ = d.ravel()
    lp.col_lower_, lp.col_upper_ = np.zeros(n * m), np.full(n * m, highspy.kHighsInf)
    lp.row_lower_ = lp.row_upper_ = np.zeros(n + m)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = np.arange(0, 2 * n * m + 1, 2, dtype=np.int32)
    i, j = np.divmod(np.arange(n * m, dtype=np.int32), m)
    lp.a_matrix_.index_ = np.column_stack([i, n + j]).ravel().astype(np.int32)
    lp.a_matrix_.value_ = np.ones(2 * n * m)
    h = highspy.Highs()
    for name, value in [("output_flag", False), ("primal_feasibility_tolerance", 1e-10), ("dual_feasibility_tolerance", 1e-10), ("threads", 1)]:
        h.setOptionValue(name, value)
    h.passModel(lp)
    rows = np.arange(n + m, dtype=np.int32)

    def solve(k):
        b = np.concatenate([p[k], q[k]])
        for row in rows:
            h.changeRowBounds(int(row), b[row], b[row])
        h.run()
        if h.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            sys.exit(f"pair {k}: {h.getModelStatus()}")
        return float(np.dot(np.asarray(h.getSolution().col_value), d.ravel()))
    return solve


def pot(n, m, d, p, q):
    """POT's network simplex, which finds the plan first and sums its cost."""
    from ot.lp.emd_wrap import emd_c
    return lambda k: emd_c(p[k], q[k], d, 100000000, 1)[1]


program = {"highs": highs, "pot": pot}[sys.argv[1]]
with open(sys.argv[2], "rb") as file, open(sys.argv[3], "wb") as out:
    take = lambda k, l: np.frombuffer(file.read(8 * k * l)).reshape(k, l).copy()
    while head := file.read(24):
        n, m, pairs = struct.unpack("<qqq", head)
        solve = program(n, m, take(n, m), take(pairs, n), take(pairs, m))
        out.write(np.array([solve(k) for k in range(pairs)]).tobytes())
