package evaluate

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"barrow/emd"
	"barrow/hgcal"
	"barrow/wafer"
)

func metric(t testing.TB) *emd.Metric {
	t.Helper()
	m, err := emd.Euclidean(hgcal.Benchmark())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// set is images without metadata.
func set(charge ...[]float64) *wafer.Set { return &wafer.Set{Charge: slices.Concat(charge...)} }

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
	e, err := Images(context.Background(), m, set(images), set(decoded), Settings{MinBin: 1})
	if err != nil {
		t.Fatal(err)
	}
	v := e.Of(EMD)
	if want := m.At(5, 9); math.Abs(v.Values[0]-want) > 1e-12 || v.Values[1] != 0 {
		t.Errorf("EMDs %v, want %v and 0", v.Values, want)
	}
	if r := e.Of(Response); r.Values[0] != 0.5 || r.Values[1] != 1.5 || r.Mean != 1 {
		t.Errorf("responses %v, mean %v", r.Values, r.Mean)
	}
	if len(v.ByOccupancy) != 1 || v.ByOccupancy[0].Low != 0 || v.ByOccupancy[0].N != 2 || v.ByOccupancy[0].Centre != 1 {
		t.Errorf("occupancy bins %+v", v.ByOccupancy)
	}
	if e.Of("centre_shift").N != 0 || len(e.Figures) != 3 {
		t.Errorf("%d figures without the cells' places", len(e.Figures))
	}
}

