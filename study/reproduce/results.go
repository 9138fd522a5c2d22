package reproduce

import (
	"encoding/json"

	"barrow/evaluate"
	"barrow/internal/jsonout"
	"barrow/study/estimate"
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
	Curve     []Epoch            `json:"curve"`
	BestEpoch int                `json:"best_epoch"`
	Pairs     []estimate.PairSet `json:"pairs"`
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
	Fidelity   evaluate.Fidelity  `json:"-"`
	Ratio      float64            `json:"ratio_to_baseline"` // of the mean EMDs
	RatioRange evaluate.Interval  `json:"ratio_interval"`    // paired bootstrap, 95 %
	Histogram  estimate.Histogram `json:"emd_histogram"`
	OnLinks    []OnLinks          `json:"on_links,omitempty"` // its outputs cut to what 1, 2, … links carry
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
