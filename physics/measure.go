package physics

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"golang.org/x/sync/errgroup"

	"barrow/emd"
	"barrow/hgcal"
	"barrow/internal/limit"
	"barrow/simulate"
)

// MeasureSettings say what is measured of events.
type MeasureSettings struct {
	Finder FinderSettings
	// Match is the largest distance in x/z and y/z between a particle and its cluster; 0
	// is 0.02.
	Match float64
	// MinimumBias records all clusters of each event, whatever was generated. Without it
	// an event without a generated particle is an error.
	MinimumBias bool
	// Floor is the least Cluster.Sum in MIP_T of clusters of minimum bias that are recorded;
	// 0 is all.
	Floor float64
	// EtaMin and EtaMax bound |η| of the clusters of minimum bias that are recorded: those of
	// the particles, where both are simulated. 0 is no bound.
	EtaMin, EtaMax float64
	// Metric is the ground metric of the EMD, of 48 points; nil leaves the EMD out.
	Metric *emd.Metric
	// N is the largest number of events, those of Skip included; 0 is all that the source
	// has.
	N int
	// Skip is how many events at the beginning are passed over, those of the blocks that
	// are there already.
	Skip int
	// Block is the number of events a block; 0 is 256.
	Block    int
	Threads  int // 0: all processors; never changes a record
	Progress func(share float64, note string)
}

// matched is the distance in x/z and y/z within which a cluster is a particle's: one in √(Δη²
// + Δφ²) of 0.05 at |η| 1.7 and 0.15 at 2.7.
const matched = 0.02

func (s *MeasureSettings) complete() error {
	if s.Match == 0 {
		s.Match = matched
	}
	if s.Block == 0 {
		s.Block = 256
	}
	switch {
	case !(s.Match > 0 && s.Match <= 0.3):
		return fmt.Errorf("physics: match within %g in x/z: want above 0, at most 0.3", s.Match)
	case !(s.Floor >= 0) || math.IsInf(s.Floor, 1):
		return fmt.Errorf("physics: floor of %g MIP_T: want a number, at least 0", s.Floor)
	case !(s.EtaMin >= 0) || !(s.EtaMax >= 0) || s.EtaMax > 0 && s.EtaMax <= s.EtaMin:
		return fmt.Errorf("physics: clusters of minimum bias between |η| %g and %g: want a lower bound and a higher one, 0 for none", s.EtaMin, s.EtaMax)
	case s.N < 0 || s.Skip < 0 || s.N > 0 && s.Skip > s.N:
		return fmt.Errorf("physics: %d events, of which %d are passed over: want neither below 0, and not more passed over than there are", s.N, s.Skip)
	case s.Block < 1 || s.Block > 1<<20:
		return fmt.Errorf("physics: blocks of %d events: want 1 to %d", s.Block, 1<<20)
	case s.Metric != nil && s.Metric.Len() != hgcal.Cells:
		return fmt.Errorf("physics: a ground metric of %d points: want %d", s.Metric.Len(), hgcal.Cells)
	}
	return nil
}

// Of the events that are in memory, some go through a contender together, so that
// networks work on many images at once.
const (
	eventsHeld  = 32
	eventsBatch = 4
)

// Measure sends the events of a source through contenders, finds clusters in what
// arrives and matches them to the generated particles. It calls each with one block after
// the other, the last one shorter if need be, and ends with its error. Contenders that
// have to see events first (see [Fitter]) have seen them: each call is to get the same.
//
// A particle's cluster is the one with the largest Sum within Match of its direction, or,
// where φ is unknown, of its r/z. Of several particles the one with the largest p_T comes
// first, and a cluster belongs to one at most. A jet counts by its axis. Of minimum bias
// all clusters are recorded. Where not all of the endcap was drawn, only clusters whose
// radius was are recorded so; cones of particles that are too narrow for their clusters to
// be those of the whole endcap are an error.
//
// Memory does not grow with the number of events, and records do not depend on Threads.
func Measure(ctx context.Context, source Source, contenders []Contender, s MeasureSettings, each func(*Block) error) error {
	m, err := newMeasurer(source, contenders, s)
	if err != nil {
		return err
	}
	if err := m.skip(ctx); err != nil {
		return err
	}
	for {
		b, err := m.block(ctx)
		if err != nil || b.Events == 0 {
			return err
		}
		if err := each(b); err != nil {
			return err
		}
	}
}

