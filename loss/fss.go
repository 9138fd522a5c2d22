package loss

var _ = registerSpatial("fss", Traits{
	Label: "fractions skill score", Help: "1 − FSS of the share of cells above thresholds in MIP_T around each, :radius=1:threshold=2", Sees: SeesCharges, Cost: 1.6,
}, func(o *options) recipe {
	radius := o.radius()
	thresholds := readThresholds(o)
	return func(l *Lattice) imageLoss {
		f := &fractions{discs: newMeans(l.Discs(radius)), thresholds: thresholds}
		for _, v := range []*[]float64{&f.et, &f.ep, &f.slope, &f.ft, &f.fp, &f.back} {
			*v = make([]float64, l.cells)
		}
		return f
	}
})

// fractions is, mean over thresholds, Σ(f_t − f_p)²/(Σf_t² + Σf_p²), f the mean over each
// cell's disc of how far the threshold is exceeded: one minus the fractions skill score.
type fractions struct {
	discs                       means
	thresholds                  []float64
	et, ep, slope, ft, fp, back []float64
}

func (l *fractions) image(t, p, g []float64, unit float64) float64 {
	clear(g)
	total := 0.0
	for _, h := range l.thresholds {
		for c := range t {
			l.et[c], _ = exceeds(t[c]*unit, h)
			l.ep[c], l.slope[c] = exceeds(p[c]*unit, h)
		}
		l.discs.both(l.et, l.ep, l.ft, l.fp)
		apart, both := 0.0, 0.0
		for c, v := range l.ft {
			d := l.fp[c] - v
			apart += d * d
			both += v*v + l.fp[c]*l.fp[c]
		}
		if both == 0 {
			continue
		}
		loss := apart / both
		total += loss
		for c, v := range l.ft { // ep is used up
			l.ep[c] = 2 * (l.fp[c] - v - loss*l.fp[c]) / both
		}
		l.discs.back(nil, l.ep, l.back)
		for c := range g {
			g[c] += l.back[c] * l.slope[c] * unit
		}
	}
	return meanOver(len(l.thresholds), total, g)
}

// meanOver divides a sum over so many thresholds and its gradient.
func meanOver(n int, total float64, g []float64) float64 {
	for c := range g {
		g[c] /= float64(n)
	}
	return total / float64(n)
}
