// Package cluster finds kinds of images without labels: a network learns to tell images apart but not
// two views of one, which differ by what physics makes of the same wafer (NT-Xent; T. Chen et al.
// 2020); what it makes of them is cut into clusters, and a linear head learns the clusters from its own
// confident labels (H. Hu et al., Anal. Chem. 2022). Every image also gets a score of how odd it is, which is a
// monitor of defects. Images are single wafers, modules as means over many events with the
// agreement of neighbours, or pictures of any size. docs/cluster.md has the method and what it finds.
//
// Finished parts are kept, so that an interrupted run goes on where it was; everything but the times is
// the same on every run and for every number of threads.
package cluster

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"barrow/hgcal"
	"barrow/internal/limit"
	"barrow/internal/setting"
	"barrow/wafer"
)

// Ways of cutting what the network makes of images into clusters.
const (
	methodMeans    = "k-means"
	methodSpectral = "spectral"
)

// A Plan says what is clustered: the settings of a run. It is saved with it.
type Plan struct {
	Data   []string `json:"data,omitempty" repeat:"true" value:"file" help:"wafer file to cluster instead of simulated modules, or a pattern of names, or with --grid a table; may be repeated"`
	Grid   string   `json:"grid,omitempty" value:"HxW" help:"rows are images of so many rows and columns of pixels, in tables without other columns but truth (default: wafers)"`
	Truth  string   `json:"truth,omitempty" value:"column" help:"column of the true classes, to measure by; it is not learned from"`
	By     []string `json:"by,omitempty" help:"columns of wafer files, as layer,waferu,waferv: images with the same values are events of one module, whose mean and agreement of neighbours are clustered (default: every image for itself)"`
	Order  string   `json:"order" help:"cell numbering of wafer files"`
	Header string   `json:"header,omitempty" help:"first line of wafer files without CALQ_0…, names or an image already (default: told by what it looks like)"`
	Layout string   `json:"layout,omitempty" help:"columns of wafer files without CALQ_0…, as in index,charges,eta: the 48 charges, names of others, - for none, ... for the rest"`
	Tree   string   `json:"tree,omitempty" help:"table of wafer files that have several, with its folder (default: the only one with images)"`
	Charge string   `json:"charge,omitempty" help:"what the charges of ntuples' trigger cells are (default: calq, as the chip computes them)"`

	Rows          int     `json:"rows" help:"simulated modules of each of ten kinds"`
	Events        int     `json:"events" help:"simulated events of each module"`
	Monitored     int     `json:"monitored" help:"simulated modules in pile-up, a few with defects, to find; 0 for none"`
	Contamination float64 `json:"contamination" help:"share of modules with defects among those monitored"`

	Classes     int     `json:"classes" help:"clusters to find (default: as many as there are true classes, else 6)"`
	Network     string  `json:"network" help:"what learns: a small network, or the chip's encoder"`
	Level       bool    `json:"level" help:"tell images of different mean charges apart, too"`
	Epochs      int     `json:"epochs" help:"epochs of the contrastive training"`
	Rate        float64 `json:"learning_rate" flag:"rate" help:"learning rate, at the start"`
	Temperature float64 `json:"temperature" help:"of the contrastive loss: small ones look at the most similar images"`
	Method      string  `json:"method" help:"what makes the first clusters"`
	Rounds      int     `json:"rounds" help:"rounds in which a linear head learns from its own confident labels; 0: the clusters' labels stay"`
	Confidence  float64 `json:"confidence" help:"least probability of a label that is learned from"`
	Views

	Seeds int    `json:"seeds" help:"trainings, one seed after the other; labels are those of the first"`
	Seed  uint64 `json:"seed" help:"seed of every random choice; the same seed gives the same bits"`

	Source string `json:"source,omitempty" label:"the images"`
	Digest string `json:"digest,omitempty" label:"the images' content"`
}

// Default is simulated modules of ten kinds.
func Default() Plan {
	return Plan{
		Order: hgcal.V9.String(), Rows: 100, Events: 512, Monitored: 2000, Contamination: 0.01,
		Network: networkSmall, Epochs: 60, Rate: 2e-3, Temperature: 0.2, Method: methodSpectral, Rounds: 5, Confidence: 0.8,
		Views: Views{Poisson: 1, Gain: 0.05, Tilt: 0.5}, Seeds: 1, Seed: 1,
	}
}

// Quick is less than two minutes on two cores.
func Quick() Plan {
	p := Default()
	p.Rows, p.Events, p.Monitored, p.Epochs = 60, 256, 1000, 50
	return p
}

// Choices are the values that a setting may have.
func (p Plan) Choices(key string) []string {
	switch key {
	case "order":
		return hgcal.OrderNames()
	case "header":
		return []string{"first", "none"}
	case "charge":
		return wafer.Charges()
	case "network":
		return []string{networkSmall, networkEncoder}
	case "method":
		return []string{methodMeans, methodSpectral}
	}
	return nil
}

// Help tells of settings that a quick run has others of.
func (p Plan) Help(key string) string {
	q := Quick()
	switch key {
	case "rows":
		return fmt.Sprintf("simulated modules of each of ten kinds, in a quick run %d", q.Rows)
	case "events":
		return fmt.Sprintf("simulated events of each module, in a quick run %d", q.Events)
	case "monitored":
		return fmt.Sprintf("simulated modules in pile-up, a few with defects, to find, in a quick run %d; 0 for none", q.Monitored)
	case "epochs":
		return fmt.Sprintf("epochs of the contrastive training, in a quick run %d", q.Epochs)
	}
	return ""
}

