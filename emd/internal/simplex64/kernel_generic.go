//go:build !amd64 || purego

package simplex64

const best = Portable

func (t *State) runTotals(_ *Problem, p, q []float64) bool { return t.totals(p, q) }

func (t *State) runPrepare(_ *Problem, p, q []float64, a, b, extra float64, unmatched uint64, below float64) bool {
	return t.prepare(p, q, a, b, extra, unmatched, below)
}

func (t *State) runStart(m *Problem) { t.start(m) }

func (t *State) runOptimise(m *Problem, limit int) bool { return t.optimise(m, limit) }

func (t *State) runFinish(m *Problem) { t.finish(m) }

func (t *State) runDot(_ *Problem, p []float64) float64 { return t.dot(p) }

func (t *State) runExport(_ *Problem, out []float64, shift, factor float64) {
	t.export(out, shift, factor)
}
