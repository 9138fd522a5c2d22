// Package plan says which algorithm of the trigger chip each module of an endcap should be
// set to. The modules, of a geometry or of a file, are put into classes of like ones; for each
// class the chip's algorithms with their rules by hand, the same with decoders that have
// learned, and encoders are measured on images by which is chosen, and the choice on others. It
// leaves a table of the modules with their registers. Trainings are checkpointed and finished
// parts are kept, so that an interrupted run goes on where it was; everything but the times is
// the same on every run and for every number of threads.
package plan

import (
	"fmt"
	"math"

	"barrow/autoencoder"
	"barrow/decoder"
	"barrow/hgcal"
	"barrow/internal/limit"
	"barrow/internal/setting"
	"barrow/run"
	"barrow/study/images"
)

// A Plan says which modules are planned for, and how: the settings of a run. It is saved
// with it.
type Plan struct {
	Geometry string `json:"geometry" help:"version of the detector"`
	Modules  string `json:"modules,omitempty" value:"file" help:"CSV file of the modules to plan for, with the columns layer, waferu, waferv and links, instead of all of the geometry's on their own links"`
	images.Input

	Figure       string `json:"figure" help:"what is to be small, mean, the mean EMD of the modules, charge, that of the charge, worst, the mean EMD of the worst module, or resolution, what is added to that of electrons' clusters"`
	WeightsLimit int    `json:"weights_limit" help:"different sets of trained weights that may be used at most; 0 for any number"`

	EtaBand   float64 `json:"eta_band" help:"modules within so much |η| are alike"`
	LayerBand int     `json:"layer_band" help:"modules within so many trigger layers are alike"`
	Fewest    int     `json:"fewest" help:"modules that a class has at least, or it joins the one that is most like it"`
	PerClass  int     `json:"class_images" help:"simulated images of a class to choose by, and as many again to measure the choice by"`

	EncoderLinks []int    `json:"encoder_links" help:"numbers of links that encoders are trained for; 0 for none"`
	Masks        []string `json:"masks,omitempty" repeat:"true" value:"links:widths" flag:"mask" help:"bits of an encoder's outputs on a number of links; may be repeated"`
	Encoders     []string `json:"encoders,omitempty" flag:"encoder" repeat:"true" value:"file" help:"run folder or weights file of an encoder trained with the precision asic, a candidate with its own decoder for all modules with links for its bits; may be repeated"`
	Decoders     int      `json:"decoders" help:"of the chip's algorithms, so many best ones on each number of links get a decoder that learns; 0 for none"`
	Epochs       int      `json:"epochs" help:"epochs of every training on simulated images"`
	TuneEpochs   int      `json:"tune_epochs" help:"epochs on measured images, after those on simulated ones"`

	Metric string `json:"metric" value:"file" help:"ground metric of the EMD, or a CSV file of x,y per cell"`
	Seed   uint64 `json:"seed" help:"seed of every random choice; the same seed gives the same bits"`
	Seeds  int    `json:"seeds" help:"so many plans, of this seed and the following ones, which say how sure the first one's figures are"`

	Source string `json:"source"`                              // where the images come from, in words
	Digest string `json:"digest,omitempty" label:"the images"` // of measured images
}

// The figures that a plan can make small.
const (
	figureMean       = "mean"
	figureCharge     = "charge"
	figureWorst      = "worst"
	figureResolution = "resolution"
)

// Default is a plan for all modules of V11, by simulated images of all kinds.
func Default() Plan {
	return Plan{
		Geometry: hgcal.GeometryV11.String(), Input: images.Default(100_000), Figure: figureMean,
		EtaBand: 0.2, LayerBand: 4, Fewest: 12, PerClass: 1000,
		EncoderLinks: []int{1, 2, 3, 4}, Decoders: 3, Epochs: 60, TuneEpochs: 60,
		Metric: hgcal.Metrics()[0], Seed: 1, Seeds: 1,
	}
}

