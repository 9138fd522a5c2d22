package physics

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	trigger "barrow/physics"
)

// TestNtuples: events that are read from files leave what the same ones leave that are
// simulated.
func TestNtuples(t *testing.T) {
	p := small()
	p.Contenders, p.PileUp, p.MinimumBias, p.Events = []string{"bc"}, 0, 0, 400
	want := start(t, filepath.Join(t.TempDir(), "simulated"), p, 0)
	p.Data, p.Events = []string{filepath.Join(t.TempDir(), "events.csv")}, 0
	write(t, p, 400)
	got := start(t, filepath.Join(t.TempDir(), "read"), p, 0)
	if got.Samples[0].Events != 400 {
		t.Errorf("%d events", got.Samples[0].Events)
	}
	for k, c := range got.Contenders {
		for _, name := range []string{"emd", "resolution", "response", "eta_resolution", "phi_resolution", "efficiency"} {
			if a, b := c.Value(name), want.Contenders[k].Value(name); a.Value != b.Value && k > 0 {
				t.Errorf("%s, %s: %v of the file, %v simulated", c.Name, name, a.Value, b.Value)
			}
		}
	}
	if got.Contenders[0].Word != "all-cells" || got.Contenders[1].Word != "bc" {
		t.Errorf("contenders %q, %q", got.Contenders[0].Word, got.Contenders[1].Word)
	}
	if len(got.Paper) > 0 {
		t.Error("the paper's figures stand beside those of other events")
	}
	bad := p
	bad.Others = []string{filepath.Join(filepath.Dir(p.Data[0]), "other.csv")}
	if err := os.Link(p.Data[0], bad.Others[0]); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Start(context.Background(), filepath.Join(t.TempDir(), "bias"), bad, Settings{}); err == nil || !strings.Contains(err.Error(), "minimum bias has none") {
		t.Errorf("particles as minimum bias: %v", err)
	}
	bad = p
	bad.Data = append(bad.Data, filepath.Join(filepath.Dir(p.Data[0]), "ev*.csv"))
	if _, _, err := Start(context.Background(), filepath.Join(t.TempDir(), "twice"), bad, Settings{}); err == nil || !strings.Contains(err.Error(), "is named twice") {
		t.Errorf("events twice: %v", err)
	}
	if err := os.WriteFile(p.Data[0], []byte("event,layer,waferu,waferv,"+names()+"\n1,1,3,0"+strings.Repeat(",1", 48)+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Start(context.Background(), filepath.Join(t.TempDir(), "bad"), p, Settings{}); err == nil || !strings.Contains(err.Error(), "gen_") {
		t.Errorf("ntuples without generated particles: %v", err)
	}
}

func names() string {
	var list []string
	for k := range 48 {
		list = append(list, fmt.Sprintf("CALQ_%d", k))
	}
	return strings.Join(list, ",")
}

// write writes the events that a plan simulates into its file.
func write(t *testing.T, p Plan, n int) {
	t.Helper()
	of, err := p.generator(false, 0)
	if err != nil {
		t.Fatal(err)
	}
	in, err := trigger.NewSimulated(trigger.SimulatedSettings{Events: of, N: n})
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(p.Data[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := bufio.NewWriter(f)
	fmt.Fprintf(out, "event,sector,layer,waferu,waferv,gen_pt,gen_eta,gen_phi,%s\n", names())
	e := &trigger.Event{}
	for {
		if _, err := in.Next(context.Background(), []*trigger.Event{e}); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		for i, w := range e.Wafers {
			m := in.Geometry().Wafer(int(w))
			g := e.Truth[0]
			fmt.Fprintf(out, "%d,%d,%d,%d,%d,%v,%v,%v", e.Number, m.Sector, m.Module.Layer, m.Module.U, m.Module.V, g.Pt, g.Eta, g.Phi)
			for _, v := range e.Images.Image(i) {
				fmt.Fprintf(out, ",%v", v)
			}
			fmt.Fprintln(out)
		}
	}
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
}
