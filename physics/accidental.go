package physics

import (
	"math"

	"barrow/internal/counter"
	"barrow/simulate"
)

// accidental is what a contender's clusters of minimum bias do to efficiency.
type accidental struct {
	clusters [][]int32 // of every endcap, numbers of crossings' clusters
	x, y     []float64
	of       *Crossings
	radius   float64
}

// newAccidental sorts clusters by endcap; place says where these are among all. It is nil
// where there is no minimum bias, or the clusters' directions are not known.
func newAccidental(c *Crossings, place map[endcap]int32, radius float64) *accidental {
	if c == nil || c.Eta == nil || c.Phi == nil {
		return nil
	}
	a := &accidental{clusters: make([][]int32, c.N), of: c, radius: radius}
	for i := range c.Pt {
		x, y := Direction(c.Eta[i], c.Phi[i])
		a.x, a.y = append(a.x, x), append(a.y, y)
		e := place[endcap{c.Event[i], c.Zside[i]}]
		a.clusters[e] = append(a.clusters[e], int32(i))
	}
	return a
}

const accidentalStream = 0x616363696465

// finds reports whether particle i, put at a random φ into a random endcap of minimum bias,
// has a cluster there as an efficiency asks for it. The endcap and φ are a function of i.
func (a *accidental) finds(i int32, pt, eta, phi float64) bool {
	r := counter.New(accidentalStream, uint64(i))
	e, turn := r.IntN(len(a.clusters)), math.Pi*float64(2*r.Float64()-1)
	at := nearTo(&simulate.Particle{Eta: eta, Phi: phi + turn}) // NaN stays unknown
	for _, k := range a.clusters[e] {
		if a.of.Pt[k] >= enough*pt && at.within(a.x[k], a.y[k], a.radius) {
			return true
		}
	}
	return false
}

// byChance is the share of particles that minimum bias finds, those left out of which it has
// no clusters so small.
func byChance(v *view) measure {
	a := v.accidental
	if a == nil {
		return measure{note: "no minimum bias with directions"}
	}
	var s sample
	for _, i := range v.rows {
		c := v.columns
		if enough*c.TruthPt[i] < a.of.Floor {
			continue
		}
		x := 0.
		if a.finds(i, c.TruthPt[i], c.TruthEta[i], c.TruthPhi[i]) {
			x = 1
		}
		s.add(x, v.event[i])
	}
	n := len(s.value)
	if n < least {
		return measure{n: n, note: few(n, "particles of which clusters of half their p_T are recorded")}
	}
	return measure{n: n, statistic: meanOf(&s), share: true}
}
