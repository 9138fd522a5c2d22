package physics

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"barrow/internal/jsonout"
	"barrow/physics"
	"barrow/run"
	"barrow/study/compare"
	"barrow/study/internal/page"
)

// Results are everything that a run found, without times.
type Results struct {
	Plan    Plan         `json:"config"`
	Samples []SampleInfo `json:"samples"`
	Rate    float64      `json:"rate_khz"` // of the turn-on
	// Figures are what the contenders' keys mean.
	Figures    []Figure     `json:"figures"`
	Contenders []*Contender `json:"contenders"` // all cells first
	// Correlations say whether the mean EMD predicts a figure.
	Correlations []Predicted    `json:"correlation"`
	Order        Order          `json:"order"`
	Paper        []PaperRow     `json:"paper,omitempty"`
	Encoders     *compare.Table `json:"encoders,omitempty"` // trained here
}

// SampleInfo is what was measured of a kind of events.
type SampleInfo struct {
	Name   string `json:"name"`
	Events int    `json:"events"`
	Wafers int    `json:"wafers"`
}

// Figure says what a key of a contender is.
type Figure struct {
	Name  string `json:"name"`
	Label string `json:"label"`
	Unit  string `json:"unit,omitempty"`
}

// Contender is what one way of sending leaves. In JSON the keys of its figures and of what
// tells particles from minimum bias stand beside the others: KEY is an object {value, error,
// n}, KEY_ratio its ratio to all cells, KEY_by_pt, KEY_by_eta and KEY_by_threshold are lists
// of bins.
type Contender struct {
	Name  string  `json:"name"`
	Word  string  `json:"contender"`  // that the plan has for it, all-cells or an encoder's name
	Links string  `json:"links"`      // the table's name, "" where nothing limits them
	Mean  float64 `json:"mean_links"` // of a wafer of the detector, 0 where nothing limits them
	// Precision of an encoder's numbers, "" of others.
	Precision string `json:"precision,omitempty"`
	// Calibration turns this contender's clusters into momenta.
	Calibration *physics.Calibration `json:"calibration"`
	// Note says why there is no calibration, and none of the figures that need one.
	Note string `json:"note,omitempty"`

	merit          physics.Merit
	identification *physics.Identification // nil without minimum bias
}

// own are the keys that are no figures.
type own Contender

// MarshalJSON writes a contender with its figures as one object.
func (c *Contender) MarshalJSON() ([]byte, error) {
	parts := []any{(*own)(c), c.merit}
	if c.identification != nil {
		parts = append(parts, c.identification)
	}
	return jsonout.Join(parts...)
}

// UnmarshalJSON reads it again.
func (c *Contender) UnmarshalJSON(b []byte) error {
	if err := json.Unmarshal(b, (*own)(c)); err != nil {
		return err
	}
	if err := json.Unmarshal(b, &c.merit); err != nil {
		return err
	}
	var there struct{ AUC *json.RawMessage }
	if err := json.Unmarshal(b, &there); err != nil || there.AUC == nil {
		return err
	}
	c.identification = &physics.Identification{}
	return json.Unmarshal(b, c.identification)
}

// none is the value of what is not there.
func none(note string) physics.Value {
	return physics.Value{Value: math.NaN(), Error: math.NaN(), Note: note}
}

// Value is a figure over all particles. One that is not there says so.
func (c *Contender) Value(name string) physics.Value {
	if f := c.merit.Figure(name); f != nil && f.Value != nil {
		return *f.Value
	}
	if c.identification != nil {
		switch name {
		case auc:
			return c.identification.AUC
		case inROC:
			return c.identification.Share
		case background:
			for _, b := range c.identification.Background {
				if b.Efficiency == passing {
					return b.Value
				}
			}
		}
	}
	return c.none()
}

// none is the value of a figure that was not measured of the contender.
func (c *Contender) none() physics.Value {
	if c.Note != "" {
		return none(c.uncalibrated())
	}
	return none("not measured")
}

// uncalibrated says why there is none of the figures that need a calibration.
func (c *Contender) uncalibrated() string { return "not calibrated: " + c.Note }

// explain has figures that need a calibration say why there is none.
func (c *Contender) explain() {
	if c.Note == "" {
		return
	}
	tell := func(v *physics.Value) {
		if v != nil && math.IsNaN(v.Value) && (strings.HasPrefix(v.Note, unknown) || v.Note == lacking) {
			v.Note = c.uncalibrated()
		}
	}
	for i := range c.merit.Figures {
		m := &c.merit.Figures[i]
		tell(m.Value)
		tell(m.Ratio)
		for _, bins := range [][]physics.Bin{m.ByPt, m.ByEta, m.ByThreshold} {
			for k := range bins {
				tell(&bins[k].Value)
			}
		}
	}
}

