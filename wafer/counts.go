package wafer

import (
	"errors"
	"fmt"

	"barrow/hgcal"
)

// MaxCount is above the charges that an input of the trigger chip counts.
const MaxCount = 1 << 22

// Counts hands on a file's images that go through the trigger chip, and refuses, with its place in
// the file, the first that cannot: one with a charge of MaxCount CALQ counts or more, or,
// where densities matter, one whose column HD_LD says neither HD nor LD.
func Counts(r FileReader, densities bool) FileReader { return &counts{r, densities} }

type counts struct {
	FileReader
	densities bool
}

func (c *counts) Read(s *Set, n int) (int, error) {
	got, err := c.FileReader.Read(s, n)
	if err != nil {
		return got, err
	}
	for k, v := range s.Charge {
		if v >= MaxCount {
			return 0, fmt.Errorf("%s: cell %d: charge %v; the trigger chip takes 0 to less than %d CALQ counts", c.Place(k/hgcal.Cells), k%hgcal.Cells, v, MaxCount)
		}
	}
	if !c.densities {
		return got, nil
	}
	var value *ValueError
	if _, err := s.HighDensity(); errors.As(err, &value) {
		return 0, fmt.Errorf("%s: %w", c.Place(value.Image-1), value.Err)
	}
	return got, nil
}

// Share is the file's, where it knows.
func (c *counts) Share() (float64, bool) {
	if s, ok := c.FileReader.(Sharer); ok {
		return s.Share()
	}
	return 0, false
}
