package loss

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"barrow/hgcal"
)

func grid(t testing.TB, rows, columns int, pitch float64) *Lattice {
	t.Helper()
	l, err := Grid(rows, columns, pitch)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// spatials are the losses with options, with several of them.
var spatials = []string{
	"neighbourhood", "neighbourhood:radius=2:filter=max", "neighbourhood:score=l1", "neighbourhood:score=weighted-mse",
	"neighbourhood:filter=max:score=brier:threshold=0.05/0.2", "spectral", "spectral:score=l1", "spectral:score=weighted-mse",
	"wavelet", "wavelet:score=brier:threshold=0.1", "wavelet:finest=1:coarsest=1:score=l1", "fss", "fss:radius=2:threshold=0.05/0.1/0.3",
	"csi:threshold=0.1", "csi:threshold=0.05/0.3", "brier", "brier:threshold=0.02/0.2", "ssim", "ssim:radius=2:range=1",
}

// TestSpatialGradient holds every gradient to central differences in double precision,
// on wafers and on a grid.
func TestSpatialGradient(t *testing.T) {
	for _, l := range []*Lattice{Wafer(), grid(t, 8, 12, 1.5)} {
		for _, text := range spatials {
			terms, err := split(text, l)
			if err != nil {
				t.Fatal(err)
			}
			one := terms[0].build(l)
			rng := rand.New(rand.NewPCG(7, 8))
			target, pred := make([]float64, l.cells), make([]float64, l.cells)
			for c := range l.cells {
				if rng.IntN(3) == 0 {
					target[c] = 0.2 * rng.ExpFloat64()
				}
				pred[c] = 0.1 * rng.ExpFloat64()
			}
			g, unit := make([]float64, l.cells), 1.5
			one.image(target, pred, g, unit)
			scratch := make([]float64, l.cells)
			largest := 0.0
			for _, v := range g {
				largest = max(largest, math.Abs(v))
			}
			for c := range pred {
				const h = 1e-6
				at := func(d float64) float64 {
					moved := slices.Clone(pred)
					moved[c] += d
					return one.image(target, moved, scratch, unit)
				}
				if num := (at(h) - at(-h)) / (2 * h); math.Abs(num-g[c]) > 1e-5*max(math.Abs(num), 0.01*largest)+1e-10 {
					t.Errorf("%s on %s: cell %d: gradient %v, differences %v", text, l, c, g[c], num)
				}
			}
		}
	}
}

// TestSpatialClosedForms checks values that can be done by hand.
func TestSpatialClosedForms(t *testing.T) {
	value := func(text string, l *Lattice, target, pred []float32) float64 {
		t.Helper()
		loss, err := Parse(text, Resources{Lattice: l})
		if err != nil {
			t.Fatal(err)
		}
		v, err := loss.Eval(context.Background(), target, pred, nil)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-6*max(1, math.Abs(want)) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	// A single pixel in the middle of 5×5: means over 3×3 are 1/9 in nine pixels, the
	// largest 1 in nine.
	l := grid(t, 5, 5, 1)
	none, one := make([]float32, 25), make([]float32, 25)
	one[12] = 1
	near("mean", value("neighbourhood", l, none, one), 9./81/25)
	near("max", value("neighbourhood:filter=max", l, none, one), 9./25)
	near("max, L1", value("neighbourhood:filter=max:score=l1", l, none, one), 9./25)
	near("l1", value("l1", l, none, one), 1./25)

	// Squares of 2×2: of a single pixel a quarter in four, and with the coarsest means away
	// 1/4 − 1/16 in four and −1/16 in twelve.
	l = grid(t, 4, 4, 1)
	none, one = make([]float32, 16), make([]float32, 16)
	one[5] = 1
	near("wavelet", value("wavelet", l, none, one), 4./16/16)
	near("one level of two", value("wavelet:finest=1:coarsest=1", l, none, one), (9./16+3./16)/16)

	// A wave of half a period along the row: it is 2·4 pixels long, and no other is in it.
	wave := make([]float32, 16)
	sum := 0.0
	for i := range wave {
		wave[i] = float32(math.Cos(math.Pi * (float64(i%4) + 0.5) / 4))
		sum += float64(wave[i]) * float64(wave[i])
	}
	none = make([]float32, 16)
	near("its wave", value("spectral:shortest=7.9:longest=8.1", l, none, wave), sum/16)
	near("it and longer ones", value("spectral:shortest=7", l, none, wave), sum/16)
	near("shorter ones", value("spectral:shortest=1:longest=7.9", l, none, wave), 0)

	// Far above and far below a threshold: one of two cells is hit, one missed, one false.
	target, pred := make([]float32, 16), make([]float32, 16)
	target[0], target[1], pred[1], pred[2] = 100, 100, 100, 100
	e, _ := exceeds(0, 2)
	csi := 1 - (1+13*e+2*e)/(3+13*e)
	near("csi", value("csi", l, target, pred), csi)
	near("brier", value("brier", l, target, pred), 2*(1-e)*(1-e)/16)

	// A wafer's empty cells count as hits a little, so that one cell missed is no loss of 1.
	target, pred = make([]float32, Cells), make([]float32, Cells)
	target[20] = 100
	near("csi of a cell that is missed", value("csi", Wafer(), target, pred), (1-e)/(1+47*e)) // 0.53

	// Everything the same but twice as large: variances four times, covariance two times.
	s := structure{discs: [][]int32{{0, 1, 2, 3}}}
	t64, p64 := []float64{0, 1, 2, 3}, []float64{0, 2, 4, 6}
	near("ssim", s.image(t64, p64, make([]float64, 4), 1), 1-4./5*4./5)
}

// TestUnits: thresholds are in MIP_T, so that an image in units twice as large is the same
// with charges half as large, also within sums.
func TestUnits(t *testing.T) {
	target, pred := images(rand.New(rand.NewPCG(5, 6)), 3)
	half := func(s []float32) []float32 {
		out := make([]float32, len(s))
		for i, v := range s {
			out[i] = v / 2
		}
		return out
	}
	for _, text := range []string{"fss:threshold=0.5", "csi:threshold=1", "brier:threshold=1/2", "neighbourhood:score=brier", "2*brier+csi"} {
		l, err := Parse(text, Resources{})
		if err != nil {
			t.Fatal(err)
		}
		g, h := make([]float32, len(target)), make([]float32, len(target))
		one, err := EvalIn(context.Background(), l, []float64{4, 5, 6}, target, pred, g)
		if err != nil {
			t.Fatal(err)
		}
		two, err := EvalIn(context.Background(), l, []float64{8, 10, 12}, half(target), half(pred), h)
		if err != nil || math.Abs(one-two) > 1e-9 {
			t.Errorf("%s: %v and %v, %v", text, one, two, err)
		}
		if plain, err := l.Eval(context.Background(), target, pred, nil); err != nil || math.Abs(plain-one) < 1e-6 {
			t.Errorf("%s: units make no difference: %v, %v", text, plain, err)
		}
		if _, err := EvalIn(context.Background(), l, []float64{1, 2}, target, pred, nil); err == nil {
			t.Errorf("%s: two units of three images", text)
		}
	}
}

// TestCheckThresholds: thresholds that nothing in the images exceeds, or that are far below all charges, are
// errors with the range; filters change what is held against them.
func TestCheckThresholds(t *testing.T) {
	images := make([]float32, 2*Cells)
	images[20], images[Cells+3], images[Cells+4] = 1.5, 0.25, 1 // 15, 0.5 and 2 MIP_T
	units := []float64{10, 2}
	for text, want := range map[string]string{
		"csi":                                    "",
		"csi:threshold=0.05":                     "",
		"csi:threshold=0.04":                     "all charges of the images, and what is next to nothing, exceed 0.04 MIP_T: want thresholds from 0.05 to less than 15",
		"csi:threshold=14.9":                     "",
		"csi:threshold=15":                       "no cell of the images exceeds 15 MIP_T: want thresholds from 0.05 to less than 15",
		"brier:threshold=1/5000":                 "no cell of the images exceeds 5000 MIP_T",
		"mse+0.1*fss:threshold=2/20":             "fss:threshold=2/20: no cell of the images exceeds 20 MIP_T",
		"neighbourhood:score=brier":              "",
		"neighbourhood:score=brier:threshold=14": "want thresholds from", // of means the largest is less
		"neighbourhood:filter=max:score=brier:threshold=14": "",
		"neighbourhood:score=l1":                            "",
		"spectral:shortest=14:score=brier:threshold=14":     "no cell",
		"mse":    "",
		"sliced": "",
	} {
		l, err := Parse(text, Resources{})
		if err != nil {
			t.Fatal(err)
		}
		err = CheckThresholds(l, units, images)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	l, err := Parse("csi", Resources{})
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckThresholds(l, nil, images); err == nil || !strings.Contains(err.Error(), "from 0.025 to less than 1.5") {
		t.Errorf("without units: %v", err)
	}
	if err := CheckThresholds(l, nil, make([]float32, Cells)); err != nil {
		t.Errorf("without charges: %v", err)
	}
	if err := CheckThresholds(l, units, images[1:]); err == nil {
		t.Error("a cell is missing")
	}
	if err := CheckThresholds(l, units[1:], images); err == nil {
		t.Error("a unit is missing")
	}
}

// TestWaves: filters are projections, and the waves of a grid those of its Laplacian.
func TestWaves(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	for _, l := range []*Lattice{Wafer(), grid(t, 6, 9, 1)} {
		x, y, z := make([]float64, l.cells), make([]float64, l.cells), make([]float64, l.cells)
		for i := range x {
			x[i] = rng.NormFloat64()
		}
		keep := make([]bool, l.cells)
		for k, w := range l.waves().lengths() {
			keep[k] = w > l.middleWave()
		}
		f := l.waves().pass(keep)
		f(x, y)
		f(y, z)
		dot := 0.0
		for i := range x {
			dot += y[i] * (x[i] - y[i])
			if math.Abs(y[i]-z[i]) > 1e-12 {
				t.Fatalf("%s: filtered twice, cell %d: %v and %v", l, i, y[i], z[i])
			}
		}
		if math.Abs(dot) > 1e-12 {
			t.Errorf("%s: what is kept and what is not have the product %v", l, dot)
		}
		for k := range keep {
			keep[k] = !keep[k]
		}
		l.waves().pass(keep)(x, z)
		for i := range x {
			if math.Abs(y[i]+z[i]-x[i]) > 1e-12 {
				t.Fatalf("%s: cell %d: the two parts are %v and %v of %v", l, i, y[i], z[i], x[i])
			}
		}
	}
	four := func(i int) (n []int) {
		for _, d := range [][2]int{{-1, 0}, {1, 0}, {0, -1}, {0, 1}} {
			if r, c := i/9+d[0], i%9+d[1]; r >= 0 && r < 6 && c >= 0 && c < 9 {
				n = append(n, r*9+c)
			}
		}
		return n
	}
	// A cosine of wave number k is an eigenvector with 4·sin²(k/2), along both axes.
	w := grid(t, 6, 9, 1).waves().(*gridWaves)
	for a := range 6 {
		for b := range 9 {
			want := 4*math.Pow(math.Sin(math.Pi*float64(a)/12), 2) + 4*math.Pow(math.Sin(math.Pi*float64(b)/18), 2)
			for i := range 54 {
				v := func(i int) float64 { return w.down[a*6+i/9] * w.along[b*9+i%9] }
				sum := float64(len(four(i))) * v(i)
				for _, j := range four(i) {
					sum -= v(j)
				}
				if math.Abs(sum-want*v(i)) > 1e-12 {
					t.Fatalf("wave %d, %d, pixel %d: %v, want %v", a, b, i, sum, want*v(i))
				}
			}
		}
	}
	// The longest wave on a wafer goes once across it.
	if _, longest := Wafer().waveRange(); longest < 16 || longest > 60 {
		t.Errorf("the longest wave of a wafer is %v cm long", longest)
	}
}

// TestDiscs: discs are what steps between neighbours reach, by a walk of all of them.
func TestDiscs(t *testing.T) {
	near := hgcal.Neighbours()
	reached := map[int32]bool{20: true}
	for radius := 1; radius <= Wafer().largestRadius(); radius++ {
		next := map[int32]bool{}
		for c := range reached {
			next[c] = true
			for _, k := range near[c] {
				next[int32(k)] = true
			}
		}
		reached = next
		disc := Wafer().Discs(radius)[20]
		if len(disc) != len(reached) || !slices.IsSorted(disc) {
			t.Errorf("radius %d: %v, want %d cells", radius, disc, len(reached))
		}
		for _, c := range disc {
			if !reached[c] {
				t.Errorf("radius %d has cell %d", radius, c)
			}
		}
	}
	all := 0
	for _, disc := range Wafer().Discs(Wafer().largestRadius()) {
		all += len(disc)
	}
	if all == Cells*Cells {
		t.Error("the largest radius takes every cell everywhere")
	}
}

func TestOptions(t *testing.T) {
	for text, want := range map[string]string{
		"neighbourhood:radius=1":                    "neighbourhood",
		" neighbourhood : filter=max : radius = 2 ": "neighbourhood:radius=2:filter=max",
		"0.5*fss:threshold=1e1/20+mse":              "0.5*fss:threshold=10/20+mse",
		"spectral:longest=inf":                      "spectral",
		"emd@wavelet:score=l1":                      "emd@wavelet:score=l1",
		"brier:threshold=2.0":                       "brier",
		"sliced:count=32":                           "sliced",
		"sliced:count=1:directions=trained":         "sliced:directions=trained",
		"neighbourhood:score=brier:threshold=1e5":   "neighbourhood:score=brier:threshold=100000",
		"spectral:longest=1e06:shortest=7":          "spectral:shortest=7:longest=1e06",
	} {
		if got, err := Normal(text); err != nil || got != want {
			t.Errorf("Normal(%q) = %q, %v; want %q", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"neighbourhood:radius=0":               "radius=0: want a whole number from 1 to ",
		"neighbourhood:radius=40":              "radius=40: want a whole number from 1 to ",
		"neighbourhood:radius":                 `"radius" is no option`,
		"wavelet:threshold=5":                  "threshold is of score=brier alone, not of mse",
		"neighbourhood:":                       "want an option behind the colon",
		"neighbourhood:raduis=2":               "has no option raduis: it has radius, filter, score, threshold; did you mean radius?",
		"neighbourhood:radius=2:radius=3":      "radius is given twice",
		"neighbourhood:filter=maximum":         "want one of mean, max",
		"mse:radius=1":                         "mse has no options, so no radius",
		"spectral:shortest=500":                "want a number above 0 and at most",
		"spectral:shortest=0.1":                "which leaves the image as it is: those of a wafer are from",
		"spectral:shortest=9.99:longest=9.991": "no wave is from",
		"spectral:longest=1":                   "longest=1: want a number above",
		"wavelet:finest=3":                     "from 1 to 2",
		"wavelet:finest=2:coarsest=1":          "which leaves no level",
		"wavelet:finest=1":                     "are all levels",
		"fss:threshold=0":                      "want numbers above 0 and at most 119837 MIP_T",
		"fss:threshold=1/1":                    "threshold=1/1: want each number once, rising",
		"fss:threshold=2/1":                    "threshold=2/1: want each number once, rising",
		"fss:threshold=3/2":                    "each number once, rising",
		"fss:threshold=1e9":                    "at most 119837 MIP_T",
		"csi:threshold=NaN":                    "want numbers above 0",
		"ssim:range=0":                         "above 0",
		"sliced:count=1":                       "count=1: want a whole number from 2 to 1024",
		"sliced:directions=trained:count=17":   "count=17: want a whole number from 1 to 16",
		"sliced:directions=max":                "want one of fixed, trained",
	} {
		if _, err := Parse(text, Resources{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q): %v, want an error with %q", text, err, want)
		}
	}
	if got := Label("2*neighbourhood:filter=max:radius=2"); got != "2·neighbourhood MSE (radius 2, filter max)" {
		t.Errorf("label %q", got)
	}
	if _, err := Distinct([]string{"fss:threshold=2", "fss"}); err == nil || !strings.Contains(err.Error(), "are the same loss") {
		t.Errorf("an option that is the default makes another loss: %v", err)
	}
}

func TestGrids(t *testing.T) {
	for _, c := range []struct {
		rows, columns int
		pitch         float64
	}{{1, 5, 1}, {5, 1, 1}, {-2, 3, 1}, {1 << 20, 2, 1}, {4, 4, 0}, {4, 4, math.NaN()}, {4, 4, math.Inf(1)}} {
		if _, err := Grid(c.rows, c.columns, c.pitch); err == nil {
			t.Errorf("%+v is a grid", c)
		}
	}
	if _, err := Parse("emd", Resources{Lattice: grid(t, 4, 4, 1)}); err == nil || !strings.Contains(err.Error(), "emd is of wafers alone, not of a grid of 4×4") {
		t.Errorf("%v", err)
	}
	if _, err := Parse("wavelet", Resources{Lattice: grid(t, 5, 4, 1)}); err == nil || !strings.Contains(err.Error(), "no squares of 2×2") {
		t.Errorf("%v", err)
	}
	l, err := Parse("mse+wavelet", Resources{Lattice: grid(t, 4, 4, 1)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Eval(context.Background(), make([]float32, 48), make([]float32, 48), nil); err != nil {
		t.Errorf("three images of 4×4: %v", err)
	}
	if _, err := l.Eval(context.Background(), make([]float32, 40), make([]float32, 40), nil); err == nil {
		t.Error("two images and a half of 4×4")
	}
}

// TestMaxima: the steps find the largest cell of each disc.
func TestMaxima(t *testing.T) {
	rng := rand.New(rand.NewPCG(31, 32))
	for _, l := range []*Lattice{Wafer(), grid(t, 7, 10, 1)} {
		image, out, g := make([]float64, l.cells), make([]float64, l.cells), make([]float64, l.cells)
		for c := range image {
			image[c] = rng.NormFloat64()
		}
		for radius := 1; radius <= min(4, l.largestRadius()); radius++ {
			f := newMaxima(l, radius)
			f.apply(image, out)
			for i, disc := range l.Discs(radius) {
				want := math.Inf(-1)
				for _, c := range disc {
					want = max(want, image[c])
				}
				if out[i] != want || image[f.at[i]] != want {
					t.Fatalf("%s: radius %d, cell %d: %v, want %v", l, radius, i, out[i], want)
				}
			}
			f.back(nil, out, g)
		}
	}
}

// TestFilter: what is drawn of a filter is what the loss scores.
func TestFilter(t *testing.T) {
	target, pred := images(rand.New(rand.NewPCG(11, 12)), 1)
	wide := func(s []float32) []float64 { return widen(nil, s) }
	for _, text := range []string{"neighbourhood:filter=max", "spectral", "wavelet"} {
		a, err := Filter(text, Wafer(), wide(target))
		if err != nil {
			t.Fatal(err)
		}
		b, err := Filter(text, Wafer(), wide(pred))
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for c := range a {
			sum += (a[c] - b[c]) * (a[c] - b[c]) / Cells
		}
		l, err := Parse(text, Resources{})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := l.Eval(context.Background(), target, pred, nil); err != nil || math.Abs(got-sum) > 1e-9 {
			t.Errorf("%s: %v of the filtered images, the loss is %v, %v", text, sum, got, err)
		}
	}
	one := make([]float64, Cells)
	one[20] = 1e6
	if f, err := Filter("fss", Wafer(), one); err != nil || f[20] < 1./7 || f[0] > 0.02 {
		t.Errorf("fss: %v, %v", f, err)
	}
	for _, text := range []string{"mse", "ssim", "csi", "spectral+wavelet", "nothing"} {
		if _, err := Filter(text, Wafer(), one); err == nil {
			t.Errorf("%s has a filter", text)
		}
	}
	if _, err := Filter("wavelet", Wafer(), one[:7]); err == nil {
		t.Error("an image of 7 cells")
	}
}
