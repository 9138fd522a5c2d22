package reproduce

import (
	"encoding/json"

	"barrow/evaluate"
	"barrow/internal/jsonout"
	"barrow/surrogate"
)

// Results are everything that a run found, without times: the same seed gives
// the same bytes.
type Results struct {
	Config    Config    `json:"config"`
	Split     Split     `json:"split"`
	Surrogate Surrogate `json:"emd_cnn"`
	Encoders  []Encoder `json:"encoders"`
	Examples  []Example `json:"examples"`
	// Bandwidth is the chip's other algorithms; nil in runs from before they
	// were measured.
	Bandwidth *Bandwidth `json:"at_equal_bandwidth,omitempty"`
}

// Split is the number of images in each part.
type Split struct {
	Train      int `json:"train"`
	Validation int `json:"validation"`
	Test       int `json:"test"`
}

// Surrogate holds the figures of the EMD CNN on held-out images.
type Surrogate struct {
	Curve     []Epoch   `json:"curve"`
	BestEpoch int       `json:"best_epoch"`
	Pairs     []PairSet `json:"pairs"`
}

// PairSet is the accuracy on one kind of held-out pairs.
type PairSet struct {
	Name string `json:"name"` // independent, smeared or decoded
	surrogate.Accuracy
	Density  Density   `json:"density"`             // predicted against exact
	Relative Histogram `json:"relative_difference"` // (predicted−exact)/exact
}

// Density is a two-dimensional histogram over equal ranges of x and y.
type Density struct {
	Edges []float64 `json:"edges"`
	Count []float64 `json:"count"` // rows of x counts, lowest y first
}

// Histogram counts values between edges; values outside are not counted.
type Histogram struct {
	Edges []float64 `json:"edges"`
	Count []float64 `json:"count"`
}

// Epoch is a point of a training curve.
type Epoch struct {
	Train      float64 `json:"train"`
	Validation float64 `json:"validation"`
}

// Encoder holds the figures of one encoder on the held-out images.
type Encoder struct {
	Loss      string  `json:"loss"`
	Curve     []Epoch `json:"curve"`
	BestEpoch int     `json:"best_epoch"`
	// Fidelity holds the figures of merit; in JSON their keys stand beside the others.
	Fidelity   evaluate.Fidelity `json:"-"`
	Ratio      float64           `json:"ratio_to_baseline"` // of the mean EMDs
	RatioRange evaluate.Interval `json:"ratio_interval"`    // paired bootstrap, 95 %
	Histogram  Histogram         `json:"emd_histogram"`
	OnLinks    []OnLinks         `json:"on_links,omitempty"` // its outputs cut to what 1, 2, … links carry
}

// emd is the figure by which encoders are compared.
func (e *Encoder) emd() *evaluate.Measured { return e.Fidelity.Of(evaluate.EMD) }

// MarshalJSON writes an encoder with its figures as one object.
func (e Encoder) MarshalJSON() ([]byte, error) {
	type own Encoder
	return jsonout.Join(own(e), e.Fidelity)
}

// UnmarshalJSON reads it again.
func (e *Encoder) UnmarshalJSON(b []byte) error {
	type own Encoder
	if err := json.Unmarshal(b, (*own)(e)); err != nil {
		return err
	}
	return e.Fidelity.UnmarshalJSON(b)
}

// Example is a held-out image with what each encoder makes of it.
type Example struct {
	Row       int         `json:"row"` // in the held-out part
	Occupancy int         `json:"occupancy"`
	Input     []float64   `json:"input"`
	Decoded   [][]float64 `json:"decoded"` // in the encoders' order
	EMD       []float64   `json:"emd"`
}

// histogram counts values in n equal bins from low to high.
func histogram(values []float64, low, high float64, n int) Histogram {
	h := Histogram{Edges: edges(low, high, n), Count: make([]float64, n)}
	for _, v := range values {
		if k := bin(v, low, high, n); k >= 0 {
			h.Count[k]++
		}
	}
	return h
}

func density(x, y []float64, low, high float64, n int) Density {
	d := Density{Edges: edges(low, high, n), Count: make([]float64, n*n)}
	for i := range x {
		kx, ky := bin(x[i], low, high, n), bin(y[i], low, high, n)
		if kx >= 0 && ky >= 0 {
			d.Count[ky*n+kx]++
		}
	}
	return d
}

// bin is the bin of v, or -1 outside.
func bin(v, low, high float64, n int) int {
	if !(v >= low && v < high) {
		return -1
	}
	return min(n-1, int(float64(n)*(v-low)/(high-low)))
}

func edges(low, high float64, n int) []float64 {
	e := make([]float64, n+1)
	for k := range e {
		e[k] = low + (high-low)*float64(k)/float64(n)
	}
	return e
}
