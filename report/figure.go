package report

import "math"

// A Figure is one drawing with its words. Exactly one of the kinds is set.
type Figure struct {
	// ID is the anchor in the page and a good base for a file name: printable
	// ASCII without spaces, quotes and any of &<>/\%#. Empty: the page numbers
	// it.
	ID string `json:"id,omitempty"`
	// Title stands above the drawing. It must not be empty.
	Title string `json:"title"`
	// Caption stands below: what to see, how it was made.
	Caption string `json:"caption,omitempty"`
	// Alt describes the drawing to readers who cannot see it. Empty: a
	// description is made from the data.
	Alt string `json:"alt,omitempty"`
	// Palette lists series names in the order in which they take the colours.
	// Empty: the page's.
	Palette []string `json:"palette,omitempty"`
	// Label stands on top of the plot area, as the field marks its plots. Wafers and
	// Ranks have no room for one.
	Label *Label `json:"label,omitempty"`

	Wafers    *Wafers    `json:"wafers,omitempty"`
	Profile   *Profile   `json:"profile,omitempty"`
	Density   *Density   `json:"density,omitempty"`
	Histogram *Histogram `json:"histogram,omitempty"`
	Lines     *Lines     `json:"lines,omitempty"`
	Intervals *Intervals `json:"intervals,omitempty"`
	Areas     *Areas     `json:"areas,omitempty"`
	Transport *Transport `json:"transport,omitempty"`
	Front     *Front     `json:"front,omitempty"`
	Ranks     *Ranks     `json:"ranks,omitempty"`
}

// A Label marks a plot with whose it is and what it shows; each part may be empty.
type Label struct {
	Experiment string `json:"experiment,omitempty"` // upper left, bold
	Status     string `json:"status,omitempty"`     // after it, such as "Simulation", in italics
	Right      string `json:"right,omitempty"`      // upper right, such as "√s = 14 TeV, 200 PU"
}

// An Axis is a label, a unit and how numbers lie on it.
type Axis struct {
	Label string `json:"label"`
	// Unit follows the label in brackets; empty for pure numbers.
	Unit string `json:"unit,omitempty"`
	// Log makes the axis logarithmic; all values on it must then be positive.
	Log bool `json:"log,omitempty"`
	// Min and Max fix the ends; nil lets the data decide. Data beyond a fixed
	// end are cut off.
	Min *float64 `json:"min,omitempty"`
	Max *float64 `json:"max,omitempty"`
}

// At returns a pointer to v, for [Axis.Min] and [Axis.Max].
func At(v float64) *float64 { return &v }

// text is the axis label with its unit.
func (a Axis) text() string {
	if a.Unit == "" {
		return a.Label
	}
	return a.Label + " (" + a.Unit + ")"
}

// Wafers shows images as they are and as each decoder returns them. For every
// row there are two lines of drawings: the input and the decoded images with
// the charge scale; below, the differences decoded − input with a scale that
// diverges from zero. Both scales are the row's own and are printed.
type Wafers struct {
	// Cells holds one outline a cell, y upwards, any unit of length. Empty:
	// the 48 trigger cells of [barrow/hgcal] in V9 order.
	Cells [][][2]float64 `json:"cells,omitempty"`
	// Outline is drawn round the cells; empty with empty Cells: the wafer's.
	Outline [][2]float64 `json:"outline,omitempty"`
	// Unit is what the numbers mean, such as "share of the wafer's charge".
	Unit string `json:"unit"`
	// Columns names the decoders.
	Columns []string `json:"columns"`
	// First is the name of the inputs' column, Difference that of what is drawn below; empty: "input" and
	// "decoded − input".
	First      string `json:"first,omitempty"`
	Difference string `json:"difference,omitempty"`
	// Rows are the examples.
	Rows []WaferRow `json:"rows"`
}

// A WaferRow is one image and its decoded versions.
type WaferRow struct {
	// Name stands under the input: which image this is.
	Name string `json:"name,omitempty"`
	// Input is the image, one value ≥ 0 a cell.
	Input []float64 `json:"input"`
	// Decoded holds one image a column, in the unit of Input.
	Decoded [][]float64 `json:"decoded"`
	// Notes holds a few words a column, such as "EMD 0.64"; may be empty.
	Notes []string `json:"notes,omitempty"`
}

// Profile shows how the median and spread of a quantity run with another.
type Profile struct {
	X Axis `json:"x"`
	Y Axis `json:"y"`
	// Edges bound the bins: n+1 rising values for n bins.
	Edges  []float64 `json:"edges"`
	Series []Band    `json:"series"`
	// Spread says what the bands are; empty means "16–84 %".
	Spread string `json:"spread,omitempty"`
}

// A Band is one series of a [Profile]: n values each.
type Band struct {
	Name string    `json:"name"`
	Mid  []float64 `json:"mid"`  // the line: medians
	Low  []float64 `json:"low"`  // lower end of the band, ≤ Mid
	High []float64 `json:"high"` // upper end of the band, ≥ Mid
	// Count is the number of images in each bin; bins with 0 are left out
	// (their other values are not looked at). Empty: all bins are filled.
	Count []int `json:"count,omitempty"`
}

// Density is a two-dimensional histogram.
type Density struct {
	X      Axis      `json:"x"`
	Y      Axis      `json:"y"`
	XEdges []float64 `json:"x_edges"` // nx+1 rising values
	YEdges []float64 `json:"y_edges"` // ny+1 rising values
	// Count holds ny rows of nx counts, lowest y first; ≥ 0.
	Count []float64 `json:"count"`
	// Diagonal draws the line y = x.
	Diagonal bool `json:"diagonal,omitempty"`
}

