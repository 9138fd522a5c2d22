//go:build !purego

package simplex64

import "golang.org/x/sys/cpu"

// best is found out once. Zen 4 and Ice Lake are the first processors with AVX512BITALG, which
// the kernel does not use: those before them lower their clock for AVX-512.
var best = func() Kernel {
	x := &cpu.X86
	switch {
	case x.HasAVX512F && x.HasAVX512VL && x.HasAVX512DQ && x.HasAVX512BW && x.HasAVX512BITALG && x.HasBMI1 && x.HasBMI2 && x.HasPOPCNT:
		return AVX512
	case x.HasAVX2 && x.HasFMA && x.HasBMI1 && x.HasBMI2 && x.HasPOPCNT:
		return AVX2
	}
	return Portable
}()

func (t *State) runTotals(m *Problem, p, q []float64) bool {
	switch m.kernel {
	case Portable:
		return t.totals(p, q)
	case AVX2:
		_, _ = p[8*m.Words-1], q[8*m.Words-1]
		return totals256(&t.Pot[0], &p[0], &q[0], uint64(m.Words))
	}
	_, _ = p[8*m.Words-1], q[8*m.Words-1]
	switch m.Words {
	case 2:
		return totals512x2(&t.Pot[0], &p[0], &q[0])
	case 4:
		return totals512x4(&t.Pot[0], &p[0], &q[0])
	case 6:
		return totals512x6(&t.Pot[0], &p[0], &q[0])
	default:
		return totals512x8(&t.Pot[0], &p[0], &q[0])
	}
}

func (t *State) runPrepare(m *Problem, p, q []float64, a, b, extra float64, unmatched uint64, below float64) bool {
	switch m.kernel {
	case Portable:
		return t.prepare(p, q, a, b, extra, unmatched, below)
	case AVX2:
		_, _ = p[8*m.Words-1], q[8*m.Words-1]
		return prepare256(&t.Pot[0], &p[0], &q[0], a, b, extra, unmatched, below, uint64(m.Words))
	}
	_, _ = p[8*m.Words-1], q[8*m.Words-1]
	switch m.Words {
	case 2:
		return prepare512x2(&t.Pot[0], &p[0], &q[0], a, b, extra, unmatched, below)
	case 4:
		return prepare512x4(&t.Pot[0], &p[0], &q[0], a, b, extra, unmatched, below)
	case 6:
		return prepare512x6(&t.Pot[0], &p[0], &q[0], a, b, extra, unmatched, below)
	default:
		return prepare512x8(&t.Pot[0], &p[0], &q[0], a, b, extra, unmatched, below)
	}
}

func (t *State) runStart(m *Problem) {
	switch m.kernel {
	case Portable:
		t.start(m)
		return
	case AVX2:
		switch m.Words {
		case 2:
			start256x2(&t.Pot[0], &m.D[0][0])
		case 4:
			start256x4(&t.Pot[0], &m.D[0][0])
		case 6:
			start256x6(&t.Pot[0], &m.D[0][0])
		default:
			start256x8(&t.Pot[0], &m.D[0][0])
		}
		return
	}
	switch m.Words {
	case 2:
		start512x2(&t.Pot[0], &m.D[0][0])
	case 4:
		start512x4(&t.Pot[0], &m.D[0][0])
	case 6:
		start512x6(&t.Pot[0], &m.D[0][0])
	default:
		start512x8(&t.Pot[0], &m.D[0][0])
	}
}

func (t *State) runOptimise(m *Problem, limit int) bool {
	pot, d, most := &t.Pot[0], &m.D[0][0], int64(limit)
	switch m.kernel {
	case Portable:
		return t.optimise(m, limit)
	case AVX2:
		switch m.Words {
		case 2:
			return optimise256x2(pot, d, most)
		case 4:
			return optimise256x4(pot, d, most)
		case 6:
			return optimise256x6(pot, d, most)
		default:
			return optimise256x8(pot, d, most)
		}
	}
	switch m.Words {
	case 2:
		return optimise512x2(pot, d, most)
	case 4:
		return optimise512x4(pot, d, most)
	case 6:
		return optimise512x6(pot, d, most)
	default:
		return optimise512x8(pot, d, most)
	}
}

func (t *State) runFinish(m *Problem) {
	switch m.kernel {
	case Portable:
		t.finish(m)
		return
	case AVX2:
		finish256(&t.Pot[0], &m.D[0][0], uint64(m.Words))
		return
	}
	switch m.Words {
	case 2:
		finish512x2(&t.Pot[0], &m.D[0][0])
	case 4:
		finish512x4(&t.Pot[0], &m.D[0][0])
	case 6:
		finish512x6(&t.Pot[0], &m.D[0][0])
	default:
		finish512x8(&t.Pot[0], &m.D[0][0])
	}
}

func (t *State) runDot(m *Problem, p []float64) float64 {
	if m.kernel == Portable {
		return t.dot(p)
	}
	_ = p[8*m.Words-1]
	if m.kernel == AVX2 {
		return dot256(&t.Pot[0], &p[0], uint64(m.Words))
	}
	return dot512(&t.Pot[0], &p[0], uint64(m.Words))
}

func (t *State) runExport(m *Problem, out []float64, shift, factor float64) {
	if m.kernel == Portable || len(out) != 8*m.Words {
		t.export(out, shift, factor)
		return
	}
	if m.kernel == AVX2 {
		export256(&t.Pot[0], &out[0], shift, factor, uint64(m.Words))
		return
	}
	export512(&t.Pot[0], &out[0], shift, factor, uint64(m.Words))
}
