package physics

import (
	"context"
	"fmt"
	"io"

	"golang.org/x/sync/errgroup"

	"barrow/internal/limit"
	"barrow/simulate"
)

// SimulatedSettings say what events to draw.
type SimulatedSettings struct {
	// Events are the settings of the generator. EtaMin and EtaMax 0 are the constants of
	// these names.
	Events simulate.EventSettings
	// First is the number of the first event, N how many there are.
	First uint64
	N     int
	// Reach is how much is drawn around every particle, and for a jet around its axis
	// and its parts: what is within so much in x/z and y/z. 0 is 0.08, somewhat more than
	// Measure asks for by default; negative is the whole endcap, as minimum bias always
	// is.
	Reach float64
}

// EtaMin and EtaMax are the |η| between which whole showers are simulated. Nearer to the
// endcap's inner and outer rims are cut modules, which are not drawn, so that energy is lost:
// at 2.8 to 2.9 a fifth of it on average.
const (
	EtaMin = 1.7
	EtaMax = 2.7
)

// Simulated draws events.
type Simulated struct {
	settings SimulatedSettings
	threads  int
	geometry *Geometry
	events   *simulate.Events
	done     int
}

// maxReach is wider than an endcap.
const maxReach = 2

// NewSimulated prepares the drawing of events. Threads of the generator's settings draw
// one event each.
func NewSimulated(s SimulatedSettings) (*Simulated, error) {
	if s.Reach == 0 {
		s.Reach = 0.08
	}
	switch {
	case s.N < 0:
		return nil, fmt.Errorf("physics: %d events: want 0 or more", s.N)
	case !(s.Reach <= maxReach):
		return nil, fmt.Errorf("physics: reach %g in x/z: want at most %d, or a negative one for the whole endcap", s.Reach, maxReach)
	}
	threads, err := limit.Threads(s.Events.Threads)
	if err != nil {
		return nil, fmt.Errorf("physics: %w", err)
	}
	s.Events.Threads = 1
	if s.Events.EtaMin == 0 {
		s.Events.EtaMin = EtaMin
	}
	if s.Events.EtaMax == 0 {
		s.Events.EtaMax = EtaMax
	}
	events, err := simulate.NewEvents(s.Events)
	if err != nil {
		return nil, err
	}
	return &Simulated{settings: s, threads: threads, geometry: NewGeometry(s.Events.Geometry), events: events}, nil
}

// Geometry is where the events' wafers are.
func (s *Simulated) Geometry() *Geometry { return s.geometry }

// Close does nothing.
func (s *Simulated) Close() error { return nil }

// Next draws the following events, on the settings' threads: see Source.
func (s *Simulated) Next(ctx context.Context, events []*Event) (int, error) {
	n := min(len(events), s.settings.N-s.done)
	if n == 0 && len(events) > 0 {
		return 0, io.EOF
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(s.threads)
	for i, e := range events[:n] {
		k := s.settings.First + uint64(s.done+i)
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return s.Event(k, e)
		})
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	s.done += n
	return n, nil
}

// Skip passes over the following n events, or those that are left, and returns how many
// these were.
func (s *Simulated) Skip(n int) int {
	n = min(n, s.settings.N-s.done)
	s.done += n
	return n
}

// Event replaces the contents of e by event k. It may be called by several goroutines
// at once.
func (s *Simulated) Event(k uint64, e *Event) error {
	e.Number, e.Zside, e.Cones = int64(k), 1, e.Cones[:0]
	if s.settings.Reach < 0 || s.settings.Events.Class == simulate.PileUp {
		e.Cones = nil
	} else {
		list := s.events.Particles(k)
		for i := range list {
			e.Cones = append(e.Cones, list[i].Around(s.settings.Reach))
			for j := range list[i].Parts {
				e.Cones = append(e.Cones, list[i].Parts[j].Around(s.settings.Reach))
			}
		}
	}
	e.Truth = s.events.Draw(k, e.Cones, &e.Images)
	layer, u := e.Images.Column("layer").Float, e.Images.Column("waferu").Float
	v, sector := e.Images.Column("waferv").Float, e.Images.Column("sector").Float
	e.Wafers = e.Wafers[:0]
	for i := range layer {
		w, err := s.geometry.Find(int(layer[i]), int(u[i]), int(v[i]), int(sector[i]))
		if err != nil {
			return fmt.Errorf("physics: event %d: %w", k, err)
		}
		e.Wafers = append(e.Wafers, int32(w))
	}
	return nil
}
