package fewshot

import (
	"context"
	"errors"
	"fmt"
	"math"

	"barrow/autoencoder"
	"barrow/hgcal"
	"barrow/internal/counter"
	"barrow/simulate"
	"barrow/study/internal/ageing"
	"barrow/wafer"
)

// A Task is what one module sends at one time of its life: where it is, on how many links, what flies
// through it and how far its cells have aged.
type Task struct {
	Layer  int     `json:"layer"`
	U      int     `json:"u"`
	V      int     `json:"v"`
	Eta    float64 `json:"eta"` // of the module's centre
	High   bool    `json:"high_density"`
	Links  int     `json:"links"` // 2 to 5
	Preset string  `json:"preset"`
	PileUp float64 `json:"pile_up"` // mean number of collisions
	// Loss is the mean share of the charge that ageing has taken, Dead how many cells are dead, and Noise
	// what the cells' noise has come to, in CALQ counts.
	Loss  float64 `json:"gain_lost"`
	Dead  int     `json:"dead_cells"`
	Hot   int     `json:"hot_cells"` // that show charge without a particle
	Noise float64 `json:"noise"`
	Seed  uint64  `json:"seed"` // of its images and of which cells have aged how far
}

// Name is the task in words.
func (t Task) Name() string {
	density := "LD"
	if t.High {
		density = "HD"
	}
	s := fmt.Sprintf("layer %d (%d, %d), η %.2f, %s, %d links, %s", t.Layer, t.U, t.V, t.Eta, density, t.Links, t.Preset)
	if t.PileUp > 0 && t.Preset != "pileup200" {
		s += fmt.Sprintf(" on %.0f collisions", t.PileUp)
	}
	if t.Loss > 0 {
		s += fmt.Sprintf(", %.0f %% of the gain lost", 100*t.Loss)
	}
	if t.Dead > 0 {
		s += fmt.Sprintf(", %d dead", t.Dead)
	}
	if t.Hot > 0 {
		s += fmt.Sprintf(", %d hot", t.Hot)
	}
	if t.Noise > 0 {
		s += fmt.Sprintf(", noise %.1f", t.Noise)
	}
	return s
}

// bits are those of an output on the task's links.
func (t Task) bits() int {
	b, err := autoencoder.LatentBits(t.Links)
	if err != nil {
		return 0 // drawn from what there is
	}
	return b
}

// Streams of random numbers, one for each kind of task, and those of a task.
const (
	streamTask = 0x7461736b // + kind<<40 + number
	streamAge  = 0x616765
)

// Kinds of tasks: those that are learned from, those by which rates and steps are chosen, and those held out.
const (
	taskTrain = iota
	taskChoice
	taskTest
)

var (
	taskPresets = []string{"electrons", "photons", "pions", "pileup200", "mixed"}
	taskPileUp  = []float64{0, 60, 140, 200}
)

// leastShare is the smallest share of its images that a module may have charge in: others see next to nothing.
const leastShare = 0.05

// drawTask draws task number k of a kind.
func drawTask(seed uint64, kind, k int) Task {
	s := counter.New(seed, streamTask+uint64(kind)<<40+uint64(k))
	modules := wholeModules()
	layers := layersOf(modules)
	own := layers[s.IntN(len(layers))]
	m := own[s.IntN(len(own))]
	t := Task{Layer: m.Layer, U: m.U, V: m.V, Eta: m.Eta(), High: m.HighDensity(), Links: 2 + s.IntN(4), Preset: taskPresets[s.IntN(len(taskPresets))], Seed: s.Uint64()}
	t.PileUp = taskPileUp[s.IntN(len(taskPileUp))]
	if t.Preset == "pileup200" {
		t.PileUp = max(t.PileUp, taskPileUp[1])
	}
	if s.Float64() < 2.0/3 { // a third is new
		t.Loss, t.Dead, t.Hot, t.Noise = 0.6*s.Float64(), s.IntN(9), s.IntN(4), 6*s.Float64()
	}
	return t
}

// wholeModules are the modules that tasks are drawn of.
func wholeModules() (list []hgcal.Module) {
	for _, m := range hgcal.GeometryV11.Modules() {
		if eta := m.Eta(); m.Full() && eta >= 1.6 && eta <= 2.9 {
			list = append(list, m)
		}
	}
	return list
}

