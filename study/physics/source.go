package physics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"barrow/hgcal"
	"barrow/physics"
	"barrow/simulate"
	"barrow/wafer"
	"barrow/wafer/file"
)

// A sample is one of the kinds of events of a run.
type sample struct {
	name  string // of the parts of the run
	block int    // events in a part
	bias  bool   // collisions alone
	soft  bool   // particles with the momenta of minimum bias's clusters, for the ROC
	n     int    // events
}

// Soft particles: those of minimum bias's clusters, of which hardly any have 10 GeV. Where the
// plan's own begin above lowestForROC, particles up to softPt are drawn besides, falling as
// softIndex says: two for each endcap of minimum bias, which has about one cluster of 5 GeV.
const (
	lowestForROC = 4
	softPt       = 20
	softIndex    = 3
)

// softEvents is how many soft particles are drawn beside so much minimum bias: none where the
// plan's own do, or are of files.
func (p Plan) softEvents(bias int) int {
	lo, _, err := span("pt", p.Pt, 0)
	if err != nil || lo <= lowestForROC || len(p.Data) > 0 {
		return 0
	}
	return min(p.Events, 2*bias)
}

// Events in a block: what is lost by an interruption, at most, and what is in memory.
const (
	particleBlock  = 200
	crossingsBlock = 10
)

// geometry of the detector.
func (p Plan) geometry() hgcal.Geometry {
	g, err := hgcal.ParseGeometry(p.Geometry)
	if err != nil {
		panic(err) // Check has passed it
	}
	return g
}

// The events of a run, those that encoders are trained on, minimum bias and soft particles have
// numbers of their own.
const (
	biasFirst     = 1 << 40
	trainingFirst = 1 << 41
	softFirst     = 1 << 42
)

// generator is what draws the plan's events.
func (p Plan) generator(bias bool, threads int) (simulate.EventSettings, error) {
	s := simulate.EventSettings{Seed: p.Seed, Threads: threads, Geometry: p.geometry(), PileUp: p.PileUp}
	var err error
	if s.EtaMin, s.EtaMax, err = span("eta", p.Eta, 0); err != nil {
		return s, err
	}
	if bias {
		return s, nil
	}
	if s.PtMin, s.PtMax, err = span("pt", p.Pt, 0); err != nil {
		return s, err
	}
	s.Class, err = simulate.ParseClass(p.Class)
	return s, err
}

// bounds are those of |η| of the clusters of collisions alone: what is simulated is within
// them, and whatever is set against it must be, too. 0 is none.
func (p Plan) bounds() (lo, hi float64, err error) {
	if len(p.Data) > 0 && len(p.Others) > 0 {
		return 0, 0, nil
	}
	return span("eta", p.Eta, 0)
}

// files of a sample; none where it is simulated.
func (p Plan) files(s sample) []string {
	if s.bias {
		return p.Others
	}
	return p.Data
}

// open opens a sample.
func (p Plan) open(ctx context.Context, s sample, threads int) (physics.Source, error) {
	if len(p.files(s)) > 0 {
		return p.ntuples(ctx, s)
	}
	e, err := p.generator(s.bias, threads)
	if err != nil {
		return nil, err
	}
	of := physics.SimulatedSettings{Events: e, N: s.n}
	switch {
	case s.bias:
		of.First = biasFirst
	case s.soft:
		of.First = softFirst
		of.Events.PtMin, of.Events.PtMax, of.Events.Index = lowestForROC, softPt, softIndex
	}
	return physics.NewSimulated(of)
}

// ntuples opens the files of a sample.
func (p Plan) ntuples(ctx context.Context, s sample) (*physics.Ntuple, error) {
	order, err := hgcal.ParseOrder(p.Order)
	if err != nil {
		return nil, err
	}
	of := physics.NtupleSettings{Geometry: p.geometry(), Read: wafer.ReadSettings{Order: order, Tree: p.Tree, Charge: p.Charge}}
	if !s.bias {
		if of.Class, err = simulate.ParseClass(p.Class); err != nil {
			return nil, err
		}
	}
	return physics.OpenNtuple(ctx, of, p.files(s)...)
}

// distinct reports a file that is named twice, by itself or by patterns: its events would
// count twice.
func (p Plan) distinct() error {
	seen := map[string]bool{}
	for _, list := range [][]string{p.Data, p.Others} {
		if len(list) == 0 {
			continue
		}
		paths, err := file.Expand(list...)
		if err != nil {
			return err
		}
		for _, path := range paths {
			at, err := filepath.Abs(path)
			if err != nil {
				return fmt.Errorf("physics: %s: %w", path, err)
			}
			if seen[at] {
				return fmt.Errorf("physics: %s is named twice, by itself or by a pattern: its events would count twice", path)
			}
			seen[at] = true
		}
	}
	return nil
}

// count reads files to their end, or so many events of them, at most: all that is wrong with
// them is found before any work.
func (p Plan) count(ctx context.Context, s sample, most int, remark func(string)) (int, error) {
	in, err := p.ntuples(ctx, s)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	n, e := 0, []*physics.Event{{}}
	for most == 0 || n < most {
		_, err := in.Next(ctx, e)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, err
		}
		n++
	}
	for _, text := range in.Remarks() {
		remark(text)
	}
	if k := in.Skipped(); k > 0 {
		remark(fmt.Sprintf("%d endcaps without a generated particle are left out, %d with one are measured", k, n))
	}
	if n == 0 {
		return 0, fmt.Errorf("physics: %s: no events with a generated particle", p.files(s)[0])
	}
	return n, nil
}
