package approx

import (
	"fmt"
	"math"
	"slices"
)

// TrainedSettings describe a sliced distance whose directions are trained.
type TrainedSettings struct {
	// Directions is the number of lines, at equal angles, that are turned together; 0
	// means 1, the max-sliced distance.
	Directions int
}

// A Trained computes the sliced 1-Wasserstein distance along the directions that tell the
// two images apart best,
//
//	sin(π/2K) · max over φ of Σ over k = 0…K−1 of ∫ |P_θ(t) − Q_θ(t)| dt, θ = φ + kπ/K.
//
// With K = 1 it is the max-sliced distance (I. Deshpande et al., CVPR 2019, 10648), with K = 2
// that of a turned frame (B. Dai and U. Seljak, ICML 2021, 2352: max K-sliced). The factor makes
// translations right, and the distance is never above the exact one in a straight line.
//
// The angle φ is trained for each pair from scratch: it starts at the best of those of 32
// lines and climbs. While no two cells change places along a line the sum is A·cos φ + B·sin φ,
// so each step is exact, and the climb ends at a largest value among the angles around, to the
// last digits, after some ten steps. Nothing is left from pair to pair.
//
// Gradients are those with the angle held, which at a largest value are the distance's own
// (the envelope theorem, J. M. Danskin, The Theory of Max-Min, 1967).
//
// It is owned by one goroutine.
type Trained struct {
	start  *Sliced
	lines  int
	x, y   [][]float64 // of each line, the points turned back by its angle to the first
	arcs   []arc
	begin  []int     // the arc of each start
	values []float64 // along all lines of the start
	run    []float64
	factor float64
}

// An arc is a range of φ in which no two cells change places along a line.
type arc struct {
	from, to float64
	order    []uint8 // of each line in turn, cells as they lie along it
}

// mostTrained bounds the points: arcs grow with their square, and so does each one's order.
const mostTrained = 128

// startLines is how many lines the angles to start from have together.
const startLines = 32

// NewTrained prepares a distance between images on the given points.
func NewTrained(points [][2]float64, s TrainedSettings) (*Trained, error) {
	if len(points) > mostTrained {
		return nil, fmt.Errorf("approx: %d points: directions are trained for at most %d", len(points), mostTrained)
	}
	if s.Directions < 0 || s.Directions > startLines {
		return nil, fmt.Errorf("approx: %d directions to train: want 1 to %d", s.Directions, startLines)
	}
	k := max(1, s.Directions)
	starts := (startLines + k - 1) / k
	start, err := NewSliced(points, SlicedSettings{Directions: k * starts})
	if err != nil {
		return nil, err
	}
	n := len(points)
	t := &Trained{
		start: start, lines: k, values: make([]float64, wide*len(start.lines)), run: make([]float64, n*k),
		factor: math.Sin(math.Pi / float64(2*k)),
	}
	for line := range k {
		sin, cos := math.Sincos(math.Pi * float64(line) / float64(k))
		x, y := make([]float64, n), make([]float64, n)
		for i, p := range points {
			x[i], y[i] = p[0]*cos+p[1]*sin, p[1]*cos-p[0]*sin
		}
		t.x, t.y = append(t.x, x), append(t.y, y)
	}
	t.cut()
	for j := range starts {
		angle := math.Pi * (float64(j) + 0.5) / float64(k*starts)
		at, _ := slices.BinarySearchFunc(t.arcs, angle, func(a arc, angle float64) int {
			if a.to < angle {
				return -1
			}
			return 1
		})
		t.begin = append(t.begin, at%len(t.arcs))
	}
	return t, nil
}

// cut finds the arcs: they end where two cells lie at one place along a line.
func (t *Trained) cut() {
	period := math.Pi / float64(t.lines)
	var ends []float64
	x, y := t.x[0], t.y[0]
	for i := range x {
		for j := range i {
			if x[i] != x[j] || y[i] != y[j] {
				a := math.Mod(math.Atan2(y[i]-y[j], x[i]-x[j])+2.5*math.Pi, period)
				ends = append(ends, a)
			}
		}
	}
	if len(ends) == 0 { // all in one place, where every distance is 0
		ends = []float64{0}
	}
	slices.Sort(ends)
	const same = 1e-9
	ends = slices.CompactFunc(ends, func(a, b float64) bool { return math.Abs(b-a) < same })
	for k, from := range ends {
		to := ends[0] + period
		if k+1 < len(ends) {
			to = ends[k+1]
		}
		if to-from >= same || len(t.arcs) == 0 {
			t.arcs = append(t.arcs, arc{from, to, t.sorted((from + to) / 2)})
		}
	}
}

