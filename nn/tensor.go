package nn

import "fmt"

// A Shape is the extent of one sample: height, width and channels. A vector of
// n numbers is 1×1×n.
type Shape struct {
	H int `json:"h"`
	W int `json:"w"`
	C int `json:"c"`
}

// Vector is the shape of n numbers without a spatial arrangement.
func Vector(n int) Shape { return Shape{1, 1, n} }

// Positions is the number of pixels, H·W.
func (s Shape) Positions() int { return s.H * s.W }

// Size is the number of values of one sample, H·W·C.
func (s Shape) Size() int { return s.H * s.W * s.C }

// String writes the shape as in 4×4×6.
func (s Shape) String() string { return fmt.Sprintf("%d×%d×%d", s.H, s.W, s.C) }

func (s Shape) valid() bool { return s.H > 0 && s.W > 0 && s.C > 0 && s.Size() <= 1<<24 }

// A Tensor is a batch of N samples of one shape, position-major: channel c of
// sample n at pixel (y, x) is Data[(pos*N+n)*C+c] with pos = y*W+x. Each pixel
// is thus a dense N×C matrix, and a vector (H = W = 1) is plainly row-major.
type Tensor struct {
	N     int
	Shape Shape
	Data  []float32
}

// NewTensor is a zeroed batch of n samples of shape s.
func NewTensor(n int, s Shape) *Tensor {
	return &Tensor{N: n, Shape: s, Data: make([]float32, n*s.Size())}
}

// Resize makes t a batch of n samples and reuses its memory if it is large
// enough. The values are then unspecified. It returns t.
func (t *Tensor) Resize(n int) *Tensor {
	size := n * t.Shape.Size()
	if cap(t.Data) < size {
		t.Data = make([]float32, size)
	}
	t.N, t.Data = n, t.Data[:size]
	return t
}

// At is channel c of sample n at pixel (y, x).
func (t *Tensor) At(n, y, x, c int) float32 {
	return t.Data[((y*t.Shape.W+x)*t.N+n)*t.Shape.C+c]
}

// Set stores channel c of sample n at pixel (y, x).
func (t *Tensor) Set(n, y, x, c int, v float32) {
	t.Data[((y*t.Shape.W+x)*t.N+n)*t.Shape.C+c] = v
}

// SetSample stores one whole sample given in (y, x, channel) order.
func (t *Tensor) SetSample(n int, v []float32) {
	c := t.Shape.C
	for pos := range t.Shape.Positions() {
		copy(t.Data[(pos*t.N+n)*c:(pos*t.N+n+1)*c], v[pos*c:(pos+1)*c])
	}
}

// Sample copies one whole sample into v in (y, x, channel) order.
func (t *Tensor) Sample(n int, v []float32) {
	c := t.Shape.C
	for pos := range t.Shape.Positions() {
		copy(v[pos*c:(pos+1)*c], t.Data[(pos*t.N+n)*c:(pos*t.N+n+1)*c])
	}
}

// fits is check without the words, which cost an allocation.
func (t *Tensor) fits(s Shape, most int) bool {
	return t != nil && t.Shape == s && t.N >= 1 && t.N <= most && len(t.Data) == t.N*s.Size()
}

// check says why t is not a batch of 1 to most samples of shape s with the
// right amount of data.
func (t *Tensor) check(what string, s Shape, most int) error {
	switch {
	case t == nil:
		return fmt.Errorf("nn: %s: no tensor", what)
	case t.Shape != s:
		return fmt.Errorf("nn: %s has shape %v, want %v", what, t.Shape, s)
	case t.N < 1 || t.N > most:
		return fmt.Errorf("nn: %s has %d samples, want 1 to %d (Settings.MaxBatch)", what, t.N, most)
	case len(t.Data) != t.N*s.Size():
		return fmt.Errorf("nn: %s holds %d values, want %d×%d", what, len(t.Data), t.N, s.Size())
	}
	return nil
}