// measurer is a call of Measure.
type measurer struct {
	settings MeasureSettings
	source   Source
	geometry *Geometry
	names    []string
	events   []*Event
	done     int // events, those passed over included
	idle     chan *worker
}

// worker is what a goroutine has for itself.
type worker struct {
	contenders []Contender
	finder     *Finder
	solver     *emd.Solver // nil: no EMD
	decoded    [][]float64
	flat       []float64
}

func newMeasurer(source Source, contenders []Contender, s MeasureSettings) (*measurer, error) {
	if err := s.complete(); err != nil {
		return nil, err
	}
	if len(contenders) == 0 || len(contenders) > maxContenders {
		return nil, fmt.Errorf("physics: %d contenders: want 1 to %d", len(contenders), maxContenders)
	}
	threads, err := limit.Threads(s.Threads)
	if err != nil {
		return nil, fmt.Errorf("physics: %w", err)
	}
	threads = min(threads, len(contenders)*(eventsHeld/eventsBatch))
	m := &measurer{settings: s, source: source, geometry: source.Geometry(), idle: make(chan *worker, threads)}
	for _, c := range contenders {
		if slices.Contains(m.names, c.Name()) {
			return nil, fmt.Errorf("physics: two contenders are called %q: give each a name of its own", c.Name())
		}
		m.names = append(m.names, c.Name())
	}
	for range eventsHeld {
		m.events = append(m.events, &Event{})
	}
	for range threads {
		w, err := m.worker(contenders)
		if err != nil {
			return nil, err
		}
		m.idle <- w
	}
	return m, nil
}

func (m *measurer) worker(contenders []Contender) (*worker, error) {
	w := &worker{flat: slices.Repeat([]float64{1}, hgcal.Cells), decoded: make([][]float64, eventsBatch)}
	for _, c := range contenders {
		clone, err := c.Clone()
		if err != nil {
			return nil, err
		}
		w.contenders = append(w.contenders, clone)
	}
	var err error
	if w.finder, err = NewFinder(m.geometry, m.settings.Finder); err != nil || m.settings.Metric == nil {
		return w, err
	}
	w.solver, err = emd.NewSolver(m.settings.Metric, emd.Settings{Unequal: emd.UnequalNormalise})
	return w, err
}

// skipper is a Source that can pass over events without reading them.
type skipper interface {
	// Skip passes over the following n events, or those that are left, and returns how
	// many these were.
	Skip(n int) int
}

// skip passes over the events of Skip.
func (m *measurer) skip(ctx context.Context) error {
	if s, ok := m.source.(skipper); ok {
		m.done = s.Skip(m.settings.Skip)
		return nil
	}
	for m.done < m.settings.Skip {
		n, err := m.source.Next(ctx, m.events[:min(eventsHeld, m.settings.Skip-m.done)])
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		m.done += n
	}
	return nil
}

// block measures the following block, of no events where the source has none.
func (m *measurer) block(ctx context.Context) (*Block, error) {
	b := &Block{First: m.done, Contenders: m.names, Records: make([][]Record, len(m.names))}
	for b.Events < m.settings.Block {
		want := min(eventsHeld, m.settings.Block-b.Events)
		if m.settings.N > 0 {
			want = min(want, m.settings.N-m.done)
		}
		if want == 0 {
			break
		}
		n, err := m.source.Next(ctx, m.events[:want])
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := m.add(ctx, b, m.events[:n]); err != nil {
			return nil, err
		}
		m.done += n
		if m.settings.Progress != nil {
			share := 0.0
			if m.settings.N > 0 {
				share = float64(m.done) / float64(m.settings.N)
			}
			m.settings.Progress(share, fmt.Sprintf("%d events", m.done))
		}
	}
	return b, nil
}

