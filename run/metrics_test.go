package run

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"barrow/nn"
)

// history is that of a training after n epochs; each epoch's time differs.
func history(n int, seconds float64) *nn.History {
	h := &nn.History{}
	for k := range n {
		e := nn.EpochRecord{Epoch: k + 1, Step: 7 * (k + 1), Loss: 1 / float64(k+1), Validation: 2 / float64(k+1), Rate: 1e-3, Seconds: seconds}
		if k%2 == 0 {
			e.Figures = map[string]float64{MeasuredEMD: 3 / float64(k+1)}
		}
		h.Epochs = append(h.Epochs, e)
	}
	return h
}

// untimed are the lines of a training in a folder, without times.
func untimed(t *testing.T, folder, part string) []Epoch {
	t.Helper()
	list, err := ReadMetrics(folder)
	if err != nil {
		t.Fatal(err)
	}
	var out []Epoch
	for _, e := range list {
		if e.Part == part {
			e.Seconds, e.Time = 0, ""
			out = append(out, e)
		}
	}
	return out
}

// TestMetrics: trainings at one time, killed and taken up again at what their checkpoints have,
// leave each epoch once, as trainings that were never interrupted do.
func TestMetrics(t *testing.T) {
	dir := t.TempDir()
	id := identity(config{Epochs: 5})
	tell := func(f *Folder, part string, n int) {
		t.Helper()
		if err := f.recorder.follow(nn.Following{Checkpoint: f.Path(Weights, part), Epochs: 5, History: history(n, float64(n))}); err != nil {
			t.Fatal(err)
		}
	}
	f := open(t, dir, id, Settings{})
	tell(f, "a.ckpt", 0)
	if _, err := os.Stat(f.Path(Metrics)); err == nil {
		t.Error("a file without a line")
	}
	for n := 1; n <= 4; n++ {
		tell(f, "a.ckpt", n)
		tell(f, "b.ckpt-given", n)
	}
	tell(f, "elsewhere", 3)
	if err := f.recorder.follow(nn.Following{Checkpoint: filepath.Join(dir, "c.ckpt"), History: history(2, 1)}); err != nil {
		t.Fatal(err)
	}
	f.Close()
	// Killed while a line was written, and before the last checkpoints were.
	file, err := os.OpenFile(filepath.Join(dir, Metrics), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	file.WriteString(`{"part":"a","ep`)
	file.Close()
	f = open(t, dir, id, Settings{})
	tell(f, "a.ckpt", 2)
	if got := len(untimed(t, dir, "a")); got != 2 {
		t.Errorf("%d lines of a, want those of its checkpoint", got)
	}
	tell(f, "b.ckpt-given", 4)
	for n := 3; n <= 5; n++ {
		tell(f, "a.ckpt", n)
	}
	f.Close()
	// A line that was not written, as the process was killed after the checkpoint.
	f = open(t, dir, id, Settings{})
	tell(f, "b.ckpt-given", 5)
	f.Close()

	other := t.TempDir()
	g := open(t, other, id, Settings{})
	for n := range 6 {
		tell(g, "a.ckpt", n)
		tell(g, "b.ckpt-given", n)
	}
	for _, part := range []string{"a", "b-given"} {
		if got, want := untimed(t, dir, part), untimed(t, other, part); !reflect.DeepEqual(got, want) || len(got) != 5 {
			t.Errorf("%s:\n%v, want\n%v", part, got, want)
		}
	}
	// Begun anew, as its record was damaged.
	tell(g, "b.ckpt-given", 0)
	if len(untimed(t, other, "b-given")) != 0 || len(untimed(t, other, "a")) != 5 {
		t.Error("a training that begins anew keeps lines, or takes those of others")
	}
	g.Close()
	g = open(t, other, id, Settings{Force: true})
	if _, err := os.Stat(g.Path(Metrics)); err == nil {
		t.Error("the file outlived its run")
	}
}

func FuzzMetrics(f *testing.F) {
	f.Add([]byte(`{"part":"a","epoch":1,"of":2,"step":3,"loss":0.5,"validation":1,"emd":0.25,"rate":0.001,"seconds":1,"time":"2026-01-02T03:04:05Z"}` + "\n"))
	f.Add([]byte("{\"part\":\"a\",\"epoch\":1}\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := decodeMetrics("m.jsonl", 1, b)
		if err != nil && !strings.Contains(err.Error(), "m.jsonl:") {
			t.Error(err)
		}
		for _, e := range list {
			if e.Part == "" || e.Epoch < 1 {
				t.Errorf("%+v", e)
			}
		}
	})
}
