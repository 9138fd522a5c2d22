package physics

import (
	"cmp"
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
	// Pt and Eta are the edges, rising, of the bins of p_T in GeV and |η| in which
	// signal is weighted to the spectrum of the background; clusters beyond them are
	// left out. Nil is steps of 2 to 80 GeV, from the lowest generated p_T on but no less than
	// 5 GeV, and 1.5 to 3 in two: what is below all particles was only measured too low.
	Pt, Eta []float64
	// Draws of the bootstrap, 0 is 200, from a Seed. Particles are drawn as
	// Summarise with the same numbers draws them, of the same records.
	Draws   int
	Seed    uint64
	Threads int
}

// The range of p_T in GeV that minimum bias has enough clusters in, or almost.
const (
	lowestPt  = 5
	highestPt = 80
)

func (s *IdentifySettings) complete(particles *Table) error {
	if s.Pt == nil {
		lowest := math.Inf(1)
		for i := range particles.Records {
			if pt := particles.Records[i].Truth.Pt; pt > 0 {
				lowest = min(lowest, pt)
			}
		}
		if math.IsInf(lowest, 1) {
			lowest = lowestPt
		}
		s.Pt = []float64{max(lowest, lowestPt)}
		for k := 0; k == 0 || s.Pt[k] < highestPt*(1-1e-9); k++ {
			s.Pt = append(s.Pt, 2*s.Pt[k])
		}
	}
	if s.Eta == nil {
		s.Eta = []float64{1.5, 2.25, 3}
	}
	if s.Draws == 0 {
		s.Draws = 200
	}
	if err := checkEdges(s.Pt, s.Eta); err != nil {
		return err
	}
	var err error
	if s.Threads, err = limit.Threads(s.Threads); err != nil {
		return err
	}
	if !(s.Pt[0] > 0) || s.Draws < 0 {
		return fmt.Errorf("physics: bins of p_T from %g GeV and %d draws: want above 0, and at least 0", s.Pt[0], s.Draws)
	}
	return nil
}

// Identification is how well a contender's clusters of particles are told from those of
// minimum bias.
type Identification struct {
	// AUC is the area under the ROC: the probability that a particle's cluster looks
	// more like one than a minimum-bias cluster of its p_T and |η| does.
	AUC Value `json:"auc"`
	// Share is the share of all particles that the ROC is of: those with a cluster within
	// range, of a p_T and |η| that both kinds have. Others the contender has lost, so that
	// an efficiency of the ROC times Share is that of all particles.
	Share Value `json:"roc_share"`
	// Background are the shares of minimum-bias clusters that look like the particle
	// where 90, 95 and 99 % of the particles' do.
	Background []Point `json:"background"`
	// Curve is the same over all of the ROC.
	Curve []Point `json:"roc"`
	// LeftOut are the clusters within range in bins of p_T and |η| in which one of the two
	// kinds has too few.
	LeftOut LeftOut `json:"roc_left_out"`
}

// LeftOut counts clusters.
type LeftOut struct {
	Particles int `json:"particles"`
	Crossings int `json:"minimum_bias"`
}

// The efficiencies for particles at which figures are quoted, and those of the curve.
var (
	workingPoints = [...]float64{0.90, 0.95, 0.99}
	curvePoints   = [...]float64{0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.84, 0.88, 0.9, 0.92, 0.94, 0.95, 0.96,
		0.97, 0.98, 0.985, 0.99, 0.993, 0.996, 0.998, 1}
)

// leastClusters is how many of either kind each half of the events needs: trees that have seen fewer
// say more of their training than of contenders.
const leastClusters = 50

// half are the events of even numbers or those of odd ones.
type half struct {
	signal, background *kind
	// order is all clusters, those most like particles first; numbers from
	// len(signal.list) on are background. ends is whether the next one has another score.
	order []int32
	ends  []bool
}