// Notes of figures without calibrated momenta: unknown begins one.
const (
	unknown = "not known of any"
	lacking = "clusters are not calibrated"
)

// Ratio is a figure's ratio to that of all cells.
func (c *Contender) Ratio(name string) physics.Value {
	if f := c.merit.Figure(name); f != nil && f.Ratio != nil {
		return *f.Ratio
	}
	return c.none()
}

// Figures of what tells particles from minimum bias, and the share of particles that pass
// where the second is given.
const (
	auc        = "auc"
	inROC      = "roc_share"
	background = "background"
	passing    = 0.95
)

// figures are what a contender's values are called, in the order of tables.
func figures() []physics.Figure {
	list := physics.Figures()
	for k := range list {
		if strings.HasPrefix(list[k].Name, "resolution") {
			list[k].Label = "p_T resolution, " + list[k].Label
		}
	}
	return append(list,
		physics.Figure{Name: auc, Label: "area under the ROC"},
		physics.Figure{Name: inROC, Label: "share of particles that the ROC is of"},
		physics.Figure{Name: background, Label: fmt.Sprintf("pile-up kept with %.0f %% of particles", 100*passing)})
}

// Contender finds one by its name without links, such as "telescope", or gives nil.
func (r *Results) Contender(name string) *Contender {
	for _, c := range r.Contenders {
		if before, _, _ := strings.Cut(c.Name, ", "); before == name || c.Name == name {
			return c
		}
	}
	return nil
}

// finish writes what closes a run, the results last.
func (w *work) finish(r *Results) error {
	if err := w.folder.WriteJSON(run.Times, w.times); err != nil {
		return err
	}
	if err := w.folder.Write(run.Tables, func(out io.Writer) error { return writeTables(out, r) }); err != nil {
		return err
	}
	if err := page.Write(w.folder, lay(r, &w.times)); err != nil {
		return err
	}
	return w.folder.WriteJSON(run.Results, r)
}

// Words are what was measured, in a sentence.
func (r *Results) Words() string {
	p := r.Plan
	text := ""
	for k, s := range r.Samples {
		if k > 0 {
			text += "; "
		}
		where := "around them"
		switch {
		case s.Name == crossings && len(p.Others) > 0:
			text += fmt.Sprintf("%s endcaps of minimum bias of %s", thousands(s.Events), strings.Join(p.Others, ", "))
			where = "in all"
		case s.Name == crossings:
			text += fmt.Sprintf("%s endcaps of %g collisions alone", thousands(s.Events), p.PileUp)
			where = "in all"
		case s.Name == soft:
			text += fmt.Sprintf("%s %ss of %d–%d GeV for the ROC", thousands(s.Events), p.Class, lowestForROC, softPt)
		case len(p.Data) > 0:
			text += fmt.Sprintf("%s events of %s", thousands(s.Events), strings.Join(p.Data, ", "))
			where = "in all"
		default:
			text += fmt.Sprintf("%s simulated %ss of %s GeV, |η| %s, %s", thousands(s.Events), p.Class, strings.ReplaceAll(p.Pt, ":", "–"), strings.ReplaceAll(p.Eta, ":", "–"), r.collisions())
		}
		text += fmt.Sprintf(", %s wafers %s", thousands(s.Wafers), where)
	}
	return text
}

// precisions are in words what the contenders compute in.
func (r *Results) precisions() string {
	var names []string
	for _, c := range r.Contenders {
		if c.Precision != "" {
			names = append(names, c.Word+" in "+c.Precision)
		}
	}
	if len(names) == 0 {
		return "in the integers of the trigger chip"
	}
	return "the chip’s algorithms in its integers and encoders in their own precision (" + strings.Join(names, ", ") + ")"
}

// collisions are in words how much pile-up there is.
func (r *Results) collisions() string {
	if r.Plan.PileUp == 0 {
		return "without pile-up"
	}
	return fmt.Sprintf("in %g collisions", r.Plan.PileUp)
}

// thousands writes a number with thin spaces in it, from five digits on.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for k := len(text) - 3; k > 0 && n >= 10_000; k -= 3 {
		text = text[:k] + "\u2009" + text[k:]
	}
	return text
}
