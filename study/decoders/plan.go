// Package decoders makes the table of the chip's algorithms with decoders that have learned:
// every algorithm on every number of links, on simulated images and on those of wafer files, with
// each rule by hand and with decoders from several seeds. Decoders are trained on simulated
// images and go on from there on a file's own. Trainings and measurements are kept, so that an
// interrupted run goes on where it was; everything but the times is the same on every run and
// for every number of threads.
package decoders

import (
	"fmt"
	"slices"
	"strings"

	"barrow/decoder"
	"barrow/hgcal"
	"barrow/internal/limit"
	"barrow/internal/setting"
	"barrow/loss"
	"barrow/model/file"
	"barrow/run"
	"barrow/simulate"
	"barrow/study/images"
	"barrow/study/internal/inputs"
	"barrow/study/internal/learned"
)

// A Plan says what stands in the table: the settings of a run. It is saved with it.
type Plan struct {
	// Input's Data are files whose column HD_LD says the wafers' density, its Events the
	// simulated images that are held out.
	images.Input
	Low  []string `json:"ld,omitempty" repeat:"true" value:"file" help:"wafer file of low-density modules; may be repeated"`
	High []string `json:"hd,omitempty" repeat:"true" value:"file" help:"wafer file of high-density modules; may be repeated"`

	// Presets are simulated beside Input's preset, each a set of images with decoders of its own.
	Presets []string `json:"presets,omitempty" help:"further presets to simulate, each with decoders of its own"`

	Algorithms []string `json:"algorithms" help:"algorithms of the chip"`
	Encoders   []string `json:"encoders,omitempty" repeat:"true" value:"run" help:"run folder or weights file of an encoder of the precision asic, on the links that its outputs need; may be repeated"`
	Links      []int    `json:"links" help:"numbers of links, 1 to 13"`

	decoder.Architecture
	Loss   string `json:"loss" help:"what decoders are trained with"`
	Images int    `json:"images" help:"simulated images that a decoder learns from, fresh ones in every epoch"`
	Tune   int    `json:"tune_epochs" help:"epochs that it then goes on with a file's images, where that is better on others of its images"`
	Seeds  int    `json:"seeds" help:"decoders of each kind, one seed after the other"`

	Metric string `json:"metric" value:"file" help:"ground metric of the EMD, or a CSV file of x,y per cell"`
	Draws  int    `json:"draws" help:"images drawn anew so many times for the errors"`
	Seed   uint64 `json:"seed" help:"seed of every random choice; the same seed gives the same bits"`

	Digests []string `json:"digests" label:"the images"` // of the sets
}

// Default is the whole table of simulated images.
func Default() Plan {
	return Plan{
		Input: images.Default(20_000), Algorithms: learned.Words(), Links: []int{1, 2, 3, 4, 5},
		Architecture: decoder.Architecture{Units: 128, Blocks: 2}, Loss: "emd", Images: 600_000, Tune: decoder.Normal().Given.Epochs, Seeds: 5, Metric: hgcal.Metrics()[0], Draws: 1000, Seed: 1,
	}
}

// Quick is some minutes on two cores.
func Quick() Plan {
	p := Default()
	p.Events, p.Images, p.Tune, p.Seeds, p.Draws = 5000, 40_000, 10, 2, 200
	return p
}

// Choices are the values that a setting may have, those of the images apart.
func (p Plan) Choices(key string) []string {
	switch key {
	case "algorithms":
		return learned.Words()
	case "presets":
		return simulate.Presets()
	case "loss":
		return loss.Names()
	case "metric":
		return hgcal.Metrics()
	}
	return nil
}

// Help tells of settings that mean something else here than elsewhere, or that a quick run has
// others of.
func (p Plan) Help(key string) string {
	q := Quick()
	switch key {
	case "data":
		return "wafer file of both densities, as its column HD_LD says; may be repeated"
	case "events":
		return fmt.Sprintf("simulated images to measure by, in a quick run %d", q.Events)
	case "images":
		return fmt.Sprintf("simulated images that a decoder learns from, fresh ones in every epoch; in a quick run %d", q.Images)
	case "tune_epochs":
		return fmt.Sprintf("epochs that it goes on with a file's images, in a quick run %d; 0 for none", q.Tune)
	case "seeds":
		return fmt.Sprintf("decoders of each kind, one seed after the other, in a quick run %d", q.Seeds)
	case "draws":
		return fmt.Sprintf("how often images are drawn anew for the errors, in a quick run %d times", q.Draws)
	}
	return ""
}

// More of each than any run has, and fewer images than mean anything.
const (
	maxImages    = 100_000_000
	maxEpochs    = 1_000_000
	maxSeeds     = 1000
	maxDraws     = 100_000
	maxLinks     = 13
	fewestImages = 100
)

// Check reports what does not fit, by the setting's key, before any work.
func (p Plan) Check() error {
	simulated := p.Input
	simulated.Data = nil
	if err := simulated.Check(); err != nil {
		return err
	}
	if err := p.Architecture.Check(); err != nil {
		return err
	}
	for _, check := range []func() error{p.checkSizes, p.checkTable, p.checkLoss} {
		if err := check(); err != nil {
			return fmt.Errorf("decoders: %w", err)
		}
	}
	return nil
}

