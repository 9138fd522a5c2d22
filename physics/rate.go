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

// spectrum is what one contender's trigger sees of minimum bias, the largest transverse
// momentum first: of whole endcaps each one's largest, of parts of endcaps all.
type spectrum struct {
	pt, weight []float64
	event      []int32 // place among all endcaps
	endcaps    int
	whole      bool
}

// newSpectrum sorts a contender's clusters; place says where its endcaps are among all.
func newSpectrum(c *Crossings, place map[endcap]int32) *spectrum {
	s := &spectrum{endcaps: c.N, whole: c.Weight == nil}
	order := make([]int, len(c.Pt))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(c.Pt[b], c.Pt[a]) })
	seen := make(map[int32]bool)
	for _, i := range order {
		e, weight := place[endcap{c.Event[i], c.Zside[i]}], 1.
		if !s.whole {
			weight = c.Weight[i]
		} else if seen[e] {
			continue
		}
		seen[e] = true
		s.pt, s.weight, s.event = append(s.pt, c.Pt[i]), append(s.weight, weight), append(s.event, e)
	}
	return s
}

// rate is how often an endcap of a crossing has a cluster, in kHz, where a share of the
// endcaps has one, or of parts of endcaps where an endcap has so many on average. The two
// endcaps of a crossing are independent, and so are an endcap's clusters.
func (s *spectrum) rate(each float64) float64 {
	if s.whole {
		return collisions * each * (2 - each)
	}
	return collisions * -math.Expm1(-2*each)
}

// each is what makes a rate: the inverse of rate.
func (s *spectrum) each(rate float64) float64 {
	logNone := math.Log1p(-rate/collisions) / 2 // that an endcap has none
	if s.whole {
		return -math.Expm1(logNone)
	}
	return -logNone
}

// above is the sum of the weights at or above a threshold, an endcap.
func (s *spectrum) above(counts []uint8, threshold float64) float64 {
	sum := 0.0
	for i, pt := range s.pt {
		if pt < threshold {
			break
		}
		sum += float64(float64(counts[s.event[i]]) * s.weight[i])
	}
	return sum / float64(s.endcaps)
}

// threshold is where so many an endcap are at or above it: linear in the number between
// one cluster and the next. It is 0 where there are fewer.
func (s *spectrum) threshold(counts []uint8, each float64) float64 {
	want := each * float64(s.endcaps)
	sum, last := 0.0, math.NaN()
	for i, pt := range s.pt {
		c := counts[s.event[i]]
		if c == 0 {
			continue
		}
		next := sum + float64(float64(c)*s.weight[i])
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
	sum := 0.0
	for i := range min(least, len(s.weight)) {
		sum += s.weight[i]
	}
	return s.rate(sum / float64(s.endcaps))
}

// trigger is what the figures of the trigger have in common.
type trigger struct {
	spectrum *spectrum // nil if there is no minimum bias
	rate     float64   // kHz
	note     string    // why there is no threshold
}

func newTrigger(s *spectrum, rate float64) *trigger {
	t := &trigger{spectrum: s, rate: rate}
	switch {
	case s == nil:
		t.note = "no minimum bias"
	case len(s.pt) < least:
		t.note = few(len(s.pt), "crossings with a cluster")
	case s.lowestRate() > rate*(1+1e-9):
		t.note = fmt.Sprintf("%d endcaps of minimum bias tell rates from %.3g kHz, not %g kHz", s.endcaps, s.lowestRate(), rate)
	}
	return t
}

// threshold in a draw of the bootstrap.
func (t *trigger) threshold(times *times) float64 {
	return t.spectrum.threshold(times.crossings, t.spectrum.each(t.rate))
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
	return measure{n: s.endcaps, statistic: func(times *times) (float64, string) {
		each := s.above(times.crossings, v.low)
		if each == 0 {
			return 0, fmt.Sprintf("none in %d endcaps", s.endcaps)
		}
		return s.rate(each), ""
	}}
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
