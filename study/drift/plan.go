// Package drift lets a detector change, step by step, while the encoder on it stays as it is, and
// follows it off the detector: a small vector that is added to the encoder's 16 outputs, or to the
// conditions of a decoder, is tuned from what arrives alone, after A. Scheinker et al., "Adaptive latent
// space tuning for non-stationary distributions" (2021), beside what else can be done: nothing, a
// correction of the cells' gains, training the decoder or everything anew on the truth.
//
// Drifts are composed of gain lost with radiation, dead cells, noise, a beam that moves and changing
// pile-up; they are named or files (docs/adapt.md). Every training and every course of a drift is a part of
// the run: an interrupted one goes on where it was, and everything but the times is the same on every
// run and for every number of threads.
package drift

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"barrow/autoencoder"
	"barrow/hgcal"
	"barrow/internal/limit"
	"barrow/internal/setting"
	"barrow/simulate"
)

// The names of the vectors that are tuned.
const (
	onOutputs    = "outputs"
	onConditions = "conditions"
	onBoth       = "both"
)

// Vectors are the names that Plan.Vectors takes.
func vectors() []string { return []string{onConditions, onOutputs, onBoth} }

// A Plan says what drifts, what follows it and by how much is learned: the settings of a run. It is
// saved with it.
type Plan struct {
	Drifts []string `json:"drifts" value:"file" help:"what becomes of the detector, by name or as a TOML file; each has a table of its own"`
	Steps  int      `json:"steps" help:"steps of a drift"`
	Events int      `json:"events" help:"images a step, of all sisters together, to tune by"`
	// Readout of the events are read out in full besides: an offset may then be tuned by what was measured,
	// too.
	Readout    int      `json:"readout" help:"of the images to tune by, those whose charges are read out in full as they are measured; 0 for none"`
	References int      `json:"references" help:"images of the new detector that those of later steps are held against"`
	Vectors    []string `json:"vectors" help:"what is tuned: offsets of the 16 outputs, conditions of a decoder that was trained for them, or both"`
	Methods    []string `json:"methods" help:"ways to tune"`
	Tries      int      `json:"measurements" help:"measurements of the cost a step, each of the same images"`

	Module string  `json:"module" help:"the wafer that is studied with its sisters in the other sectors, as layer/u/v"`
	Preset string  `json:"preset" help:"what is simulated"`
	PileUp float64 `json:"pileup" help:"mean number of collisions of the new detector"`
	Links  int     `json:"links" help:"links, which carry 1, 3, 5, 7 or 9 bits of each output"`

	Train  int `json:"training_images" help:"simulated images of the new detector that the autoencoder is first trained on"`
	Epochs int `json:"epochs" help:"epochs of the first training, on training_images"`
	// All contenders go on from there by as much, so that none is better for having learned longer.
	More    int `json:"further_images" help:"simulated images that all decoders go on with after the first training: the frozen one's of the new detector, those with conditions of many states, those trained anew of their step, with its truth"`
	MoreFor int `json:"further_epochs" help:"epochs of each further training, on further_images"`
	Every   int `json:"retrain_every" help:"steps between trainings anew, against which what is recovered is measured"`
	Test    int `json:"test_images" help:"held-out images a step"`

	Metric string `json:"metric" value:"file" help:"ground metric, or a CSV file of x,y per cell"`
	Seed   uint64 `json:"seed" help:"seed of every random choice; the same seed gives the same bits"`
	Seeds  int    `json:"seeds" help:"detectors, each with its own trainings and images, one seed after the other"`

	// Changes are the drifts as they were read.
	Changes []Drift `json:"changes" label:"the drifts"`
}

// Default is a wafer near the shower maximum and twenty steps of each drift.
func Default() Plan {
	return Plan{
		Drifts: Presets(), Steps: 20, Events: 500, References: 2000, Vectors: []string{onConditions, onOutputs}, Methods: []string{byExtremum}, Tries: 120,
		Module: "9/6/8", Preset: "pileup200", PileUp: 200, Links: 5,
		Train: 50_000, Epochs: 10, More: 100_000, MoreFor: 10, Every: 10, Test: 1000,
		Metric: hgcal.Metrics()[0], Seed: 1, Seeds: 5,
	}
}

// Quick is a small run, of less than two minutes on two idle cores.
func Quick() Plan {
	p := Default()
	p.Drifts = []string{"noise"}
	p.Train, p.Epochs, p.More, p.MoreFor = 20_000, 5, 60_000, 5
	p.Test, p.Seeds = 500, 1
	return p
}

// Choices are the values that a setting may have.
func (p Plan) Choices(key string) []string {
	switch key {
	case "vectors":
		return vectors()
	case "methods":
		return methods()
	case "preset":
		return simulate.Presets()
	case "metric":
		return hgcal.Metrics()
	}
	return nil
}