// Identify trains boosted trees to tell the clusters of particles from those of minimum
// bias, on events of even numbers, and measures them on those of odd ones, and the reverse:
// figures are the means of the two. The trees see the shape, how much is around, the seed and
// the number of cells. In bins of p_T and |η| with at least ten clusters of each kind signal
// is weighted to the background's number and mean p_T and |η|, so that spectra tell nothing.
// pt is the calibrated p_T in GeV. Where there are too few clusters the values say so. The
// result is a function of records and settings but Threads.
func Identify(ctx context.Context, particles, crossings *Table, pt func(*Record) float64, s IdentifySettings) (*Identification, error) {
	if err := s.complete(particles); err != nil {
		return nil, err
	}
	signal, background := s.candidates(particles, pt), s.candidates(crossings, pt)
	for _, c := range []struct {
		halves [2]*kind
		name   string
	}{{signal, "particle"}, {background, "minimum-bias"}} {
		if n, m := len(c.halves[0].list), len(c.halves[1].list); n < leastClusters || m < leastClusters {
			return s.nothing(n+m, "%d %s clusters within range in even events and %d in odd ones, from %.3g GeV on: %d each are needed", n, c.name, m, s.Pt[0], leastClusters), nil
		}
	}
	halves := [2]*half{{signal: signal[0], background: background[0]}, {signal: signal[1], background: background[1]}}
	used := make([]bool, s.bins())
	even, odd := weigh(signal[0], background[0], &times{}, nil), weigh(signal[1], background[1], &times{}, nil)
	for k := range used {
		used[k] = even.used[k] && odd.used[k]
	}
	if !slices.Contains(used, true) {
		return s.nothing(0, "particles and minimum bias have no bin of p_T and |η| in common, from %.3g GeV on, with %d clusters of each in even events and in odd ones", s.Pt[0], least), nil
	}
	for k, h := range halves {
		other := halves[1-k]
		f, err := s.train(ctx, other.signal, other.background, used)
		if err != nil {
			return nil, err
		}
		h.sortBy(f.score)
	}
	return s.measure(ctx, halves, used)
}

// nothing says why there are no figures.
func (s *IdentifySettings) nothing(n int, format string, args ...any) *Identification {
	v := none(n, format, args...)
	out := &Identification{AUC: v, Share: v}
	for _, e := range workingPoints {
		out.Background = append(out.Background, Point{e, v})
	}
	return out
}

// candidates are the clusters within range in even events and in odd ones.
func (s *IdentifySettings) candidates(t *Table, pt func(*Record) float64) (halves [2]*kind) {
	// Events are counted as Summarise does.
	places := make(map[int64]int32)
	for i := range t.Records {
		if e := t.Records[i].Event; places[e] == 0 {
			places[e] = int32(len(places) + 1)
		}
	}
	for h := range halves {
		halves[h] = &kind{bins: make([][]int32, s.bins()), records: make([]int32, len(places))}
	}
	for i := range t.Records {
		r := &t.Records[i]
		c, event := halves[r.half()], places[r.Event]-1
		c.records[event]++
		p, eta := pt(r), math.Abs(r.Eta)
		a, b := binOf(s.Pt, p), binOf(s.Eta, eta)
		if a < 0 || b < 0 || len(r.Layers) == 0 || r.Cells == 0 {
			continue
		}
		k := candidate{row: identifiers(r), bin: a*(len(s.Eta)-1) + b, event: event}
		k.u = math.Log(p/s.Pt[a])/math.Log(s.Pt[a+1]/s.Pt[a]) - 0.5
		k.v = (eta-s.Eta[b])/(s.Eta[b+1]-s.Eta[b]) - 0.5
		k.seen = [2]float64{math.Log(p), eta}
		k.true = k.seen
		if r.Truth.Pt > 0 {
			k.true = [2]float64{math.Log(r.Truth.Pt), math.Abs(r.Truth.Eta)}
		}
		c.bins[k.bin] = append(c.bins[k.bin], int32(len(c.list)))
		c.list = append(c.list, k)
	}
	return halves
}

// bins is how many there are.
func (s *IdentifySettings) bins() int { return (len(s.Pt) - 1) * (len(s.Eta) - 1) }

// identifiers are what the trees see of a cluster: neither p_T nor η.
func identifiers(r *Record) []float64 {
	sum := 0.0
	for _, e := range r.Layers {
		sum += e
	}
	return append(r.Shape.Values(), float64(r.Cells), r.Around/sum, r.Seed/r.Sum)
}

// train grows the trees.
func (s *IdentifySettings) train(ctx context.Context, signal, background *kind, used []bool) (*forest, error) {
	w := weigh(signal, background, &times{}, used)
	var rows [][]float64
	var is []bool
	var weights []float64
	for i, c := range signal.list {
		if used[c.bin] {
			rows, is, weights = append(rows, c.row), append(is, true), append(weights, w.weights[i])
		}
	}
	for _, c := range background.list {
		if used[c.bin] {
			rows, is, weights = append(rows, c.row), append(is, false), append(weights, 1)
		}
	}
	// The mean weight is 1, whatever the sizes of the samples.
	for i := range weights {
		weights[i] *= float64(len(weights)) / (w.signal + w.background)
	}
	return grow(ctx, rows, is, weights, s.Threads)
}

// draw is draw d of the events, of both halves.
func (s *IdentifySettings) draw(signal, background *kind, d int) *times {
	return &times{resample(len(signal.records), s.Seed^particleStream, uint64(d)), resample(len(background.records), s.Seed^crossingStream, uint64(d))}
}

