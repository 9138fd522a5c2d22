package evaluate

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"barrow/econt"
	"barrow/internal/shared"
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

func baselines(t *testing.T, images []float64, s ChipSettings, schemes ...Scheme) []ChipResult {
	t.Helper()
	s.Values = true
	b, err := Chip(context.Background(), metric(t), &wafer.Set{Charge: images}, schemes, s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestChipClosedForm has three images whose distances follow from the
// geometry alone.
func TestChipClosedForm(t *testing.T) {
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
		if math.Abs(got[0].Fidelity.Of(EMD).Values[i]-w) > 1e-12 {
			t.Errorf("BC, image %d: EMD %v, want %v", i, got[0].Fidelity.Of(EMD).Values[i], w)
		}
	}
	// Spread, a third of the charge goes to the 47 other cells. 5E3M reads the
	// 32 left after the dropped bit as 32–35, in CALQ 64–71, middle 67.5; the
	// charge sent is read as 128–143, middle 135.5.
	far := 0.0
	for c := range Cells {
		far += m.At(40, c) / 47 // an upper bound: all spread charge from cell 40
	}
	if v := got[1].Fidelity.Of(EMD).Values[1]; !(v > 0 && v < far/3+0.1) {
		t.Errorf("BC with the rest spread: EMD %v of the image of two cells", v)
	}
	// The last image's 40 is read as 40–43.
	if want := (135.5/128 + 203.0/192 + 41.5/40) / 3; math.Abs(got[1].Fidelity.Of(Response).Mean-want) > 1e-12 {
		t.Errorf("BC with the rest spread: mean response %v, want %v", got[1].Fidelity.Of(Response).Mean, want)
	}
	if want := (135.5/128 + 135.5/192 + 41.5/40) / 3; math.Abs(got[0].Fidelity.Of(Response).Mean-want) > 1e-12 {
		t.Errorf("BC: mean response %v, want %v", got[0].Fidelity.Of(Response).Mean, want)
	}
	// TS at 50 sends nothing of the last image: it is scored against the same
	// charge everywhere, and its response is 0.
	even := 0.0
	for c := range Cells {
		even += m.At(7, c) / Cells
	}
	ts := got[2]
	if ts.Empty != 1.0/3 || ts.Fidelity.Of(EMD).N != 3 || math.Abs(ts.Fidelity.Of(EMD).Values[2]-even) > 1e-12 {
		t.Errorf("TS: %v of the images empty, %d measured, EMD %v of the empty one, want %v", ts.Empty, ts.Fidelity.Of(EMD).N, ts.Fidelity.Of(EMD).Values[2], even)
	}
	if want := (135.5/128 + 203.0/192 + 0) / 3; math.Abs(ts.Fidelity.Of(Response).Mean-want) > 1e-12 {
		t.Errorf("TS: mean response %v, want %v", ts.Fidelity.Of(Response).Mean, want)
	}
	if want := (19 + 13 + 19 + 26 + 16) / 3.0; ts.Bits != want || ts.MaxBits != 45 || ts.Longer != 1.0/3 || ts.LinkBits != 32 {
		t.Errorf("TS: %v bits, at most %d, %v longer than %d", ts.Bits, ts.MaxBits, ts.Longer, ts.LinkBits)
	}
}

// TestChipGeometry: an image of any two cells through super trigger cells
// gives what the geometry says: in one 2×2 group (or rhombus) the smaller
// charge moves to the larger, in two both stay. Groups are told by the cells'
// places in the three 4×4 rhombi, which the chip's channel order is not.
func TestChipGeometry(t *testing.T) {
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
			if math.Abs(b.Fidelity.Of(EMD).Values[i]-want) > 0.01 {
				t.Fatalf("%s: charges in cells %d and %d: EMD %v, want %v", b.Name, p[0], p[1], b.Fidelity.Of(EMD).Values[i], want)
			}
		}
	}
	// Best choice moves nothing anywhere, whatever the order of the channels.
	if b := baselines(t, images, ChipSettings{}, Scheme{Algorithm: econt.BestChoice, Links: 2, Decoding: DecodeKept})[0]; b.Fidelity.Of(EMD).Mean > 0.01 {
		t.Errorf("best choice of two cells in four: mean EMD %v", b.Fidelity.Of(EMD).Mean)
	}
}