func TestImagesErrors(t *testing.T) {
	m, ctx := metric(t), context.Background()
	if _, err := Images(ctx, m, set(point(0, 1)), set(), Settings{}); err == nil {
		t.Error("different numbers of images were accepted")
	}
	if _, err := Images(ctx, m, set(), set(), Settings{}); err == nil {
		t.Error("no image was accepted")
	}
	_, err := Images(ctx, m, set(point(0, 1), point(0, 1)), set(point(0, 1), make([]float64, Cells)), Settings{})
	if err == nil || !strings.Contains(err.Error(), "image 2: ") {
		t.Errorf("an empty decoded image: %v, want an error naming image 2", err)
	}
	meter, err := NewMeter(m, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	if err := meter.Add(ctx, set(point(0, 1)), set(point(0, 1))); err != nil {
		t.Fatal(err)
	}
	if err := meter.Add(ctx, set(point(0, 1)), set(make([]float64, Cells))); err == nil || !strings.Contains(err.Error(), "image 2: ") {
		t.Errorf("an empty decoded image in the second batch: %v, want an error naming image 2", err)
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), -1} {
		if _, err := NewMeter(m, Settings{Threshold: v}); err == nil || !strings.Contains(err.Error(), "want a positive number") {
			t.Errorf("a threshold of %v: %v", v, err)
		}
	}
	if _, err := NewMeter(m, Settings{Threads: -1}); err == nil {
		t.Error("-1 threads were accepted")
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
	images, decoded := set(point(5, 1), point(5, 1)), set(point(9, 1), point(5, 1))
	images.Columns = []wafer.Column{{Name: "tc_eta", Text: []string{"-1.7", "2.99"}}}
	e, err := Images(ctx, m, images, decoded, Settings{MinBin: 1})
	if err != nil {
		t.Fatal(err)
	}
	if b := e.Of(EMD).ByEta; len(b) != 2 || b[0].Low != 1.6 || b[0].Mean != m.At(5, 9) || b[1].Mean != 0 {
		t.Errorf("%+v", b)
	}
	// Known for a part of the images alone, it is left out.
	meter, err := NewMeter(m, Settings{MinBin: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*wafer.Set{images, images.WithoutColumns(), images} {
		if err := meter.Add(ctx, s, decoded); err != nil {
			t.Fatal(err)
		}
	}
	if v := meter.Fidelity().Of(EMD); v.ByEta != nil || v.N != 6 {
		t.Errorf("%+v", v)
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
	e, err := Images(ctx, m, set(point(5, 3), point(5, 1)), set(point(9, 2), spread), Settings{Points: at})
	if err != nil {
		t.Fatal(err)
	}
	half := math.Hypot(x-at[5][0], y-at[5][1])
	if want, got := (m.At(5, 9)+half)/2, e.Of("centre_shift").Mean; math.Abs(got-want) > 1e-12 {
		t.Errorf("centres move by %v, want %v", got, want)
	}
	if want, got := half/2, e.Of("width_shift").Mean; math.Abs(got-want) > 1e-6 {
		t.Errorf("widths grow by %v, want %v", got, want)
	}
	if _, err := Images(ctx, m, set(point(5, 1)), set(point(5, 1)), Settings{Points: at[:3]}); err == nil {
		t.Error("three places were accepted")
	}
}

// A figure that only this file knows of: nothing else is told its name.
var _ = register(Figure{
	Name: "test_cells", Label: "cells", Meaning: "Cells with charge in the decoded image.", Format: "%.1f", Profiled: true, rank: 99,
	build: func(needs) (perImage, error) {
		return each(func(_, decoded []float64) float64 { return float64(wafer.Occupancy(decoded, 0)) }), nil
	},
})

// TestOneFile: a figure of merit touches one file. The list, the measurement, JSON
// and back know the one above; those there were keep their keys.
func TestOneFile(t *testing.T) {
	list := Figures()
	if last := list[len(list)-1]; last.Name != "test_cells" || list[0].Name != EMD {
		t.Errorf("%s is the last figure, %s the first", last.Name, list[0].Name)
	}
	images := set(point(5, 3), point(5, 1))
	images.Columns = []wafer.Column{{Name: "eta", Float: []float64{2, 2}}}
	e, err := Images(context.Background(), metric(t), images, set(point(9, 2), point(5, 1)), Settings{Points: hgcal.Benchmark(), MinBin: 1})
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]json.RawMessage
	var shapes map[string]Summary
	if err := errors.Join(json.Unmarshal(b, &keys), json.Unmarshal(keys["shapes"], &shapes)); err != nil {
		t.Fatal(err)
	}
	got := slices.Sorted(maps.Keys(keys))
	if want := []string{"emd", "emd_by_eta", "emd_by_occupancy", "response", "shapes", "test_cells", "test_cells_by_eta", "test_cells_by_occupancy"}; !slices.Equal(got, want) {
		t.Errorf("keys %q, want %q", got, want)
	}
	if shapes["centre_shift"].N != 2 || shapes["width_shift"].N != 2 || len(shapes) != 2 {
		t.Errorf("shapes %+v", shapes)
	}
	var again Fidelity
	if err := json.Unmarshal(b, &again); err != nil {
		t.Fatal(err)
	}
	for k := range e.Figures {
		e.Figures[k].Values = nil
	}
	if !reflect.DeepEqual(&again, e) {
		t.Errorf("%+v came back as %+v", e, again)
	}
	if p := again.Of("test_cells").Print(); p != "1.0" {
		t.Errorf("printed as %s", p)
	}
	if p := again.Of(Response).Print(); p != "0.833 ± 0.167" {
		t.Errorf("the response is printed as %s", p)
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

// half is a decoder that keeps half of every charge, and moves what cell 5 has to
// cell 9.
type half struct{}

func (half) Decode(_ context.Context, images *wafer.Set) (*wafer.Set, error) {
	out := &wafer.Set{Charge: slices.Clone(images.Charge)}
	for i := range out.Charge {
		out.Charge[i] /= 2
	}
	for i := range out.Len() {
		x := out.Image(i)
		x[5], x[9] = x[9], x[5]
	}
	return out, nil
}

// slow reads a set a few images at a time.
type slow struct {
	set *wafer.Set
	at  int
}

func (r *slow) Read(s *wafer.Set, n int) (int, error) {
	if r.at == r.set.Len() {
		return 0, io.EOF
	}
	n = min(n, 7, r.set.Len()-r.at)
	*s = *r.set.Slice(r.at, r.at+n)
	r.at += n
	return n, nil
}

// kept is a writer that keeps what it gets.
type kept struct{ wafer.Set }

func (k *kept) Write(s *wafer.Set) error { k.Charge = append(k.Charge, s.Charge...); return nil }
func (k *kept) Close() error             { return nil }

// TestStream: images in small batches, some of them without charge, give what all
// at once give, and the decoded images in their order.
func TestStream(t *testing.T) {
	ctx, m := context.Background(), metric(t)
	images := set(hits(60, 5))
	all := &wafer.Set{Charge: slices.Concat(make([]float64, Cells), images.Charge[:30*Cells], make([]float64, 9*Cells), images.Charge[30*Cells:])}
	settings := Settings{Points: hgcal.Benchmark(), MinBin: 2}
	decoded, _ := half{}.Decode(ctx, images)
	want, err := Images(ctx, m, images, decoded, settings)
	if err != nil {
		t.Fatal(err)
	}
	chip, err := NewChipMeter(m, Schemes(1), ChipSettings{})
	if err != nil {
		t.Fatal(err)
	}
	out := &kept{}
	got, dropped, err := Stream(ctx, m, &slow{set: all}, StreamSettings{Settings: settings, Out: out, Chip: chip}, half{}, half{})
	if err != nil || dropped != 10 || len(got) != 2 {
		t.Fatalf("%d results, %d images dropped, %v", len(got), dropped, err)
	}
	if !reflect.DeepEqual(got[0], want) || !reflect.DeepEqual(got[1], want) {
		t.Errorf("in batches %+v, want %+v", got[0], want)
	}
	if !slices.Equal(out.Charge, decoded.Charge) || chip.images.n != 60 {
		t.Errorf("%d decoded images written, %d sent to the chip", out.Len(), chip.images.n)
	}
	if _, _, err := Stream(ctx, m, &slow{set: set(make([]float64, Cells))}, StreamSettings{}, half{}); !errors.Is(err, ErrNoImages) {
		t.Errorf("no charge at all: %v", err)
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if _, _, err := Stream(stopped, m, &slow{set: all}, StreamSettings{}, half{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
