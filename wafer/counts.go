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
func Counts(r FileReader, densities bool) FileReader {
	return Checked(r, func(s *Set) error { return checkCounts(s, densities) })
}

func checkCounts(s *Set, densities bool) error {
	for k, v := range s.Charge {
		if v >= MaxCount {
			return &ValueError{k/hgcal.Cells + 1, fmt.Errorf("cell %d: charge %v; the trigger chip takes 0 to less than %d CALQ counts", k%hgcal.Cells, v, MaxCount)}
		}
	}
	if !densities {
		return nil
	}
	_, err := s.HighDensity()
	if isNoColumn(err) {
		return nil
	}
	return err
}

// Checked hands on a file's images as long as check, which gets them as they come, finds nothing wrong
// with them. What it says of one image, a [ValueError], is told with its place in the file.
func Checked(r FileReader, check func(*Set) error) FileReader { return &checked{r, check} }

type checked struct {
	FileReader
	check func(*Set) error
}

func (c *checked) Read(s *Set, n int) (int, error) {
	got, err := c.FileReader.Read(s, n)
	if err != nil {
		return got, err
	}
	err = c.check(s)
	if value := (*ValueError)(nil); errors.As(err, &value) {
		return 0, fmt.Errorf("%s: %w", c.Place(value.Image-1), value.Err)
	}
	if err != nil {
		return 0, err
	}
	return got, nil
}

// Share is the file's, where it knows.
func (c *checked) Share() (float64, bool) {
	if s, ok := c.FileReader.(Sharer); ok {
		return s.Share()
	}
	return 0, false
}
