package fewshot

import (
	"barrow/evaluate"
)

// Results are everything that a run found.
type Results struct {
	Plan    Plan     `json:"config"`
	Figures string   `json:"figures"`
	Tasks   []Task   `json:"tasks"` // held out
	Rows    []*Row   `json:"rows"`  // by precision: pooled training first
	Full    []*Full  `json:"full,omitempty"`
	Gains   []Gain   `json:"gains"`
	Kept    []string `json:"kept"` // the weights files of the first method's starts, by precision
}

// figures says what the numbers of results are.
const figures = "emd: mean exact EMD of the wafers that judge a held-out task, over tasks and seeds, after tuning; pooled, carried, full: ratio to pooled training, to the same tuned by the moments that it carries, and to full training, with 95 % bootstrap intervals over the tasks, paired"

// A Row is a contender.
type Row struct {
	Precision string `json:"precision"`
	Contender string `json:"contender"`
	// Tuning is how it is tuned best on the tasks to choose by, where it then has the EMD Choice.
	Tuning tuning  `json:"tuning"`
	Words  string  `json:"tuned"`
	Steps  int     `json:"steps"`
	Choice float64 `json:"emd_chosen"`
	EMD    float64 `json:"emd"`
	Before float64 `json:"emd_before"` // tuning
	// Curve is the mean EMD after so many steps, from none on; Seeds that of each seed, and Tasks that of each
	// task, after the chosen number.
	Curve   []float64        `json:"curve"`
	Seeds   []float64        `json:"seeds"`
	Tasks   []float64        `json:"tasks"`
	Pooled  *evaluate.Versus `json:"pooled,omitempty"`  // beside pooled training, tuned without moments
	Carried *evaluate.Versus `json:"carried,omitempty"` // beside the same with them
	Full    *evaluate.Versus `json:"full,omitempty"`    // beside full training
	Passes  float64          `json:"passes"`            // that training cost
	Rates   []LayerRate      `json:"rates,omitempty"`
	Tried   []Tried          `json:"tried"`
}

// A Tried is a way of tuning with the mean EMD on the tasks to choose by after so many steps.
type Tried struct {
	Tuning string    `json:"tuning"`
	Curve  []float64 `json:"curve"`
}

// A LayerRate is how many times as large as at the beginning the rates of an array of weights have become.
type LayerRate struct {
	Array  string  `json:"array"`
	Factor float64 `json:"factor"`
}

// Full is the full training on each held-out task.
type Full struct {
	Precision string    `json:"precision"`
	EMD       float64   `json:"emd"`
	Tasks     []float64 `json:"tasks"`
}

// A Gain is the share of the EMD that a start takes off pooled training, and that tuning takes off the start.
type Gain struct {
	Precision string  `json:"precision"`
	Contender string  `json:"contender"`
	Pooled    float64 `json:"over_pooled"`
	Tuned     float64 `json:"by_tuning"`
}

// fill sets the figures of a row from EMDs by seed, task and number of steps.
func (r *Row) fill(each [][][]float64) {
	r.Tasks = make([]float64, len(each[0]))
	var curves [][]float64
	for _, tasks := range each {
		c := mean(tasks)
		curves = append(curves, c)
		r.Seeds = append(r.Seeds, c[r.Steps])
		for k, t := range tasks {
			r.Tasks[k] += t[r.Steps] / float64(len(each))
		}
	}
	r.Curve = mean(curves)
	r.EMD, r.Before = r.Curve[r.Steps], r.Curve[0]
}

// gains are those of the rows of each precision.
func gains(rows []*Row) (list []Gain) {
	var pooled *Row
	for _, r := range rows {
		if r.Contender == ofPooled {
			pooled = r
		}
		list = append(list, Gain{r.Precision, r.Contender, 1 - r.EMD/pooled.EMD, 1 - r.EMD/r.Before})
	}
	return list
}
