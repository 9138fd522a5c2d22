package physics

import (
	"fmt"
	"math"
)

// Columns are what one contender leaves of particles: of each list a value a particle,
// the same particles in the same order for all contenders.
type Columns struct {
	Contender string
	// Event and Zside say whose the particle is. Events are what the bootstrap draws.
	Event []int64
	Zside []int
	// The particle: transverse momentum in GeV and direction, φ NaN where unknown.
	TruthPt, TruthEta, TruthPhi []float64
	// Found is whether there is a cluster near the particle. The cluster's values do not
	// matter without one.
	Found []bool
	// Raw is the cluster's sum in MIP_T, Pt what calibration makes of it in GeV.
	Raw, Pt  []float64
	Eta, Phi []float64
	// Shapes are the variables of ShapeNames, a list each.
	Shapes [][]float64
	// EMD is the mean over Wafers; NaN where there is none.
	EMD    []float64
	Wafers []int
	// Others is the number of clusters that are no particle's, the same for all
	// particles of an event's endcap.
	Others []int
	// Crossings is minimum bias, nil if there is none.
	Crossings *Crossings
}

// Crossings are the clusters that one contender leaves of minimum bias.
type Crossings struct {
	// N is the number of endcaps, whole ones, those without clusters included.
	N int
	// Event and Zside say which the cluster is in, Pt is calibrated, in GeV.
	Event []int64
	Zside []int
	Pt    []float64
}

// Figure is a figure of merit of a contender.
type Figure struct {
	// Name is the key in JSON, Label what it is in the field's words; Unit may be empty.
	Name, Label, Unit string
	// Ratio is whether its ratio to the reference's says anything.
	Ratio bool
	// by says what it is given against besides overall; a curve is nothing overall.
	by    []axis
	curve bool
	// prepare sorts out once what each draw of the bootstrap then computes.
	prepare func(v *view) measure
}

// axis is what a figure is given against.
type axis int

const (
	byPt axis = iota
	byEta
	byFinePt
	byThreshold
)

// view is particles of a bin, as a figure sees them.
type view struct {
	columns, reference *Columns
	trigger            *trigger
	// fine are the edges of the turn-on's bins of p_T.
	fine []float64
	// event is the place among all events of each particle's event.
	event []int32
	// rows are the particles in the bin.
	rows []int32
	// low is the lower edge of the bin.
	low float64
}

// measure is a figure of a view: of n particles, or a note why there is none.
type measure struct {
	n         int
	note      string
	statistic statistic
	// share is whether it is a share of n, of which the bootstrap knows no error at 0 and 1.
	share bool
}

// least is how many particles a figure needs.
const least = 10

