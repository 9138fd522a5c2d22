package physics

import "slices"

// ColumnsOf takes what figures are computed of from a contender's records of particles. Pt
// is the calibrated transverse momentum of a record's cluster in GeV, by [Calibration.Pt].
func ColumnsOf(t *Table, pt func(r *Record) float64) Columns {
	c := Columns{Contender: t.Contender, Shapes: make([][]float64, len(shapeKeys))}
	for i := range t.Records {
		r := &t.Records[i]
		c.Event, c.Zside = append(c.Event, r.Event), append(c.Zside, r.Zside)
		c.TruthPt, c.TruthEta, c.TruthPhi = append(c.TruthPt, r.Truth.Pt), append(c.TruthEta, r.Truth.Eta), append(c.TruthPhi, r.Truth.Phi)
		c.Found, c.Raw, c.Pt = append(c.Found, r.Found), append(c.Raw, r.Sum), append(c.Pt, pt(r))
		c.Eta, c.Phi = append(c.Eta, r.Eta), append(c.Phi, r.Phi)
		c.EMD, c.Wafers = append(c.EMD, r.EMD), append(c.Wafers, r.Wafers)
		c.ChargeEMD, c.Charge = append(c.ChargeEMD, r.ChargeEMD), append(c.Charge, r.Charge)
		for k, v := range r.Shape.Values() {
			c.Shapes[k] = append(c.Shapes[k], v)
		}
	}
	return c
}

// CrossingsOf takes the clusters from a contender's records of minimum bias of whole
// endcaps. Records are of clusters from a floor of their sum on: Crossings.Floor is the
// transverse momentum below which 99 % of those are whose sum is nearest to it. A floor of 0
// is all.
func CrossingsOf(t *Table, pt func(r *Record) float64, floor float64) *Crossings {
	c := &Crossings{N: t.Events}
	var small []float64
	for i := range t.Records {
		r := &t.Records[i]
		c.Event, c.Zside, c.Pt = append(c.Event, r.Event), append(c.Zside, r.Zside), append(c.Pt, pt(r))
		c.Eta, c.Phi = append(c.Eta, r.Eta), append(c.Phi, r.Phi)
		if r.Sum < 1.1*floor {
			small = append(small, c.Pt[i])
		}
	}
	if n := len(small); n > 0 {
		slices.Sort(small)
		c.Floor = max(0, small[(n-1)*99/100])
	}
	return c
}
