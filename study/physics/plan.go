// Package physics measures what contenders, ways of sending a wafer's charges, do to what
// the trigger sees: events are simulated or read, every wafer goes through every contender,
// clusters are found and calibrated, and what is left of particles stands in one table.
// Encoders that it is not given it trains. Finished blocks of events are kept, so that an
// interrupted run goes on where it was; everything but the times is the same on every run
// and for every number of threads.
package physics

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"barrow/autoencoder"
	"barrow/hgcal"
	"barrow/internal/limit"
	"barrow/internal/setting"
	"barrow/loss"
	"barrow/physics"
	"barrow/simulate"
	"barrow/study/compare"
	"barrow/wafer"
)

// A Plan says what is measured: the settings of a run. It is saved with it.
type Plan struct {
	Class       string  `json:"class" help:"what is generated, one an event"`
	Events      int     `json:"events" help:"events with a particle; each half is measured with corrections that the other one gives; of files all, unless told"`
	MinimumBias int     `json:"minimum_bias" help:"events of collisions alone, whole endcaps, for rates and for what clusters are told from; 0 for none, as it is without collisions and beside data unless told"`
	PileUp      float64 `json:"pileup" help:"mean number of collisions besides"`
	Pt          string  `json:"pt" help:"transverse momenta in GeV, uniform in the logarithm"`
	Eta         string  `json:"eta" help:"|η| of what is generated, and of the clusters of collisions alone: nearer the rims cut modules are missing from the simulation"`
	Geometry    string  `json:"geometry" help:"version of the detector"`

	Data   []string `json:"data,omitempty" repeat:"true" value:"file" help:"ntuples of events, rows of wafers with gen_* columns, instead of simulated ones, or a pattern of names; may be repeated"`
	Others []string `json:"minimum_bias_data,omitempty" flag:"minimum-bias-data" repeat:"true" value:"file" help:"ntuples of minimum bias, without gen_* columns; may be repeated"`
	Order  string   `json:"order" help:"cell numbering of ntuples"`
	Tree   string   `json:"tree,omitempty" help:"table of ntuples that have several, with its folder (default: the only one with images)"`
	Charge string   `json:"charge,omitempty" help:"what the charges of ntuples' trigger cells are (default: calq, as the chip computes them)"`

	Contenders []string `json:"contenders" help:"what is compared, beside all cells: algorithms of the chip, those that end in -learned with decoders that are trained here, and losses that encoders are trained with, or sums as in emd+energy (default: all algorithms without -learned and, where no encoder is given, the losses weighted-mse, telescope, emd-cnn and emd)"`
	Links      string   `json:"links" value:"file" help:"output links of every module: its own, one number for all, or a CSV file of layer, waferu, waferv and links"`
	Encoders   []string `json:"encoders,omitempty" flag:"encoder" repeat:"true" value:"name=file" help:"trained encoder, a run's folder or a model's file, and what to call it; NAME:LINKS=FILE for modules of so many links; may be repeated"`
	Compare    string   `json:"compare,omitempty" value:"file" help:"folder of a finished run of compare, all of whose encoders take part"`

	PerLink bool   `json:"per_link" help:"train an encoder for each number of links, not one for all whose outputs are cut"`
	Images  int    `json:"training_images" help:"wafers of simulated events that encoders and decoders are trained on, and choose by"`
	Epochs  int    `json:"epochs" help:"epochs of each training"`
	Decoder string `json:"decoder" help:"layers off the detector of encoders trained here"`

	CNN string `json:"emd_cnn,omitempty" value:"file" help:"weights file or run folder of the EMD network, for losses that need it (default: builtin, the one that comes with Barrow)"`

	Metric string `json:"metric" value:"file" help:"ground metric of the EMD, or a CSV file of x,y per cell"`
	Draws  int    `json:"draws" help:"events drawn anew so many times for the errors"`
	Label  string `json:"label,omitempty" help:"what plots are marked with, as in \"Barrow, Simulation\" (default: nothing)"`
	Seed   uint64 `json:"seed" help:"seed of every random choice; the same seed gives the same bits"`
}

// Default is electrons in 200 collisions through all algorithms of the chip and the paper's
// encoders with the exact EMD.
func Default() Plan {
	return Plan{
		Class: simulate.Electron.String(), Events: simulatedEvents, MinimumBias: 2000, PileUp: 200, Pt: "10:100", Eta: fmt.Sprintf("%g:%g", physics.EtaMin, physics.EtaMax), Geometry: hgcal.GeometryV11.String(),
		Order: hgcal.V9.String(), Links: modulesLinks,
		PerLink: true, Images: 40_000, Epochs: 20, Decoder: autoencoder.DecoderResidual, Metric: hgcal.Metrics()[0], Draws: 200, Seed: 1,
	}
}