// layersOf are modules by layer.
func layersOf(modules []hgcal.Module) (layers [][]hgcal.Module) {
	for i, m := range modules {
		if i == 0 || m.Layer != modules[i-1].Layer {
			layers = append(layers, nil)
		}
		layers[len(layers)-1] = append(layers[len(layers)-1], m)
	}
	return layers
}

// images draws n images with charge of the task, the first of them however many are asked for.
func (t Task) images(ctx context.Context, n int) (*wafer.Set, error) {
	pileUp := t.PileUp
	if pileUp == 0 {
		pileUp = -1
	}
	g, err := simulate.New(simulate.Settings{Preset: t.Preset, Seed: t.Seed, Threads: 1, Modules: [][3]int{{t.Layer, t.U, t.V}}, PileUp: pileUp})
	if err != nil {
		return nil, fmt.Errorf("fewshot: %s: %w", t.Name(), err)
	}
	a, err := t.ageing()
	if err != nil {
		return nil, err
	}
	all, part := &wafer.Set{}, &wafer.Set{}
	for first := uint64(0); all.Len() < n; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		g.Fill(part, first, n)
		a.apply(part, first)
		first += uint64(n)
		some, _ := part.NonZero()
		if float64(some.Len()) < leastShare*float64(n) {
			return nil, fmt.Errorf("fewshot: %s: %w: %d of %d", t.Name(), errQuiet, some.Len(), n)
		}
		if err := all.Append(some); err != nil {
			return nil, fmt.Errorf("fewshot: %s: %w", t.Name(), err)
		}
	}
	return all.Slice(0, n), nil
}

// aged is what has become of a task's module.
type aged struct {
	ageing.Cells
	noise ageing.Normal
	seed  uint64
}

// ageing draws which cells have aged how far: the loss of a cell is exponential in its fluence, which falls
// over the wafer in some direction and from cell to cell.
func (t Task) ageing() (*aged, error) {
	a := &aged{noise: ageing.Normal(t.Noise), seed: t.Seed ^ streamAge}
	a.Hot = make([]float64, hgcal.Cells)
	s := counter.New(a.seed, 0)
	points, err := hgcal.Positions(hgcal.Metrics()[0])
	if err != nil {
		return nil, fmt.Errorf("fewshot: %w", err)
	}
	angle := 2 * math.Pi * s.Float64()
	dose := -math.Log(1 - t.Loss)
	var centre hgcal.Point
	for _, p := range points {
		centre[0] += p[0] / hgcal.Cells
		centre[1] += p[1] / hgcal.Cells
	}
	for c, p := range points {
		slope := ((p[0]-centre[0])*math.Cos(angle) + (p[1]-centre[1])*math.Sin(angle)) / waferRadius
		a.Gain[c] = math.Exp(-dose * max(0, 1+slope+0.5*(2*s.Float64()-1)))
	}
	for range t.Dead {
		a.Gain[s.IntN(hgcal.Cells)] = 0
	}
	for range t.Hot {
		a.Hot[s.IntN(hgcal.Cells)] = hottest * s.Float64()
	}
	return a, nil
}

// apply ages images, the first of which has that number.
func (a *aged) apply(set *wafer.Set, first uint64) {
	for i := range set.Len() {
		s := counter.New(a.seed, 1+first+uint64(i))
		a.Measure(&s, a.noise, suppressed, set.Image(i), set.Image(i))
	}
}

// waferRadius is how far the outer cells are from a wafer's centre, in units of the benchmark's points: there the
// fluence is twice as high, or nothing.
const waferRadius = 8

// hottest is the largest mean of what a hot cell shows, in CALQ counts: twelve MIP_T.
const hottest = 420

// suppressed is the charge under which aged cells are sent as 0, in CALQ counts: a tenth of a MIP_T.
const suppressed = 3.5

// findTask is the k-th task of a kind with so many of its images: of modules that hardly see charge the next that
// would have its number takes the place.
func findTask(ctx context.Context, seed uint64, kind, k, images int) (Task, *wafer.Set, error) {
	for try := 0; ; try++ {
		t := drawTask(seed, kind, k+try*maxTasks)
		set, err := t.images(ctx, images)
		if errors.Is(err, errQuiet) && try < maxTries {
			continue
		}
		return t, set, err
	}
}

const maxTries = 100

// errQuiet is that of tasks without charge.
var errQuiet = errors.New("too few images have charge")
