package physics

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// collisions is how often bunches cross in kHz: 2760 pairs of bunches, each 11245.5
// times a second. That is the HL-LHC's filling.
const collisions = 2760 * 11.2455

// endcap is one of an event's two.
type endcap struct {
	event int64
	zside int
}

// spectrum is what one contender's trigger sees of minimum bias: each endcap's largest
// transverse momentum, the largest first.
type spectrum struct {
	pt      []float64
	event   []int32 // place among all endcaps
	endcaps int
	floor   float64 // from which on all clusters are there
	// all are the clusters, several of an endcap, the largest first.
	all sample
}

// newSpectrum sorts a contender's clusters; place says where its endcaps are among all.
func newSpectrum(c *Crossings, place map[endcap]int32) *spectrum {
	s := &spectrum{endcaps: c.N, floor: c.Floor}
	order := make([]int, len(c.Pt))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(c.Pt[b], c.Pt[a]) })
	seen := make(map[int32]bool)
	for _, i := range order {
		e := place[endcap{c.Event[i], c.Zside[i]}]
		s.all.add(c.Pt[i], e)
		if seen[e] {
			continue
		}
		seen[e] = true
		s.pt, s.event = append(s.pt, c.Pt[i]), append(s.event, e)
	}
	return s
}

// rateOf is how often an endcap of a crossing has a cluster, in kHz, where a share of the
// endcaps has one. The two endcaps of a crossing are independent.
func rateOf(share float64) float64 { return collisions * share * (2 - share) }

// shareOf is what makes a rate: the inverse of rateOf.
func shareOf(rate float64) float64 { return -math.Expm1(math.Log1p(-rate/collisions) / 2) }

// above is the share of endcaps at or above a threshold.
func (s *spectrum) above(counts []uint8, threshold float64) float64 {
	n := 0
	for i, pt := range s.pt {
		if pt < threshold {
			break
		}
		n += int(counts[s.event[i]])
	}
	return float64(n) / float64(s.endcaps)
}

// threshold is where such a share of endcaps is at or above it: linear in the number
// between one cluster and the next. It is 0 where there are fewer.
func (s *spectrum) threshold(counts []uint8, share float64) float64 {
	want := share * float64(s.endcaps)
	sum, last := 0.0, math.NaN()
	for i, pt := range s.pt {
		c := counts[s.event[i]]
		if c == 0 {
			continue
		}
		next := sum + float64(c)
		if next >= want {
			if math.IsNaN(last) {
				return pt
			}
			return last + (want-sum)/(next-sum)*(pt-last)
		}
		sum, last = next, pt
	}
	return 0
}

// lowestRate is the lowest rate that the clusters can tell: that of the tenth.
func (s *spectrum) lowestRate() float64 {
	return rateOf(float64(min(least, len(s.pt))) / float64(s.endcaps))
}

// trigger is what the figures of the trigger have in common.
type trigger struct {
	spectrum *spectrum // nil if there is no minimum bias
	rate     float64   // kHz
	note     string    // why there is no threshold
}

// maxRate in kHz is the highest at which a turn-on is given: above it there is no trigger.
const maxRate = 1000

// endcapsFor is how many endcaps of minimum bias tell a rate.
func endcapsFor(rate float64) int { return int(math.Ceil(least / shareOf(rate))) }

func newTrigger(s *spectrum, rate float64) *trigger {
	t := &trigger{spectrum: s, rate: rate}
	switch {
	case s == nil:
		t.note = "no minimum bias"
	case len(s.pt) < least:
		t.note = few(len(s.pt), "crossings with a cluster")
	case rate == 0:
		t.note = fmt.Sprintf("%d endcaps of minimum bias tell no rate up to %d kHz: that takes %d, and 100 kHz %d", s.endcaps, maxRate, endcapsFor(maxRate), endcapsFor(100))
	case s.lowestRate() > rate*(1+1e-9):
		t.note = fmt.Sprintf("%d endcaps of minimum bias tell rates from %.3g kHz, not %g kHz: that takes %d", s.endcaps, s.lowestRate(), rate, endcapsFor(rate))
	}
	return t
}

