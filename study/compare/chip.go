package compare

import (
	"context"
	"fmt"
	"slices"

	"barrow/decoder"
	"barrow/emd"
	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/internal/limit"
	"barrow/internal/setting"
	"barrow/report"
	"barrow/run"
	"barrow/study/internal/learned"
)

// Chip is what the chip's algorithms keep of the held-out images, by hand and with decoders that
// learned.
type Chip struct {
	Density string                `json:"wafer_density"` // in words
	Results []evaluate.ChipResult `json:"results"`
}

// checkLearned reports algorithms that no decoder learns from.
func (p Plan) checkLearned() error {
	for k, word := range p.Learned {
		if err := setting.Choice("learned", word, learned.Words()); err != nil {
			return err
		}
		if slices.Contains(p.Learned[:k], word) {
			return fmt.Errorf("learned: %s is named twice", word)
		}
	}
	return nil
}

// links are those of the encoders' outputs, rising.
func (p Plan) links() []int {
	var list []int
	for _, j := range p.Jobs() {
		if n := j.Architecture.Links(); !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	return list
}

// Lessons are the trainings of decoders that the plan asks for, on some links, where the
// algorithms can use them: on as many simulated images as an encoder sees, or, where there are
// files, on that many and then on the training images.
func (p Plan) Lessons(f *run.Folder, d Data, links []int, density string) []learned.Lesson {
	seen := p.Epochs * d.Train.Len()
	if d.Pretraining != nil {
		seen += p.PretrainEpochs * d.Pretraining.Len()
	}
	given := decoder.Normal().Given.Epochs
	var list []learned.Lesson
	for _, word := range p.Learned {
		a, _ := learned.Find(word)
		for _, n := range links {
			if !a.Learns(n) {
				continue
			}
			l := learned.Lesson{Folder: f, Algorithm: a, Links: n, Metric: p.Metric, Density: density}
			l.Learn = decoder.LearnSettings{Course: learned.Course(seen, min(given, p.Epochs)), Preset: p.Preset, Seed: p.Seed}
			if len(p.Data) > 0 {
				l.Train, l.Validation = d.Train, d.Validation
			}
			list = append(list, l)
		}
	}
	return list
}

// chip measures the algorithms that the plan names, nil if it names none.
func chip(ctx context.Context, f *run.Folder, p Plan, d Data, r Resources) (*Chip, error) {
	if len(p.Learned) == 0 {
		return nil, nil
	}
	threads, err := limit.Threads(r.Threads)
	if err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	points, err := hgcal.Positions(p.Metric)
	if err != nil {
		return nil, err
	}
	metric, err := emd.Euclidean(points)
	if err != nil {
		return nil, err
	}
	lessons := p.Lessons(f, d, p.links(), "")
	models, err := learned.Train(ctx, lessons, threads, func(_ float64, note string) {
		if r.Progress != nil {
			r.Progress(trained, "decoders: "+note)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("decoders: %w", err)
	}
	var schemes []evaluate.Scheme
	for k, s := range learned.Schemes(lessons, models) {
		schemes = append(append(schemes, lessons[k].Rules(s.Links)...), s)
	}
	m, err := evaluate.NewChipMeter(metric, schemes, evaluate.ChipSettings{Settings: evaluate.Settings{Threshold: p.Threshold, Threads: threads, Points: points}})
	if err != nil {
		return nil, err
	}
	m.Add(d.Test)
	c := &Chip{Density: m.Density()}
	c.Results, err = m.Measure(ctx)
	for k := range c.Results {
		c.Results[k].Fidelity = c.Results[k].Fidelity.Without()
	}
	return c, err
}

// Rows are the table of the chip's algorithms, its head first.
func (c *Chip) Rows() [][]string {
	rows := [][]string{{"algorithm", "decoding", "links", "mean EMD", "median", "response", "nothing arrives"}}
	for _, x := range c.Results {
		e, energy := x.Fidelity.Of(evaluate.EMD), x.Fidelity.Of(evaluate.Response)
		rows = append(rows, []string{x.Name, string(x.Decoding), fmt.Sprint(x.Links), fmt.Sprintf("%.3f", e.Mean), fmt.Sprintf("%.3f", e.Median),
			fmt.Sprintf("%.3f", energy.Mean), fmt.Sprintf("%.1f %%", 100*x.Empty)})
	}
	return rows
}

// table is the page's.
func (c *Chip) table() report.Table {
	rows := c.Rows()
	return report.Table{
		Title: "The chip's other algorithms on the same images", Columns: columns(rows[0][:2], rows[0][2:]...), Rows: rows[1:],
		Note: "Kept: charges sent in their cells, a sum in its largest cell; spread: sums shared evenly; learned: decoders that saw as many images as an encoder. Wafer density: " + c.Density + ".",
	}
}
