// Package simplex64 solves transportation problems on at most 64 nodes, each of
// which is a source or a sink, by a primal simplex whose sets are 64-bit masks.
//
// The nodes keep their index in the ground metric. Node x has one potential
// φ_x: a unit may move from source i to sink j where φ_i − φ_j ≤ D_ij, with
// equality on the arcs of the spanning tree. Masses and flows are integers
// up to 2⁵², so their sums and differences are exact and ties are ties. The steps of a solve, each with a portable and an assembly
// version that return the same bits, are
//
//	Totals   validate two histograms and sum them
//	Prepare  split p·a − q·b into sources and sinks scaled to integers
//	Start    build a feasible spanning tree (regret phases)
//	Optimise pivot until no arc violates its bound
//	Finish   the potential on all cells by two c-transforms
package simplex64