// add measures events and adds their records to a block.
func (m *measurer) add(ctx context.Context, b *Block, events []*Event) error {
	// A task is a batch of events of one contender. Its records and its error have their
	// place, so that neither depends on which goroutine is first.
	batches := (len(events) + eventsBatch - 1) / eventsBatch
	records := make([][]Record, len(m.names)*batches)
	errs := make([]error, len(records))
	var group errgroup.Group
	group.SetLimit(cap(m.idle))
	for task := range records {
		group.Go(func() error {
			w := <-m.idle
			defer func() { m.idle <- w }()
			from := task % batches * eventsBatch
			records[task], errs[task] = m.measure(ctx, w, task/batches, events[from:min(from+eventsBatch, len(events))])
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for task, some := range records {
		if errs[task] != nil {
			return errs[task]
		}
		b.Records[task/batches] = append(b.Records[task/batches], some...)
	}
	for _, e := range events {
		b.Wafers += len(e.Wafers)
	}
	b.Events += len(events)
	return nil
}

// measure returns the records of some events of contender c.
func (m *measurer) measure(ctx context.Context, w *worker, c int, events []*Event) ([]Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	decoded := w.decoded[:len(events)]
	if err := w.contenders[c].Decode(ctx, events, decoded); err != nil {
		return nil, fmt.Errorf("%s: %w", m.names[c], err)
	}
	var records []Record
	for i, e := range events {
		if err := m.check(w, e); err != nil {
			return nil, err
		}
		clusters, err := w.finder.find(e, decoded[i])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.names[c], err)
		}
		if m.settings.MinimumBias {
			records = m.minimumBias(records, w, e, clusters, decoded[i])
			continue
		}
		if records, err = m.particles(records, w, e, clusters, decoded[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", m.names[c], err)
		}
	}
	return records, nil
}

// check refuses events that cannot be measured as the settings say: a particle's cluster
// lies within Match of it, what makes its seed within the smoothing's width of that,
// and what is around it within √2 of the radius.
func (m *measurer) check(w *worker, e *Event) error {
	if m.settings.MinimumBias {
		return nil
	}
	if len(e.Truth) == 0 {
		return fmt.Errorf("physics: event %d has no generated particle: want one, or settings that call these events minimum bias", e.Number)
	}
	f := &w.finder.settings
	reach := m.settings.Match + max(math.Sqrt2*f.Radius, f.Radius+f.Smooth)
	for _, c := range e.Cones {
		if c.Radius < reach {
			return fmt.Errorf("physics: event %d is drawn within %g of its particles in x/z and y/z: their clusters need %.3g", e.Number, c.Radius, reach)
		}
	}
	return nil
}

// wanted reports whether a cluster of minimum bias is recorded.
func (s *MeasureSettings) wanted(c *Cluster) bool {
	eta := math.Abs(c.Eta)
	return c.Sum >= s.Floor && eta >= s.EtaMin && (s.EtaMax == 0 || eta <= s.EtaMax)
}

// minimumBias records all clusters within the bounds.
func (m *measurer) minimumBias(records []Record, w *worker, e *Event, clusters []Cluster, charges []float64) []Record {
	for i := range clusters {
		if c := &clusters[i]; m.settings.wanted(c) && e.Holds(c.X, c.Y, w.finder.settings.Radius) {
			w.finder.shape(c)
			records = append(records, Record{Event: e.Number, Zside: e.Zside, Found: true, Cluster: *c,
				Around: w.finder.around(e, charges, c), EMD: math.NaN(), ChargeEMD: math.NaN()})
		}
	}
	return records
}

// particles records every particle.
func (m *measurer) particles(records []Record, w *worker, e *Event, clusters []Cluster, charges []float64) ([]Record, error) {
	owner := match(e.Truth, clusters, m.settings.Match)
	for k := range e.Truth {
		r := Record{Event: e.Number, Zside: e.Zside, Truth: e.Truth[k]}
		r.Truth.Parts = nil
		if i := owner[k]; i >= 0 {
			w.finder.shape(&clusters[i])
			r.Found, r.Cluster, r.Around = true, clusters[i], w.finder.around(e, charges, &clusters[i])
		} else {
			r.Layers = make([]float64, len(m.geometry.layers))
		}
		var err error
		if err = w.distance(e, &r, charges); err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, nil
}

// near is a direction, or a ring where φ is unknown.
type near struct{ x, y, rz float64 }

func nearTo(p *simulate.Particle) near {
	x, y := Direction(p.Eta, p.Phi) // NaN without φ
	return near{x, y, 1 / math.Sinh(p.Eta)}
}

// within reports whether a direction is within a radius.
func (n near) within(x, y, radius float64) bool {
	if math.IsNaN(n.x) {
		return math.Abs(math.Hypot(x, y)-n.rz) <= radius
	}
	return within(x-n.x, y-n.y, radius)
}

// match returns for every particle the number of its cluster, -1 if there is none.
func match(truth []simulate.Particle, clusters []Cluster, radius float64) []int {
	order, owner := make([]int, len(truth)), make([]int, len(truth))
	for k := range truth {
		order[k], owner[k] = k, -1
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(truth[b].Pt, truth[a].Pt) })
	for _, k := range order {
		at, best := nearTo(&truth[k]), -1
		for i := range clusters {
			c := &clusters[i]
			if at.within(c.X, c.Y, radius) && (best < 0 || c.Sum > clusters[best].Sum) && !slices.Contains(owner, i) {
				best = i
			}
		}
		owner[k] = best
	}
	return owner
}

// distance sets the EMD over the wafers with charge around a particle, and their number.
func (w *worker) distance(e *Event, r *Record, charges []float64) error {
	r.EMD, r.ChargeEMD = math.NaN(), math.NaN()
	if w.solver == nil {
		return nil
	}
	at := nearTo(&r.Truth)
	var sum, weighted float64
	for i, wafer := range e.Wafers {
		x, y := w.finder.geometry.centre(int(wafer))
		image, arrived := e.Images.Image(i), charges[i*hgcal.Cells:(i+1)*hgcal.Cells]
		if !at.within(x, y, w.finder.settings.Radius) || slices.Max(image) <= 0 {
			continue
		}
		charge := 0.0
		for _, q := range image {
			charge += q
		}
		r.Wafers++
		r.Charge += charge
		if slices.Equal(image, arrived) {
			continue
		}
		if slices.Max(arrived) <= 0 {
			arrived = w.flat
		}
		d, err := w.solver.Distance(image, arrived)
		if err != nil {
			return fmt.Errorf("event %d, wafer %d: %w", e.Number, i+1, err)
		}
		sum += d
		weighted += float64(d * charge)
	}
	if r.Wafers > 0 {
		r.EMD, r.ChargeEMD = sum/float64(r.Wafers), weighted/r.Charge
	}
	return nil
}

// around sums the energies around a cluster: see Record.Around.
func (f *Finder) around(e *Event, charges []float64, c *Cluster) float64 {
	inner := f.settings.Radius
	outer, sum := inner*math.Sqrt2, 0.0
	for i, at := range e.Wafers {
		if x, y := f.geometry.centre(int(at)); !within(x-c.X, y-c.Y, outer+waferSize) {
			continue
		}
		for k, q := range charges[i*hgcal.Cells : (i+1)*hgcal.Cells] {
			if q == 0 {
				continue
			}
			if x, y := f.geometry.Cell(int(at), k); within(x-c.X, y-c.Y, outer) && !within(x-c.X, y-c.Y, inner) {
				sum += float64(q * mipT)
			}
		}
	}
	return sum
}