// Quick is some minutes on two cores.
func Quick() Plan {
	p := Default()
	p.Events, p.MinimumBias, p.Images, p.Epochs, p.Draws = 800, 45, 6000, 6, 100
	return p
}

// modulesLinks stands for the modules' own numbers of links.
const modulesLinks = "modules"

// Choices are the values that a setting may have.
func (p Plan) Choices(key string) []string {
	switch key {
	case "class":
		return []string{simulate.Electron.String(), simulate.Photon.String(), simulate.Pion.String(), simulate.Jet.String()}
	case "geometry":
		return []string{hgcal.GeometryV11.String(), hgcal.GeometryV16.String()}
	case "order":
		return hgcal.OrderNames()
	case "charge":
		return wafer.Charges()
	case "contenders":
		return append(algorithmNames(), loss.Names()...)
	case "links":
		return []string{modulesLinks}
	case "decoder":
		return autoencoder.Decoders()
	case "metric":
		return hgcal.Metrics()
	}
	return nil
}

// Help tells of settings that a quick run has others of.
func (p Plan) Help(key string) string {
	q := Quick()
	switch key {
	case "events":
		return fmt.Sprintf("events with a particle, in a quick run %d; each half is measured with corrections that the other one gives; of files all, unless told", q.Events)
	case "minimum_bias":
		return fmt.Sprintf("events of collisions alone, whole endcaps, for rates and for what clusters are told from, in a quick run %d; 0 for none, as it is without collisions and beside data unless told", q.MinimumBias)
	case "training_images":
		return fmt.Sprintf("wafers of simulated events that encoders and decoders are trained on, and choose by; in a quick run %d", q.Images)
	case "epochs":
		return fmt.Sprintf("epochs of each training, in a quick run %d", q.Epochs)
	case "draws":
		return fmt.Sprintf("how often events are drawn anew for the errors, in a quick run %d times", q.Draws)
	}
	return ""
}

// More of each than any run has, and events without files.
const (
	simulatedEvents = 10_000
	maxEvents       = 100_000_000
	maxImages       = 100_000_000
	maxEpochs       = 1_000_000
	maxDraws        = 100_000
	imageBytes      = 4000 // of an image that is trained on, with what training makes of it
)

// Complete fills in what was left to other settings.
func (p Plan) Complete() Plan {
	if len(p.Contenders) == 0 {
		p.Contenders = byHand()
		if len(p.Encoders) == 0 && p.Compare == "" {
			p.Contenders = append(p.Contenders, "weighted-mse", "telescope", "emd-cnn", "emd")
		}
	}
	return p
}

// Check reports what does not fit, by the setting's key, before any work.
func (p Plan) Check() error {
	for _, check := range []func() error{p.checkEvents, p.checkSimulated, p.checkTraining, p.checkContenders} {
		if err := check(); err != nil {
			return fmt.Errorf("physics: %w", err)
		}
	}
	return nil
}

func (p Plan) checkEvents() error {
	for _, c := range [][2]string{{"class", p.Class}, {"geometry", p.Geometry}, {"order", p.Order}} {
		if err := setting.Choice(c[0], c[1], p.Choices(c[0])); err != nil {
			return err
		}
	}
	if p.Charge != "" {
		if err := setting.Choice("charge", p.Charge, p.Choices("charge")); err != nil {
			return err
		}
	}
	if len(p.Data) == 0 || p.Events != 0 { // 0 is all of the files
		if err := limit.Count("events =", p.Events, maxEvents); err != nil {
			return err
		}
	}
	if p.MinimumBias != 0 {
		if err := limit.Count("minimum_bias =", p.MinimumBias, maxEvents); err != nil {
			return fmt.Errorf("%w, or 0 for none", err)
		}
	}
	if !(p.PileUp >= 0) || math.IsInf(p.PileUp, 0) {
		return fmt.Errorf("pileup = %v: want a mean number of collisions, 0 or more", p.PileUp)
	}
	if _, _, err := span("pt", p.Pt, 0); err != nil {
		return err
	}
	_, _, err := span("eta", p.Eta, 0)
	return err
}

// span reads "LOW:HIGH", or one value for both, above a least one.
func span(key, text string, least float64) (lo, hi float64, err error) {
	a, b, two := strings.Cut(text, ":")
	if !two {
		b = a
	}
	lo, err1 := strconv.ParseFloat(strings.TrimSpace(a), 64)
	hi, err2 := strconv.ParseFloat(strings.TrimSpace(b), 64)
	if err1 != nil || err2 != nil || !(lo > least) || !(hi >= lo) || math.IsInf(hi, 0) {
		return 0, 0, fmt.Errorf("%s = %q: want LOW:HIGH, above %g", key, text, least)
	}
	return lo, hi, nil
}

