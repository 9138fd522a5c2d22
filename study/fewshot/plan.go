// Package fewshot learns starts from which an encoder learns a new task from few wafers in few steps, and measures
// whether they are worth their price. A task is what one module sends at one time of its life: its place in the
// endcap, its links, what flies through it, and how far its cells have aged ([Task]).
//
// A start is learned from many tasks by model-agnostic meta-learning (MAML; Finn, Abbeel and Levine, ICML 2017): a few
// steps of gradient descent on some wafers of a task, then the loss on others, of which the gradient with respect to the
// start is followed. In the second order it goes back through the steps, by products of Hessians with vectors; in the first
// order the steps count as shifts; Reptile (Nichol, Achiam and Schulman, arXiv:1803.02999) follows the shift itself. All go
// through the chip's quantisation, straight through it in the backward pass, as Stewart and Neftci (2022) found to
// survive. The steps' rates are learned with the start, one for each weight (Meta-SGD; Li et al., arXiv:1707.09835).
//
// Beside it stand pooled training on the wafers of all tasks at once, of equal compute, and full training on each
// held-out task. How a start is best tuned, by which method and at which rate, is chosen for each alike on tasks that are
// neither learned from nor held out.
package fewshot

import (
	"fmt"
	"slices"
	"strings"

	"barrow/autoencoder"
	"barrow/internal/limit"
	"barrow/internal/setting"
	"barrow/run"
)

// A Plan says what is learned and by what it is measured: the settings of a run. It is saved with it.
type Plan struct {
	Methods    []string `json:"methods" flag:"method" help:"how starts are learned; the start of the first is kept"`
	Precisions []string `json:"precisions" flag:"precision" help:"number formats"`
	Decoder    string   `json:"decoder,omitempty" help:"layers off the detector (default paper)"`

	Tasks  int `json:"tasks" help:"tasks to learn from"`
	Images int `json:"images" help:"wafers of each task to learn from"`
	Choice int `json:"choice_tasks" help:"tasks by which the way of tuning is chosen"`
	Test   int `json:"test_tasks" help:"held-out tasks"`
	Shots  int `json:"shots" help:"wafers of a new task that are tuned on"`
	Steps  int `json:"steps" help:"steps of tuning at most"`
	Judged int `json:"judged" help:"further wafers of a new task on which it is measured"`
	Full   int `json:"full" help:"wafers of the full training on a held-out task, of which a fifth choose the epoch; 0 leaves it out"`
	Epochs int `json:"full_epochs" help:"epochs of the full training"`

	// Budget is what every training may cost: wafers that go forward and backward. A product with a Hessian
	// counts as three: a gradient, and the tangents of both passes.
	Budget int `json:"budget" help:"wafers that go forward and backward in each training, of a start or pooled"`
	// First is the share after which learning a start leaves pooled training and goes on by itself.
	First float64 `json:"first" help:"share of the budget for which a start is first trained on all tasks at once"`
	// Of learning from a task: the wafers of an inner step and those on which the steps are judged.
	Inner int `json:"inner" help:"wafers of a step that meta-learning takes on a task"`
	Query int `json:"query" help:"wafers by which meta-learning judges these steps"`
	Batch int `json:"task_batch" help:"tasks of a step of meta-learning"`

	Rate   float64 `json:"learning_rate" flag:"rate" help:"learning rate of the training on all tasks, at the start"`
	Outer  float64 `json:"outer_rate" help:"learning rate of meta-learning, at the start of the same course"`
	Inside float64 `json:"inner_rate" help:"rate of the steps that meta-learning takes on a task, at the start, in units of each weight's usual gradient"`
	// Momentum is that of the steps inside, and one of those tried where a start is tuned.
	Momentum float64 `json:"momentum" help:"share of such a step that the next one repeats"`
	Speed    float64 `json:"rates_rate" help:"learning rate of the logarithms of the steps' rates; 0 leaves them as they are"`

	Seed  uint64 `json:"seed" help:"seed of every random choice; the same seed gives the same bits"`
	Seeds int    `json:"seeds" help:"trainings of each kind, one seed after the other"`
}

// Names of the methods.
const (
	byMAML    = "maml"
	byFOMAML  = "fomaml"
	byReptile = "reptile"
)

// methods are in the order of the help.
func methods() []string { return []string{byMAML, byFOMAML, byReptile} }

// Default is the plan of the figures in docs/meta.md, of one seed.
func Default() Plan {
	return Plan{
		Methods: []string{byFOMAML}, Precisions: []string{"asic"},
		Tasks: 10_000, Images: 64, Choice: 24, Test: 48, Shots: 32, Steps: 5, Judged: 300, Full: 2500, Epochs: 100,
		Budget: 12_000_000, First: 0.8, Inner: 16, Query: 48, Batch: 1,
		Rate: 3e-3, Outer: 3e-3, Inside: 5e-4, Momentum: 0.7, Speed: 0.1,
		Seed: 1, Seeds: 1,
	}
}

// Quick is a small run, of two minutes at most on two cores.
func Quick() Plan {
	p := Default()
	p.Tasks, p.Choice, p.Test, p.Judged = 300, 8, 20, 200
	p.Full, p.Epochs, p.Budget = 1000, 30, 400_000
	return p
}