// Quick is some minutes on two cores.
func Quick() Plan {
	p := Default()
	p.EtaBand, p.LayerBand, p.Fewest, p.PerClass = 0.4, 8, 20, 400
	p.EncoderLinks, p.Decoders = []int{1, 2}, 2
	p.Events, p.Epochs, p.TuneEpochs = 20_000, 40, 15
	return p
}

// Choices are the values that a setting may have, those of the images apart.
func (p Plan) Choices(key string) []string {
	switch key {
	case "geometry":
		return []string{hgcal.GeometryV11.String(), hgcal.GeometryV16.String()}
	case "figure":
		return []string{figureMean, figureCharge, figureWorst, figureResolution}
	case "metric":
		return hgcal.Metrics()
	}
	return nil
}

// Help tells of settings that mean something else here, or that a quick run has others of.
func (p Plan) Help(key string) string {
	q := Quick()
	switch key {
	case "data":
		return "wafer file with the columns layer, waferu and waferv of which the images are taken instead of simulated ones, or a pattern of names; may be repeated"
	case "events":
		return fmt.Sprintf("simulated images in an epoch of every training, of an encoder or of a decoder, in a quick run %d: a decoder has fresh ones in every epoch, an encoder the same ones", q.Events)
	case "epochs":
		return fmt.Sprintf("epochs of every training on simulated images, in a quick run %d", q.Epochs)
	case "masks":
		return "bits of an encoder's outputs on a number of links; may be repeated (default: " + usualMasksText() + ", which leave no bit of a frame unused)"
	case "eta_band":
		return fmt.Sprintf("modules within so much |η| are alike, in a quick run %v", q.EtaBand)
	case "layer_band":
		return fmt.Sprintf("modules within so many trigger layers are alike, in a quick run %d", q.LayerBand)
	case "fewest":
		return fmt.Sprintf("modules that a class has at least, in a quick run %d, or it joins the one that is most like it", q.Fewest)
	case "tune_epochs":
		return fmt.Sprintf("epochs on measured images, after those on simulated ones, in a quick run %d", q.TuneEpochs)
	case "encoder_links":
		return fmt.Sprintf("numbers of links that encoders are trained for, in a quick run %v; 0 for none", q.EncoderLinks)
	case "decoders":
		return fmt.Sprintf("of the chip's algorithms, so many best ones on each number of links get a decoder that learns, in a quick run %d; 0 for none", q.Decoders)
	case "class_images":
		return fmt.Sprintf("simulated images of a class to choose by, and as many again to measure the choice by, in a quick run %d", q.PerClass)
	}
	return ""
}

// More of each than any run has.
const (
	maxImages = 10_000_000
	maxEpochs = 1_000_000
	maxLayers = 100
	maxFewest = 1_000_000
	maxKinds  = 100
)

// Check reports what does not fit, by the setting's key, before any work.
func (p Plan) Check() error {
	for _, check := range []func() error{p.checkChoices, p.checkCounts, p.checkEncoders, p.Input.Check} {
		if err := check(); err != nil {
			return fmt.Errorf("plan: %w", err)
		}
	}
	return nil
}

func (p Plan) checkChoices() error {
	for _, c := range [][2]string{{"geometry", p.Geometry}, {"figure", p.Figure}} {
		if err := setting.Choice(c[0], c[1], p.Choices(c[0])); err != nil {
			return err
		}
	}
	points, err := hgcal.Positions(p.Metric)
	if err == nil && len(points) != hgcal.Cells {
		err = fmt.Errorf("metric = %q: %d cells, an image has %d", p.Metric, len(points), hgcal.Cells)
	}
	return err
}

