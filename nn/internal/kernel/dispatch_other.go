//go:build !amd64 || purego

package kernel

import "barrow/internal/simd"

func detect() []string { return []string{simd.Portable} }

func (Level) run(p *Product) { productGo(p) }

// The fast routines do a first part of the columns or values and return where
// the portable ones take over: here, at once.

func (Level) maskSumFast(sum, g, y []float32) int                                    { return 0 }
func (Level) momentsFast(mean, dev, x []float32) int                                 { return 0 }
func (Level) affineFast(y, x, centre, scale, shift []float32, relu bool) int         { return 0 }
func (Level) correlateFast(sum, dot, g, x, y, centre []float32) int                  { return 0 }
func (Level) normGradFast(dx, g, x, centre, scale, a, b []float32) int               { return 0 }
func (Level) blendFast(y, x []float32, a, b float32) int                             { return 0 }
func (Level) sumSquaresFast(x []float32) (float64, int)                              { return 0, 0 }
func (Level) sigmoidFast(y, x []float32) int                                         { return 0 }
func (Level) sigmoidGradFast(dx, dy, y []float32) int                                { return 0 }
func (Level) siluFast(y, x []float32) int                                            { return 0 }
func (Level) siluGradFast(dx, dy, x []float32) int                                   { return 0 }
func (Level) quantiseFast(y, x []float32, s, l, h float32, fl bool) int              { return 0 }
func (Level) adamFast(w, g, m, v []float32, a AdamStep) int                          { return 0 }
func (Level) spreadFast(planes, x []float32, n, plane, first, step int) int          { return 0 }
func (Level) gatherFast(x, p, b []float32, n, plane, first, step int, relu bool) int { return 0 }