func (p Plan) checkSizes() error {
	for _, c := range []struct {
		key     string
		n, most int
	}{{"images", p.Images, maxImages}, {"seeds", p.Seeds, maxSeeds}, {"draws", p.Draws, maxDraws}} {
		if err := limit.Count(c.key+" =", c.n, c.most); err != nil {
			return err
		}
	}
	for _, c := range []struct {
		key string
		n   int
	}{{"events", p.Events}, {"images", p.Images}} {
		if c.n < fewestImages {
			return fmt.Errorf("%s = %d: want %d at least", c.key, c.n, fewestImages)
		}
	}
	if p.Tune < 0 || p.Tune > maxEpochs {
		return fmt.Errorf("tune_epochs = %d: want 1 to %d, or 0 for none", p.Tune, maxEpochs)
	}
	return p.course().Check()
}

func (p Plan) checkTable() error {
	if len(p.Algorithms) == 0 && len(p.Encoders) == 0 || len(p.Links) == 0 {
		return fmt.Errorf("algorithms = %v, links = %v: want one of each at least", p.Algorithms, p.Links)
	}
	for k, name := range p.Presets {
		if err := setting.Choice("presets", name, simulate.Presets()); err != nil {
			return err
		}
		if name == p.Preset || slices.Contains(p.Presets[:k], name) {
			return fmt.Errorf("presets: %s is named twice", name)
		}
	}
	for k, name := range p.Encoders {
		if slices.Contains(p.Encoders[:k], name) {
			return fmt.Errorf("encoders: %s is named twice", name)
		}
	}
	for k, word := range p.Algorithms {
		if err := setting.Choice("algorithms", word, learned.Words()); err != nil {
			return err
		}
		if slices.Contains(p.Algorithms[:k], word) {
			return fmt.Errorf("algorithms: %s is named twice", word)
		}
	}
	for k, n := range p.Links {
		if err := limit.Count("links =", n, maxLinks); err != nil {
			return err
		}
		if slices.Contains(p.Links[:k], n) {
			return fmt.Errorf("links: %d is named twice", n)
		}
	}
	if len(p.kinds()) == 0 && len(p.Encoders) == 0 {
		return fmt.Errorf("algorithms = %v: none of them can use %v links and leaves something to a decoder", p.Algorithms, p.Links)
	}
	return nil
}

func (p Plan) checkLoss() error {
	t, err := loss.Describe(p.Loss)
	if err != nil {
		return err
	}
	if t.CNN {
		return fmt.Errorf("loss = %q: it needs an EMD network, which decoders are not trained with here: want another, as emd", p.Loss)
	}
	points, err := hgcal.Positions(p.Metric)
	if err == nil && len(points) != hgcal.Cells {
		err = fmt.Errorf("metric = %q: %d cells, an image has %d", p.Metric, len(points), hgcal.Cells)
	}
	return err
}

// course is how all decoders learn.
func (p Plan) course() decoder.Course { return learned.Course(p.Images, p.Tune) }

// A kind is an algorithm on a number of links, or an encoder.
type kind struct {
	learned.Algorithm
	links   int
	encoder *encoder // or nil
}

// kinds are those of the table.
func (p Plan) kinds() []kind {
	var list []kind
	for _, word := range p.Algorithms {
		a, ok := learned.Find(word)
		for _, n := range p.Links {
			if ok && a.Learns(n) {
				list = append(list, kind{Algorithm: a, links: n})
			}
		}
	}
	return list
}

// left are the algorithms with the numbers of links on which they are not in the table.
func (p Plan) left() []string {
	var list []string
	for _, word := range p.Algorithms {
		a, _ := learned.Find(word)
		var links []string
		for _, n := range p.Links {
			if !a.Learns(n) {
				links = append(links, fmt.Sprint(n))
			}
		}
		if len(links) > 0 {
			list = append(list, fmt.Sprintf("%s on %s links", word, strings.Join(links, " and ")))
		}
	}
	return list
}

// title is what the kind is called in the table.
func (k kind) title() string {
	if k.encoder != nil {
		return k.encoder.String()
	}
	return k.Scheme.Name()
}

// name is the kind as part of a file name.
func (k kind) name() string { return fmt.Sprintf("%s-%dlinks", k.Word, k.links) }

// Kind of the folder of a table.
func Kind() run.Kind { return run.Kind{Name: "decoders", Version: 1} }

// identity is what a run is known by.
func (p Plan) identity() (run.Identity, error) {
	files, err := inputs.Metric(p.Metric)
	if err != nil {
		return run.Identity{}, err
	}
	for _, name := range p.Encoders {
		paths, err := file.AutoencoderFiles(name, "")
		if err != nil {
			return run.Identity{}, err
		}
		more, err := inputs.Files("the encoder "+name, paths)
		if err != nil {
			return run.Identity{}, err
		}
		files = append(files, more...)
	}
	return run.Identity{Kind: Kind(), Settings: p, Inputs: files}, nil
}