// measure makes figures of both halves.
func (s *IdentifySettings) measure(ctx context.Context, halves [2]*half, used []bool) (*Identification, error) {
	draws := make([]*roc, s.Draws)
	var group errgroup.Group
	group.SetLimit(s.Threads)
	for d := range draws {
		group.Go(func() error {
			t := s.draw(halves[0].signal, halves[0].background, d)
			draws[d] = meanOfTwo(halves[0].roc(t, used), halves[1].roc(t, used))
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	whole := meanOfTwo(halves[0].roc(&times{}, used), halves[1].roc(&times{}, used))
	out := &Identification{}
	particles := 0
	for _, h := range halves {
		for _, n := range h.signal.records {
			particles += int(n)
		}
		out.LeftOut.Particles += h.signal.outside(used)
		out.LeftOut.Crossings += h.background.outside(used)
	}
	value := func(n int, of func(*roc) float64) Value {
		list := make([]float64, len(draws))
		for d, r := range draws {
			list[d] = math.NaN()
			if r != nil {
				list[d] = of(r)
			}
		}
		return drawn(of(whole), n, list)
	}
	out.AUC = value(whole.background, func(r *roc) float64 { return r.area })
	out.Share = value(particles, func(r *roc) float64 { return r.share })
	at := func(efficiency float64) Point {
		k := slices.Index(curvePoints[:], efficiency)
		v := value(whole.background, func(r *roc) float64 { return r.passed[k] })
		if v.Value == 0 {
			// No draw has any, either: that is no error of 0.
			v.Error, v.Note = math.NaN(), fmt.Sprintf("no minimum-bias cluster passes: below %.2g at 95 %% confidence", 3/float64(v.N))
		}
		return Point{efficiency, v}
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

// outside is how many clusters are in bins that are not used.
func (c *kind) outside(used []bool) (n int) {
	for k, list := range c.bins {
		if !used[k] {
			n += len(list)
		}
	}
	return n
}

func (h *half) at(i int32) *candidate {
	if n := len(h.signal.list); int(i) >= n {
		return &h.background.list[int(i)-n]
	}
	return &h.signal.list[i]
}

// sortBy orders the clusters by a score of their rows.
func (h *half) sortBy(score func(row []float64) float64) {
	n := len(h.signal.list) + len(h.background.list)
	h.order, h.ends = make([]int32, n), make([]bool, n)
	for i := range h.order {
		h.order[i] = int32(i)
		c := h.at(int32(i))
		c.score = score(c.row)
	}
	slices.SortStableFunc(h.order, func(a, b int32) int { return cmp.Compare(h.at(b).score, h.at(a).score) })
	for k := range h.ends {
		h.ends[k] = k == n-1 || h.at(h.order[k]).score != h.at(h.order[k+1]).score
	}
}

// roc is one ROC.
type roc struct {
	area       float64
	passed     [len(curvePoints)]float64 // share of background at curvePoints
	share      float64                   // of particles that are in it
	background int                       // how many there are
}

// meanOfTwo is the ROC between two, nil without one of them.
func meanOfTwo(a, b *roc) *roc {
	if a == nil || b == nil {
		return nil
	}
	m := &roc{area: (a.area + b.area) / 2, share: (a.share + b.share) / 2, background: a.background + b.background}
	for k := range m.passed {
		m.passed[k] = (a.passed[k] + b.passed[k]) / 2
	}
	return m
}

// roc of the events as often as t says, nil where there is nothing in common. Between
// scores, and for equal ones, it is a straight line.
func (h *half) roc(t *times, used []bool) *roc {
	w := weigh(h.signal, h.background, t, used)
	if w.signal == 0 || w.background == 0 {
		return nil
	}
	out := &roc{background: int(w.background)}
	var s, b, s0, b0 float64 // sums up to here, and at the last end
	next := 0
	for k, i := range h.order {
		c := h.at(i)
		switch {
		case !w.used[c.bin]:
		case int(i) < len(h.signal.list):
			s += float64(count(t.particles, c.event) * w.weights[i])
		default:
			b += count(t.crossings, c.event)
		}
		if !h.ends[k] {
			continue
		}
		out.area += float64((b - b0) * (s + s0) / 2)
		last := k == len(h.order)-1
		for next < len(curvePoints) && (s >= curvePoints[next]*w.signal*(1-1e-12) || last) {
			share := 1.0
			if s > s0 {
				share = math.Min((curvePoints[next]*w.signal-s0)/(s-s0), 1)
			}
			out.passed[next] = (b0 + float64(share*(b-b0))) / w.background
			next++
		}
		s0, b0 = s, b
	}
	out.area /= w.signal * w.background
	out.share = h.signal.share(t.particles, w.used)
	return out
}

// share is that of particles in the bins that are used.
func (c *kind) share(times []uint8, used []bool) float64 {
	in, all := 0.0, 0.0
	for e, n := range c.records {
		all += count(times, int32(e)) * float64(n)
	}
	for i := range c.list {
		if d := &c.list[i]; used[d.bin] {
			in += count(times, d.event)
		}
	}
	return in / all
}