// TestChipOrder: more links never keep less of the images, and every
// scheme measures every image.
func TestChipOrder(t *testing.T) {
	images := hits(300, 3)
	list := baselines(t, images, ChipSettings{Settings: Settings{MinBin: 5}}, Schemes(econt.MaxETx)...)
	last := map[[2]string]ChipResult{}
	for _, b := range list {
		if b.Fidelity.Of(EMD).N != 300 || len(b.Fidelity.Of(EMD).Values) != 300 || len(b.Fidelity.Of(EMD).ByOccupancy) == 0 {
			t.Errorf("%s on %d links: %d images measured", b.Name, b.Links, b.Fidelity.Of(EMD).N)
		}
		if b.Algorithm != "TS" && (b.MaxBits > b.LinkBits || b.Longer != 0) {
			t.Errorf("%s on %d links: %d bits", b.Name, b.Links, b.MaxBits)
		}
		key := [2]string{b.Name, string(b.Decoding)}
		if was, ok := last[key]; ok && (was.Links >= b.Links || b.Fidelity.Of(EMD).Mean > was.Fidelity.Of(EMD).Mean) {
			t.Errorf("%v: mean EMD %v on %d links, %v on %d", key, was.Fidelity.Of(EMD).Mean, was.Links, b.Fidelity.Of(EMD).Mean, b.Links)
		}
		last[key] = b
	}
	if n := len(list); n != 26+2*(5+2+4)+3+4+10+1 {
		t.Errorf("%d schemes", n)
	}
	if best := last[[2]string{"repeater", "kept"}]; best.Fidelity.Of(EMD).Mean > 0.1 {
		t.Errorf("the repeater leaves a mean EMD of %v", best.Fidelity.Of(EMD).Mean)
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
	at := func(name string, links int, mean float64) ChipResult {
		return ChipResult{Name: name, Links: links, Fidelity: Fidelity{Figures: []Measured{{Figure: figure(EMD), Summary: Summary{Mean: mean}}}}}
	}
	list := []ChipResult{at("a", 3, 1), at("a", 2, 2), at("b", 1, 0)}
	for emd, want := range map[float64]int{0.5: 0, 1: 3, 1.5: 3, 2: 2} {
		if got := Reach(list, "a", emd); got != want {
			t.Errorf("%v is reached on %d links, want %d", emd, got, want)
		}
	}
}

// withDensity are images with a column HD_LD.
func withDensity(images []float64, density ...string) *wafer.Set {
	return &wafer.Set{Charge: images, Columns: []wafer.Column{{Name: "HD_LD", Text: density}}}
}

// TestChipDensity: images of high-density wafers lose three bits.
func TestChipDensity(t *testing.T) {
	images := append(point(3, 100), point(3, 100)...)
	s := []Scheme{{Algorithm: econt.BestChoice, Links: 13, Decoding: DecodeKept}}
	measure := func() ChipResult {
		list, err := Chip(context.Background(), metric(t), withDensity(images, "LD", "HD"), s, ChipSettings{})
		if err != nil {
			t.Fatal(err)
		}
		if list[0].Fidelity.Of(EMD).Values != nil {
			t.Error("values image by image that nobody asked for")
		}
		return list[0]
	}
	// 100 is 50 halves, in 48–51, so 96–103; or 12 eighths, so 96–103 with 12
	// as an own code.
	if r := measure().Fidelity.Of(Response); r.N != 2 || math.Abs(r.Mean-0.995) > 1e-12 {
		t.Errorf("response %+v", r)
	}
	images[3], images[Cells+3] = 7, 7
	if b := measure(); b.Empty != 0.5 {
		t.Errorf("7 counts vanish in %v of the wafers, want the high-density one alone", b.Empty)
	}
}

// TestDensities: in one batch and in several.
func TestDensities(t *testing.T) {
	images := slices.Concat(point(1, 5), point(2, 5), point(3, 5))
	for _, tc := range []struct {
		set    *wafer.Set
		choice string
		high   []bool
		words  string
	}{
		{&wafer.Set{Charge: images}, "", nil, "low, assumed: the images do not say"},
		{&wafer.Set{Charge: images}, "ld", nil, "low, as given"},
		{withDensity(images, "HD", "HD", "HD"), "ld", nil, "low, as given"},
		{&wafer.Set{Charge: images}, "hd", []bool{true, true, true}, "high, as given"},
		{withDensity(images, "LD", "HD", "LD"), "", []bool{false, true, false}, "2 images low, 1 high, as the column HD_LD says"},
	} {
		for _, batch := range []int{3, 1} {
			c, err := NewChipMeter(metric(t), nil, ChipSettings{Density: tc.choice})
			if err != nil {
				t.Fatal(err)
			}
			for i := 0; i < 3; i += batch {
				c.Add(tc.set.Slice(i, i+batch))
			}
			for i := range 3 {
				chips := [2]*econt.Baseline{{}, {}}
				if high := c.chip(chips, i) == chips[1]; high != (tc.high != nil && tc.high[i]) {
					t.Errorf("%q: image %d is of high density: %v", tc.choice, i, high)
				}
			}
			if c.Density() != tc.words {
				t.Errorf("%q: %q, want %q", tc.choice, c.Density(), tc.words)
			}
		}
	}
	for _, batch := range []int{3, 1} {
		c, err := NewChipMeter(metric(t), nil, ChipSettings{})
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < 3; i += batch {
			c.Add(withDensity(images, "LD", "2", "LD").Slice(i, i+batch))
		}
		if err := c.Check(); err == nil || err.Error() != `evaluate: image 2: HD_LD is "2"; want HD or LD` {
			t.Errorf("a density of no kind: %v", err)
		}
	}
	if _, err := NewChipMeter(metric(t), nil, ChipSettings{Density: "md"}); err == nil {
		t.Error("density md was accepted")
	}
}

// TestPacked: whole charges and fractions come back as they were, in few bytes.
func TestPacked(t *testing.T) {
	images := hits(200, 8)
	var p packed
	for i := range 200 {
		p.add(images[i*Cells : (i+1)*Cells])
	}
	if len(p.bytes) > 200*60 {
		t.Errorf("%d bytes for 200 images", len(p.bytes))
	}
	odd := point(4, 0.1)
	odd[47], odd[0] = 1e300, 3
	images = append(append(images, odd...), make([]float64, Cells)...)
	p.add(odd)
	p.add(make([]float64, Cells))
	var got []float64
	var s wafer.Set
	for from := 0; p.read(&from, &s, 7); {
		got = append(got, s.Charge...)
	}
	if !slices.Equal(got, images) || p.n != 202 {
		t.Error("the images came back changed")
	}
}

// TestBatches: batches of any size give what one gives.
func TestBatches(t *testing.T) {
	images := hits(50, 4)
	set := withDensity(images, slices.Repeat([]string{"HD", "LD"}, 25)...)
	want, err := Chip(context.Background(), metric(t), set, Schemes(2), ChipSettings{Values: true})
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewChipMeter(metric(t), Schemes(2), ChipSettings{Values: true})
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < 50; i += 10 {
		c.Add(set.Slice(i, i+10))
	}
	got, err := c.Measure(context.Background())
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v; batches changed the results", err)
	}
	b, err := json.Marshal(want[0])
	if err != nil {
		t.Fatal(err)
	}
	var again ChipResult
	if err := json.Unmarshal(b, &again); err != nil {
		t.Fatal(err)
	}
	if again.Name != want[0].Name || again.Fidelity.Of(EMD).Summary != want[0].Fidelity.Of(EMD).Summary || again.Fidelity.Of(Response).Std != want[0].Fidelity.Of(Response).Std {
		t.Errorf("read back as %+v from %s", again, b)
	}
}

