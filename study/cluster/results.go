package cluster

import "barrow/internal/stats"

// Results are what a run found: the same plan gives the same bytes.
type Results struct {
	Plan    Plan      `json:"plan"`
	Classes []string  `json:"true_classes,omitempty"` // nil where no truth is known
	Seeds   []Outcome `json:"seeds"`
	// Gains are what the clusters and the probe are better by than what they are compared with, over the seeds.
	Gains []Gain `json:"gains,omitempty"`
	Found Found  `json:"found"` // by the first seed
}

// An Outcome is what one seed gave.
type Outcome struct {
	Seed       uint64       `json:"seed"`
	Curve      [][2]float64 `json:"curve"`      // contrastive loss of every epoch, training and validation
	Silhouette *float64     `json:"silhouette"` // of the labels, by the features; null of one cluster
	Confident  float64      `json:"confident"`  // share of rows of whose label the head is sure
	// The rest is there where the truth is known.
	First    *Agreement    `json:"first_clusters,omitempty"` // before the head learned
	Labels   *Agreement    `json:"labels,omitempty"`
	Recall   []float64     `json:"recall,omitempty"` // of every true class, the share that is in its cluster
	Beside   []Baseline    `json:"beside,omitempty"`
	Probe    float64       `json:"probe,omitempty"` // accuracy of a linear classifier of the features by 1 % of the labels
	Pixels   float64       `json:"probe_pixels,omitempty"`
	PixelsBy string        `json:"probe_pixels_by,omitempty"` // the way of pixels that is best
	Monitor  *Surveillance `json:"monitor,omitempty"`
}

// A Baseline is k-means on something else.
type Baseline struct {
	Name    string `json:"name"`
	Outputs bool   `json:"outputs,omitempty"` // of the chip's encoder, not pixels
	Agreement
}

// Surveillance says how well defects are found among modules in pile-up.
type Surveillance struct {
	Modules int       `json:"modules"`
	Defects int       `json:"defects"`
	Area    float64   `json:"roc_area"`
	Kinds   []string  `json:"kinds"`
	ByKind  []float64 `json:"roc_area_by_kind"`
	// Pixels is the area by the squares of the pixels' deviations from their means in units of their spread,
	// without a network, the best way of pixels taken.
	Pixels   float64 `json:"roc_area_pixels"`
	PixelsBy string  `json:"roc_area_pixels_by"`
	// All are the means of all modules, and Oddest are the ones that a page shows, of the first seed.
	All    *Means   `json:"all,omitempty"`
	Oddest []Member `json:"oddest,omitempty"`
}

// A Gain is a paired difference over seeds with its 95 % interval by Student's t, which two seeds need.
type Gain struct {
	Name   string   `json:"name"`
	Mean   float64  `json:"mean"`
	Spread *float64 `json:"half_width_95"` // null of one seed
}

// Found is what is known of every row.
type Found struct {
	Label      []int        `json:"label"`
	Confidence []float64    `json:"confidence"`
	Odd        []float64    `json:"odd"`
	Worst      []int        `json:"worst_cell"`
	Truth      []int        `json:"truth,omitempty"`
	Map        [][2]float64 `json:"map"`          // the two main directions of the features
	Share      [2]float64   `json:"map_variance"` // of the features' variance
	Groups     []Group      `json:"clusters"`
	Oddest     []Member     `json:"oddest"`
}

// A Group is one cluster.
type Group struct {
	Size  int    `json:"size"`
	Class string `json:"class,omitempty"` // matched
	Means
	Members []Member `json:"members"` // the surest
}

// Means are those of some rows.
type Means struct {
	Mean      []float64 `json:"mean"`                // image of shares
	Agreement []float64 `json:"agreement,omitempty"` // of modules
}

// A Member is one image: shares of its total.
type Member struct {
	Row       int       `json:"row"`
	Number    int       `json:"number"`           // of the row in the input
	Module    string    `json:"module,omitempty"` // which one it is: the columns that say so, with / between them
	Image     []float64 `json:"image"`
	Agreement []float64 `json:"agreement,omitempty"` // of modules, of every cell with its neighbours
	Odd       float64   `json:"odd"`
	Worst     int       `json:"worst_cell"`
	Truth     string    `json:"truth,omitempty"`
}

// gains compares over the seeds.
func (r *Results) gains() {
	if len(r.Classes) == 0 {
		return
	}
	add := func(name string, of func(o *Outcome) (float64, bool)) {
		var d []float64
		for k := range r.Seeds {
			if v, ok := of(&r.Seeds[k]); ok {
				d = append(d, v)
			}
		}
		if len(d) == 0 {
			return
		}
		mean, half := stats.Student95(d)
		g := Gain{Name: name, Mean: mean}
		if len(d) > 1 {
			g.Spread = &half
		}
		r.Gains = append(r.Gains, g)
	}
	add("accuracy over k-means on pixels", func(o *Outcome) (float64, bool) { return o.over(false) })
	add("accuracy over k-means on the encoder's outputs", func(o *Outcome) (float64, bool) { return o.over(true) })
	add("linear probe on 1 % of the labels over pixels", func(o *Outcome) (float64, bool) { return o.Probe - o.Pixels, true })
}

// best is the baseline of a kind with the largest accuracy, which is taken as if one knew which.
func (o *Outcome) best(outputs bool) *Baseline {
	var b *Baseline
	for k := range o.Beside {
		if c := &o.Beside[k]; c.Outputs == outputs && (b == nil || c.Accuracy > b.Accuracy) {
			b = c
		}
	}
	return b
}

func (o *Outcome) over(outputs bool) (float64, bool) {
	b := o.best(outputs)
	if b == nil || o.Labels == nil {
		return 0, false
	}
	return o.Labels.Accuracy - b.Accuracy, true
}
