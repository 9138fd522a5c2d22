package study

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"barrow/run"
	"barrow/study/compare"
)

// TestFind: runs in any depth with their states, the settings in which they differ, and their
// figures; what is no run is left out.
func TestFind(t *testing.T) {
	dir := t.TempDir()
	type settings struct {
		Loss string `json:"loss"`
		Plan struct {
			Seeds int `json:"seeds"`
		} `json:"budget"`
	}
	begin := func(name string, s settings) *run.Folder {
		f, err := run.Open(filepath.Join(dir, name), run.Identity{Kind: compare.Kind(), Settings: s}, run.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	end := func(f *run.Folder, emd ...float64) {
		var rows []map[string]any
		for _, v := range emd {
			rows = append(rows, map[string]any{"mean_emd": map[string]any{"mean": v}})
		}
		if err := f.WriteJSON(run.Results, map[string]any{"rows": rows}); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	put := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	end(begin("b/one", settings{Loss: "mse"}), 0.9, 0.7)
	two := settings{Loss: "emd"}
	two.Plan.Seeds = 3
	end(begin("a", two), 0.5)
	begin("b/one/within", settings{}).Close()
	put("b/one/within/metrics.jsonl", `{"part":"x","epoch":1,"emd":0.8}`+"\n"+`{"part":"y","epoch":1,"emd":0.6}`+"\n"+`{"part":"y","ep`)
	defer begin("c", settings{Loss: "mse"}).Close()
	put("d/config.json", `{"model": "something else"}`)
	put("e/config.json", `{"kind": "compare", "version": 1}`)
	put("e/results.json", `{"kind": "plan", "version": 1}`)
	list, err := Find(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	type short struct {
		State  string
		EMD    any
		Epochs int
	}
	got := map[string]short{}
	for _, r := range list {
		name, _ := filepath.Rel(dir, r.Folder)
		s := short{State: r.State, Epochs: r.Epochs}
		if v, ok := r.Figures["emd"]; ok {
			s.EMD = v
		}
		got[name] = s
		if r.Bytes < 10 || r.Began.IsZero() || r.Changed.Before(r.Began) {
			t.Errorf("%+v", r)
		}
	}
	want := map[string]short{
		"a": {run.StateFinished, 0.5, 0}, "b/one": {run.StateFinished, 0.7, 0}, "b/one/within": {run.StateInterrupted, 0.6, 2},
		"c": {run.StateRunning, nil, 0}, "e": {run.StateUnreadable, nil, 0},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("found %v,\nwant %v", got, want)
	}
	if d := run.Differing([]run.Found{list[0].Found, list[1].Found}); !reflect.DeepEqual(d, []string{"budget.seeds", "loss"}) {
		t.Errorf("differ in %v", d)
	}
	if err := Sort(list, "emd"); err != nil || filepath.Base(list[0].Folder) != "a" || filepath.Base(list[1].Folder) != "within" {
		t.Errorf("%v, %v", list, err)
	}
	if err := Sort(list, "beauty"); err == nil {
		t.Error("sorted by what no run has")
	}
}

// TestFigures: what lists show of a kind is a number of its results.
func TestFigures(t *testing.T) {
	for at, results := range map[string]any{
		"rows.*.mean_emd.mean": compare.Table{Rows: []compare.Row{{EMD: compare.Spread{Mean: 2}}, {EMD: compare.Spread{Mean: 1}}}},
	} {
		b, err := json.Marshal(results)
		var v any
		if err == nil {
			err = json.Unmarshal(b, &v)
		}
		if err != nil {
			t.Fatal(err)
		}
		r := Run{Figures: map[string]float64{}}
		each(v, []string{"rows", "*", "mean_emd", "mean"}, func(v float64) { r.least(at, v) })
		if r.Figures[at] != 1 {
			t.Errorf("%s: %v", at, r.Figures)
		}
	}
}