// More of each than any run has.
const (
	maxSteps  = 1000
	maxImages = 10_000_000
	maxTries  = 100_000
	maxEpochs = 10_000
	// A statistic of a few images says nothing.
	leastEvents = 50
)

// Check reports what does not fit, naming the key and what it may be.
func (p Plan) Check() error {
	if err := p.counts(); err != nil {
		return fmt.Errorf("drift: %w", err)
	}
	for _, c := range []struct {
		key   string
		words []string
	}{{"vectors", p.Vectors}, {"methods", p.Methods}, {"preset", []string{p.Preset}}} {
		if len(c.words) == 0 {
			return fmt.Errorf("drift: %s: name at least one of %v", c.key, p.Choices(c.key))
		}
		for i, w := range c.words {
			if err := setting.Choice(c.key, w, p.Choices(c.key)); err != nil {
				return fmt.Errorf("drift: %w", err)
			}
			if slices.Contains(c.words[:i], w) {
				return fmt.Errorf("drift: %s names %s twice", c.key, w)
			}
		}
	}
	switch {
	case len(p.Drifts) == 0:
		return fmt.Errorf("drift: drifts: name at least one of %v, or a file", Presets())
	case p.Every > p.Steps:
		return fmt.Errorf("drift: retrain_every = %d of %d steps: want at most as many, or nothing says how much was lost", p.Every, p.Steps)
	case p.Readout < 0 || p.Readout > p.Events:
		return fmt.Errorf("drift: readout = %d of events = %d: want at most as many", p.Readout, p.Events)
	case p.Links < 1 || p.Links > 5:
		return fmt.Errorf("drift: links = %d: want 1 to 5", p.Links)
	case !(p.PileUp > 0 && p.PileUp <= 400):
		return fmt.Errorf("drift: pileup = %v: want above 0, at most 400", p.PileUp)
	}
	_, err := p.site()
	return err
}

func (p Plan) counts() error {
	for _, c := range []struct {
		key            string
		v, least, most int
	}{
		{"steps", p.Steps, 1, maxSteps}, {"events", p.Events, leastEvents, maxImages}, {"references", p.References, leastEvents, maxImages},
		{"measurements", p.Tries, 10, maxTries}, {"training_images", p.Train, 100, maxImages}, {"epochs", p.Epochs, 1, maxEpochs},
		{"further_images", p.More, 100, maxImages}, {"further_epochs", p.MoreFor, 1, maxEpochs}, {"retrain_every", p.Every, 1, maxSteps}, {"test_images", p.Test, leastEvents, maxImages}, {"seeds", p.Seeds, 1, 1000},
	} {
		if err := limit.Count(c.key+" =", c.v, c.most); err != nil {
			return err
		}
		if c.v < c.least {
			return fmt.Errorf("%s = %d: want at least %d", c.key, c.v, c.least)
		}
	}
	return limit.Fits("training_images =", max(p.Train, p.More), 4000)
}

// site is where the plan's wafers are.
func (p Plan) site() (*site, error) {
	var layer, u, v int
	var rest string
	if n, _ := fmt.Sscanf(p.Module+" ", "%d/%d/%d%s", &layer, &u, &v, &rest); n != 3 {
		return nil, fmt.Errorf("drift: module = %q: want layer/u/v, as 9/6/8", p.Module)
	}
	for _, m := range hgcal.GeometryV11.Modules() {
		if m.Layer == layer && m.U == u && m.V == v {
			if !m.Full() {
				return nil, fmt.Errorf("drift: module = %q: that wafer is cut; want a whole one", p.Module)
			}
			return newSite(m, p.Preset)
		}
	}
	return nil, fmt.Errorf("drift: module = %q: geometry v11 has no such wafer among those that make trigger data", p.Module)
}

// architecture is that of the autoencoder: the chip's encoder, and a decoder of which one with conditions can be made.
func (p Plan) architecture() autoencoder.Architecture {
	bits, _ := autoencoder.LatentBits(p.Links) // checked
	return autoencoder.Architecture{Precision: "asic", LatentBits: bits, Decoder: autoencoder.DecoderDense, Conditional: true}
}

// read reads the drifts.
func (p *Plan) read() error {
	p.Changes = nil
	for i, name := range p.Drifts {
		d, err := Read(name)
		if err != nil {
			return err
		}
		for _, other := range p.Changes {
			if other.Name == d.Name {
				return fmt.Errorf("drift: drifts: two are called %s", d.Name)
			}
		}
		if strings.Trim(d.Name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
			return fmt.Errorf("drift: drifts = %q: a drift's name becomes part of files' names: want letters, digits, - and _ alone", p.Drifts[i])
		}
		p.Changes = append(p.Changes, *d)
	}
	if len(p.Changes) == 0 {
		return errors.New("drift: no drift is named")
	}
	return nil
}
