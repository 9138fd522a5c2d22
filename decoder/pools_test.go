package decoder

import (
	"math"
	"math/rand/v2"
	"testing"

	"barrow/econt"
)

// chips are those of an algorithm on some links, of low and of high density.
func chips(t testing.TB, a econt.Algorithm, links int, change func(*econt.Config)) (pair [2]*econt.Baseline) {
	t.Helper()
	for k := range pair {
		var w *econt.Weights
		if a == econt.Autoencoder {
			w = encoder(t)
		}
		c, err := econt.BaselineConfig(a, links, k == 1, w)
		if err != nil {
			t.Fatal(err)
		}
		if change != nil {
			change(&c)
		}
		if pair[k], err = econt.NewBaseline(c, econt.BaselineSettings{}); err != nil {
			t.Fatal(err)
		}
	}
	return pair
}

// encoder has random weights.
func encoder(t testing.TB) *econt.Weights {
	t.Helper()
	r := rand.New(rand.NewPCG(5, 5))
	var reg [econt.WeightCount]int8
	for i := range reg {
		reg[i] = int8(r.IntN(40) - 16)
	}
	w, err := econt.WeightsFromRegisters(&reg)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// kinds are chips whose frames are of every kind.
func kinds(t testing.TB) map[string][2]*econt.Baseline {
	t.Helper()
	list := map[string][2]*econt.Baseline{
		"BC1": chips(t, econt.BestChoice, 1, nil), "BC3": chips(t, econt.BestChoice, 3, nil),
		"BC of all": chips(t, econt.BestChoice, 5, func(c *econt.Config) { c.UseSum = true }),
		"TS":        chips(t, econt.ThresholdSum, econt.MaxETx, nil), "AE": chips(t, econt.Autoencoder, 3, nil),
	}
	for kind := econt.STC4A5E4M; kind <= econt.CTC4N5E4M; kind++ {
		for _, links := range []int{1, 2, 3, 5} {
			if kind.Groups(links) > 0 {
				list[kind.String()+string(rune('0'+links))] = chips(t, econt.SuperTriggerCell, links, func(c *econt.Config) { c.STCType = kind })
			}
		}
	}
	return list
}

// frame is that of a random image, which may hold little.
func frame(t testing.TB, chip *econt.Baseline, r *rand.Rand) *econt.Decoded {
	t.Helper()
	var image, out [Cells]float64
	for range r.IntN(40) {
		image[r.IntN(Cells)] = float64(r.IntN(1 << (1 + r.IntN(12))))
	}
	if _, err := chip.Encode(image[:], out[:]); err != nil {
		t.Fatal(err)
	}
	f := *chip.Decoded()
	return &f
}

// TestPlace: whatever the shares, known cells are as sent, bit for bit, every group that is
// alone has its sum, and all have the sum sent.
func TestPlace(t *testing.T) {
	for name, pair := range kinds(t) {
		r := rand.New(rand.NewPCG(1, 2))
		for i := range 300 {
			f := frame(t, pair[i%2], r)
			s := make([]float32, econt.Channels)
			for ch := range s {
				if r.IntN(4) > 0 {
					s[ch] = r.Float32() * r.Float32() * float32(r.IntN(50))
				}
			}
			var out [econt.Channels]float64
			place(f, s, &out)
			covered := f.Known()
			for _, g := range f.Groups() {
				covered |= g.Cells
			}
			total, want := 0.0, 0.0
			for ch, v := range out {
				if !(v >= 0) {
					t.Fatalf("%s: channel %d holds %v", name, ch, v)
				}
				if f.Known()>>ch&1 != 0 {
					want += f.Image[ch]
					if math.Float64bits(v) != math.Float64bits(f.Image[ch]) {
						t.Fatalf("%s: channel %d is %v, sent as %v", name, ch, v, f.Image[ch])
					}
				}
				total += v
			}
			for _, g := range f.Groups() {
				want += g.Sum
				got := 0.0
				each(g.Cells, func(ch int) { got += out[ch] })
				if covered == allChannels && math.Abs(got-g.Sum) > 1e-12*g.Sum {
					t.Fatalf("%s: a group of %v holds %v", name, g.Sum, got)
				}
			}
			if math.Abs(total-want) > 1e-12*want {
				t.Fatalf("%s: %v of %v sent", name, total, want)
			}
		}
	}
}

// TestBack holds the gradient of the shares to differences.
func TestBack(t *testing.T) {
	for name, pair := range kinds(t) {
		r := rand.New(rand.NewPCG(3, 4))
		open := 0
		for i := range 40 {
			f := frame(t, pair[i%2], r)
			s, ds := make([]float32, econt.Channels), make([]float32, econt.Channels)
			var dq [econt.Channels]float64
			for ch := range s {
				s[ch], dq[ch] = 0.25+r.Float32(), r.NormFloat64()
			}
			unit := 1 / (1 + sent(f))
			back(f, s, &dq, unit, ds)
			value := func() (v float64) {
				var out [econt.Channels]float64
				place(f, s, &out)
				for ch, g := range dq {
					v += unit * g * out[ch]
				}
				return v
			}
			if divide(f, s).open != 0 {
				open++
			}
			const step = 1. / 1024
			for ch, v := range s {
				s[ch] = v + step
				up := value()
				s[ch] = v - step
				down := value()
				s[ch] = v
				if want := (up - down) / (2 * step); math.Abs(float64(ds[ch])-want) > 1e-5 {
					t.Fatalf("%s, channel %d: gradient %v, by differences %v", name, ch, ds[ch], want)
				}
			}
		}
		t.Logf("%s: %d of 40 frames with cells in no group", name, open)
	}
}
