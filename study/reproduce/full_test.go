package reproduce

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barrow/run"
	"barrow/simulate"
	"barrow/study/compare"
	"barrow/surrogate"
	"barrow/wafer"
)

func openFull(t *testing.T, c Config) *run.Folder {
	t.Helper()
	id, err := c.FullIdentity()
	if err != nil {
		t.Fatal(err)
	}
	f, err := run.Open(filepath.Join(t.TempDir(), "run"), id, run.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

// TestFull carries out a tiny full run, interrupted in the middle of the EMD
// CNN and gone on with on another number of threads, and wants the bytes of an
// uninterrupted one and the paper's tables.
func TestFull(t *testing.T) {
	images, err := simulate.Generate(900, simulate.Settings{Seed: 2, Preset: "electrons"})
	if err != nil {
		t.Fatal(err)
	}
	images, _ = images.NonZero()
	c := FullDefault().For(images, "test")
	c.Epochs, c.Seeds, c.Precisions = 2, 1, []string{"qkeras-5bit"}
	c.CNN, c.Pairs, c.CNNEpochs, c.CNNBatch = surrogate.Architecture{Filters: 4, Kernel: 3, Convs: 1, Dense: 8}, 600, 2, 50
	f, g := openFull(t, c), openFull(t, c)
	table, _, err := Full(context.Background(), f, c, images, nil, Settings{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	if _, _, err := Full(ctx, g, c, images, nil, Settings{Threads: 1, Progress: func(share float64, note string) {
		if strings.HasPrefix(note, "emd-cnn") && share > (shareDecoders+shareCNN)/2 {
			cancel()
		}
	}}); !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted: %v", err)
	}
	if _, _, err := Full(context.Background(), g, c, images, nil, Settings{Threads: 1}); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(f.Path(run.Results))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(g.Path(run.Results))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("the interrupted run found something else (%v)", err)
	}
	var text strings.Builder
	if err := writeFull(&text, table); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"| qkeras-5bit | emd+energy | ",
		"qkeras-5bit: the exact EMD's mean is not above the EMD CNN's for ",
		"| 0–3 | 1.736 \\| ",
		"| 2.86–3.00 | 1.094 \\| ",
		"| 36–39 | 1.009 \\| – ", // no electron lights so many cells
		"| best choice | rest spread evenly | ",
		"| STC16 5E4M | sum in largest cell | ",
		"as the column HD_LD says); an encoder with 16 outputs of nine bits needs 5",
	} {
		if !strings.Contains(text.String(), line) {
			t.Errorf("no %q in\n%s", line, text.String())
		}
	}
	c.Losses = []string{"emdd"}
	if _, _, err := Full(context.Background(), f, c, images, nil, Settings{Threads: 1}); err == nil || !strings.Contains(err.Error(), "unknown loss") {
		t.Errorf("an unknown loss: %v", err)
	}
}

// TestFullPretrained: everything learns from other images first, with the dense
// decoder.
func TestFullPretrained(t *testing.T) {
	var sets [2]*wafer.Set
	for k := range sets {
		s, err := simulate.Generate(400, simulate.Settings{Seed: uint64(k), Preset: "pileup200"})
		if err != nil {
			t.Fatal(err)
		}
		sets[k], _ = s.NonZero()
	}
	c := FullDefault()
	c.Decoder = "dense"
	c = c.For(sets[0], "test")
	c.Epochs, c.Seeds, c.Precisions, c.Losses = 1, 1, []string{"asic"}, []string{"telescope", "emd-cnn"}
	c.Pretrain, c.PretrainEpochs = []string{"others"}, 3
	c.CNN, c.Pairs, c.CNNEpochs, c.CNNBatch = surrogate.Architecture{Filters: 4, Kernel: 3, Convs: 1, Dense: 8}, 300, 1, 50
	var distances []float64
	for _, before := range []*wafer.Set{sets[1], sets[0]} {
		f := openFull(t, c)
		r, _, err := Full(context.Background(), f, c, sets[0], before, Settings{Threads: 2})
		if err != nil {
			t.Fatal(err)
		}
		distances = append(distances, r.Row("emd-cnn", "asic", 0).EMD.Mean)
		for _, name := range []string{"decoder-emd.weights", "pretrained-asic-emd-cnn-seed1.weights"} {
			if _, err := os.Stat(f.Path(run.Weights, name)); err != nil {
				t.Error(err)
			}
		}
	}
	if distances[0] == distances[1] {
		t.Errorf("the images of the pretraining change nothing: %v", distances)
	}
	f := openFull(t, c)
	if _, _, err := Full(context.Background(), f, c, sets[0], nil, Settings{Threads: 1}); err == nil || !strings.Contains(err.Error(), "pretraining") {
		t.Errorf("without the images of the pretraining: %v", err)
	}
}

// TestPaper holds the paper's figures to the ratios that it quotes.
func TestPaper(t *testing.T) {
	for _, bins := range [][]paperBin{paperOccupancy, paperEta} {
		if len(bins) != 10 {
			t.Errorf("%d bins", len(bins))
		}
		for _, b := range bins {
			if r := b.cnn / b.telescope; r < 0.68 || r > 0.825 {
				t.Errorf("bin at %v: EMD CNN over telescope %.3f", b.at, r)
			}
			if r := b.cnn / b.weighted; r < 0.50 || r > 0.69 {
				t.Errorf("bin at %v: EMD CNN over weighted MSE %.3f", b.at, r)
			}
			if !(b.low <= b.at && b.at < b.high) {
				t.Errorf("bin [%v, %v) does not hold %v", b.low, b.high, b.at)
			}
		}
	}
	var none compare.Table
	if err := writeFull(&strings.Builder{}, &FullResults{Table: &none}); err != nil {
		t.Error(err)
	}
	var text strings.Builder
	if err := writeFull(&text, &FullResults{Table: &none, Bandwidth: &Bandwidth{Missing: "no charges"}}); err != nil || !strings.Contains(text.String(), "not compared: no charges") {
		t.Errorf("%v: %s", err, text.String())
	}
}