// Histogram shows one or more distributions over the same bins.
type Histogram struct {
	X      Axis      `json:"x"`
	Y      Axis      `json:"y"`
	Edges  []float64 `json:"edges"` // n+1 rising values
	Series []Counts  `json:"series"`
	// Marks are vertical lines at values worth comparing with.
	Marks []Mark `json:"marks,omitempty"`
}

// Counts is one distribution of a [Histogram].
type Counts struct {
	Name  string    `json:"name"`
	Count []float64 `json:"count"` // n values ≥ 0: counts, shares or densities
}

// A Mark is a value with a name, drawn as a dashed line.
type Mark struct {
	Name string  `json:"name"`
	At   float64 `json:"at"`
}

// Lines shows curves, such as the loss during training.
type Lines struct {
	X      Axis   `json:"x"`
	Y      Axis   `json:"y"`
	Series []Line `json:"series"`
	// Legend names a single curve, too, where the title does not say what it is.
	Legend bool `json:"legend,omitempty"`
}

// A Line is one curve: points in order of rising X.
type Line struct {
	Name string    `json:"name"`
	X    []float64 `json:"x"`
	Y    []float64 `json:"y"`
	// Group shares a colour between lines, such as "telescope MSE" for its
	// training and its validation curve. Empty: the name.
	Group string `json:"group,omitempty"`
	// Dashed tells the lines of a group apart.
	Dashed bool `json:"dashed,omitempty"`
	// Points marks every point, where only those were measured. A single point
	// always gets a marker.
	Points bool `json:"points,omitempty"`
	// Loose points are not joined; they get markers, too.
	Loose bool `json:"loose,omitempty"`
	// Low and High, if set, are the ends of each point's error bar, Low ≤ Y ≤ High;
	// XLow and XHigh those of the one along x.
	Low   []float64 `json:"low,omitempty"`
	High  []float64 `json:"high,omitempty"`
	XLow  []float64 `json:"x_low,omitempty"`
	XHigh []float64 `json:"x_high,omitempty"`
}

// Intervals shows one value with an uncertainty a row.
type Intervals struct {
	X    Axis       `json:"x"`
	Rows []Interval `json:"rows"`
	// Marks are vertical lines, such as the ratio 1.
	Marks []Mark `json:"marks,omitempty"`
	// Spread says what the intervals are, such as "95 % bootstrap interval".
	Spread string `json:"spread"`
	// Digits after the decimal point in the printed values; 0 means 3.
	Digits int `json:"digits,omitempty"`
}

// An Interval is one row of [Intervals].
type Interval struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Low   float64 `json:"low"`  // ≤ Value
	High  float64 `json:"high"` // ≥ Value
}

// names lists the series that take a colour.
func (f *Figure) names() []string {
	var names []string
	switch {
	case f.Profile != nil:
		for _, s := range f.Profile.Series {
			names = append(names, s.Name)
		}
	case f.Histogram != nil:
		for _, s := range f.Histogram.Series {
			names = append(names, s.Name)
		}
	case f.Lines != nil:
		for _, s := range f.Lines.Series {
			names = append(names, s.group())
		}
	case f.Intervals != nil:
		for _, r := range f.Intervals.Rows {
			names = append(names, r.Name)
		}
	case f.Areas != nil:
		for _, k := range f.Areas.Kinds {
			names = append(names, k.Name)
		}
	case f.Front != nil:
		for _, p := range f.Front.Points {
			names = append(names, p.Name)
		}
	case f.Ranks != nil:
		for _, r := range f.Ranks.Rows {
			names = append(names, r.Name)
		}
	}
	return names
}

func (l Line) group() string {
	if l.Group != "" {
		return l.Group
	}
	return l.Name
}

// empty tells whether a figure of a correct kind has nothing to draw.
func (f *Figure) empty() bool {
	switch {
	case f.Wafers != nil:
		return len(f.Wafers.Rows) == 0
	case f.Profile != nil:
		return f.Profile.empty()
	case f.Density != nil:
		return sum(f.Density.Count) == 0
	case f.Histogram != nil:
		return f.Histogram.empty()
	case f.Lines != nil:
		for _, s := range f.Lines.Series {
			if len(s.X) > 0 {
				return false
			}
		}
		return true
	case f.Intervals != nil:
		return len(f.Intervals.Rows) == 0
	case f.Areas != nil:
		return f.Areas.empty()
	case f.Transport != nil:
		return len(f.Transport.Values) == 0
	case f.Front != nil:
		return len(f.Front.Points) == 0
	case f.Ranks != nil:
		return len(f.Ranks.Rows) == 0
	}
	return true
}

func (p *Profile) empty() bool {
	for _, s := range p.Series {
		for i := range s.Mid {
			if s.filled(i) {
				return false
			}
		}
	}
	return true
}

// filled tells whether bin i of the band has anything in it.
func (b *Band) filled(i int) bool { return len(b.Count) == 0 || i < len(b.Count) && b.Count[i] > 0 }

func (h *Histogram) empty() bool {
	for _, s := range h.Series {
		if sum(s.Count) > 0 {
			return false
		}
	}
	return true
}

func sum(x []float64) float64 {
	t := 0.0
	for _, v := range x {
		t += v
	}
	return t
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
