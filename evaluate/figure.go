package evaluate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"barrow/emd"
	"barrow/hgcal"
)

// A Figure is a figure of merit: one number for each image and its decoded image.
// Its file registers it; the command's text, JSON, tables and reports go through
// the list of [Figures] and know none by name, but for the EMD, by which encoders
// are compared, and the response, where its own words are wanted.
type Figure struct {
	// Name is the figure's key in JSON, snake_case.
	Name string
	// Group is the key of the JSON object that holds it; "": it stands by itself.
	Group string
	// Label is what tables and axes call it.
	Label string
	// Meaning says in a sentence or two what it is, for a report.
	Meaning string
	// Unit is that of its values: UnitMetric, or "" for a plain number.
	Unit Unit
	// Format prints a value, "%.3f" or "%+.3f", say.
	Format string
	// Ideal is its value where the decoded image is the image.
	Ideal float64
	// Wide figures are judged by their spread over images as much as by their mean,
	// as an energy resolution is: tables show both.
	Wide bool
	// Profiled figures are shown against occupancy and |η|, too.
	Profiled bool
	// Shape figures compare shapes, which an image without charge has not: where
	// nothing arrives they see the same charge in all cells.
	Shape bool
	// Points: it needs the cells' places, Settings.Points.
	Points bool

	// rank is its place in the list: lower ones first, equal ones by name.
	rank  int
	build func(needs) (perImage, error)
}

// A Unit of a figure.
type Unit string

// UnitMetric is the unit of the ground metric, as of the cells' places.
const UnitMetric Unit = "metric"

// needs are what figures are made of.
type needs struct {
	metric  *emd.Metric
	points  []hgcal.Point
	threads int
}

// perImage computes a figure of N images and their decoded images, each N×48.
type perImage func(ctx context.Context, images, decoded, values []float64) error

// each makes a perImage of what one image needs.
func each(f func(image, decoded []float64) float64) perImage {
	return func(_ context.Context, images, decoded, values []float64) error {
		for i := range values {
			values[i] = f(images[i*Cells:(i+1)*Cells], decoded[i*Cells:(i+1)*Cells])
		}
		return nil
	}
}

var figures []*Figure

// register adds a figure; the file of one calls it for a package variable.
func register(f Figure) struct{} {
	if figure(f.Name) != nil || f.Name == "" || f.Label == "" || f.Meaning == "" || f.Format == "" || f.build == nil {
		panic("evaluate: the figure " + f.Name + " is registered twice, or not whole")
	}
	figures = append(figures, &f)
	slices.SortFunc(figures, func(a, b *Figure) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), strings.Compare(a.Name, b.Name))
	})
	return struct{}{}
}

// Figures lists the figures of merit in the order that tables show them.
func Figures() []*Figure { return slices.Clone(figures) }

// figure finds one by name, or gives nil.
func figure(name string) *Figure {
	for _, f := range figures {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// Print is a value of the figure in its own format.
func (f *Figure) Print(v float64) string { return fmt.Sprintf(f.Format, v) }
