package evaluate

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/econt"
	"barrow/wafer"
	"barrow/wafer/file"
)

// hits draws n images of a few to many hit cells with whole charges.
func hits(n int, seed uint64) []float64 {
	rng := rand.New(rand.NewPCG(seed, 1))
	images := make([]float64, n*Cells)
	for i := range n {
		image := images[i*Cells : (i+1)*Cells]
		for range 1 + rng.IntN(40) {
			image[rng.IntN(Cells)] = float64(40 + rng.IntN(800))
		}
	}
	return images
}

func baselines(t *testing.T, images []float64, s ChipSettings, schemes ...Scheme) []Baseline {
	t.Helper()
	b, err := Baselines(context.Background(), metric(t), images, schemes, s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestBaselinesClosedForm has three images whose distances follow from the
// geometry alone.
func TestBaselinesClosedForm(t *testing.T) {
	m := metric(t)
	// 128 and 64 are exact in 4E3M after dropping a bit but for the middle of
	// the interval: both charges are then read 1/16 and 1/16 too high.
	two := point(5, 128)
	two[40] = 64
	images := append(append(point(5, 128), two...), point(7, 40)...)
	got := baselines(t, images, ChipSettings{},
		Scheme{Algorithm: econt.BestChoice, Links: 1, Decoding: DecodeKept},
		Scheme{Algorithm: econt.BestChoice, Links: 1, Decoding: DecodeSpread},
		Scheme{Algorithm: econt.ThresholdSum, Links: 1, Threshold: 50, Decoding: DecodeKept},
	)
	// One cell of BC on one link: the image of one cell is right, that of two
	// loses a third of its charge.
	want := []float64{0, m.At(5, 40) / 3, 0}
	for i, w := range want {
		if math.Abs(got[0].Values[i]-w) > 1e-12 {
			t.Errorf("BC, image %d: EMD %v, want %v", i, got[0].Values[i], w)
		}
	}
	// Spread, a third of the charge goes to the 47 other cells. 5E3M reads the
	// 32 left after the dropped bit as 32–35, in CALQ 64–71, middle 67.5; the
	// charge sent is read as 128–143, middle 135.5.
	far := 0.0
	for c := range Cells {
		far += m.At(40, c) / 47 // an upper bound: all spread charge from cell 40
	}
	if v := got[1].Values[1]; !(v > 0 && v < far/3+0.1) {
		t.Errorf("BC with the rest spread: EMD %v of the image of two cells", v)
	}
	// The last image's 40 is read as 40–43.
	if want := (135.5/128 + 203.0/192 + 41.5/40) / 3; math.Abs(got[1].Response.Mean-want) > 1e-12 {
		t.Errorf("BC with the rest spread: mean response %v, want %v", got[1].Response.Mean, want)
	}
	if want := (135.5/128 + 135.5/192 + 41.5/40) / 3; math.Abs(got[0].Response.Mean-want) > 1e-12 {
		t.Errorf("BC: mean response %v, want %v", got[0].Response.Mean, want)
	}
	// TS at 50 sends nothing of the last image: it is scored against the same
	// charge everywhere, and its response is 0.
	even := 0.0
	for c := range Cells {
		even += m.At(7, c) / Cells
	}
	ts := got[2]
	if ts.Empty != 1.0/3 || ts.EMD.N != 3 || math.Abs(ts.Values[2]-even) > 1e-12 {
		t.Errorf("TS: %v of the images empty, %d measured, EMD %v of the empty one, want %v", ts.Empty, ts.EMD.N, ts.Values[2], even)
	}
	if want := (135.5/128 + 203.0/192 + 0) / 3; math.Abs(ts.Response.Mean-want) > 1e-12 {
		t.Errorf("TS: mean response %v, want %v", ts.Response.Mean, want)
	}
	if want := (19 + 13 + 19 + 26 + 16) / 3.0; ts.Bits != want || ts.MaxBits != 45 || ts.Longer != 1.0/3 || ts.LinkBits != 32 {
		t.Errorf("TS: %v bits, at most %d, %v longer than %d", ts.Bits, ts.MaxBits, ts.Longer, ts.LinkBits)
	}
}

// TestBaselinesGeometry: an image of any two cells through super trigger cells
// gives what the geometry says: in one 2×2 group (or rhombus) the smaller
// charge moves to the larger, in two both stay. Groups are told by the cells'
// places in the three 4×4 rhombi, which the chip's channel order is not.
func TestBaselinesGeometry(t *testing.T) {
	m := metric(t)
	four := func(cell int) int { return cell/16*4 + cell%16/8*2 + cell%4/2 }
	sixteen := func(cell int) int { return cell / 16 }
	var images []float64
	var pairs [][2]int
	for a := range Cells {
		for b := range Cells {
			if a == b {
				continue
			}
			if four(a) == four(b) && m.At(a, b) > 2*math.Sqrt(3)+1e-3 {
				t.Fatalf("cells %d and %d of a group are %v apart", a, b, m.At(a, b))
			}
			image := point(a, 1024)
			image[b] = 512
			images, pairs = append(images, image...), append(pairs, [2]int{a, b})
		}
	}
	for _, tc := range []struct {
		kind  econt.STCType
		links int
		group func(int) int
	}{{econt.STC4A5E4M, 5, four}, {econt.STC4A4E3M, 4, four}, {econt.STC16A5E4M, 2, sixteen}} {
		b := baselines(t, images, ChipSettings{}, Scheme{Algorithm: econt.SuperTriggerCell, STCType: tc.kind, Links: tc.links, Decoding: DecodeKept})[0]
		for i, p := range pairs {
			want := 0.0
			if tc.group(p[0]) == tc.group(p[1]) {
				want = m.At(p[0], p[1]) / 3
			}
			// The codes' intervals leave 1/16 of either charge open.
			if math.Abs(b.Values[i]-want) > 0.01 {
				t.Fatalf("%s: charges in cells %d and %d: EMD %v, want %v", b.Name, p[0], p[1], b.Values[i], want)
			}
		}
	}
	// Best choice moves nothing anywhere, whatever the order of the channels.
	if b := baselines(t, images, ChipSettings{}, Scheme{Algorithm: econt.BestChoice, Links: 2, Decoding: DecodeKept})[0]; b.EMD.Mean > 0.01 {
		t.Errorf("best choice of two cells in four: mean EMD %v", b.EMD.Mean)
	}
}

// TestBaselinesOrder: more links never keep less of the images, and every
// scheme measures every image.
func TestBaselinesOrder(t *testing.T) {
	images := hits(300, 3)
	list := baselines(t, images, ChipSettings{Settings: Settings{MinBin: 5}}, Schemes(econt.MaxETx)...)
	last := map[[2]string]Baseline{}
	for _, b := range list {
		if b.EMD.N != 300 || len(b.Values) != 300 || len(b.ByOccupancy) == 0 {
			t.Errorf("%s on %d links: %d images measured", b.Name, b.Links, b.EMD.N)
		}
		if b.Algorithm != "TS" && (b.MaxBits > b.LinkBits || b.Longer != 0) {
			t.Errorf("%s on %d links: %d bits", b.Name, b.Links, b.MaxBits)
		}
		key := [2]string{b.Name, string(b.Decoding)}
		if was, ok := last[key]; ok && (was.Links >= b.Links || b.EMD.Mean > was.EMD.Mean) {
			t.Errorf("%v: mean EMD %v on %d links, %v on %d", key, was.EMD.Mean, was.Links, b.EMD.Mean, b.Links)
		}
		last[key] = b
	}
	if n := len(list); n != 26+2*(5+2+4)+3+4+10+1 {
		t.Errorf("%d schemes", n)
	}
	if best := last[[2]string{"repeater", "kept"}]; best.EMD.Mean > 0.1 {
		t.Errorf("the repeater leaves a mean EMD of %v", best.EMD.Mean)
	}
	for _, b := range list {
		if b.Algorithm != "TS" {
			continue
		}
		// The threshold is the lowest that fits.
		mean := func(threshold float64) float64 {
			bits := 0
			for i := range 300 {
				n := wafer.Occupancy(images[i*Cells:(i+1)*Cells], threshold-0.5)
				switch {
				case n == 0:
					bits += 16
				case n < 8:
					bits += (19 + 13*n + 15) / 16 * 16
				default:
					bits += (64 + 7*n + 15) / 16 * 16
				}
			}
			return float64(bits) / 300
		}
		if mean(float64(b.Threshold)) > float64(b.LinkBits) || b.Threshold > 1 && mean(float64(b.Threshold-1)) <= float64(b.LinkBits) {
			t.Errorf("TS on %d links: threshold %d is not the lowest that fits", b.Links, b.Threshold)
		}
	}
}

func TestReach(t *testing.T) {
	list := []Baseline{{Name: "a", Links: 3, EMD: Summary{Mean: 1}}, {Name: "a", Links: 2, EMD: Summary{Mean: 2}}, {Name: "b", Links: 1}}
	for emd, want := range map[float64]int{0.5: 0, 1: 3, 1.5: 3, 2: 2} {
		if got := Reach(list, "a", emd); got != want {
			t.Errorf("%v is reached on %d links, want %d", emd, got, want)
		}
	}
}

// TestBaselinesDensity: images of high-density wafers lose three bits.
func TestBaselinesDensity(t *testing.T) {
	images := append(point(3, 100), point(3, 100)...)
	s := Scheme{Algorithm: econt.BestChoice, Links: 13, Decoding: DecodeKept}
	b := baselines(t, images, ChipSettings{High: []bool{false, true}}, s)[0]
	// 100 is 50 halves, in 48–51, so 96–103; or 12 eighths, so 96–103 with 12
	// as an own code.
	if b.Response.N != 2 || math.Abs(b.Response.Mean-0.995) > 1e-12 {
		t.Errorf("response %+v", b.Response)
	}
	images[3], images[Cells+3] = 7, 7
	b = baselines(t, images, ChipSettings{High: []bool{false, true}}, s)[0]
	if b.Empty != 0.5 {
		t.Errorf("7 counts vanish in %v of the wafers, want the high-density one alone", b.Empty)
	}
}

func TestDensities(t *testing.T) {
	set := &wafer.Set{Charge: make([]float64, 3*Cells)}
	column := func(v ...string) *wafer.Set {
		return &wafer.Set{Charge: set.Charge, Columns: []wafer.Column{{Name: "HD_LD", Text: v}}}
	}
	for _, tc := range []struct {
		set    *wafer.Set
		choice string
		high   []bool
		words  string
	}{
		{set, "", nil, "low, assumed: the images do not say"},
		{set, "ld", nil, "low, as given"},
		{column("HD", "HD", "HD"), "ld", nil, "low, as given"},
		{set, "hd", []bool{true, true, true}, "high, as given"},
		{column("LD", "HD", "LD"), "", []bool{false, true, false}, "2 images low, 1 high, as the column HD_LD says"},
		{column("LD", "2", "LD"), "", nil, `low, assumed: wafer: image 2: HD_LD is "2"; want HD or LD`},
	} {
		high, words, err := Densities(tc.set, tc.choice)
		if err != nil || !slices.Equal(high, tc.high) || words != tc.words {
			t.Errorf("%q: %v, %q, %v; want %v, %q", tc.choice, high, words, err, tc.high, tc.words)
		}
	}
	if _, _, err := Densities(set, "md"); err == nil {
		t.Error("density md was accepted")
	}
}

func TestBaselinesErrors(t *testing.T) {
	m, ctx := metric(t), context.Background()
	bc := []Scheme{{Algorithm: econt.BestChoice, Links: 1, Decoding: DecodeKept}}
	for _, tc := range []struct {
		images  []float64
		schemes []Scheme
		s       ChipSettings
		want    string
	}{
		{nil, bc, ChipSettings{}, "whole number"},
		{point(2, math.NaN()), bc, ChipSettings{}, "image 1, cell 2: charge NaN"},
		{point(2, 1<<22), bc, ChipSettings{}, "image 1, cell 2"},
		{point(2, 0.5), bc, ChipSettings{}, "1 of 1 images have no charge of 1 or more"},
		{point(2, 5), bc, ChipSettings{High: make([]bool, 2)}, "2 wafer densities for 1 images"},
		{point(2, 5), []Scheme{{Algorithm: econt.BestChoice, Links: 14, Decoding: DecodeKept}}, ChipSettings{}, "14 links"},
		{point(2, 5), []Scheme{{Algorithm: econt.BestChoice, Links: 1}}, ChipSettings{}, `decoding ""`},
		{point(2, 5), []Scheme{{Algorithm: econt.SuperTriggerCell, STCType: econt.STC16A5E4M, Links: 3, Decoding: DecodeKept}}, ChipSettings{}, "fills at most 2 links"},
	} {
		if _, err := Baselines(ctx, m, tc.images, tc.schemes, tc.s); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("got %v, want … %s …", err, tc.want)
		}
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Baselines(stopped, m, point(2, 5), bc, ChipSettings{}); err == nil {
		t.Error("a cancelled context gave no error")
	}
}

// TestBaselinesRealWafers holds the real low-density wafers to the figures that
// a study of 250 of them published for other implementations of the same
// algorithms (the field's own numbers have no 4E3M rounding of the sums).
func TestBaselinesRealWafers(t *testing.T) {
	dir := os.Getenv("BARROW_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "data")
	}
	set, err := file.ReadAll(context.Background(), filepath.Join(dir, "wafers", "ldm.csv"), wafer.ReadSettings{})
	if err != nil {
		t.Skipf("no real wafers: %v; set BARROW_DATA to the folder that holds wafers/", err)
	}
	scheme := func(links int) Scheme {
		return Scheme{Algorithm: econt.BestChoice, Links: links, Decoding: DecodeKept}
	}
	stc := func(kind econt.STCType, links int) Scheme {
		return Scheme{Algorithm: econt.SuperTriggerCell, STCType: kind, Links: links, Decoding: DecodeKept}
	}
	list := baselines(t, set.Charge, ChipSettings{Settings: Settings{Threads: 2}},
		scheme(2), scheme(3), scheme(4), scheme(5), stc(econt.STC4A5E4M, 5), stc(econt.STC16A5E4M, 2))
	for k, want := range []float64{2.16, 1.47, 0.85, 0.25, 0.65, 2.39} {
		if b := list[k]; math.Abs(b.EMD.Mean-want) > 0.03 || b.Empty != 0 {
			t.Errorf("%s on %d links: mean EMD %.3f, published %.2f", b.Name, b.Links, b.EMD.Mean, want)
		}
	}
}