// sorted are the cells as they lie along each line at an angle.
func (t *Trained) sorted(angle float64) []uint8 {
	var order []uint8
	sin, cos := math.Sincos(angle)
	for line := range t.lines {
		x, y := t.x[line], t.y[line]
		cells := make([]uint8, len(x))
		for i := range cells {
			cells[i] = uint8(i)
		}
		slices.SortStableFunc(cells, func(a, b uint8) int {
			switch d := (x[a]-x[b])*cos + (y[a]-y[b])*sin; {
			case d < 0:
				return -1
			case d > 0:
				return 1
			}
			return 0
		})
		order = append(order, cells...)
	}
	return order
}

// Distance is the distance of p and q, scaled to sum 1.
func (t *Trained) Distance(p, q []float64) (float64, error) { return t.Gradient(p, q, nil, nil) }

// Gradient is Distance, and sets dp and dq to the gradient with respect to the raw p and q;
// either may be nil.
func (t *Trained) Gradient(p, q, dp, dq []float64) (float64, error) {
	s := t.start
	sumP, sumQ, err := s.compare(p, q, dp, dq)
	if err != nil {
		return 0, err
	}
	a, angle, value := t.train()
	if dp == nil && dq == nil {
		return value * t.factor, nil
	}
	clear(s.slope)
	if value > 0 {
		t.back(a, angle)
	}
	s.spread(t.factor, sumP, sumQ, dp, dq)
	return value * t.factor, nil
}

// train finds the angle, the arc that it is in and the sum over lines there.
func (t *Trained) train() (in *arc, angle, value float64) {
	s := t.start
	for k := range s.lines {
		v := s.along(&s.lines[k])
		copy(t.values[wide*k:], v[:])
	}
	starts := len(t.begin)
	best, most := 0, -1.0
	for j := range starts {
		sum := 0.0
		for line := range t.lines {
			sum += t.values[j+line*starts]
		}
		if sum > most {
			best, most = j, sum
		}
	}
	at, before := t.begin[best], -1
	for range t.arcs {
		in = &t.arcs[at]
		a, b := t.wave(in)
		value = math.Hypot(a, b)
		if value == 0 {
			return in, in.from, 0
		}
		// The top of the sinusoid, where it is as seen from the middle of the arc.
		middle := (in.from + in.to) / 2
		off := math.Remainder(math.Atan2(b, a)-middle, 2*math.Pi)
		angle = middle + off
		if math.Abs(off) <= (in.to-in.from)/2 {
			return in, angle, value
		}
		next, end := (at+1)%len(t.arcs), in.to
		if off < 0 {
			next, end = (at+len(t.arcs)-1)%len(t.arcs), in.from
		}
		sin, cos := math.Sincos(end)
		angle, value = end, a*cos+b*sin
		if next == before { // both arcs rise to where they meet
			return in, angle, value
		}
		at, before = next, at
	}
	return in, angle, value
}

// wave gives A and B of the sum A·cos φ + B·sin φ within an arc, and leaves the cumulative
// differences in run.
func (t *Trained) wave(in *arc) (a, b float64) {
	diff, n := t.start.diff, len(t.start.diff)
	for line := range t.lines {
		x, y, order, run := t.x[line], t.y[line], in.order[line*n:][:n], t.run[line*n:][:n]
		sum, size := 0.0, 0.0
		// Σ |run|·(x of the next − x) in parts: each cell's place counts by what differs
		// between before and behind it.
		for i, c := range order {
			before := size
			sum += diff[c]
			size = math.Abs(sum)
			if i == n-1 {
				size = 0
			}
			run[i] = sum
			a += (before - size) * x[c]
			b += (before - size) * y[c]
		}
	}
	return a, b
}

// back adds the slopes with respect to p/Σp at an angle of the arc that wave was last
// called with.
func (t *Trained) back(in *arc, angle float64) {
	slope, n := t.start.slope, len(t.start.slope)
	sin, cos := math.Sincos(angle)
	for line := range t.lines {
		x, y, order, run := t.x[line], t.y[line], in.order[line*n:][:n], t.run[line*n:][:n]
		sum, last := 0.0, 0.0
		for i := n - 1; i >= 0; i-- {
			c := order[i]
			at := x[c]*cos + y[c]*sin
			if i < n-1 {
				sum += signed(max(0, last-at), run[i])
			}
			last = at
			slope[c] += sum
		}
	}
}