func (p Plan) checkTraining() error {
	if err := setting.Choice("decoder", p.Decoder, p.Choices("decoder")); err != nil {
		return err
	}
	for _, c := range []struct {
		key     string
		n, most int
	}{{"training_images", p.Images, maxImages}, {"epochs", p.Epochs, maxEpochs}, {"draws", p.Draws, maxDraws}} {
		if err := limit.Count(c.key+" =", c.n, c.most); err != nil {
			return err
		}
	}
	if p.Learns() {
		if p.Images < fewestImages {
			return fmt.Errorf("training_images = %d: want %d at least", p.Images, fewestImages)
		}
		if err := limit.Fits("training_images =", p.Images, imageBytes); err != nil {
			return err
		}
	}
	points, err := hgcal.Positions(p.Metric)
	if err == nil && len(points) != hgcal.Cells {
		err = fmt.Errorf("metric = %q: %d cells, an image has %d", p.Metric, len(points), hgcal.Cells)
	}
	return err
}

// fewestImages are what the parts of a training's images need to mean anything.
const fewestImages = 100

func (p Plan) checkContenders() error {
	seen := map[string]bool{}
	for _, c := range p.Contenders {
		if !slices.Contains(algorithmNames(), c) {
			if _, err := loss.Normal(c); err != nil {
				return setting.Choice("contenders", c, p.Choices("contenders"))
			}
		}
		if seen[c] {
			return fmt.Errorf("contenders: %s is named twice", c)
		}
		seen[c] = true
	}
	if p.Links != modulesLinks {
		if n, err := strconv.Atoi(p.Links); err == nil && (n < 1 || n > 13) {
			return fmt.Errorf("links = %d: want 1 to 13, %s for the modules' own, or a CSV file", n, modulesLinks)
		}
	}
	_, err := p.given()
	if err != nil {
		return err
	}
	if len(p.losses()) == 0 {
		return nil
	}
	t := p.training(nil)
	if _, err := t.Network(); err != nil {
		return err
	}
	return t.Check(true)
}

// Trains reports whether encoders are trained.
func (p Plan) Trains() bool { return len(p.Complete().losses()) > 0 }

// Learns reports whether anything is trained, encoders or decoders.
func (p Plan) Learns() bool {
	return p.Trains() || slices.ContainsFunc(p.Contenders, func(word string) bool { _, ok := withDecoder(word); return ok })
}

// losses are the contenders that are trained here.
func (p Plan) losses() []string {
	var list []string
	for _, c := range p.Contenders {
		if !slices.Contains(algorithmNames(), c) {
			list = append(list, c)
		}
	}
	return list
}

// training is the comparison of which the encoders are trained here: for one number of
// outputs, or those of all links.
func (p Plan) training(links []int) compare.Plan {
	t := compare.Default()
	t.Losses, t.Precisions, t.Links = p.losses(), []string{chipPrecision}, links
	t.Decoder, t.Epochs, t.Metric, t.CNN, t.Seed = p.Decoder, p.Epochs, p.Metric, p.CNN, p.Seed
	t.Events, t.Preset = p.Images, ""
	t.Source = "wafers of simulated events"
	return t.Complete()
}

// chipPrecision computes what the chip computes.
const chipPrecision = "asic"

// A trained encoder that is given: its name, the links that it is for, 0 for all, and where.
type given struct {
	name  string
	links int
	path  string
}

// given reads the encoders that are given.
func (p Plan) given() ([]given, error) {
	var list []given
	for _, text := range p.Encoders {
		name, path, ok := strings.Cut(text, "=")
		if !ok || name == "" || path == "" {
			return nil, fmt.Errorf("encoders = %q: want NAME=FILE, or NAME:LINKS=FILE", text)
		}
		g := given{name: name, path: path}
		if at := strings.LastIndexByte(name, ':'); at >= 0 {
			n, err := strconv.Atoi(name[at+1:])
			if err != nil || n < 1 || at == 0 {
				return nil, fmt.Errorf("encoders = %q: %q is no number of links: want NAME=FILE, or NAME:LINKS=FILE", text, name[at+1:])
			}
			g.name, g.links = name[:at], n
		}
		for _, o := range list {
			if o.name == g.name && (o.links == g.links || o.links == 0 || g.links == 0) {
				return nil, fmt.Errorf("encoders: %s is given twice for the same links, %s and %s", g.name, o.path, g.path)
			}
		}
		if slices.Contains(p.Contenders, g.name) {
			return nil, fmt.Errorf("encoders: %s is a contender already: leave it out of contenders, or call the encoder otherwise", g.name)
		}
		list = append(list, g)
	}
	return list, nil
}

// Words are what was asked for, for the foot of a page.
func (p Plan) Words() string {
	return fmt.Sprintf("Seed %d; geometry %s; ground metric %s; links: %s.", p.Seed, p.Geometry, p.Metric, filepath.Base(p.Links))
}
