package decoder

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/econt"
	"barrow/nn"
	"barrow/wafer"
)

// TestSaveAndLoad: a file holds the decoder and what it is for.
func TestSaveAndLoad(t *testing.T) {
	images, dir := wafers(t, 700, 5), t.TempDir()
	for name, pair := range kinds(t) {
		m, err := New(small(), pair[0], nn.Settings{Seed: 9})
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "decoder.weights")
		if err := m.Save(path); err != nil {
			t.Fatal(err)
		}
		again, err := Load(path, nn.Settings{Threads: 1})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := again.Fits(pair[0]); err != nil || again.Architecture() != m.Architecture() {
			t.Errorf("%s: read back as %+v, %v", name, again.Architecture(), err)
		}
		list := frames(t, pair[0], images)
		a, b := decode(t, m, list), decode(t, again, list)
		for i := range a {
			if a[i] != b[i] {
				t.Fatalf("%s: charge %d: %v, read back %v", name, i, a[i], b[i])
			}
		}
	}
	other, err := nn.New(autoencoder.Spec(), nn.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "encoder.weights")
	if err := other.Save(path, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path, nn.Settings{}); err == nil || !strings.Contains(err.Error(), "no decoder of frames") {
		t.Errorf("an encoder: %v", err)
	}
	if err := os.Truncate(path, 200); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path, nn.Settings{}); err == nil {
		t.Error("a truncated file was read")
	}
}

// TestFits: a decoder knows its own frames from those of other chips.
func TestFits(t *testing.T) {
	m, err := New(small(), chips(t, econt.BestChoice, 3, nil)[0], nn.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	read := func(s econt.BaselineSettings) *econt.Baseline {
		b, err := econt.NewBaseline(chips(t, econt.BestChoice, 3, nil)[0].Config(), s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, tc := range []struct {
		chip *econt.Baseline
		want string
	}{
		{chips(t, econt.BestChoice, 3, nil)[1], ""},
		{read(econt.BaselineSettings{Decoder: econt.DecoderSettings{Rest: true}}), ""},
		{chips(t, econt.BestChoice, 4, nil)[0], "BC on 3 links, not of BC on 4 links"},
		{chips(t, econt.SuperTriggerCell, 3, nil)[0], "not of STC type 0 on 3 links"},
		{read(econt.BaselineSettings{Entry: econt.EntryERx}), "readout's code"},
		{read(econt.BaselineSettings{Decoder: econt.DecoderSettings{Pedestal: true}}), "pedestal"},
	} {
		err := m.Fits(tc.chip)
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("got %v, want %q", err, tc.want)
		}
	}
	if m, err = New(small(), chips(t, econt.Autoencoder, 3, nil)[0], nn.Settings{}); err != nil {
		t.Fatal(err)
	}
	w := encoder(t)
	w.ConvBias[0]++
	if err := m.Fits(chips(t, econt.Autoencoder, 3, func(c *econt.Config) { c.Weights = w })[0]); err == nil || !strings.Contains(err.Error(), "other weights") {
		t.Errorf("another encoder: %v", err)
	}
	if err := m.Fits(chips(t, econt.Autoencoder, 3, func(c *econt.Config) { c.Keep = econt.KeepTop(4) })[0]); err == nil || !strings.Contains(err.Error(), "other bits") {
		t.Errorf("other bits: %v", err)
	}
	// A threshold is told of every frame.
	if m, err = New(small(), chips(t, econt.ThresholdSum, 13, nil)[0], nn.Settings{}); err != nil {
		t.Fatal(err)
	}
	if err := m.Fits(chips(t, econt.ThresholdSum, 5, func(c *econt.Config) { c.Threshold[0] = 90 })[0]); err != nil {
		t.Error(err)
	}
}

// TestDecodeAllocates nothing after the first call, and no number of frames changes a bit.
func TestDecodeAllocates(t *testing.T) {
	pair, images, ctx := chips(t, econt.SuperTriggerCell, 4, nil), wafers(t, 1100, 5), context.Background()
	m, err := New(Architecture{}, pair[0], nn.Settings{Seed: 9, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	list := frames(t, pair[0], images)
	all := decode(t, m, list)
	out := make([]float64, len(all))
	if n := testing.AllocsPerRun(3, func() {
		if err := m.Decode(ctx, list, nil, out); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations a call", n)
	}
	for i := range list {
		if i%37 == 0 {
			one := decode(t, m, list[i:i+1])
			for c, v := range one {
				if v != all[i*Cells+c] {
					t.Fatalf("frame %d alone: cell %d is %v, among others %v", i, c, v, all[i*Cells+c])
				}
			}
		}
	}
	if err := m.Decode(ctx, list, nil, out[1:]); err == nil {
		t.Error("too little room was accepted")
	}
}

// TestNothing: where nothing arrived, as where nothing was sent, an image has no charge.
func TestNothing(t *testing.T) {
	for name, pair := range kinds(t) {
		m, err := New(small(), pair[1], nn.Settings{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range decode(t, m, frames(t, pair[1], &wafer.Set{Charge: make([]float64, Cells)})) {
			if v != 0 {
				t.Fatalf("%s: an empty wafer decodes to %v", name, v)
			}
		}
	}
}
