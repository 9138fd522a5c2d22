package physics

import (
	"context"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"barrow/emd"
	"barrow/hgcal"
	"barrow/simulate"
)

// listed is a Source of events in memory.
type listed struct{ events []*Event }

func (l *listed) Geometry() *Geometry { return geometry }
func (l *listed) Close() error        { return nil }
func (l *listed) Next(_ context.Context, events []*Event) (int, error) {
	if len(l.events) == 0 {
		return 0, io.EOF
	}
	n := min(len(events), len(l.events))
	for i := range n {
		*events[i] = *l.events[i]
	}
	l.events = l.events[n:]
	return n, nil
}

// nothing is a Contender of which nothing arrives.
type nothing struct{ allCells }

func (nothing) Name() string                { return "nothing" }
func (n nothing) Clone() (Contender, error) { return n, nil }
func (nothing) Decode(_ context.Context, events []*Event, out [][]float64) error {
	if err := room(events, out); err != nil {
		return err
	}
	for k := range out {
		clear(out[k])
	}
	return nil
}

func metric(t testing.TB) *emd.Metric {
	t.Helper()
	m, err := emd.Euclidean(hgcal.Benchmark())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func measureAll(t testing.TB, source Source, s MeasureSettings, contenders ...Contender) (blocks []*Block) {
	t.Helper()
	err := Measure(context.Background(), source, contenders, s, func(b *Block) error {
		blocks = append(blocks, b)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return blocks
}

// particleAt is an electron in the direction of a cell.
func particleAt(wafer, cell int, pt float64) simulate.Particle {
	eta, phi := EtaPhi(geometry.Cell(wafer, cell))
	return simulate.Particle{Class: simulate.Electron, Pt: pt, Eta: eta, Phi: phi}
}

// TestMeasureDeposits: of two particles each has its own cluster, a third one none. Where nothing arrives the EMD is that to equal charges.
func TestMeasureDeposits(t *testing.T) {
	const a, b, far = 300, 5000, 2000
	e := &Event{Number: 7, Zside: 1, Truth: []simulate.Particle{particleAt(a, 20, 30), particleAt(b, 7, 40), particleAt(b+900, 9, 10)}}
	put(e, a, 20, 35*50)
	put(e, b, 7, 35*80)
	put(e, far, 1, 35*60)
	m := metric(t)
	for _, unknown := range []bool{false, true} {
		if unknown {
			e.Truth = e.Truth[:1]
			e.Truth[0].Phi = math.NaN()
		}
		blocks := measureAll(t, &listed{[]*Event{e}}, MeasureSettings{Metric: m}, NewAllCells(), nothing{})
		if len(blocks) != 1 || blocks[0].Events != 1 || blocks[0].Wafers != 3 || len(blocks[0].Records[0]) != len(e.Truth) {
			t.Fatalf("blocks %+v", blocks)
		}
		r, none := blocks[0].Records[0], blocks[0].Records[1]
		if !r[0].Found || math.Abs(r[0].Sum-50) > 1e-9 || r[0].EMD != 0 || r[0].Wafers != 1 || r[0].ChargeEMD != 0 || r[0].Charge != 35*50 || r[0].Around != 0 {
			t.Errorf("first particle: %+v, want 50 MIP_T", r[0])
		}
		image := make([]float64, hgcal.Cells)
		image[20] = 1
		want := 0.0
		for k := range image {
			want += m.At(20, k) / hgcal.Cells
		}
		if none[0].Found || math.Abs(none[0].EMD-want) > 1e-9 || math.Abs(none[0].ChargeEMD-want) > 1e-9 || len(none[0].Layers) != len(geometry.Layers()) {
			t.Errorf("where nothing arrives: %+v, want EMD %g", none[0], want)
		}
		if !unknown && (math.Abs(r[1].Sum-80) > 1e-9 || r[2].Found || !math.IsNaN(r[2].EMD)) {
			t.Errorf("other particles: %+v", r[1:])
		}
	}
}

// TestMinimumBias: every cluster above the floor, and between the bounds of |η|, is a record,
// whatever the event says was generated.
func TestMinimumBias(t *testing.T) {
	e := &Event{Number: 1, Zside: -1, Truth: []simulate.Particle{particleAt(300, 20, 30)}}
	put(e, 300, 20, 35*50)
	put(e, 5000, 7, 35*80)
	for floor, want := range map[float64]int{0: 2, 60: 1, 100: 0} {
		b := measureAll(t, &listed{[]*Event{e}}, MeasureSettings{MinimumBias: true, Floor: floor}, NewAllCells())[0]
		if len(b.Records[0]) != want || b.Events != 1 {
			t.Errorf("floor %g: %d records, want %d", floor, len(b.Records[0]), want)
		}
	}
	one, _ := EtaPhi(geometry.Cell(300, 20))
	two, _ := EtaPhi(geometry.Cell(5000, 7))
	middle := (one + two) / 2
	for _, s := range []MeasureSettings{{EtaMin: middle}, {EtaMax: middle}, {EtaMin: 1, EtaMax: middle}} {
		s.MinimumBias = true
		got := measureAll(t, &listed{[]*Event{e}}, s, NewAllCells())[0].Records[0]
		if len(got) != 1 || (got[0].Eta > middle) != (s.EtaMin > 1) {
			t.Errorf("%+v: %d records, of η %g and %g", s, len(got), one, two)
		}
	}
}

// TestMeasureThreads: the same records for any number of threads, and for a run that
// goes on where another ended.
func TestMeasureThreads(t *testing.T) {
	run := func(threads, skip, block int) (records []Record) {
		source, err := NewSimulated(SimulatedSettings{N: 9, Events: simulate.EventSettings{Seed: 3, Class: simulate.Electron, PileUp: 30}})
		if err != nil {
			t.Fatal(err)
		}
		s := MeasureSettings{Metric: metric(t), Threads: threads, Skip: skip, Block: block, N: 9}
		for _, b := range measureAll(t, source, s, nothing{}, NewAllCells()) {
			records = append(records, b.Records[1]...)
		}
		return records
	}
	one := run(1, 0, 0)
	if len(one) != 9 {
		t.Fatalf("%d records", len(one))
	}
	for _, threads := range []int{2, 5} {
		if !same(one, run(threads, 0, 0)) {
			t.Errorf("other records on %d threads", threads)
		}
	}
	if !same(one[4:], run(2, 4, 2)) {
		t.Error("other records after four events")
	}
}

// TestMeasureTurned: an event turned by 120° leaves the same records, turned, whatever
// the contender. Conditions of the conditional autoencoder name the wafer's place, so it
// is not asked.
func TestMeasureTurned(t *testing.T) {
	events := someEvents(t, 3)
	list := slices.DeleteFunc(contenders(t, sameLinks(t, 3), events), func(c Contender) bool { return strings.HasPrefix(c.Name(), "conditional") })
	measured := func(n int) [][]Record {
		turned := make([]*Event, len(events))
		for i, e := range events {
			turned[i] = turn(t, e, n)
			turned[i].Truth, turned[i].Cones = slices.Clone(e.Truth), nil
			for k := range e.Truth {
				turned[i].Truth[k].Phi = math.Remainder(e.Truth[k].Phi+float64(n)*2*math.Pi/hgcal.Sectors, 2*math.Pi)
			}
		}
		return measureAll(t, &listed{turned}, MeasureSettings{Metric: metric(t)}, list...)[0].Records
	}
	near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-7*max(1, math.Abs(b)) }
	want := measured(0)
	for n := 1; n < hgcal.Sectors; n++ {
		for i, records := range measured(n) {
			for k, r := range records {
				w := want[i][k]
				by := math.Remainder(r.Phi-w.Phi-float64(n)*2*math.Pi/hgcal.Sectors, 2*math.Pi)
				if r.Found != w.Found || !near(r.Sum, w.Sum) || !near(r.Eta, w.Eta) || math.Abs(by) > 1e-7 || !near(r.Around, w.Around) ||
					!near(r.EMD, w.EMD) || !near(r.ChargeEMD, w.ChargeEMD) || r.Wafers != w.Wafers {
					t.Errorf("%s, event %d turned by %d: %+v, want %+v", list[i].Name(), k, n*120, r, w)
				}
			}
		}
	}
}

func TestMeasureErrors(t *testing.T) {
	for want, s := range map[string]MeasureSettings{
		"match within -1": {Match: -1}, "floor of NaN": {Floor: math.NaN()}, "passed over": {N: 1, Skip: 2},
		"blocks of -1": {Block: -1}, "between": {EtaMin: 2, EtaMax: 1.5}, "threads": {Threads: -1},
	} {
		err := Measure(context.Background(), &listed{}, []Contender{NewAllCells()}, s, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	at := particleAt(300, 20, 30)
	for want, e := range map[string]*Event{
		"event 3 has no generated particle": {Number: 3, Zside: 1},
		"their clusters need 0.0624":        {Number: 3, Zside: 1, Truth: []simulate.Particle{at}, Cones: []simulate.Cone{at.Around(0.06)}},
	} {
		err := Measure(context.Background(), &listed{[]*Event{e}}, []Contender{NewAllCells()}, MeasureSettings{}, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	for _, list := range [][]Contender{nil, {NewAllCells(), NewAllCells()}} {
		if err := Measure(context.Background(), &listed{}, list, MeasureSettings{}, nil); err == nil {
			t.Errorf("%d contenders of one name measured", len(list))
		}
	}
}
