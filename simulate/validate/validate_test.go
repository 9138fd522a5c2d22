package validate

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"go/format"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/hgcal"
	"barrow/internal/shared"
	"barrow/report"
	"barrow/wafer"
	"barrow/wafer/file"
)

var update = flag.Bool("update", false, "write reference.go anew from the reference data")

func dataDir(t *testing.T) string {
	t.Helper()
	return filepath.Dir(shared.Data(t, "wafers"))
}

// TestReference holds the numbers in the code against the files they are of.
func TestReference(t *testing.T) {
	dir := dataDir(t)
	var b bytes.Buffer
	b.WriteString("package validate\n\n// Written by go test -run TestReference . -update from wafers/ldm.csv (dnoonan08/HGCAL_Scripts)\n" +
		"// and wafers/hdm.csv (cmantill/econt_test-vectors): statistics of real images, no image.\n")
	for _, w := range []struct {
		name string
		wafers
	}{{"ldm", lowDensity}, {"hdm", highDensity}} {
		real, err := file.ReadAll(context.Background(), filepath.Join(dir, filepath.FromSlash(w.file)), wafer.ReadSettings{})
		if err != nil {
			t.Fatal(err)
		}
		s := sample{images: real, drop: w.drop, suppressed: w.suppressed}
		v, err := s.measure()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "\nvar %sReference = values{\n", w.name)
		for _, name := range slices.Sorted(maps.Keys(v)) {
			fmt.Fprintf(&b, "%q: %.6g,\n", name, v[name])
			if want := w.reference[name]; !*update && !(math.Abs(v[name]-want) <= 1e-5*math.Abs(v[name])) {
				t.Errorf("%s: %s = %g, the code has %g", w.file, name, v[name], want)
			}
		}
		b.WriteString("}\n")
	}
	if *update {
		src, err := format.Source(b.Bytes())
		if err == nil {
			err = os.WriteFile("reference.go", src, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestPublishedDistances compares the reference with a study's numbers on 250
// of the same images; its tolerance is what another choice of images allows.
func TestPublishedDistances(t *testing.T) {
	for name, want := range map[string]float64{
		"EMD of BC4": 2.16, "EMD of BC6": 1.47, "EMD of BC9": 0.85, "EMD of BC14": 0.25,
		"EMD of STC4": 0.65, "EMD of STC16": 2.39, "EMD of pairs": 3.26, "EMD to uniform": 2.57,
		"EMD of BC4, 95 %": 3.24, "EMD of pairs, 5 %": 2.09, "EMD of pairs, 95 %": 4.80,
	} {
		if got := ldmReference[name]; math.Abs(got-want) > 0.05*want {
			t.Errorf("%s = %.3f, want %.2f", name, got, want)
		}
	}
}

// TestRun validates quickly, against the numbers in the code, and draws the
// page. Few images make statistical errors about as large as the tolerances, so
// a few checks may be outside.
func TestRun(t *testing.T) {
	last := 0.0
	r, err := Run(context.Background(), Settings{Seed: 1, Threads: 2, Quick: true, Progress: func(share float64, _ string) {
		if share < last {
			t.Errorf("progress goes back from %g to %g", last, share)
		}
		last = share
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Checks) < 250 || last != 1 {
		t.Errorf("%d checks, progress %g", len(r.Checks), last)
	}
	for _, c := range r.Failed() {
		t.Logf("%s: %s: %g, want %g", c.Group, c.Name, c.Got, c.Want)
		if c.worst() > 3 {
			t.Errorf("%s: %s is %g, want %g: far outside", c.Group, c.Name, c.Got, c.Want)
		}
	}
	if n := len(r.Failed()); n > len(r.Checks)/20 {
		t.Errorf("%d of %d checks outside", n, len(r.Checks))
	}
	var b bytes.Buffer
	if err := report.Write(&b, r.Page()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"KS distance", "EMD of pairs", "Layer 9"} {
		if !strings.Contains(b.String(), want) || !strings.Contains(r.Text()+b.String(), want) {
			t.Errorf("the page does not show %q", want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, Settings{Quick: true}); err == nil {
		t.Error("a cancelled validation reported no error")
	}
}

func TestChecks(t *testing.T) {
	for _, c := range []struct {
		check Check
		ok    bool
	}{
		{Check{Got: 1.09, Want: 1, Tolerance: 0.1, Relative: true}, true},
		{Check{Got: 1.11, Want: 1, Tolerance: 0.1, Relative: true}, false},
		{Check{Got: -0.02, Want: 0, Tolerance: 0.02}, true},
		{Check{Got: 0.021, Want: 0, Tolerance: 0.02}, false},
		{Check{Got: math.NaN(), Want: 0, Tolerance: 1}, false},
	} {
		if c.check.OK() != c.ok {
			t.Errorf("%+v", c.check)
		}
	}
}

// TestWorst keeps of several seeds what is farthest from the reference.
func TestWorst(t *testing.T) {
	r := &Result{Checks: []Check{{Got: 1.02, Want: 1, Tolerance: 0.1}, {Got: 0.9, Want: 1, Tolerance: 0.1}, {Got: 2}}}
	r.keepWorst(&Result{Checks: []Check{{Got: 0.95, Want: 1, Tolerance: 0.1}, {Got: 1.05, Want: 1, Tolerance: 0.1}, {Got: math.NaN()}}})
	if r.Checks[0].Got != 0.95 || r.Checks[1].Got != 0.9 || !math.IsNaN(r.Checks[2].Got) {
		t.Errorf("kept %+v", r.Checks)
	}
	if testing.Short() {
		t.Skip("draws two seeds")
	}
	quick := func(s Settings) *Result {
		s.Quick, s.Threads = true, 2
		r, err := Run(context.Background(), s)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	both, second := quick(Settings{Seed: 1, Seeds: 2}), quick(Settings{Seed: 2})
	same := 0
	for i, c := range both.Checks {
		other := second.Checks[i]
		if c.worst() < other.worst() || c.Name != other.Name {
			t.Errorf("%s: %g of two seeds, %g of the second", c.Name, c.Got, other.Got)
		}
		if c == other {
			same++
		}
	}
	// Each seed has the worst of about half of the checks.
	if n := len(both.Checks); same < n/4 || same > 3*n/4 {
		t.Errorf("%d of %d checks are the second seed's", same, n)
	}
}

func TestCompressions(t *testing.T) {
	image := make([]float64, hgcal.Cells)
	image[3], image[7], image[40], image[41] = 5, 9, 2, 2
	kept := bestChoice(image, 3, false)
	if kept[3] != 5 || kept[7] != 9 || kept[40] != 2 || kept[41] != 0 {
		t.Error(kept)
	}
	spread := bestChoice(image, 3, true)
	if math.Abs(wafer.Sum(spread)-18) > 1e-12 || spread[0] != 2./45 || spread[41] != 2./45 {
		t.Error(spread)
	}
	stc := superTriggerCells(image, 2)
	if stc[7] != 14 || stc[3] != 0 || stc[41] != 4 || wafer.Sum(stc) != 18 {
		t.Error(stc)
	}
	if stc = superTriggerCells(image, 4); stc[7] != 14 || stc[41] != 4 {
		t.Error(stc)
	}
}

func TestCellQuantile(t *testing.T) {
	// One image with 24 cells of code 1, which stands for 0 to 2, and 24 of code
	// 3, for 2 to 4.
	s := sample{images: &wafer.Set{}, drop: 1}
	for i := range hgcal.Cells {
		s.images.Charge = append(s.images.Charge, float64(1+2*(i%2)))
	}
	for p, want := range map[float64]float64{0.25: 1, 0.5: 2, 0.75: 3} {
		if got := s.cellQuantile(p); math.Abs(got-want) > 1e-12 {
			t.Errorf("quantile %g = %g, want %g", p, got, want)
		}
	}
	for code, want := range map[float64]float64{1: 2, 15: 2, 17: 2, 31: 2, 34: 4, 58: 4, 68: 8, 124: 8, 136: 16} {
		if got := s.codeWidth(code); got != want {
			t.Errorf("code %g is %g wide, want %g", code, got, want)
		}
	}
}

func Example() {
	c := Check{Group: "low-density wafer", Name: "EMD of pairs", Got: 3.3, Want: 3.2, Tolerance: 0.1, Relative: true}
	fmt.Println(c.Name, "within tolerance:", c.OK())
	// Output: EMD of pairs within tolerance: true
}
