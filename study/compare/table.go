package compare

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/stat"

	"barrow/autoencoder"
	"barrow/evaluate"
	"barrow/internal/jsonout"
	"barrow/physics"
)

// Spread is the mean of a figure over seeds, its sample standard deviation (0
// for one seed) and the seeds' values.
type Spread struct {
	Mean   float64   `json:"mean"`
	Std    float64   `json:"std"`
	Values []float64 `json:"values"`
}

// Over is the spread of a figure over seeds.
func Over(v []float64) Spread {
	s := Spread{Values: v}
	s.Mean, s.Std = stat.MeanStdDev(v, nil)
	if len(v) < 2 {
		s.Std = 0
	}
	return s
}

// Print is the mean with its standard deviation, if there is more than one seed.
func (s Spread) Print() string {
	if len(s.Values) < 2 {
		return fmt.Sprintf("%.3f", s.Mean)
	}
	return fmt.Sprintf("%.3f ± %.3f", s.Mean, s.Std)
}

// A Row is one kind of encoder: a loss with a precision and width.
type Row struct {
	Loss      string `json:"loss"`
	Precision string `json:"precision"`
	Bits      int    `json:"bits,omitempty"` // of the outputs; 0: the precision's own
	Mask      string `json:"mask,omitempty"` // their bits where they differ, as autoencoder.Architecture's

	EMD    Spread  `json:"mean_emd"` // of the held-out images' mean EMD
	Median Spread  `json:"median_emd"`
	P16    Spread  `json:"p16_emd"`
	P84    Spread  `json:"p84_emd"`
	Worst  float64 `json:"worst_seed"` // mean EMD of the worst seed
	// Figures are the other figures of merit; in JSON their keys stand beside the
	// others.
	Figures []FigureSpread `json:"-"`

	// Ratio, Worse and P compare with the baseline of the same precision, width
	// and seed; P is that of the least significant seed.
	Ratio Spread  `json:"ratio_to_baseline"`
	Worse float64 `json:"share_worse"`
	P     float64 `json:"p"`

	// ToMSE compares with the MSE of the same precision and width over the seeds, where it takes part.
	ToMSE *evaluate.Paired `json:"ratio_to_mse,omitempty"`

	ByOccupancy []Bin `json:"emd_by_occupancy"`
	ByEta       []Bin `json:"emd_by_eta,omitempty"`

	Epochs     []int     `json:"best_epochs"`
	Validation []float64 `json:"best_validation_losses"`
	// Curves are the training and validation loss of every epoch, by seed.
	Curves [][][2]float64 `json:"curves"`

	Cost autoencoder.Cost `json:"cost"` // of the encoder

	// Physics are the values of the table's figures of physics, in their order.
	Physics []physics.Value `json:"physics,omitempty"`
}

// FigureSpread is a figure of merit over images and seeds. In JSON its name is the
// key of its Mean, or, if it is a wide one, of its Means; <name>_width is that of
// its Width.
type FigureSpread struct {
	*evaluate.Figure
	Mean  float64 // over images and seeds
	Means Spread  // of the means over images; without values in what was read from JSON, unless wide
	Width float64 // mean over seeds of the standard deviation over images
}

// Print is the figure in words: its mean, with its width where that is a figure of
// its own.
func (f FigureSpread) Print() string {
	if f.Wide {
		return fmt.Sprintf("%s ± %.3f", f.Figure.Print(f.Mean), f.Width)
	}
	return f.Figure.Print(f.Mean)
}

// width is the end of the key of a figure's width.
const width = "_width"

// MarshalJSON writes a row with its figures as one object.
func (r Row) MarshalJSON() ([]byte, error) {
	type own Row
	parts := []any{own(r)}
	for _, f := range r.Figures {
		var value any = f.Mean
		if f.Wide {
			value = f.Means
		}
		parts = append(parts, map[string]any{f.Name: value}, map[string]any{f.Name + width: f.Width})
	}
	return jsonout.Join(parts...)
}

