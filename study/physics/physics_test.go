package physics

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	trigger "barrow/physics"
	"barrow/report"
	"barrow/run"
	"barrow/run/shard"
)

// small is a plan of seconds: photons, which need few wafers, with encoders.
func small() Plan {
	p := Default()
	p.Class, p.PileUp, p.Pt, p.Eta = "photon", 4, "20:60", "2:2.4"
	p.Events, p.MinimumBias, p.Draws = 400, 10, 20
	p.Contenders, p.Links, p.Images, p.Epochs, p.PerLink = []string{"bc", "ts", "bc-learned", "telescope"}, "3", 200, 1, false
	return p
}

func start(t *testing.T, folder string, p Plan, threads int) *Results {
	t.Helper()
	r, _, err := Start(context.Background(), folder, p, Settings{Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func bytesOf(t *testing.T, folder, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestRun: the results are the same to the byte on one, two and five threads, and after
// interruptions in every part of the work, and can be drawn again.
func TestRun(t *testing.T) {
	one := filepath.Join(t.TempDir(), "one")
	r := start(t, one, small(), 1)
	want := bytesOf(t, one, run.Results)
	if r.Samples[0].Events != 400 || r.Samples[1].Events != 10 || r.Samples[0].Wafers == 0 || r.Samples[1].Wafers == 0 {
		t.Errorf("samples %+v", r.Samples)
	}
	var names []string
	for k, c := range r.Contenders {
		names = append(names, c.Name)
		v, e := c.Value("resolution"), c.Value(distance)
		if !(v.Value > 0 && v.Value < 1 && v.Error > 0) || c.Calibration.Even.N < 160 {
			t.Errorf("%s: σ/mean %+v, calibrated by %d", c.Name, v, c.Calibration.Even.N)
		}
		if k == 0 != math.IsNaN(e.Value) || k > 0 && !(e.Value > 0) {
			t.Errorf("%s: mean EMD %+v", c.Name, e)
		}
		if c.identification == nil {
			t.Errorf("%s: not told from minimum bias", c.Name)
		}
	}
	if got := strings.Join(names, "; "); got != "all cells; best choice, 3 links; threshold sum, 3 links; best choice learned, 3 links; telescope, 3 links" {
		t.Error(got)
	}
	again(t, one, r)
	two, five := filepath.Join(t.TempDir(), "two"), filepath.Join(t.TempDir(), "five")
	start(t, two, small(), 2)
	if !bytes.Equal(bytesOf(t, two, run.Results), want) {
		t.Error("two threads change the results")
	}
	// An interruption after each step of progress, until there is none.
	interrupted, last := 0, -1.0
	for {
		ctx, cancel := context.WithCancel(context.Background())
		_, _, err := Start(ctx, five, small(), Settings{Threads: 5, Progress: func(share float64, _ string) {
			if share > last+0.12 {
				last = share
				cancel()
			}
		}})
		cancel()
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		interrupted++
	}
	if interrupted < 4 {
		t.Errorf("interrupted %d times", interrupted)
	}
	if !bytes.Equal(bytesOf(t, five, run.Results), want) {
		t.Errorf("five threads and %d interruptions change the results", interrupted)
	}
	if b := bytesOf(t, five, run.Tables); !bytes.Contains(b, []byte("| telescope ")) || !bytes.Contains(b, []byte("## Does the mean EMD predict it?")) {
		t.Errorf("%s", b)
	}
	damage(t, one, want)
}

// TestShards: shards at work at the same time train what is to be trained among them, measure each
// its events, and leave what one run leaves.
func TestShards(t *testing.T) {
	p := small()
	p.Contenders, p.MinimumBias, p.PileUp = []string{"bc-learned", "telescope"}, 0, 0
	one, cut := filepath.Join(t.TempDir(), "one"), filepath.Join(t.TempDir(), "cut")
	start(t, one, p, 2)
	var g errgroup.Group
	for i := range 2 {
		g.Go(func() error {
			_, _, err := Start(context.Background(), cut, p, Settings{Threads: 1, Cut: &run.Cut{Shard: shard.Shard{I: i, N: 2}, Command: "physics"}})
			var done *run.ShardDone
			if !errors.As(err, &done) {
				return fmt.Errorf("shard %d: %w", i, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	start(t, cut, p, 1)
	if !bytes.Equal(bytesOf(t, cut, run.Results), bytesOf(t, one, run.Results)) {
		t.Error("shards change the results")
	}
}

// again holds what is read from a folder to what was found, and draws it.
func again(t *testing.T, folder string, r *Results) {
	t.Helper()
	var read Results
	if err := run.ReadJSON(folder, run.Results, &read); err != nil {
		t.Fatal(err)
	}
	a, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(read)
	if err != nil || !bytes.Equal(a, b) {
		t.Errorf("results that were read and written differ (%v):\n%.3000s\n%.3000s", err, a, b)
	}
	p, err := Page(folder)
	if err != nil {
		t.Fatal(err)
	}
	var page bytes.Buffer
	if err := report.Write(&page, *p); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"resolution", "resolution-by-pt", "resolution-by-eta", "phi_resolution", "efficiency-by-pt", "within_30", "weights"} {
		if _, ok := p.Figure(id); !ok {
			t.Errorf("no figure %s on the page", id)
		}
	}
}

// damage spoils a block of a run whose results are gone: it is measured again.
func damage(t *testing.T, folder string, want []byte) {
	t.Helper()
	if err := os.Remove(filepath.Join(folder, run.Results)); err != nil {
		t.Fatal(err)
	}
	block := filepath.Join(folder, run.Weights, "particles-000001.npz")
	if err := os.WriteFile(block, []byte("no block"), 0o644); err != nil {
		t.Fatal(err)
	}
	said := ""
	if _, _, err := Start(context.Background(), folder, small(), Settings{Threads: 2, Remark: func(text string) { said += text + "\n" }}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(bytesOf(t, folder, run.Results), want) || !strings.Contains(said, "particles-000001 is done again") {
		t.Errorf("a damaged block: %s", said)
	}
}

// TestEncoders: encoders that a run trained are given to another, one for all links or one
// for each, and links without one are refused before there is a folder.
func TestEncoders(t *testing.T) {
	dir := t.TempDir()
	p := small()
	p.Contenders, p.MinimumBias, p.PerLink, p.Links = []string{"telescope"}, 0, true, modulesLinks
	trained := filepath.Join(dir, "trained")
	r := start(t, trained, p, 0)
	if len(r.Encoders.Rows) != 5 {
		t.Fatalf("%d encoders, want one for each of 1 to 5 links", len(r.Encoders.Rows))
	}
	weights := func(bits string) string {
		return filepath.Join(trained, run.Weights, run.EncoderWeights+"asic-"+bits+"bit-telescope-seed1"+run.WeightsEnding)
	}
	q := p
	q.Contenders = []string{"bc"}
	for n, bits := range []string{"1", "3", "5", "7", "9"} {
		q.Encoders = append(q.Encoders, "mine:"+string(rune('1'+n))+"="+weights(bits))
	}
	s := start(t, filepath.Join(dir, "given"), q, 0)
	mine, theirs := s.Contender("mine"), r.Contender("telescope")
	if mine == nil || mine.Value("resolution").Value != theirs.Value("resolution").Value || mine.Value(distance).Value != theirs.Value(distance).Value {
		t.Errorf("given encoders leave %+v, as trained %+v", mine, theirs)
	}
	if s.Encoders != nil {
		t.Error("encoders were trained")
	}
	q.Encoders = q.Encoders[:4]
	bad := filepath.Join(dir, "bad")
	if _, _, err := Start(context.Background(), bad, q, Settings{}); err == nil || !strings.Contains(err.Error(), "has no encoder for [5 ") {
		t.Errorf("no encoder for five links: %v", err)
	}
	q.Encoders = []string{"mine=" + filepath.Join(dir, "nowhere")}
	if _, _, err := Start(context.Background(), bad, q, Settings{}); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("an encoder that is not there: %v", err)
	}
	if _, err := os.Stat(bad); err == nil {
		t.Error("a run that cannot be left a folder")
	}
}

// TestFewEvents: a run with fewer events than a calibration needs says so.
func TestFewEvents(t *testing.T) {
	p := small()
	p.Contenders, p.Events, p.MinimumBias = []string{"bc"}, 20, 0
	if _, _, err := Start(context.Background(), t.TempDir(), p, Settings{}); err == nil || !strings.Contains(err.Error(), "20 events with a particle, of which each half calibrates") {
		t.Error(err)
	}
}

// TestNothingArrives: a contender that cannot be calibrated says why, and the others are
// measured.
func TestNothingArrives(t *testing.T) {
	p := small()
	text := "layer,links\n"
	for _, l := range trigger.NewGeometry(p.geometry()).Layers() {
		text += fmt.Sprintf("%d,0\n", l)
	}
	p.Links = filepath.Join(t.TempDir(), "none.csv")
	if err := os.WriteFile(p.Links, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	p.Contenders = []string{"bc", repeater}
	folder := filepath.Join(t.TempDir(), "run")
	r := start(t, folder, p, 0)
	again(t, folder, r)
	c := r.Contender("best choice")
	if c == nil || !strings.Contains(c.Note, "no cluster of photon to calibrate by") || c.Value("efficiency").Value != 0 || !math.IsNaN(c.Value("resolution").Value) || c.Value("resolution").Note == "" {
		t.Errorf("%+v", c)
	}
	if c := r.Contender("repeater"); c.Note != "" || !(c.Value("resolution").Value > 0) {
		t.Errorf("%+v", c)
	}
}
