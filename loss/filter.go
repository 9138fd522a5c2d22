package loss

import "fmt"

// Filter is what a loss sees of an image before it scores cells, in the image's order: means,
// waves, squares, or how far its first threshold, in units of the image, is exceeded.
// Losses that do not score cell by cell are an error.
func Filter(text string, l *Lattice, image []float64) ([]float64, error) {
	terms, err := split(text, l)
	if err != nil {
		return nil, err
	}
	if len(terms) != 1 || terms[0].build == nil {
		return nil, fmt.Errorf("loss: %q has no filter", text)
	}
	if len(image) != l.cells {
		return nil, fmt.Errorf("loss: %s: an image of %d cells, where %s has %d", terms[0].name, len(image), l, l.cells)
	}
	out := make([]float64, l.cells)
	switch f := terms[0].build(l).(type) {
	case *filtered:
		f.filter.apply(image, out)
	case *fractions:
		for c, v := range image {
			f.et[c], _ = exceeds(v, f.thresholds[0])
		}
		f.discs.apply(f.et, out)
	default:
		return nil, fmt.Errorf("loss: %q has no filter", text)
	}
	return out, nil
}
