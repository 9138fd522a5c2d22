package physics

import (
	"context"
	"fmt"
	"math"
	"slices"

	"barrow/internal/limit"

	"golang.org/x/sync/errgroup"
)

// IdentifySettings say how particles are told from minimum bias. The zero value is what
// studies take.
type IdentifySettings struct {
	// PT and Eta are the edges, rising, of the bins of p_T in GeV and |η| in which
	// signal is weighted to the spectrum of the background; clusters beyond them are
	// left out. Nil is 5 to 80 GeV in steps of √2 and 1.5 to 3 in four.
	PT, Eta []float64
	// Draws of the bootstrap, 0 is 200, from a Seed.
	Draws   int
	Seed    uint64
	Threads int
}

func (s *IdentifySettings) complete() error {
	if s.PT == nil {
		for k := range 9 {
			s.PT = append(s.PT, 5*math.Pow(2, float64(k)/2))
		}
	}
	if s.Eta == nil {
		s.Eta = []float64{1.5, 1.875, 2.25, 2.625, 3}
	}
	if s.Draws == 0 {
		s.Draws = 200
	}
	for _, edges := range [][]float64{s.PT, s.Eta} {
		for i, e := range edges {
			if math.IsNaN(e) || i > 0 && e <= edges[i-1] {
				return fmt.Errorf("physics: the edges %v of bins do not rise", edges)
			}
		}
	}
	var err error
	if s.Threads, err = limit.Threads(s.Threads); err != nil {
		return err
	}
	if len(s.PT) < 2 || len(s.Eta) < 2 || s.Draws < 0 {
		return fmt.Errorf("physics: %d edges of bins of p_T, %d of |η| and %d draws: want at least 2, 2 and 0", len(s.PT), len(s.Eta), s.Draws)
	}
	return nil
}

// Identification is how well a contender's clusters of particles are told from those of
// minimum bias.
type Identification struct {
	// AUC is the area under the ROC: the probability that a particle's cluster looks
	// more like one than a minimum-bias cluster of about its p_T and |η| does.
	AUC Value `json:"auc"`
	// Background are the shares of minimum-bias clusters that look like the particle
	// where 90, 95 and 99 % of the particles' do: Low and High of a bin are that
	// share of particles.
	Background []Bin `json:"background"`
	// Curve is the same over all of the ROC.
	Curve []Bin `json:"roc"`
	// Unmatched is the number of measured minimum-bias clusters that are left out
	// because no particle has their p_T and |η|.
	Unmatched int `json:"unmatched"`
}

// The efficiencies for particles at which figures are quoted, and those of the curve.
var (
	workingPoints = [...]float64{0.90, 0.95, 0.99}
	curvePoints   = [...]float64{0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.84, 0.88, 0.9, 0.92, 0.94, 0.95, 0.96,
		0.97, 0.98, 0.985, 0.99, 0.993, 0.996, 0.998, 1}
)

// leastClusters is how many of either kind training and measurement need.
const leastClusters = 20

// Identify trains boosted trees to tell the clusters of particles from those of minimum
// bias, on events of even numbers, and measures them on those of odd ones. They see the
// shape, how much is around, the seed and the number of cells. In bins of p_T and |η| signal
// is weighted to the background, so that spectra tell nothing. Particles without
// a cluster are not in it. pt is the calibrated p_T in GeV. Where there are too few
// clusters the values say so. The result is a function of records and settings but
// Threads.
func Identify(ctx context.Context, particles, crossings *Table, pt func(*Record) float64, s IdentifySettings) (*Identification, error) {
	if err := s.complete(); err != nil {
		return nil, err
	}
	signal, background := s.candidates(particles, pt), s.candidates(crossings, pt)
	for _, c := range []struct {
		list *candidates
		name string
	}{{signal, "particle"}, {background, "minimum-bias"}} {
		if n, m := len(c.list.train), len(c.list.test); n < leastClusters || m < leastClusters {
			return s.nothing(m, "%d %s clusters within range in even events and %d in odd ones: %d each are needed", n, c.name, m, leastClusters), nil
		}
	}
	f, err := s.train(ctx, signal.train, background.train)
	if err != nil {
		return nil, err
	}
	if f == nil {
		return s.nothing(0, "particles and minimum bias of even events have no bin of p_T and |η| in common"), nil
	}
	return s.measure(ctx, f, signal, background)
}

