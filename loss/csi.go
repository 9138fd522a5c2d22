package loss

var _ = registerSpatial("csi", Traits{
	Label: "critical success index", Help: "1 − CSI of the cells above thresholds in MIP_T, :threshold=2", Sees: SeesCharges, Cost: 1.4,
}, func(o *options) recipe {
	thresholds := readThresholds(o)
	return func(l *Lattice) imageLoss {
		return &success{thresholds, make([]float64, l.cells), make([]float64, l.cells), make([]float64, l.cells)}
	}
})

// success is, mean over thresholds, 1 − Σ min(e_t, e_p)/Σ max(e_t, e_p), e how far a cell
// exceeds the threshold: one minus the critical success index, hits over hits, misses and
// false alarms.
type success struct {
	thresholds    []float64
	et, ep, slope []float64
}

func (l *success) image(t, p, g []float64, unit float64) float64 {
	clear(g)
	total := 0.0
	for _, h := range l.thresholds {
		hits, all := 0.0, 0.0
		for c := range t {
			et, _ := exceeds(t[c]*unit, h)
			ep, slope := exceeds(p[c]*unit, h)
			l.et[c], l.ep[c], l.slope[c] = et, ep, slope
			hits += min(et, ep)
			all += max(et, ep)
		}
		if all == 0 {
			continue
		}
		total += 1 - hits/all
		missed, alarm := -unit/all, unit*hits/(all*all)
		for c, et := range l.et {
			if l.ep[c] < et {
				g[c] += l.slope[c] * missed
			} else {
				g[c] += l.slope[c] * alarm
			}
		}
	}
	return meanOver(len(l.thresholds), total, g)
}
