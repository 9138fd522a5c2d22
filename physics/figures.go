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
	// ChargeEMD is the mean weighted by the wafers' charges, and Charge their sum.
	ChargeEMD, Charge []float64
	// Crossings is minimum bias, nil if there is none.
	Crossings *Crossings
}

// Crossings are the clusters that one contender leaves of minimum bias.
type Crossings struct {
	// N is the number of endcaps, whole ones, those without clusters included.
	N int
	// Event and Zside say which the cluster is in, Pt is calibrated, in GeV; Eta and Phi
	// are its direction.
	Event        []int64
	Zside        []int
	Pt, Eta, Phi []float64
	// Floor is the transverse momentum in GeV from which on all clusters are there: the
	// smallest are not recorded. 0 is all.
	Floor float64
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
	// paired is whether the ratio is of particles that both find: what one loses would
	// flatter it otherwise.
	paired bool
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
	accidental         *accidental
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
	plain := func(name, label, unit string, ratio bool, by []axis, prepare func(*view) measure) Figure {
		return Figure{Name: name, Label: label, Unit: unit, Ratio: ratio, by: by, prepare: prepare}
	}
	found := func(name, label, unit string, ratio bool, of func(*Columns, int32) float64, statistic func(*sample) statistic) Figure {
		f := plain(name, label, unit, ratio, both, ofClusters(of, statistic))
		f.paired = ratio
		return f
	}
	list := []Figure{
		plain("emd", "mean EMD to all cells", "", false, both, distance(false)),
		plain("emd_charge", "mean EMD to all cells, weighted by charge", "", false, both, distance(true)),
		plain("efficiency", "found with at least half of p_T", "", true, both, efficiency),
		plain("accidental", "found so in pile-up by chance", "", false, both, byChance),
		plain("within_30", "share of all within 30 % of p_T", "", true, both, contains),
		found("response_raw", "response, not calibrated", "MIP_T/GeV", true, raw, meanOf),
		found("resolution_raw", "σ/mean, not calibrated", "", true, raw, spreadOf),
		found("resolution_68_raw", "68 % half-width/mean, not calibrated", "", true, raw, relative),
		found("response", "response", "", true, calibrated, meanOf),
		found("resolution", "σ/mean", "", true, calibrated, spreadOf),
		found("resolution_68", "68 % half-width/mean", "", true, calibrated, relative),
		found("eta_bias", "bias in η", "", false, eta, meanOf),
		found("eta_resolution", "resolution in η, 68 % half-width", "", true, eta, width),
		found("phi_bias", "bias in φ", "rad", false, phi, meanOf),
		found("phi_resolution", "resolution in φ, 68 % half-width", "rad", true, phi, width),
	}
	list = append(list, shapeFigures()...)
	for _, threshold := range []float64{5, 10, 20} {
		list = append(list, plain(fmt.Sprintf("fakes_%g", threshold), fmt.Sprintf("clusters of minimum bias an endcap from %g GeV on", threshold), "", true, nil, fakes(threshold)))
	}
	rate := plain("rate", "rate", "kHz", false, []axis{byThreshold}, rateAbove)
	rate.curve = true
	return append(list,
		plain("threshold", "threshold at the fixed rate", "GeV", true, nil, thresholdOf),
		plain("turn_on", "efficiency at the fixed rate", "", true, []axis{byFinePt}, triggered),
		plain("turn_on_50", "p_T of 50 % efficiency at the fixed rate", "GeV", true, nil, turnOn(0.50)),
		plain("turn_on_95", "p_T of 95 % efficiency at the fixed rate", "GeV", true, nil, turnOn(0.95)),
		rate)
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

// distance is the mean EMD over wafers, or over their charge.
func distance(charge bool) func(v *view) measure {
	return func(v *view) measure {
		if v.columns == v.reference {
			return measure{note: "what the others' distances are to"}
		}
		var sum, of sample
		for _, i := range v.rows {
			mean, weight := v.columns.EMD[i], float64(v.columns.Wafers[i])
			if charge {
				mean, weight = v.columns.ChargeEMD[i], v.columns.Charge[i]
			}
			if weight > 0 && !math.IsNaN(mean) {
				sum.add(mean*weight, v.event[i])
				of.add(weight, v.event[i])
			}
		}
		n := len(sum.value)
		if n < least {
			return measure{n: n, note: few(n, "particles with wafers to compare")}
		}
		return measure{n: n, statistic: ratioOf(&sum, &of)}
	}
}

// shareOfAll is the share of all generated particles, found or not, for which something
// holds of p̂/p. Without a calibration nothing is known of those that are found.
func shareOfAll(v *view, holds func(response float64) bool) measure {
	n := len(v.rows)
	if n < least {
		return measure{n: n, note: few(n, "particles")}
	}
	var s sample
	for _, i := range v.rows {
		x := 0.
		if v.columns.Found[i] {
			response := v.columns.Pt[i] / v.columns.TruthPt[i]
			if math.IsNaN(response) {
				return measure{n: n, note: "clusters are not calibrated"}
			}
			if holds(response) {
				x = 1
			}
		}
		s.add(x, v.event[i])
	}
	return measure{n: n, statistic: meanOf(&s), share: true}
}

// enough is the least share of a particle's p_T that its cluster must have to be counted as
// it: in pile-up there is a small one nearly everywhere.
const enough = 0.5

// efficiency is the share of particles that are found with enough of their p_T.
func efficiency(v *view) measure {
	return shareOfAll(v, func(response float64) bool { return response >= enough })
}

// contains is the share of particles that are found with about their p_T. What is lost
// counts, as it does not in a resolution.
func contains(v *view) measure {
	return shareOfAll(v, func(response float64) bool { return math.Abs(response-1) < 0.3 })
}
