package physics

import (
	"math"
	"slices"
)

// statistic is a number of the events as often as times says. Where there is none it is
// NaN, and the note says why.
type statistic func(t *times) (value float64, note string)

// sample is a value of some particles, and the events that they are of.
type sample struct {
	value []float64
	event []int32
}

func (s *sample) add(value float64, event int32) {
	s.value, s.event = append(s.value, value), append(s.event, event)
}

// center subtracts the mean from all values and returns it: sums of squares of what is
// left are accurate.
func (s *sample) center() float64 {
	sum := 0.0
	for _, v := range s.value {
		sum += v
	}
	mean := sum / float64(len(s.value))
	for i := range s.value {
		s.value[i] -= mean
	}
	return mean
}

// sort orders the values.
func (s *sample) sort() {
	order := make([]int, len(s.value))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case s.value[a] < s.value[b]:
			return -1
		case s.value[a] > s.value[b]:
			return 1
		}
		return 0
	})
	sorted := sample{make([]float64, 0, len(order)), make([]int32, 0, len(order))}
	for _, i := range order {
		sorted.add(s.value[i], s.event[i])
	}
	*s = sorted
}

// sums are Σn, Σn·v and Σn·v².
func (s *sample) sums(counts []uint8) (n, v, vv float64) {
	for i, x := range s.value {
		c := float64(counts[s.event[i]])
		cx := float64(c * x)
		n += c
		v += cx
		vv += float64(cx * x)
	}
	return n, v, vv
}

// meanOf is the mean, NaN in a draw without any.
func meanOf(s *sample) statistic {
	about := s.center()
	return func(t *times) (float64, string) {
		n, v, _ := s.sums(t.particles)
		return about + v/n, ""
	}
}

// ratioOf is the sum of one sample over that of another of the same particles.
func ratioOf(a, b *sample) statistic {
	return func(t *times) (float64, string) {
		var above, below float64
		for i, e := range a.event {
			c := float64(t.particles[e])
			above += float64(c * a.value[i])
			below += float64(c * b.value[i])
		}
		return above / below, ""
	}
}

// spreadOf is the standard deviation over the mean, with n as divisor.
func spreadOf(s *sample) statistic {
	about := s.center()
	return func(t *times) (float64, string) {
		n, v, vv := s.sums(t.particles)
		mean := v / n
		return overMean(math.Sqrt(math.Max(0, vv/n-float64(mean*mean))), about+mean)
	}
}

// overMean divides a width by a mean, which must be positive.
func overMean(width, mean float64) (float64, string) {
	if !(mean > 0) {
		return math.NaN(), "the mean is not above 0"
	}
	return width / mean, ""
}

// contained is the share that the shortest interval holds.
const contained = 0.68

// widthOf is half the width of the shortest interval that holds 68 %, over the mean if
// that is asked for.
func widthOf(s *sample, relative bool) statistic {
	about := s.center()
	s.sort()
	return func(t *times) (float64, string) {
		n, v, _ := s.sums(t.particles)
		if n == 0 {
			return math.NaN(), "no particle"
		}
		half := s.shortest(t.particles, n) / 2
		if !relative {
			return half, ""
		}
		return overMean(half, about+v/n)
	}
}

// shortest is the length of the shortest interval with at least 68 % of the n values that
// a sorted sample has, each as often as it counts.
func (s *sample) shortest(counts []uint8, n float64) float64 {
	want := int(math.Ceil(float64(contained*n) - 1e-9))
	length := math.Inf(1)
	low, inside := 0, 0
	for high, x := range s.value {
		inside += int(counts[s.event[high]])
		for {
			first := int(counts[s.event[low]])
			if inside-first < want {
				break
			}
			inside -= first
			low++
		}
		if inside >= want {
			length = math.Min(length, x-s.value[low])
		}
	}
	return length
}

// wrap takes a difference of angles to −π … π.
func wrap(phi float64) float64 { return math.Remainder(phi, 2*math.Pi) }
