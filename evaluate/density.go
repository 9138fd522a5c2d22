package evaluate

import (
	"errors"
	"fmt"

	"barrow/wafer"
)

// densities are which images are of high density, as the column HD_LD says, as long as all
// have it.
type densities struct {
	n       int    // images so far
	high    []bool // of each; nil once unknown
	highs   int
	unknown string // why the column does not say
}

// add reads the column of further images, whose densities it returns: nil where there is no
// column, which counts as low. Another word than HD or LD is an error.
func (d *densities) add(images *wafer.Set) ([]bool, error) {
	before := d.n
	d.n += images.Len()
	if d.unknown != "" {
		return nil, nil
	}
	high, err := images.HighDensity()
	var missing *wafer.NoColumnError
	var value *wafer.ValueError
	switch {
	case errors.As(err, &missing):
		d.unknown = "low, assumed: the images do not say"
		d.high = nil
		return nil, nil
	case errors.As(err, &value):
		return nil, fmt.Errorf("evaluate: %w", &ImageError{before + value.Image, value.Err})
	case err != nil:
		return nil, fmt.Errorf("evaluate: %w", err)
	}
	d.high = append(d.high, high...)
	for _, h := range high {
		if h {
			d.highs++
		}
	}
	return high, nil
}

// String says in words which wafers are of high density, and how that is known.
func (d *densities) String() string {
	if d.unknown != "" {
		return d.unknown
	}
	return fmt.Sprintf("%d images low, %d high, as the column HD_LD says", len(d.high)-d.highs, d.highs)
}
