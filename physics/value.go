package physics

import (
	"encoding/json"
	"fmt"
	"math"
)

// Value is a figure with its error. Where there is none, Value is NaN, null in JSON, and
// Note says why.
type Value struct {
	Value float64
	// Error is the standard deviation over Draws.
	Error float64
	// N is how many particles, events or crossings it is of.
	N    int
	Note string
	// Draws are the figure in each draw of the bootstrap: the same events for all
	// contenders and figures, so that draws can be set against each other. NaN where a
	// draw has none; nil if there is no value. JSON leaves them out.
	Draws []float64
}

// Print is the value with its error in words, "–" where there is none.
func (v Value) Print(digits int) string {
	if math.IsNaN(v.Value) {
		return "–"
	}
	text := fmt.Sprintf("%.*f", digits, v.Value)
	if !math.IsNaN(v.Error) {
		text += fmt.Sprintf(" ± %.*f", digits, v.Error)
	}
	return text
}

// none is the value that there isn't.
func none(n int, format string, args ...any) Value {
	return Value{Value: math.NaN(), Error: math.NaN(), N: n, Note: fmt.Sprintf(format, args...)}
}

// drawn is a value whose error comes from its draws.
func drawn(value float64, n int, draws []float64) Value {
	v := Value{Value: value, Error: math.NaN(), N: n, Draws: draws}
	var sum, square float64
	count := 0
	for _, d := range draws {
		// About the value, for accuracy.
		if d -= value; !math.IsNaN(d) && !math.IsInf(d, 0) {
			sum += d
			square += float64(d * d)
			count++
		}
	}
	if 2*count < len(draws) || count < 2 {
		v.Note = fmt.Sprintf("no error: %d of %d draws have a value", count, len(draws))
		return v
	}
	v.Error = math.Sqrt(math.Max(0, square-sum*sum/float64(count)) / float64(count-1))
	return v
}

// Over is v over w, with the error that their common draws give it.
func (v *Value) Over(w *Value) Value {
	switch {
	case math.IsNaN(v.Value):
		return none(v.N, "%s", v.Note)
	case math.IsNaN(w.Value):
		return none(v.N, "of the reference: %s", w.Note)
	case w.Value == 0:
		return none(v.N, "the reference's is 0")
	}
	draws := make([]float64, len(v.Draws))
	for i := range draws {
		draws[i] = v.Draws[i] / w.Draws[i]
	}
	return drawn(v.Value/w.Value, v.N, draws)
}

// Bin is a figure of the particles within a range.
type Bin struct {
	Low, High float64 // the same where it is a point on a curve
	Value
}

// Point is a figure at an efficiency, a point of a ROC.
type Point struct {
	Efficiency float64
	Value
}

// valueJSON is a value in JSON, which has no NaN.
type valueJSON struct {
	Efficiency *float64 `json:"efficiency,omitempty"`
	Low        *float64 `json:"low,omitempty"`
	High       *float64 `json:"high,omitempty"`
	Value      *float64 `json:"value"`
	Error      *float64 `json:"error"`
	N          int      `json:"n"`
	Note       string   `json:"note,omitempty"`
}

func number(x *float64) *float64 {
	if math.IsNaN(*x) || math.IsInf(*x, 0) {
		return nil
	}
	return x
}

func orNaN(x *float64) float64 {
	if x == nil {
		return math.NaN()
	}
	return *x
}

// MarshalJSON writes value, error, n and, if there is one, note.
func (v Value) MarshalJSON() ([]byte, error) {
	return json.Marshal(valueJSON{Value: number(&v.Value), Error: number(&v.Error), N: v.N, Note: v.Note})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (v *Value) UnmarshalJSON(b []byte) error {
	var j valueJSON
	err := json.Unmarshal(b, &j)
	*v = Value{Value: orNaN(j.Value), Error: orNaN(j.Error), N: j.N, Note: j.Note}
	return err
}

// MarshalJSON writes low and high before the value's keys.
func (b Bin) MarshalJSON() ([]byte, error) {
	return json.Marshal(valueJSON{nil, &b.Low, &b.High, number(&b.Value.Value), number(&b.Error), b.N, b.Note})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (b *Bin) UnmarshalJSON(text []byte) error {
	var j valueJSON
	if err := json.Unmarshal(text, &j); err != nil {
		return err
	}
	b.Low, b.High = orNaN(j.Low), orNaN(j.High)
	return b.Value.UnmarshalJSON(text)
}

// MarshalJSON writes efficiency before the value's keys.
func (p Point) MarshalJSON() ([]byte, error) {
	return json.Marshal(valueJSON{&p.Efficiency, nil, nil, number(&p.Value.Value), number(&p.Error), p.N, p.Note})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (p *Point) UnmarshalJSON(text []byte) error {
	var j valueJSON
	if err := json.Unmarshal(text, &j); err != nil {
		return err
	}
	p.Efficiency = orNaN(j.Efficiency)
	return p.Value.UnmarshalJSON(text)
}
