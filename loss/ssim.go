package loss

var _ = registerSpatial("ssim", Traits{
	Label: "structural dissimilarity", Help: "1 − SSIM: means, variances and covariance around each cell, :radius=1:range=0.25", Sees: SeesCharges, Cost: 1.4,
}, func(o *options) recipe {
	radius := o.radius()
	span := o.number("range", 0.25, 0, 1e6, ", in the images' units")
	return func(l *Lattice) imageLoss {
		return &structure{discs: l.Discs(radius), c1: 0.01 * span * 0.01 * span, c2: 0.03 * span * 0.03 * span}
	}
})

// structure is, mean over cells, 1 − (2μ_t·μ_p + c₁)(2σ_tp + c₂)/((μ_t² + μ_p² + c₁)(σ_t² + σ_p² + c₂))
// with the means, variances and covariance of each cell's disc, all cells weighing the
// same.
type structure struct {
	discs  [][]int32
	c1, c2 float64
}

func (l *structure) image(t, p, g []float64, _ float64) float64 {
	clear(g)
	total, scale := 0.0, 1/float64(len(l.discs))
	for _, disc := range l.discs {
		n := float64(len(disc))
		var mt, mp float64
		for _, c := range disc {
			mt += t[c]
			mp += p[c]
		}
		mt, mp = mt/n, mp/n
		var tt, pp, tp float64
		for _, c := range disc {
			dt, dp := t[c]-mt, p[c]-mp
			tt += dt * dt
			pp += dp * dp
			tp += dt * dp
		}
		tt, pp, tp = tt/n, pp/n, tp/n
		a, b := 2*mt*mp+l.c1, 2*tp+l.c2
		d, e := mt*mt+mp*mp+l.c1, tt+pp+l.c2
		s := a * b / (d * e)
		total += 1 - s
		// dS/dp of a cell: through the mean, the covariance and the variance.
		byMean := 2*mt*b/(d*e) - s*2*mp/d
		byCross, bySquare := 2*a/(d*e), s*2/e
		for _, c := range disc {
			g[c] -= scale / n * (byMean + byCross*(t[c]-mt) - bySquare*(p[c]-mp))
		}
	}
	return total * scale
}
