package simplex64

// Totals sums both histograms, given in 8·Words lanes, and sets TotalP and
// TotalQ. It returns false if an entry is negative, NaN or infinite, or if a sum
// overflows.
func (t *State) Totals(m *Problem, p, q []float64) bool {
	return t.runTotals(m, p, q)
}

// Prepare splits p·a − q·b, with extra in the last node if unmatched is its
// mask, into sources and sinks. It returns false where one side's total is not
// above below.
func (t *State) Prepare(m *Problem, p, q []float64, a, b, extra float64, unmatched uint64, below float64) bool {
	return t.runPrepare(m, p, q, a, b, extra, unmatched, below)
}

// Solve finds an optimal flow for what Prepare left. It returns false if
// that takes more than limit pivots; the flow is feasible even then.
func (t *State) Solve(m *Problem, limit int) bool {
	t.Pivots = 0
	t.runStart(m)
	return t.runOptimise(m, limit)
}

// Finish sets F, Mean and Primal.
func (t *State) Finish(m *Problem) { t.runFinish(m) }

// Arcs calls f with the arcs of the tree, from row to column.
func (t *State) Arcs(f func(row, col int, flow float64)) {
	for set := (t.Rows | t.Cols) &^ (1 << uint(t.Root)); set != 0; set &= set - 1 {
		a := lowest(set)
		f(int(t.Row[a]), int(t.Col[a]), float64(t.Flow[a]))
	}
}

// Dot is Σ F·p, for p in 8·Words lanes.
func (t *State) Dot(m *Problem, p []float64) float64 { return t.runDot(m, p) }

// Export sets the cells of out to (F − shift)·factor.
func (t *State) Export(m *Problem, out []float64, shift, factor float64) {
	t.runExport(m, out, shift, factor)
}
