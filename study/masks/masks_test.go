package masks

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/internal/shared"
	"barrow/nn"
	"barrow/run"
)

// small is a search of seconds.
func small() Plan {
	p := Default()
	p.Losses, p.Events, p.Epochs, p.Trial, p.Rounds = []string{"telescope"}, 300, 3, 360, 1
	return p
}

func TestFamilies(t *testing.T) {
	for links, want := range map[int]int{1: 18, 2: 50, 3: 82, 4: 114, 5: 144} {
		if got := room(links); got != want {
			t.Errorf("%d links carry %d bits, want %d", links, got, want)
		}
	}
	for links, want := range map[int][]string{
		1: {"2x9,14x0", "2x8,1x2,13x0", "2x7,1x4,13x0", "3x6,13x0", "3x5,1x3,12x0", "4x4,1x2,11x0", "6x3,10x0", "9x2,7x0", "16x1", "2x2,14x1"},
		2: {"5x9,1x5,10x0", "6x8,1x2,9x0", "7x7,1x1,8x0", "8x6,1x2,7x0", "10x5,6x0", "12x4,1x2,3x0", "16x3", "2x4,14x3"},
		5: {"16x9"},
	} {
		var got []string
		for _, w := range families(room(links)) {
			got = append(got, w.String())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d links: %q, want %q", links, got, want)
		}
	}
}

func TestNeighbours(t *testing.T) {
	w, err := autoencoder.ParseWidths("2x3,1x1,13x0")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range neighbours(w) {
		got = append(got, n.String())
		keep, own := n.Keep(), w.Keep()
		if keep.Count() != own.Count() {
			t.Errorf("%v has %d bits", n, keep.Count())
		}
	}
	if want := []string{"1x4,1x2,1x1,13x0", "1x3,2x2,13x0", "1x3,1x2,2x1,12x0", "1x4,1x3,14x0"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// files are a finished run's, but for the times and the page, which has them.
func files(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for _, pattern := range []string{run.Results, run.Config, filepath.Join(run.Weights, "*"+run.WeightsEnding)} {
		found, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, f := range found {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			out[strings.TrimPrefix(f, folder)] = b
		}
	}
	return out
}

// TestSearch: a search finds the mask with the smallest loss of those tried, trains and keeps an
// encoder with it, gives the same bytes on any number of threads and after interruptions in
// every part, and is drawn again.
func TestSearch(t *testing.T) {
	first := t.TempDir()
	share := 0.0
	r, times, err := Start(t.Context(), first, small(), Settings{Threads: 1, Progress: func(s float64, note string) {
		if s < share || s > 1 || note == "" {
			t.Errorf("%v %q after %v", s, note, share)
		}
		share = s
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(times.Rows) != 1 || len(r.Trials) <= len(families(18)) || r.Links != 1 || r.Bits != 18 {
		t.Errorf("%+v", r)
	}
	tried, best := map[string]bool{}, r.Trials[0]
	for _, x := range r.Trials {
		if tried[x.Mask] || x.Bits != 18 && x.Mask != "16x1" || !(x.Loss > 0) {
			t.Errorf("%+v", x)
		}
		tried[x.Mask] = true
		if x.Loss < best.Loss {
			best = x
		}
	}
	if r.Mask != best.Mask || r.Encoder.Rows[0].Mask != best.Mask {
		t.Errorf("%s, %s; the best is %s", r.Mask, r.Encoder.Rows[0].Mask, best.Mask)
	}
	m, err := autoencoder.Load(filepath.Join(first, filepath.FromSlash(r.Encoder.Kept.File)), nn.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	if a := m.Architecture(); a.Mask != best.Mask || a.Links() != 1 {
		t.Errorf("%v is kept", a)
	}
	if p, err := Page(first); err != nil || p.Sections[0].Title != "The search" || len(p.Sections[0].Tables[0].Rows) != len(r.Trials) {
		t.Errorf("%+v, %v", p, err)
	}
	want := files(t, first)
	second := t.TempDir()
	// In the first training, twice in the search, and in the last.
	shared.Stops(t, []float64{0.02, 0.25, 0.45, 0.65}, func(ctx context.Context, progress func(float64, string)) error {
		_, _, err := Start(ctx, second, small(), Settings{Threads: 3, Progress: progress})
		return err
	})
	got := files(t, second)
	for name, b := range want {
		if !bytes.Equal(got[name], b) {
			t.Errorf("%s differs", name)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d files, not %d", len(got), len(want))
	}
}

func TestErrors(t *testing.T) {
	for want, spoil := range map[string]func(p *Plan){
		"mask and latent_bits are what is searched for": func(p *Plan) { p.Mask = "9x2,7x0" },
		"latent_bits are what is searched":              func(p *Plan) { p.Bits = []int{3} },
		"links = [6]: want one number, 1 to 5":          func(p *Plan) { p.Links = []int{6} },
		"links = [1 2]: want one number":                func(p *Plan) { p.Links = []int{1, 2} },
		"the chip alone sends more bits":                func(p *Plan) { p.Precisions = []string{"float"} },
		"name one loss":                                 func(p *Plan) { p.Losses = []string{"emd@telescope"} },
		"trial_images = 0":                              func(p *Plan) { p.Trial = 0 },
		"rounds = -1":                                   func(p *Plan) { p.Rounds = -1 },
		"epochs = 0":                                    func(p *Plan) { p.Epochs = 0 },
	} {
		p := small()
		spoil(&p)
		folder := filepath.Join(t.TempDir(), "run")
		if _, _, err := Start(t.Context(), folder, p, Settings{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		if _, err := os.Stat(folder); err == nil {
			t.Errorf("%s: there is a folder", want)
		}
	}
}