func TestChipErrors(t *testing.T) {
	m, ctx := metric(t), context.Background()
	bc := []Scheme{{Algorithm: econt.BestChoice, Links: 1, Decoding: DecodeKept}}
	for _, tc := range []struct {
		images  []float64
		schemes []Scheme
		s       ChipSettings
		want    string
	}{
		{nil, bc, ChipSettings{}, "no image with charge"},
		{point(2, math.NaN()), bc, ChipSettings{}, "image 1, cell 2: charge NaN"},
		{point(2, 1<<22), bc, ChipSettings{}, "image 1, cell 2"},
		{point(2, 0.5), bc, ChipSettings{}, "1 of 1 images have no charge of 1 or more"},
		{point(2, 5), bc, ChipSettings{Density: "md"}, `wafer density "md": want ld or hd`},
		{point(2, 5), []Scheme{{Algorithm: econt.BestChoice, Links: 14, Decoding: DecodeKept}}, ChipSettings{}, "14 links"},
		{point(2, 5), []Scheme{{Algorithm: econt.BestChoice, Links: 1}}, ChipSettings{}, `decoding ""`},
		{point(2, 5), []Scheme{{Algorithm: econt.SuperTriggerCell, STCType: econt.STC16A5E4M, Links: 3, Decoding: DecodeKept}}, ChipSettings{}, "fills at most 2 links"},
	} {
		if _, err := Chip(ctx, m, &wafer.Set{Charge: tc.images}, tc.schemes, tc.s); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("got %v, want … %s …", err, tc.want)
		}
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Chip(stopped, m, &wafer.Set{Charge: point(2, 5)}, bc, ChipSettings{}); err == nil {
		t.Error("a cancelled context gave no error")
	}
}

// TestChipRealWafers holds the real low-density wafers to the figures that
// a study of 250 of them published for other implementations of the same
// algorithms (the field's own numbers have no 4E3M rounding of the sums).
func TestChipRealWafers(t *testing.T) {
	set, err := file.ReadAll(context.Background(), shared.Data(t, "wafers", "ldm.csv"), wafer.ReadSettings{})
	if err != nil {
		t.Fatal(err)
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
		if b := list[k]; math.Abs(b.Fidelity.Of(EMD).Mean-want) > 0.03 || b.Empty != 0 {
			t.Errorf("%s on %d links: mean EMD %.3f, published %.2f", b.Name, b.Links, b.Fidelity.Of(EMD).Mean, want)
		}
	}
}