// Choices are the values that a setting may have.
func (Plan) Choices(key string) []string {
	switch key {
	case "methods":
		return methods()
	case "precisions":
		return autoencoder.PresetNames()
	case "decoder":
		return autoencoder.Decoders()
	}
	return nil
}

// Kind of the folder of a run.
func Kind() run.Kind { return run.Kind{Name: "meta", Version: 1} }

// More of each than any run has.
const (
	maxTasks  = 100_000
	maxImages = 10_000_000
	maxSteps  = 1000
	maxSeeds  = 1000
	maxBudget = 1_000_000_000_000
)

// taskImageBytes is what a wafer of a task takes in memory.
const taskImageBytes = 8 * autoencoder.Cells * 3

// Check reports what does not fit, naming the key and what it may be, before any training.
func (p Plan) Check() error {
	if err := p.choices(); err != nil {
		return fmt.Errorf("fewshot: %w", err)
	}
	for _, c := range []struct {
		key     string
		v, most int
	}{
		{"tasks =", p.Tasks, maxTasks}, {"images =", p.Images, maxImages}, {"choice_tasks =", p.Choice, maxTasks}, {"test_tasks =", p.Test, maxTasks},
		{"shots =", p.Shots, maxImages}, {"steps =", p.Steps, maxSteps}, {"judged =", p.Judged, maxImages}, {"full_epochs =", p.Epochs, maxSteps},
		{"budget =", p.Budget, maxBudget}, {"inner =", p.Inner, maxBatch}, {"query =", p.Query, maxBatch}, {"task_batch =", p.Batch, maxTasks}, {"seeds =", p.Seeds, maxSeeds},
	} {
		if err := limit.Count(c.key, c.v, c.most); err != nil {
			return fmt.Errorf("fewshot: %w", err)
		}
	}
	if err := limit.Fits("tasks and their images =", p.Tasks*p.Images+(p.Choice+p.Test)*(p.Shots+p.Judged), taskImageBytes); err != nil {
		return fmt.Errorf("fewshot: %w", err)
	}
	switch {
	case p.Full != 0 && (p.Full < 10 || p.Full > maxImages):
		return fmt.Errorf("fewshot: full = %d: want 10 to %d wafers, or 0 for no full training", p.Full, maxImages)
	case p.Test < 2:
		return fmt.Errorf("fewshot: test_tasks = %d: want at least 2: intervals are over tasks", p.Test)
	case p.Shots > maxBatch:
		return fmt.Errorf("fewshot: shots = %d: want at most %d: every step takes all of them at once", p.Shots, maxBatch)
	case p.Images < p.Inner+p.Query:
		return fmt.Errorf("fewshot: images = %d: want at least the %d of a step and the %d that judge it", p.Images, p.Inner, p.Query)
	case !(p.First > 0 && p.First < 1):
		return fmt.Errorf("fewshot: first = %v: want a share between 0 and 1", p.First)
	}
	for _, c := range []struct {
		key string
		v   float64
	}{{"learning_rate", p.Rate}, {"outer_rate", p.Outer}, {"inner_rate", p.Inside}} {
		if !(c.v > 0 && c.v < 1) {
			return fmt.Errorf("fewshot: %s = %v: want a number between 0 and 1", c.key, c.v)
		}
	}
	if !(p.Momentum >= 0 && p.Momentum < 1) {
		return fmt.Errorf("fewshot: momentum = %v: want a number from 0 to below 1", p.Momentum)
	}
	if !(p.Speed >= 0 && p.Speed < 1) {
		return fmt.Errorf("fewshot: rates_rate = %v: want a number below 1, or 0 for rates that stay", p.Speed)
	}
	return nil
}

// maxBatch bounds the wafers of one step.
const maxBatch = 500

// choices checks the names, and that what they name goes together.
func (p Plan) choices() error {
	if len(p.Methods) == 0 || len(p.Precisions) == 0 {
		return fmt.Errorf("%d methods and %d precisions: want one of each at least; the methods are %s", len(p.Methods), len(p.Precisions), strings.Join(methods(), ", "))
	}
	for _, c := range []struct {
		key  string
		list []string
	}{{"methods", p.Methods}, {"precisions", p.Precisions}, {"decoder", []string{p.Decoder}}} {
		for i, v := range c.list {
			if v == "" && c.key == "decoder" {
				continue
			}
			if err := setting.Choice(c.key, v, p.Choices(c.key)); err != nil {
				return err
			}
			if slices.Contains(c.list[:i], v) {
				return fmt.Errorf("%s: %s is named twice", c.key, v)
			}
		}
	}
	for _, precision := range p.Precisions {
		if err := p.architecture(precision).Check(); err != nil {
			return err
		}
		if slices.Contains(p.Methods, byMAML) {
			if _, err := newCurvature(p.architecture(precision), nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// architecture is what is trained in a precision.
func (p Plan) architecture(precision string) autoencoder.Architecture {
	a := autoencoder.Architecture{Precision: precision, Normalisation: autoencoder.Normalisations()[0], Decoder: p.Decoder}
	if a.Decoder == autoencoder.DecoderPaper {
		a.Decoder = ""
	}
	return a
}