// UnmarshalJSON reads it again.
func (r *Row) UnmarshalJSON(b []byte) error {
	type own Row
	if err := json.Unmarshal(b, (*own)(r)); err != nil {
		return err
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(b, &keys); err != nil {
		return err
	}
	r.Figures = nil
	for _, known := range evaluate.Figures() {
		value, ok := keys[known.Name]
		if !ok || known.Name == evaluate.EMD {
			continue
		}
		f := FigureSpread{Figure: known}
		var err error
		if known.Wide {
			err = json.Unmarshal(value, &f.Means)
			f.Mean = f.Means.Mean
		} else {
			err = json.Unmarshal(value, &f.Mean)
		}
		if of, ok := keys[known.Name+width]; ok && err == nil {
			err = json.Unmarshal(of, &f.Width)
		}
		if err != nil {
			return err
		}
		r.Figures = append(r.Figures, f)
	}
	return nil
}

// A Bin is the EMD in a range of occupancy or |η|: means over the seeds of the
// median and of the central 68 %.
type Bin struct {
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	Centre float64 `json:"centre"`
	N      int     `json:"n"`
	Median float64 `json:"median"`
	P16    float64 `json:"p16"`
	P84    float64 `json:"p84"`
}

// A Table is the outcome of a comparison without its times: the same plan gives
// the same bytes.
type Table struct {
	Plan     Plan   `json:"plan"`
	Images   [3]int `json:"images"`   // training, validation, held out
	Baseline string `json:"baseline"` // loss that the ratios are to
	Rows     []Row  `json:"rows"`
	Kept     *Kept  `json:"kept,omitempty"` // of an encoder from several starts

	// Chip is what the chip's other algorithms keep, where that was asked for.
	Chip *Chip `json:"chip,omitempty"`

	// Protocol is what was found of the contenders, where there are some.
	Protocol *Judgement `json:"protocol,omitempty"`

	// Physics says what was found of the trigger's physics, where that was asked for.
	Physics *Physics `json:"physics,omitempty"`
}

// Physics is what the encoders of a comparison leave of particles, of each kind those of the
// seed with the smallest validation loss, and what all cells and the chip's algorithms leave.
type Physics struct {
	Words   string          `json:"words"`   // what was measured
	Folders []string        `json:"folders"` // of the runs, within the comparison's
	Figures []PhysicsFigure `json:"figures"` // of the rows' values
	// References are the values of all cells, by folder.
	References [][]physics.Value `json:"all_cells"`
	// Algorithms are the chip's in the same runs.
	Algorithms []PhysicsRow `json:"algorithms,omitempty"`
}

// PhysicsRow is what one of the chip's algorithms leaves of particles.
type PhysicsRow struct {
	Name   string          `json:"name"`
	Folder string          `json:"folder"`
	Values []physics.Value `json:"values"`
}

// PhysicsFigure is a figure of merit of the trigger.
type PhysicsFigure struct {
	Name   string `json:"name"`
	Label  string `json:"label"`
	Unit   string `json:"unit,omitempty"`
	Digits int    `json:"digits"` // that are printed behind the point
}

// Kept says which of several seeds' encoders is kept, and where in the folder.
type Kept struct {
	Seed uint64 `json:"seed"`
	File string `json:"file"`
}

// Times are the costs of the table's rows that differ from run to run.
type Times struct {
	Rows []RowTimes `json:"rows"`
	// Contenders are those of a protocol's, in its order; Seconds are 0 where nothing is trained.
	Contenders []RowTimes `json:"contenders,omitempty"`
}

// RowTimes are a row's.
type RowTimes struct {
	Seconds float64 `json:"seconds"`            // of one training, mean over seeds
	Wafers  float64 `json:"wafers_per_second"`  // encoded by one core
	Decoded float64 `json:"decoded_per_second"` // by one core
}

// fastest keeps the largest speeds.
func (t *RowTimes) fastest(s speeds) {
	t.Wafers, t.Decoded = max(t.Wafers, s.encoding), max(t.Decoded, s.decoding)
}

// AgainstBaseline are the cells of a row about the baseline: the ratio to it, the share of images made
// worse and p; the baseline's own say nothing.
func (t *Table) AgainstBaseline(r Row) [3]string {
	if r.Loss == t.Baseline {
		return [3]string{"1", "–", "–"}
	}
	return [3]string{r.Ratio.Print(), fmt.Sprintf("%.1f %%", 100*r.Worse), fmt.Sprintf("%.3f", r.P)}
}

// Figures are the figures of merit of the rows, beside the EMD, as the first has
// them.
func (t *Table) Figures() []FigureSpread {
	if len(t.Rows) == 0 {
		return nil
	}
	return t.Rows[0].Figures
}

// Row finds a kind of encoder, or gives nil.
func (t *Table) Row(loss, precision string, bits int) *Row {
	for i := range t.Rows {
		if r := &t.Rows[i]; r.Loss == loss && r.Precision == precision && r.Bits == bits {
			return r
		}
	}
	return nil
}

// baseline is the loss that the others are divided by: the telescope MSE if it
// takes part, else the first.
func (p Plan) baseline() string {
	losses := p.losses()
	if p.Protocol != nil {
		if c := p.Protocol.Contenders[p.Protocol.baseline()]; c.Loss != "" {
			return c.Loss
		}
	}
	if slices.Contains(losses, "telescope") {
		return "telescope"
	}
	return losses[0]
}

// bootstrapDraws of the comparisons with the baseline.
const bootstrapDraws = 1000

// table measures all trained encoders.
func (w *work) table(ctx context.Context) (*Table, *Times, error) {
	t := &Table{Plan: w.plan, Baseline: w.plan.baseline()}
	for k, d := range w.data {
		t.Images[k] = d.Len()
	}
	times := &Times{}
	kinds := len(w.plan.Jobs()) / w.plan.Seeds
	measured := make([]*measurement, len(w.jobs))
	for k := range w.jobs {
		var err error
		if measured[k], err = w.measureJob(ctx, k); err != nil {
			return nil, nil, err
		}
		if w.resources.Progress != nil {
			w.resources.Progress(trained+(1-trained)*float64(k+1)/float64(len(w.jobs)), "measuring")
		}
	}
	for kind := range kinds {
		row, rt, err := w.row(kind, kinds, measured)
		if err != nil {
			return nil, nil, err
		}
		t.Rows = append(t.Rows, *row)
		times.Rows = append(times.Rows, rt)
	}
	if w.plan.Protocol == nil {
		return t, times, nil
	}
	var err error
	t.Protocol, times.Contenders, err = w.judge(ctx, measured)
	return t, times, err
}

// row gathers the seeds of one kind: the jobs kind, kind+kinds, ….
func (w *work) row(kind, kinds int, measured []*measurement) (*Row, RowTimes, error) {
	j := w.jobs[kind]
	row := &Row{Loss: j.Loss, Precision: j.Architecture.Precision, Bits: j.Architecture.LatentBits, Mask: j.Architecture.Mask}
	var err error
	if row.Cost, err = j.Architecture.Cost(); err != nil {
		return nil, RowTimes{}, err
	}
	n := float64(w.plan.Seeds)
	var rt RowTimes
	var emds, medians, p16, p84, ratios []float64
	var occupancy, eta [][]evaluate.Bin
	var kept []*evaluate.Fidelity
	for k := kind; k < kinds*w.plan.Seeds; k += kinds {
		kept = append(kept, measured[k].Fidelity)
		e, base := measured[k].Of(evaluate.EMD), measured[w.baselineOf(k, kinds)].Of(evaluate.EMD)
		emds, medians = append(emds, e.Mean), append(medians, e.Median)
		p16, p84 = append(p16, e.P16), append(p84, e.P84)
		occupancy, eta = append(occupancy, e.ByOccupancy), append(eta, e.ByEta)
		row.Epochs = append(row.Epochs, w.records[k].BestEpoch)
		row.Validation = append(row.Validation, w.records[k].Best)
		row.Curves = append(row.Curves, w.records[k].Curve)
		v, err := evaluate.Compare(e.Values, base.Values, bootstrapDraws, w.plan.Seed)
		if err != nil {
			return nil, rt, err
		}
		ratios = append(ratios, v.Ratio)
		row.Worse += v.Worse / n
		row.P = max(row.P, v.P)
		rt.Seconds += w.records[k].Seconds / n
		rt.fastest(measured[k].rate)
	}
	row.EMD, row.Median, row.Ratio = Over(emds), Over(medians), Over(ratios)
	row.P16, row.P84 = Over(p16), Over(p84)
	row.Figures = figures(kept)
	row.Worst = slices.Max(emds)
	row.ByOccupancy, row.ByEta = average(occupancy), average(eta)
	row.ToMSE, err = w.toMSE(kind, kinds, measured)
	return row, rt, err
}

// toMSE compares the seeds of one kind with those of the MSE, where that takes part.
func (w *work) toMSE(kind, kinds int, measured []*measurement) (*evaluate.Paired, error) {
	plain := w.with(plainLoss, kind, kinds)
	if plain < 0 {
		return nil, nil
	}
	p, err := evaluate.CompareSeeds(w.values(kind, kinds, measured), w.values(plain, kinds, measured), bootstrapDraws, w.plan.Seed)
	return &p, err
}

// values are the EMDs of one kind's held-out images, by seed.
func (w *work) values(kind, kinds int, measured []*measurement) [][]float64 {
	var list [][]float64
	for k := kind; k < kinds*w.plan.Seeds; k += kinds {
		list = append(list, measured[k].Of(evaluate.EMD).Values)
	}
	return list
}

// figures gathers the figures of merit but the EMD over seeds.
func figures(seeds []*evaluate.Fidelity) []FigureSpread {
	var list []FigureSpread
	n := float64(len(seeds))
	for _, m := range seeds[0].Figures {
		if m.Name == evaluate.EMD {
			continue
		}
		f := FigureSpread{Figure: m.Figure}
		var means []float64
		for _, s := range seeds {
			x := s.Of(m.Name)
			means = append(means, x.Mean)
			f.Mean += x.Mean / n
			f.Width += x.Std / n
		}
		if f.Means = Over(means); f.Wide {
			f.Mean = f.Means.Mean
		}
		list = append(list, f)
	}
	return list
}

// baselineOf finds the job of the baseline with the precision, width and seed of
// job k.
func (w *work) baselineOf(k, kinds int) int {
	if i := w.with(w.plan.baseline(), k, kinds); i >= 0 {
		return i
	}
	return k
}

// with finds the job of a loss with the precision, width and seed of job k, or gives -1.
func (w *work) with(name string, k, kinds int) int {
	first := k / kinds * kinds
	a := w.jobs[k].Architecture
	for i := first; i < first+kinds; i++ {
		// Not the whole architecture: the outputs may be by loss.
		b := w.jobs[i].Architecture
		if w.jobs[i].Loss == name && b.Precision == a.Precision && b.LatentBits == a.LatentBits {
			return i
		}
	}
	return -1
}

// average joins the bins of the seeds, which have the same images in them.
func average(seeds [][]evaluate.Bin) []Bin {
	out := []Bin{} // a list in JSON, too, where no bin has enough images
	n := float64(len(seeds))
	for i, b := range seeds[0] {
		x := Bin{Low: b.Low, High: b.High, Centre: b.Centre, N: b.N}
		for _, s := range seeds {
			x.Median += s[i].Median / n
			x.P16 += s[i].P16 / n
			x.P84 += s[i].P84 / n
		}
		out = append(out, x)
	}
	return out
}
