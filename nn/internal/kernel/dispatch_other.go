//go:build !amd64 || purego

package kernel

func detect() []string { return []string{Portable} }

func run(p *Product) { productGo(p) }

// The fast routines do a first part of the columns or values and return where
// the portable ones take over: here, at once.

func maskSumFast(sum, g, y []float32) int                                      { return 0 }
func momentsFast(mean, dev, x []float32) int                                   { return 0 }
func affineFast(y, x, centre, scale, shift []float32, relu bool) int           { return 0 }
func correlateFast(sum, dot, g, x, y, centre []float32) int                    { return 0 }
func normGradFast(dx, g, x, centre, scale, a, b []float32) int                 { return 0 }
func blendFast(y, x []float32, a, b float32) int                               { return 0 }
func sumSquaresFast(x []float32) (float64, int)                                { return 0, 0 }
func sigmoidFast(y, x []float32) int                                           { return 0 }
func sigmoidGradFast(dx, dy, y []float32) int                                  { return 0 }
func siluFast(y, x []float32) int                                              { return 0 }
func siluGradFast(dx, dy, x []float32) int                                     { return 0 }
func quantiseFast(y, x []float32, s, l, h float32, fl bool) int                { return 0 }
func adamFast(w, g, m, v []float32, a AdamStep) int                            { return 0 }
func spreadFast(planes, x []float32, group, rows, c, first, step int) int      { return 0 }
func gatherFast(x, p, b []float32, g, rows, c, first, step int, relu bool) int { return 0 }