// Figures are the figures of merit, in the order of tables.
func Figures() []Figure {
	both := []axis{byPt, byEta}
	raw := func(c *Columns, i int32) float64 { return c.Raw[i] / c.TruthPt[i] }
	calibrated := func(c *Columns, i int32) float64 { return c.Pt[i] / c.TruthPt[i] }
	eta := func(c *Columns, i int32) float64 { return c.Eta[i] - c.TruthEta[i] }
	phi := func(c *Columns, i int32) float64 { return wrap(c.Phi[i] - c.TruthPhi[i]) }
	width := func(s *sample) statistic { return widthOf(s, false) }
	relative := func(s *sample) statistic { return widthOf(s, true) }
	list := []Figure{
		{"emd", "mean EMD to all cells", "", false, both, false, distance},
		{"efficiency", "clusters found", "", true, both, false, efficiency},
		{"fake_clusters", "other clusters an event", "", true, nil, false, fakes},
		{"response_raw", "response, not calibrated", "MIP_T/GeV", true, both, false, ofClusters(raw, meanOf)},
		{"resolution_raw", "σ/mean, not calibrated", "", true, both, false, ofClusters(raw, spreadOf)},
		{"resolution_68_raw", "68 % half-width/mean, not calibrated", "", true, both, false, ofClusters(raw, relative)},
		{"response", "response", "", true, both, false, ofClusters(calibrated, meanOf)},
		{"resolution", "σ/mean", "", true, both, false, ofClusters(calibrated, spreadOf)},
		{"resolution_68", "68 % half-width/mean", "", true, both, false, ofClusters(calibrated, relative)},
		{"eta_bias", "bias in η", "", false, both, false, ofClusters(eta, meanOf)},
		{"eta_resolution", "resolution in η, 68 % half-width", "", true, both, false, ofClusters(eta, width)},
		{"phi_bias", "bias in φ", "rad", false, both, false, ofClusters(phi, meanOf)},
		{"phi_resolution", "resolution in φ, 68 % half-width", "rad", true, both, false, ofClusters(phi, width)},
	}
	list = append(list, shapeFigures()...)
	return append(list,
		Figure{"threshold", "threshold at the fixed rate", "GeV", true, nil, false, thresholdOf},
		Figure{"turn_on", "efficiency at the fixed rate", "", true, []axis{byFinePt}, false, triggered},
		Figure{"turn_on_50", "p_T of 50 % efficiency at the fixed rate", "GeV", true, nil, false, turnOn(0.50)},
		Figure{"turn_on_95", "p_T of 95 % efficiency at the fixed rate", "GeV", true, nil, false, turnOn(0.95)},
		Figure{"rate", "rate", "kHz", false, []axis{byThreshold}, true, rateAbove})
}

// ofClusters is a statistic of what found particles have; NaN is left out.
func ofClusters(of func(c *Columns, i int32) float64, statistic func(*sample) statistic) func(v *view) measure {
	return func(v *view) measure {
		var s sample
		found := 0
		for _, i := range v.rows {
			if !v.columns.Found[i] {
				continue
			}
			found++
			if x := of(v.columns, i); !math.IsNaN(x) {
				s.add(x, v.event[i])
			}
		}
		n := len(s.value)
		if n == 0 && found > 0 {
			return measure{note: fmt.Sprintf("not known of any of the %d particles", found)}
		}
		if n < least {
			return measure{n: n, note: few(n, "particles found")}
		}
		return measure{n: n, statistic: statistic(&s)}
	}
}

func few(n int, what string) string {
	return fmt.Sprintf("%d %s: want at least %d", n, what, least)
}

// distance is the mean EMD over wafers.
func distance(v *view) measure {
	if v.columns == v.reference {
		return measure{note: "what the others' distances are to"}
	}
	var sum, wafers sample
	for _, i := range v.rows {
		if n := v.columns.Wafers[i]; n > 0 && !math.IsNaN(v.columns.EMD[i]) {
			sum.add(v.columns.EMD[i]*float64(n), v.event[i])
			wafers.add(float64(n), v.event[i])
		}
	}
	n := len(sum.value)
	if n < least {
		return measure{n: n, note: few(n, "particles with wafers to compare")}
	}
	return measure{n: n, statistic: ratioOf(&sum, &wafers)}
}

// efficiency is the share of particles that are found.
func efficiency(v *view) measure {
	if len(v.rows) < least {
		return measure{n: len(v.rows), note: few(len(v.rows), "particles")}
	}
	var s sample
	for _, i := range v.rows {
		x := 0.
		if v.columns.Found[i] {
			x = 1
		}
		s.add(x, v.event[i])
	}
	return measure{n: len(v.rows), statistic: meanOf(&s), share: true}
}

// fakes is the mean number of clusters that are no particle's, an endcap.
func fakes(v *view) measure {
	type endcap struct {
		event int64
		zside int
	}
	var s sample
	seen := make(map[endcap]bool)
	for _, i := range v.rows {
		if e := (endcap{v.columns.Event[i], v.columns.Zside[i]}); !seen[e] {
			seen[e] = true
			s.add(float64(v.columns.Others[i]), v.event[i])
		}
	}
	n := len(s.value)
	if n < least {
		return measure{n: n, note: few(n, "events")}
	}
	return measure{n: n, statistic: meanOf(&s)}
}
