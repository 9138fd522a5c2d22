package registers

import (
	"bytes"
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/econt"
	"barrow/hgcal"
	"barrow/model"
	"barrow/nn"
	"barrow/wafer"
)

// chipModel is an encoder of the precision asic with random weights on the chip's
// grid, all of its 64 values.
func chipModel(t testing.TB, bits int, seed uint64) *autoencoder.Model {
	t.Helper()
	return random(t, autoencoder.Architecture{Precision: "asic", LatentBits: bits}, seed)
}

func random(t testing.TB, a autoencoder.Architecture, seed uint64) *autoencoder.Model {
	t.Helper()
	m, err := a.New(nn.Settings{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, 1))
	for _, p := range m.Network().Params() {
		if strings.HasPrefix(p.Name, "encoder_") {
			for i := range p.Value {
				p.Value[i] = float32(r.IntN(64)-32) / 32
			}
		}
	}
	return m
}

// TestChip: the chip, configured by the exported file of each dialect and given input
// words, sends exactly what the network computes of the same images, on each number of
// links: of 10⁶ images together, unless the test is to be short.
func TestChip(t *testing.T) {
	n := 200_000
	if testing.Short() {
		n = 500
	}
	for _, c := range []struct {
		links int
		a     autoencoder.Architecture
	}{
		{1, autoencoder.Architecture{LatentBits: 1}}, {2, autoencoder.Architecture{LatentBits: 3}}, {3, autoencoder.Architecture{LatentBits: 5}},
		{4, autoencoder.Architecture{LatentBits: 7}}, {5, autoencoder.Architecture{LatentBits: 9}},
		{1, autoencoder.Architecture{Mask: "1x0,9x2,6x0"}}, {2, autoencoder.Architecture{Mask: "14x3,2x4"}}, {3, autoencoder.Architecture{Mask: "1x9,2x8,1x0,4x7,8x3"}},
	} {
		c.a.Precision = "asic"
		links, m := c.links, random(t, c.a, uint64(c.links))
		view, err := model.Of(m)
		if err != nil {
			t.Fatal(err)
		}
		files, err := export(context.Background(), view)
		if err != nil {
			t.Fatal(err)
		}
		if len(files) != 3 {
			t.Fatalf("%d files", len(files))
		}
		var configs []econt.Config
		for _, f := range files {
			r, err := econt.ReadRegisters(bytes.NewReader(f.Data))
			if err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
			if got := r.Dialect.String() + ".yaml"; got != f.Name {
				t.Errorf("%s is read as %s", f.Name, got)
			}
			if got := r.Config.ETx(); got != links {
				t.Errorf("%s for %v: %d links, want %d", f.Name, c.a, got, links)
			}
			configs = append(configs, r.Config)
		}
		compare(t, m, configs, n)
	}
}

// compare sends random input words through chips that shall all compute the network.
func compare(t *testing.T, m *autoencoder.Model, configs []econt.Config, n int) {
	t.Helper()
	var chips []*econt.Emulator
	var decoders []*econt.Decoder
	for _, c := range configs {
		chip, err := econt.New(c)
		if err != nil {
			t.Fatal(err)
		}
		decoder, err := econt.NewDecoder(c, econt.DecoderSettings{})
		if err != nil {
			t.Fatal(err)
		}
		chips, decoders = append(chips, chip), append(decoders, decoder)
	}
	links := configs[0].ETx()
	r := rand.New(rand.NewPCG(7, uint64(links)))
	channel := hgcal.Map(hgcal.Raster, hgcal.V9) // of each cell
	different := map[float32]bool{}
	const batch = 10_000
	for from := 0; from < n; from += batch {
		some := min(batch, n-from)
		images := &wafer.Set{Charge: make([]float64, some*hgcal.Cells)}
		rows := make([][]econt.Output, len(chips))
		for k := range rows {
			rows[k] = make([]econt.Output, some)
		}
		for i := range some {
			in := words(r, (from+i)%econt.OrbitBX)
			var q [econt.Channels]uint32
			chips[0].CALQ(&in, &q)
			for cell, ch := range channel {
				images.Image(i)[cell] = float64(q[ch])
			}
			for k, chip := range chips {
				chip.Step(&in, &rows[k][i])
			}
		}
		latent, err := m.Encode(context.Background(), images)
		if err != nil {
			t.Fatal(err)
		}
		for k, decoder := range decoders {
			frames, err := decoder.Stream(rows[k])
			if err != nil {
				t.Fatal(err)
			}
			if len(frames) != some {
				t.Fatalf("dialect %d: %d frames of %d", k+1, len(frames), some)
			}
			for i, f := range frames {
				for j, sent := range f.Latent {
					want := 256 * latent[16*i+j]
					different[want] = true
					if float32(sent) != want {
						t.Fatalf("dialect %d, %d links: image %d: the chip sends %d as output %d, the network computes %v", k+1, links, from+i, sent, j, want)
					}
				}
			}
		}
	}
	if least := min(1<<(configs[0].Keep.Count()/16), 30); len(different) < least {
		t.Errorf("%d links: only %d different outputs, the test says little", links, len(different))
	}
}

// words are random input words of a bunch crossing: a third of the channels empty, the
// others up to 7, 14 … 112 of 127.
func words(r *rand.Rand, bx int) econt.BunchCrossing {
	in := econt.BunchCrossing{BX: bx}
	top := 7 * (1 + r.IntN(16))
	for w := range in.ERx {
		for range 4 {
			code := uint32(r.IntN(top + 1))
			if r.IntN(3) == 0 {
				code = 0
			}
			in.ERx[w] = in.ERx[w]<<7 | code
		}
	}
	return in
}

func TestWidths(t *testing.T) {
	for bits := 1; bits <= 9; bits++ {
		view, err := model.Of(chipModel(t, bits, 1))
		if err != nil {
			t.Fatal(err)
		}
		c, err := config(view.Encoder())
		if err != nil {
			t.Fatal(err)
		}
		if want := (bits + 2) / 2; c.ETx() != want || c.Keep.Count() != 16*bits {
			t.Errorf("%d bits: %d links, mask of %d bits; want %d links", bits, c.ETx(), c.Keep.Count(), want)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, p := range autoencoder.PresetNames() {
		m, err := autoencoder.Architecture{Precision: p}.New(nn.Settings{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		view, err := model.Of(m)
		if err != nil {
			t.Fatal(err)
		}
		if err := Format().Check(view); (err == nil) != (p == "asic") {
			t.Errorf("%s: %v", p, err)
		} else if err != nil && !strings.Contains(err.Error(), "train with the precision asic") {
			t.Error(err)
		}
	}
}

// TestGolden: of the goldens' convention are the registers that the encoder's kernel
// gives untransposed, and all else is as without it.
func TestGolden(t *testing.T) {
	view, err := model.Of(chipModel(t, 9, 1))
	if err != nil {
		t.Fatal(err)
	}
	files, err := GoldenFormat().Export(context.Background(), view)
	if err != nil {
		t.Fatal(err)
	}
	r, err := econt.ReadRegisters(bytes.NewReader(files[0].Data))
	if err != nil {
		t.Fatal(err)
	}
	want := *view.Encoder().Chip
	var kernel *nn.Param
	for _, p := range view.Encoder().Network.Params() {
		if len(p.Value) == len(want.Dense)*len(want.Dense[0]) {
			kernel = p
		}
	}
	for i, v := range kernel.Value {
		want.Dense[i/128][i%128] = int8(32 * v)
	}
	if got := *r.Config.Weights; got != want || got == *view.Encoder().Chip {
		t.Error("other weights than those of the untransposed kernel")
	}
}