// More of each than any run has.
const (
	maxRows    = 10_000_000
	maxEvents  = 1_000_000
	maxClasses = 1000
	maxEpochs  = 1_000_000
	maxSeeds   = 1000
	maxRounds  = 1000
)

// Check reports what does not fit, by the setting's key, before any work.
func (p Plan) Check() error {
	for _, check := range []func() error{p.checkInput, p.checkSimulated, p.checkTraining, p.Views.check} {
		if err := check(); err != nil {
			return fmt.Errorf("cluster: %w", err)
		}
	}
	return nil
}

func (p Plan) checkInput() error {
	for _, c := range [][2]string{{"order", p.Order}, {"header", p.Header}, {"charge", p.Charge}, {"network", p.Network}, {"method", p.Method}} {
		if c[1] == "" && (c[0] == "header" || c[0] == "charge") {
			continue
		}
		if err := setting.Choice(c[0], c[1], p.Choices(c[0])); err != nil {
			return err
		}
	}
	turns := []int{0, 1, hgcal.Rhombi}
	if p.Grid != "" {
		h, w, err := parseGrid(p.Grid)
		switch {
		case err != nil:
			return err
		case len(p.Data) == 0:
			return fmt.Errorf("grid = %q: simulated images are wafers: name the tables in data", p.Grid)
		case len(p.By) > 0:
			return errors.New("by: rows of tables are images by themselves: leave it out, or leave out grid for wafer files")
		case p.Network == networkEncoder:
			return fmt.Errorf("network = %q: the chip's encoder sees wafers alone: choose %s", p.Network, networkSmall)
		}
		if turns = []int{0, 1, 2}; h == w {
			turns = append(turns, 4)
		}
	} else if p.moves() {
		return errors.New("shift, rotate and stretch are for images with grid: a wafer has no symmetry but the three turns")
	}
	for _, t := range turns {
		if p.Turns == t {
			return nil
		}
	}
	return fmt.Errorf("turns = %d: want one of %s", p.Turns, strings.Trim(fmt.Sprint(turns[1:]), "[]"))
}

func (p Plan) checkSimulated() error {
	if len(p.Data) > 0 {
		return nil
	}
	switch {
	case p.Truth != "" || len(p.By) > 0:
		return errors.New("truth and by are columns of files: name the files in data; of simulated modules the truth is known")
	case !(p.Contamination > 0 && p.Contamination <= 0.5):
		return fmt.Errorf("contamination = %v: want a share above 0, at most 0.5", p.Contamination)
	case p.Monitored != 0 && math.Round(p.Contamination*float64(p.Monitored)) < 1:
		return fmt.Errorf("contamination = %v of monitored = %d modules is none: want more of either", p.Contamination, p.Monitored)
	}
	if err := limit.Count("rows =", p.Rows, maxRows); err != nil {
		return err
	}
	if err := limit.Count("events =", p.Events, maxEvents); err != nil {
		return err
	}
	clusters := p.Classes
	if clusters == 0 {
		clusters = kinds
	}
	if n := kinds * p.Rows; n < 2*clusters {
		return fmt.Errorf("rows = %d of each of %d kinds are %d for %d clusters: want at least two a cluster", p.Rows, kinds, n, clusters)
	}
	if p.Events < leastEvents {
		return fmt.Errorf("events = %d: neighbours agree over events: want at least %d", p.Events, leastEvents)
	}
	if p.Monitored != 0 {
		if err := limit.Count("monitored =", p.Monitored, maxRows); err != nil {
			return fmt.Errorf("%w, or 0 for none", err)
		}
	}
	return limit.Fits("rows =", kinds*p.Rows+p.Monitored, rowBytes)
}

// rowBytes is what a row takes in memory with all that is made of it.
const rowBytes = 60_000

// leastEvents of a module for its neighbours' agreement to say something.
const leastEvents = 8

func (p Plan) checkTraining() error {
	if p.Classes != 0 {
		if p.Classes < 2 || p.Classes > maxClasses {
			return fmt.Errorf("classes = %d: want 2 to %d clusters", p.Classes, maxClasses)
		}
	}
	for _, c := range []struct {
		key     string
		n, most int
	}{{"epochs =", p.Epochs, maxEpochs}, {"seeds =", p.Seeds, maxSeeds}} {
		if err := limit.Count(c.key, c.n, c.most); err != nil {
			return err
		}
	}
	switch {
	case p.Rounds < 0 || p.Rounds > maxRounds:
		return fmt.Errorf("rounds = %d: want 0 to %d", p.Rounds, maxRounds)
	case !(p.Rate > 0 && p.Rate <= 1):
		return fmt.Errorf("learning_rate = %v: want a number above 0, at most 1", p.Rate)
	case !(p.Temperature >= 0.01 && p.Temperature <= 100):
		return fmt.Errorf("temperature = %v: want 0.01 to 100", p.Temperature)
	case !(p.Confidence > 0 && p.Confidence <= 1):
		return fmt.Errorf("confidence = %v: want a probability above 0, at most 1", p.Confidence)
	}
	return nil
}

// usual is how many clusters are sought where nobody says.
const usual = 6
