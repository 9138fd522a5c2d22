package worker

import (
	"context"
	"fmt"

	"barrow/hgcal"
	"barrow/simulate"
	"barrow/wafer"
)

// simulation draws images.
var simulation = subject{kinds: map[string]open{"simulate": openSimulation}}

// simulateParams are the settings of "barrow simulate", by the names of its flags.
type simulateParams struct {
	Preset      string     `json:"preset"`
	Seed        uint64     `json:"seed"`
	Threads     int        `json:"threads"`
	Eta         [2]float64 `json:"eta"`
	Energy      [2]float64 `json:"energy"`
	EnergyIndex float64    `json:"energy_index"`
	Layer       []int      `json:"layer"`
	ELinks      []int      `json:"elinks"`
	Links       string     `json:"links"`
	PileUp      float64    `json:"pileup"`
	Unit        string     `json:"unit"`
	Threshold   float64    `json:"threshold"`
	Compress    bool       `json:"compress"`
	KeepEmpty   bool       `json:"keep_empty"`
	Whole       bool       `json:"whole"`
	Geometry    string     `json:"geometry"`
	Parameters  string     `json:"parameters"` // TOML file, "" for the defaults
}

func (p *simulateParams) settings() (s simulate.Settings, err error) {
	s = simulate.Settings{
		Preset: p.Preset, Seed: p.Seed, Threads: p.Threads,
		EtaMin: p.Eta[0], EtaMax: p.Eta[1], EnergyMin: p.Energy[0], EnergyMax: p.Energy[1], EnergyIndex: p.EnergyIndex,
		Layers: p.Layer, Links: p.ELinks, PileUp: p.PileUp, Threshold: p.Threshold,
		Compress: p.Compress, KeepEmpty: p.KeepEmpty, Whole: p.Whole,
	}
	if s.Geometry, err = hgcal.ParseGeometry(p.Geometry); err != nil {
		return s, err
	}
	if s.Allocation, err = simulate.ParseAllocation(p.Links); err != nil {
		return s, err
	}
	if s.Unit, err = simulate.ParseUnit(p.Unit); err != nil {
		return s, err
	}
	if p.Parameters != "" {
		s.Parameters, err = simulate.ReadParameters(p.Parameters)
	}
	return s, err
}

func openSimulation(_ context.Context, c *call) (object, error) {
	p := simulateParams{Preset: "mixed", Seed: 1, Links: "signal", Unit: "calq", Geometry: "v11"}
	if err := c.decode(&p); err != nil {
		return object{}, err
	}
	s, err := p.settings()
	if err != nil {
		return object{}, err
	}
	g, err := simulate.New(s)
	if err != nil {
		return object{}, err
	}
	return object{methods: map[string]function{
		// Images first to first+n-1, or all of whole events of these numbers.
		"draw": func(ctx context.Context, c *call) error {
			var p struct {
				First uint64 `json:"first"`
				N     int    `json:"n"`
			}
			if err := c.decode(&p); err != nil {
				return err
			}
			if p.N < 1 || p.First+uint64(p.N) < p.First {
				return fmt.Errorf("worker: %d images from number %d on: want at least 1, and numbers below 2^64", p.N, p.First)
			}
			images, err := wafer.ReadAll(g.Reader(p.First, p.N))
			if err != nil {
				return err
			}
			columns, err := answerImages(c, wholeColumns(images))
			if err != nil {
				return err
			}
			return c.answer(map[string]any{"columns": columns})
		},
	}}, nil
}

// wholeColumns are the images with columns that are whole numbers, by what they mean, as
// such.
func wholeColumns(s *wafer.Set) *wafer.Set {
	for i := range s.Columns {
		c := &s.Columns[i]
		if c.Float == nil || c.Name != "sector" && wafer.Known(c.Name).Kind() != wafer.Whole {
			continue
		}
		c.Int = make([]int64, len(c.Float))
		for k, v := range c.Float {
			c.Int[k] = int64(v)
		}
		c.Float = nil
	}
	return s
}