// threshold in a draw of the bootstrap.
func (t *trigger) threshold(times *times) float64 {
	return t.spectrum.threshold(times.crossings, shareOf(t.rate))
}

// thresholdOf is the threshold at the fixed rate.
func thresholdOf(v *view) measure {
	t := v.trigger
	if t.note != "" {
		return measure{note: t.note}
	}
	return measure{n: t.spectrum.endcaps, statistic: func(times *times) (float64, string) {
		threshold := t.threshold(times)
		if threshold == 0 {
			return 0, fmt.Sprintf("all clusters together are less than %g kHz", t.rate)
		}
		if threshold < t.spectrum.floor {
			return threshold, fmt.Sprintf("clusters below %.2g GeV are not all recorded", t.spectrum.floor)
		}
		return threshold, ""
	}}
}

// rateAbove is the rate at the threshold v.low.
func rateAbove(v *view) measure {
	s := v.trigger.spectrum
	if s == nil {
		return measure{note: v.trigger.note}
	}
	if s.endcaps < least {
		return measure{n: s.endcaps, note: few(s.endcaps, "endcaps of minimum bias")}
	}
	if v.low < s.floor {
		return measure{n: s.endcaps, note: fmt.Sprintf("clusters below %.2g GeV are not all recorded", s.floor)}
	}
	return measure{n: s.endcaps, statistic: func(times *times) (float64, string) {
		share := s.above(times.crossings, v.low)
		if share == 0 {
			return 0, fmt.Sprintf("none in %d endcaps", s.endcaps)
		}
		return rateOf(share), ""
	}}
}

// fakes is the mean number of clusters from a threshold on, an endcap of minimum bias.
func fakes(threshold float64) func(v *view) measure {
	return func(v *view) measure {
		s := v.trigger.spectrum
		if s == nil {
			return measure{note: v.trigger.note}
		}
		if s.endcaps < least {
			return measure{n: s.endcaps, note: few(s.endcaps, "endcaps of minimum bias")}
		}
		if threshold < s.floor {
			return measure{n: s.endcaps, note: fmt.Sprintf("clusters below %.2g GeV are not all recorded", s.floor)}
		}
		return measure{n: s.endcaps, statistic: func(times *times) (float64, string) {
			n := 0
			for i, pt := range s.all.value {
				if pt < threshold {
					break
				}
				n += int(times.crossings[s.all.event[i]])
			}
			if n == 0 {
				return 0, fmt.Sprintf("none in %d endcaps", s.endcaps)
			}
			return float64(n) / float64(s.endcaps), ""
		}}
	}
}

// triggered is the share of particles with a cluster above the threshold at the fixed rate.
func triggered(v *view) measure {
	t, n := v.trigger, len(v.rows)
	if t.note != "" {
		return measure{n: n, note: t.note}
	}
	if n < least {
		return measure{n: n, note: few(n, "particles")}
	}
	s := v.triggerPt()
	return measure{n: n, share: true, statistic: func(times *times) (float64, string) {
		threshold := t.threshold(times)
		var pass, all int
		for i, pt := range s.value {
			c := int(times.particles[s.event[i]])
			all += c
			if pt >= threshold {
				pass += c
			}
		}
		return float64(pass) / float64(all), ""
	}}
}

// triggerPt is what the trigger makes of the particles: nothing, −∞, of those without a
// cluster.
func (v *view) triggerPt() *sample {
	s := &sample{}
	for _, i := range v.rows {
		pt := math.Inf(-1)
		if v.columns.Found[i] && !math.IsNaN(v.columns.Pt[i]) {
			pt = v.columns.Pt[i]
		}
		s.add(pt, v.event[i])
	}
	return s
}