// nothing says why there are no figures.
func (s *IdentifySettings) nothing(n int, format string, args ...any) *Identification {
	out := &Identification{AUC: none(n, format, args...)}
	for _, e := range workingPoints {
		out.Background = append(out.Background, Bin{e, e, out.AUC})
	}
	return out
}

// candidate is a cluster.
type candidate struct {
	row   []float64
	bin   int   // of p_T and |η|
	event int32 // its place among the measured events
	score float64
}

// candidates are clusters within range.
type candidates struct {
	train, test []candidate
	events      int // how many are measured
}

func (s *IdentifySettings) candidates(t *Table, pt func(*Record) float64) *candidates {
	c := &candidates{}
	last, seen := int64(0), false
	for i := range t.Records {
		r := &t.Records[i]
		odd := r.Event&1 == 1
		if odd && (!seen || r.Event != last) {
			last, seen = r.Event, true
			c.events++
		}
		p, eta := pt(r), math.Abs(r.Eta)
		bin := s.bin(p, eta)
		if bin < 0 || len(r.Layers) == 0 || r.Cells == 0 {
			continue
		}
		k := candidate{row: identifiers(r), bin: bin}
		if odd {
			k.event = int32(c.events - 1)
			c.test = append(c.test, k)
		} else {
			c.train = append(c.train, k)
		}
	}
	return c
}

// bin of p_T and |η|, below 0 outside.
func (s *IdentifySettings) bin(pt, eta float64) int {
	within := func(edges []float64, v float64) int {
		k, exact := slices.BinarySearch(edges, v)
		if !exact {
			k--
		}
		if k >= len(edges)-1 {
			return -1
		}
		return k
	}
	i, j := within(s.PT, pt), within(s.Eta, eta)
	if i < 0 || j < 0 {
		return -1
	}
	return i*(len(s.Eta)-1) + j
}

// bins is how many there are.
func (s *IdentifySettings) bins() int { return (len(s.PT) - 1) * (len(s.Eta) - 1) }

// identifiers are what the trees see of a cluster: neither p_T nor η, whose spectra
// within a bin differ.
func identifiers(r *Record) []float64 {
	sum := 0.0
	for _, e := range r.Layers {
		sum += e
	}
	return append(r.Shape.Values(), float64(r.Cells), r.Around/sum, r.Seed/r.Sum)
}

// spectrum sums the clusters in bins, each times the weight of its event.
func (s *IdentifySettings) spectrum(list []candidate, times []uint8) []float64 {
	sums := make([]float64, s.bins())
	for i := range list {
		sums[list[i].bin] += count(times, &list[i])
	}
	return sums
}

// count is how often a cluster counts; without times each does once.
func count(times []uint8, c *candidate) float64 {
	if times == nil {
		return 1
	}
	return float64(times[c.event])
}

// weigh returns by bin the weight of a signal's cluster and that of a background's: 0
// where one of the two has none.
func weigh(signal, background []float64) (ws, wb []float64) {
	ws, wb = make([]float64, len(signal)), make([]float64, len(signal))
	for k, n := range signal {
		if n > 0 && background[k] > 0 {
			ws[k], wb[k] = background[k]/n, 1
		}
	}
	return ws, wb
}

// train grows the trees, nil if there is nothing in common.
func (s *IdentifySettings) train(ctx context.Context, signal, background []candidate) (*forest, error) {
	ws, wb := weigh(s.spectrum(signal, nil), s.spectrum(background, nil))
	var rows [][]float64
	var is []bool
	var weights []float64
	sum := 0.0
	for _, c := range signal {
		if w := ws[c.bin]; w > 0 {
			rows, is, weights = append(rows, c.row), append(is, true), append(weights, w)
			sum += w
		}
	}
	for _, c := range background {
		if w := wb[c.bin]; w > 0 {
			rows, is, weights = append(rows, c.row), append(is, false), append(weights, w)
			sum += w
		}
	}
	if len(rows) == 0 {
		return nil, ctx.Err()
	}
	// The mean weight is 1, whatever the sizes of the samples.
	for i := range weights {
		weights[i] *= float64(len(weights)) / sum
	}
	return grow(ctx, rows, is, weights, s.Threads)
}