func (p Plan) checkCounts() error {
	if !(p.EtaBand > 0) || math.IsInf(p.EtaBand, 0) {
		return fmt.Errorf("eta_band = %v: want a width above 0", p.EtaBand)
	}
	for _, c := range []struct {
		key     string
		n, most int
		zero    bool
	}{
		{"layer_band", p.LayerBand, maxLayers, false}, {"fewest", p.Fewest, maxFewest, false}, {"class_images", p.PerClass, maxImages, false},
		{"epochs", p.Epochs, maxEpochs, false}, {"tune_epochs", p.TuneEpochs, maxEpochs, false}, {"seeds", p.Seeds, maxKinds, false},
		{"decoders", p.Decoders, maxKinds, true}, {"weights_limit", p.WeightsLimit, maxKinds, true},
	} {
		if c.n == 0 && c.zero {
			continue
		}
		if c.zero && (c.n < 0 || c.n > c.most) {
			return fmt.Errorf("%s = %d: want 0 to %d", c.key, c.n, c.most)
		}
		if err := limit.Count(c.key+" =", c.n, c.most); err != nil {
			return err
		}
	}
	if p.PerClass < fewestImages {
		return fmt.Errorf("class_images = %d: want %d at least", p.PerClass, fewestImages)
	}
	if !p.Learns() {
		return nil
	}
	if p.Events < fewestImages {
		return fmt.Errorf("events = %d: want %d at least to train with", p.Events, fewestImages)
	}
	return limit.Fits("events =", p.Events, imageBytes)
}

// fewestImages are those of a class without which nothing is measured; imageBytes is what
// one takes with what is made of it.
const (
	fewestImages = 30
	imageBytes   = 4000
)

// encoderLinks are the numbers of links that encoders are trained for.
func (p Plan) encoderLinks() []int {
	if len(p.EncoderLinks) == 1 && p.EncoderLinks[0] == 0 {
		return nil
	}
	return p.EncoderLinks
}

func (p Plan) checkEncoders() error {
	seen := map[int]bool{}
	for _, n := range p.encoderLinks() {
		if _, ok := usualMasks[n]; !ok {
			return fmt.Errorf("encoder_links = %d: want 1 to %d, which carry all that an encoder has, or 0 alone for no encoders", n, len(usualMasks))
		}
		if seen[n] {
			return fmt.Errorf("encoder_links = %v: %d is there twice", p.EncoderLinks, n)
		}
		seen[n] = true
	}
	masks, err := p.masks()
	if err != nil {
		return err
	}
	for n := range masks {
		if !seen[n] {
			return fmt.Errorf("masks: one for %d links, for which no encoder is trained", n)
		}
	}
	for _, n := range p.encoderLinks() {
		if err := p.architecture(n).Check(); err != nil {
			return err
		}
	}
	return nil
}

// The trainings: what served decoders and encoders best, with the exact EMD.
const (
	lossName     = "emd"
	batch        = 100
	tuneBatch    = 50
	rate         = 1e-3
	precision    = "asic" // what the chip computes
	validationOf = 10     // images of an epoch for one that it is chosen by
)

func (p Plan) encoderBudget() autoencoder.Budget {
	return autoencoder.Budget{Epochs: p.Epochs, Batch: batch, Rate: rate, Schedule: "cosine"}
}

// course is that of a decoder.
func (p Plan) course() decoder.Course {
	return decoder.Course{
		Simulated: decoder.Budget{Epochs: p.Epochs, Batch: batch, Rate: rate}, PerEpoch: p.Events, Validation: p.stopImages(),
		Given: decoder.Budget{Epochs: p.TuneEpochs, Batch: tuneBatch, Rate: rate},
	}
}

// stopImages is how many simulated images choose an epoch.
func (p Plan) stopImages() int { return max(fewestImages, p.Events/validationOf) }

// geometry of the detector.
func (p Plan) geometry() hgcal.Geometry {
	g, err := hgcal.ParseGeometry(p.Geometry)
	if err != nil {
		panic(err) // Check has passed it
	}
	return g
}

// Kind of the folder of a run.
func Kind() run.Kind { return run.Kind{Name: "plan", Version: 2} }

// Learns reports whether anything is trained.
func (p Plan) Learns() bool { return p.Decoders > 0 || p.Encodes() }

// Encodes reports whether encoders are trained.
func (p Plan) Encodes() bool { return len(p.encoderLinks()) > 0 }
