package evaluate

import (
	"context"
	"math"
	"strings"
	"testing"

	"barrow/emd"
	"barrow/hgcal"
)

func metric(t testing.TB) *emd.Metric {
	t.Helper()
	m, err := emd.Euclidean(hgcal.Benchmark())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// point is an image with charge v in one cell.
func point(cell int, v float64) []float64 {
	image := make([]float64, Cells)
	image[cell] = v
	return image
}

func TestImages(t *testing.T) {
	m := metric(t)
	images := append(point(5, 100), point(5, 40)...)
	decoded := append(point(9, 50), point(5, 60)...)
	e, err := Images(context.Background(), m, images, decoded, Settings{MinBin: 1})
	if err != nil {
		t.Fatal(err)
	}
	if want := m.At(5, 9); math.Abs(e.Values[0]-want) > 1e-12 || e.Values[1] != 0 {
		t.Errorf("EMDs %v, want %v and 0", e.Values, want)
	}
	if e.Responses[0] != 0.5 || e.Responses[1] != 1.5 || e.Response.Mean != 1 {
		t.Errorf("responses %v, mean %v", e.Responses, e.Response.Mean)
	}
	if len(e.ByOccupancy) != 1 || e.ByOccupancy[0].Low != 0 || e.ByOccupancy[0].N != 2 || e.ByOccupancy[0].Centre != 1 {
		t.Errorf("occupancy bins %+v", e.ByOccupancy)
	}
}

func TestImagesErrors(t *testing.T) {
	m, ctx := metric(t), context.Background()
	if _, err := Images(ctx, m, point(0, 1), nil, Settings{}); err == nil {
		t.Error("different numbers of images were accepted")
	}
	if _, err := Images(ctx, m, nil, nil, Settings{}); err == nil {
		t.Error("no image was accepted")
	}
	two := append(point(0, 1), point(0, 1)...)
	_, err := Images(ctx, m, two, append(point(0, 1), make([]float64, Cells)...), Settings{})
	if err == nil || !strings.Contains(err.Error(), "1") {
		t.Errorf("an empty decoded image: %v, want an error naming row 1", err)
	}
}

func TestSummarise(t *testing.T) {
	s := Summarise([]float64{4, 1, 3, 2})
	want := Summary{N: 4, Mean: 2.5, Std: math.Sqrt(1.25), Median: 2.5, P16: 1.48, P84: 3.52}
	for _, d := range []float64{s.Mean - want.Mean, s.Std - want.Std, s.Median - want.Median, s.P16 - want.P16, s.P84 - want.P84} {
		if math.Abs(d) > 1e-12 {
			t.Errorf("got %+v, want %+v", s, want)
		}
	}
	if Summarise(nil) != (Summary{}) {
		t.Error("an empty sample")
	}
}

func TestProfile(t *testing.T) {
	x := []float64{1, 2, 5, 6, 7, 48, 52}
	bins := Profile(x, x, []float64{0, 4, 8, 48, 52}, 2)
	if len(bins) != 2 || bins[0].N != 2 || bins[1].N != 3 || bins[1].Centre != 6 || bins[1].Median != 6 {
		t.Errorf("%+v", bins)
	}
}

func TestRatioOfMeans(t *testing.T) {
	a, b := make([]float64, 400), make([]float64, 400)
	for i := range a {
		b[i] = 1 + float64(i%7)
		a[i] = 0.6 * b[i]
	}
	iv, err := RatioOfMeans(a, b, 200, 1)
	if err != nil || math.Abs(iv.Low-0.6) > 1e-12 || math.Abs(iv.High-0.6) > 1e-12 {
		t.Errorf("a constant ratio gave %v, %v: pairs must stay together", iv, err)
	}
	for i := range a {
		a[i] = 1 + float64((i*5)%11)
	}
	if iv, err = RatioOfMeans(a, b, 500, 1); err != nil || !(iv.Low < 1.5 && 1.5 < iv.High && iv.High-iv.Low < 0.4) {
		t.Errorf("interval %v, %v around 1.5", iv, err)
	}
	if _, err := RatioOfMeans(a, make([]float64, 400), 10, 1); err == nil {
		t.Error("division by zero gave no error")
	}
	if _, err := RatioOfMeans(a, b[:3], 10, 1); err == nil {
		t.Error("different lengths gave no error")
	}
}

func TestByEta(t *testing.T) {
	m, ctx := metric(t), context.Background()
	images := append(point(5, 1), point(5, 1)...)
	decoded := append(point(9, 1), point(5, 1)...)
	e, err := Images(ctx, m, images, decoded, Settings{MinBin: 1, Eta: []float64{-1.7, 2.99}})
	if err != nil {
		t.Fatal(err)
	}
	if len(e.ByEta) != 2 || e.ByEta[0].Low != 1.6 || e.ByEta[0].Mean != m.At(5, 9) || e.ByEta[1].Mean != 0 {
		t.Errorf("%+v", e.ByEta)
	}
	if _, err := Images(ctx, m, images, decoded, Settings{Eta: []float64{2}}); err == nil {
		t.Error("one η for two images was accepted")
	}
}

// TestShapes moves an image rigidly and spreads a point.
func TestShapes(t *testing.T) {
	m, ctx, at := metric(t), context.Background(), hgcal.Benchmark()
	spread := make([]float64, Cells)
	x, y := 0.0, 0.0
	for _, c := range []int{5, 6} {
		spread[c] = 0.5
		x += at[c][0] / 2
		y += at[c][1] / 2
	}
	e, err := Images(ctx, m, append(point(5, 3), point(5, 1)...), append(point(9, 2), spread...), Settings{Points: at})
	if err != nil {
		t.Fatal(err)
	}
	half := math.Hypot(x-at[5][0], y-at[5][1])
	if want := (m.At(5, 9) + half) / 2; math.Abs(e.Shapes.Centre.Mean-want) > 1e-12 {
		t.Errorf("centres move by %v, want %v", e.Shapes.Centre.Mean, want)
	}
	if want := half / 2; math.Abs(e.Shapes.Width.Mean-want) > 1e-6 {
		t.Errorf("widths grow by %v, want %v", e.Shapes.Width.Mean, want)
	}
	if _, err := Images(ctx, m, point(5, 1), point(5, 1), Settings{Points: at[:3]}); err == nil {
		t.Error("three places were accepted")
	}
}

func TestCompare(t *testing.T) {
	a, b := make([]float64, 200), make([]float64, 200)
	for i := range a {
		b[i] = 2
		a[i] = 1
		if i%10 == 0 {
			a[i] = 3
		}
	}
	v, err := Compare(a, b, 999, 1)
	if err != nil || v.Ratio != 0.6 || v.Worse != 0.1 || v.P != 0.001 {
		t.Errorf("%+v, %v", v, err)
	}
	if !(v.Interval.Low < 0.6 && 0.6 < v.Interval.High) {
		t.Errorf("interval %+v", v.Interval)
	}
	if v, err = Compare(b, b, 99, 1); err != nil || v.Ratio != 1 || v.P != 1 || v.Worse != 0 {
		t.Errorf("an encoder against itself: %+v, %v", v, err)
	}
}