// measure makes figures of the odd events.
func (s *IdentifySettings) measure(ctx context.Context, f *forest, signal, background *candidates) (*Identification, error) {
	m := &measured{s: s, signal: signal.test, background: background.test}
	m.sortBy(f.score)
	draws := make([]*roc, s.Draws)
	var group errgroup.Group
	group.SetLimit(s.Threads)
	for d := range draws {
		group.Go(func() error {
			draws[d] = m.roc(&times{resample(signal.events, s.Seed^particleStream, uint64(d)),
				resample(background.events, s.Seed^crossingStream, uint64(d))})
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	whole := m.roc(&times{})
	if whole == nil {
		return s.nothing(0, "particles and minimum bias of odd events have no bin of p_T and |η| in common"), nil
	}
	out := &Identification{Unmatched: len(background.test) - whole.background}
	value := func(of func(*roc) float64) Value {
		list := make([]float64, len(draws))
		for d, r := range draws {
			list[d] = math.NaN()
			if r != nil {
				list[d] = of(r)
			}
		}
		return drawn(of(whole), whole.background, list)
	}
	out.AUC = value(func(r *roc) float64 { return r.area })
	at := func(efficiency float64) Bin {
		k := slices.Index(curvePoints[:], efficiency)
		v := value(func(r *roc) float64 { return r.passed[k] })
		if v.Value == 0 {
			// No draw has any, either: that is no error of 0.
			v.Error, v.Note = math.NaN(), fmt.Sprintf("no minimum-bias cluster passes: below %.2g at 95 %% confidence", 3/float64(v.N))
		}
		return Bin{efficiency, efficiency, v}
	}
	for _, e := range workingPoints {
		out.Background = append(out.Background, at(e))
	}
	for _, e := range curvePoints {
		b := at(e)
		b.Draws = nil
		out.Curve = append(out.Curve, b)
	}
	return out, nil
}

// measured are the clusters of odd events.
type measured struct {
	s                  *IdentifySettings
	signal, background []candidate
	// order is all of them, those most like particles first; numbers from
	// len(signal) on are background. ends is whether the next one has another score.
	order []int32
	ends  []bool
}

func (m *measured) at(i int32) *candidate {
	if int(i) < len(m.signal) {
		return &m.signal[i]
	}
	return &m.background[int(i)-len(m.signal)]
}

// sortBy orders the clusters by a score of their rows.
func (m *measured) sortBy(score func(row []float64) float64) {
	n := len(m.signal) + len(m.background)
	m.order = make([]int32, n)
	for i := range m.order {
		m.order[i] = int32(i)
		c := m.at(int32(i))
		c.score = score(c.row)
	}
	slices.SortStableFunc(m.order, func(a, b int32) int {
		x, y := m.at(a).score, m.at(b).score
		switch {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	m.ends = make([]bool, n)
	for k := range m.ends {
		m.ends[k] = k == n-1 || m.at(m.order[k]).score != m.at(m.order[k+1]).score
	}
}

// roc is one ROC.
type roc struct {
	area       float64
	passed     [len(curvePoints)]float64 // share of background at curvePoints
	background int                       // how many there are
}

// roc of the events as often as t says, nil where there is nothing in common. Between
// scores, and for equal ones, it is a straight line.
func (m *measured) roc(t *times) *roc {
	ns, nb := m.s.spectrum(m.signal, t.particles), m.s.spectrum(m.background, t.crossings)
	ws, wb := weigh(ns, nb)
	var signal, background float64
	for k := range ns {
		signal += float64(ws[k] * ns[k])
		background += float64(wb[k] * nb[k])
	}
	if signal == 0 || background == 0 {
		return nil
	}
	out := &roc{background: int(background)}
	var s, b, s0, b0 float64 // sums up to here, and at the last end
	next := 0
	for k, i := range m.order {
		c := m.at(i)
		if int(i) < len(m.signal) {
			s += float64(count(t.particles, c) * ws[c.bin])
		} else {
			b += float64(count(t.crossings, c) * wb[c.bin])
		}
		if !m.ends[k] {
			continue
		}
		out.area += float64((b - b0) * (s + s0) / 2)
		last := k == len(m.order)-1
		for next < len(curvePoints) && (s >= curvePoints[next]*signal*(1-1e-12) || last) {
			share := 1.0
			if s > s0 {
				share = math.Min((curvePoints[next]*signal-s0)/(s-s0), 1)
			}
			out.passed[next] = (b0 + float64(share*(b-b0))) / background
			next++
		}
		s0, b0 = s, b
	}
	out.area /= signal * background
	return out
}
