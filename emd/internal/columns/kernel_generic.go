//go:build !amd64 || purego

package columns

const best = Portable

func (s *Space) scan(mask []uint64, x []float64, b *Side, u float64) { s.scanPortable(mask, x, b, u) }
func (s *Space) least(x []float64, b *Side) float64                  { return s.leastPortable(x, b) }
