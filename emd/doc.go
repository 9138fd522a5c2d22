// Package emd computes the exact Earth mover's distance (first Wasserstein
// distance) between histograms on a fixed set of points, with its exact
// gradient, fast enough to be a training loss.
//
// # Problem
//
// For masses p and q on the n points of a [Metric] with distances D, of equal
// total,
//
//	EMD(p, q) = min Σ F_ij·D_ij   over F ≥ 0, Σ_j F_ij = p_i, Σ_i F_ij = q_j
//	          = max Σ (p_i − q_i)·f_i   over f with f_i − f_j ≤ D_ij,
//
// the Kantorovich–Rubinstein duality: L. V. Kantorovich, "On the translocation
// of masses", Dokl. Akad. Nauk SSSR 37 (1942); C. Villani, Topics in Optimal
// Transportation (2003), theorem 1.14. The value is in units of mass times
// distance. Because D is a metric, the common mass min(p_i, q_i) need not
// move, so only p − q matters.
//
// Costs between two different sets of points, of any sign, are a [Cost]: the
// problem of POT's ot.emd(a, b, M). The cells of whole images are a [Grid], points in any
// space, of one set or of two, are [Points]; neither needs a matrix of distances. Whatever
// takes a [Ground] takes any of them.
//
// A [Solver] computes [Solver.Distance], the potentials with
// [Solver.Potentials], and the gradient with respect to the raw, un-normalised
// inputs with [Solver.Gradient]; it belongs to one goroutine. A [Batch] spreads
// many pairs over processors. [Solver.Flow] returns the plan F itself, and
// [Certify] checks a plan and potentials for optimality whatever produced them. An
// [Index] finds the nearest of many images while solving few pairs.
//
// # Method
//
// Up to 64 points, sets of cells are 64-bit masks and the problem is solved by a
// transportation simplex (G. B. Dantzig, 1951) with strongly feasible trees
// (W. H. Cunningham, Math. Prog. 11 (1976) 105), so that degenerate pivots
// cannot cycle. Masses are scaled to integers up to 2⁵², so that ties are exact.
// The inner loops exist in AVX-512, AVX2 and portable Go and return the same
// bits. Above 64 points, or nodes of a Cost, a network simplex on a list of arcs does the
// same: on a Grid those between neighbours, beginning with coarser grids, on Points and on
// matrices those that column generation finds. docs/emd.md has the whole method.
//
// # Unequal totals
//
// [Settings].Unequal says what happens when Σp ≠ Σq: an error (the default),
// both sides scaled to sum 1, or a penalty per unit of unmatched mass.
package emd
