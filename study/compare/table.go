package compare

import (
	"context"
	"slices"

	"gonum.org/v1/gonum/stat"

	"barrow/autoencoder"
	"barrow/evaluate"
)

// Spread is the mean of a figure over seeds, its sample standard deviation (0
// for one seed) and the seeds' values.
type Spread struct {
	Mean   float64   `json:"mean"`
	Std    float64   `json:"std"`
	Values []float64 `json:"values"`
}

func spread(v []float64) Spread {
	s := Spread{Values: v}
	s.Mean, s.Std = stat.MeanStdDev(v, nil)
	if len(v) < 2 {
		s.Std = 0
	}
	return s
}

// A Row is one kind of encoder: a loss with a precision and width.
type Row struct {
	Loss      string `json:"loss"`
	Precision string `json:"precision"`
	Bits      int    `json:"bits,omitempty"` // of the outputs; 0: the precision's own

	EMD      Spread  `json:"mean_emd"` // of the held-out images' mean EMD
	Median   Spread  `json:"median_emd"`
	P16      Spread  `json:"p16_emd"`
	P84      Spread  `json:"p84_emd"`
	Worst    float64 `json:"worst_seed"` // mean EMD of the worst seed
	Response Spread  `json:"response"`   // mean of Σ decoded / Σ charge
	// ResponseWidth is the standard deviation of the response over images, the
	// mean over seeds.
	ResponseWidth float64 `json:"response_width"`
	Centre        float64 `json:"centre_shift"` // mean over images and seeds
	Width         float64 `json:"width_shift"`

	// Ratio, Worse and P compare with the baseline of the same precision, width
	// and seed; P is that of the least significant seed.
	Ratio Spread  `json:"ratio_to_baseline"`
	Worse float64 `json:"share_worse"`
	P     float64 `json:"p"`

	ByOccupancy []Bin `json:"emd_by_occupancy"`
	ByEta       []Bin `json:"emd_by_eta,omitempty"`

	Epochs     []int     `json:"best_epochs"`
	Validation []float64 `json:"best_validation_losses"`
	// Curves are the training and validation loss of every epoch, by seed.
	Curves [][][2]float64 `json:"curves"`

	Cost autoencoder.Cost `json:"cost"` // of the encoder
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
}

// Kept says which of several seeds' encoders is kept, and where in the folder.
type Kept struct {
	Seed uint64 `json:"seed"`
	File string `json:"file"`
}

// Times are the costs of the table's rows that differ from run to run.
type Times struct {
	Rows []RowTimes `json:"rows"`
}

// RowTimes are a row's.
type RowTimes struct {
	Seconds float64 `json:"seconds"`           // of one training, mean over seeds
	Wafers  float64 `json:"wafers_per_second"` // encoded by one core
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
	kinds := len(w.jobs) / w.plan.Seeds
	measured := make([]*evaluate.Encoder, len(w.jobs))
	rates := make([]float64, len(w.jobs))
	for k, j := range w.jobs {
		var err error
		if measured[k], rates[k], err = w.measure(ctx, j); err != nil {
			return nil, nil, err
		}
		if w.resources.Progress != nil {
			w.resources.Progress(trained+(1-trained)*float64(k+1)/float64(len(w.jobs)), "measuring")
		}
	}
	for kind := range kinds {
		row, rt, err := w.row(kind, kinds, measured, rates)
		if err != nil {
			return nil, nil, err
		}
		t.Rows = append(t.Rows, *row)
		times.Rows = append(times.Rows, rt)
	}
	return t, times, nil
}

// row gathers the seeds of one kind: the jobs kind, kind+kinds, ….
func (w *work) row(kind, kinds int, measured []*evaluate.Encoder, rates []float64) (*Row, RowTimes, error) {
	j := w.jobs[kind]
	row := &Row{Loss: j.Loss, Precision: j.Architecture.Precision, Bits: j.Architecture.LatentBits}
	var err error
	if row.Cost, err = j.Architecture.Cost(); err != nil {
		return nil, RowTimes{}, err
	}
	n := float64(w.plan.Seeds)
	var rt RowTimes
	var emds, medians, p16, p84, responses, ratios []float64
	var occupancy, eta [][]evaluate.Bin
	for k := kind; k < len(w.jobs); k += kinds {
		e, base := measured[k], measured[w.baselineOf(k, kinds)]
		emds, medians = append(emds, e.EMD.Mean), append(medians, e.EMD.Median)
		p16, p84 = append(p16, e.EMD.P16), append(p84, e.EMD.P84)
		responses = append(responses, e.Response.Mean)
		occupancy, eta = append(occupancy, e.ByOccupancy), append(eta, e.ByEta)
		row.ResponseWidth += e.Response.Std / n
		row.Centre += e.Shapes.Centre.Mean / n
		row.Width += e.Shapes.Width.Mean / n
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
		rt.Wafers = max(rt.Wafers, rates[k])
	}
	row.EMD, row.Median, row.Response, row.Ratio = spread(emds), spread(medians), spread(responses), spread(ratios)
	row.P16, row.P84 = spread(p16), spread(p84)
	row.Worst = slices.Max(emds)
	row.ByOccupancy, row.ByEta = average(occupancy), average(eta)
	return row, rt, nil
}

// baselineOf finds the job of the baseline with the precision, width and seed of
// job k.
func (w *work) baselineOf(k, kinds int) int {
	first := k / kinds * kinds
	a := w.jobs[k].Architecture
	for i := first; i < first+kinds; i++ {
		// Not the whole architecture: the outputs may be by loss.
		b := w.jobs[i].Architecture
		if w.jobs[i].Loss == w.plan.baseline() && b.Precision == a.Precision && b.LatentBits == a.LatentBits {
			return i
		}
	}
	return k
}

// average joins the bins of the seeds, which have the same images in them.
func average(seeds [][]evaluate.Bin) []Bin {
	var out []Bin
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
