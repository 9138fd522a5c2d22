package losses

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"barrow/internal/counter"
	"barrow/report"
	"barrow/wafer"
)

func small(names ...string) Plan {
	p := Default()
	p.Events, p.Losses = 60, names
	return p
}

// TestRun: what is the distance correlates wholly, what approximates it better than an MSE; the
// figures but the times are the same again, whatever the threads.
func TestRun(t *testing.T) {
	p := small("mse", "sliced", "emd", "2*emd", "energy")
	run := func(threads int) *Result {
		r, err := Run(context.Background(), p, Settings{Seed: 3, Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := run(1)
	if len(r.Rows) != 5 || r.Pairs%5 != 0 || r.Pairs < 250 || len(r.Mean) != 5 || slices.Min(r.Mean) < 0.05 {
		t.Fatalf("%+v", r)
	}
	mse, sliced, emd, twice, energy := r.Rows[0], r.Rows[1], r.Rows[2], r.Rows[3], r.Rows[4]
	if emd.Spearman < 1-1e-9 || emd.Error > 1e-5 || emd.Root || math.Abs(emd.Scale-1) > 1e-6 || math.Abs(twice.Scale-0.5) > 1e-6 {
		t.Errorf("the distance itself: %+v, %+v", emd, twice)
	}
	if !mse.Root || mse.Spearman > 0.98 || sliced.Spearman < 0.98 || sliced.Error > mse.Error/2 || energy.Spearman > 0.7 {
		t.Errorf("%+v\n%+v\n%+v", mse, sliced, energy)
	}
	for _, row := range r.Rows {
		if !(row.Microseconds > 0) || len(row.Each) != 5 {
			t.Errorf("%+v", row)
		}
	}
	again := run(2)
	for i := range r.Rows {
		r.Rows[i].Microseconds, again.Rows[i].Microseconds = 0, 0
	}
	if a, b := fmt.Sprintf("%+v", r), fmt.Sprintf("%+v", again); a != b {
		t.Errorf("again:\n%s\n%s", a, b)
	}
	if text := r.Text(); strings.Count(text, "\n") != 6 || !strings.Contains(text, "2*emd\t1.000\t0.000") || !strings.Contains(text, "√ 0.") {
		t.Error(text)
	}
	var b bytes.Buffer
	if err := report.Write(&b, r.Page()); err != nil || !strings.Contains(b.String(), "sliced EMD") {
		t.Error(err)
	}
}

func TestErrors(t *testing.T) {
	for want, p := range map[string]Plan{
		"unknown loss":        small("emdd"),
		"is two losses":       small("emd@mse"),
		"no loss":             small(),
		"are the same loss":   small("emd", "1*emd"),
		"want two at least":   func() Plan { p := small("mse"); p.Events = 1; return p }(),
		"no such file":        func() Plan { p := small("mse"); p.Metric = "no such file"; return p }(),
		"from 1 to 6":         small("fss:radius=9"),
		"exceeds 90000 MIP_T": small("mse+csi:threshold=90000"),
		"it may be mixed":     func() Plan { p := small("mse"); p.Preset = "x"; return p }(),
		"no such file or dir": func() Plan { p := small("emd-cnn"); p.CNN = "no such file"; return p }(),
	} {
		if _, err := Run(context.Background(), p, Settings{Seed: 1}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error with %q", err, want)
		}
	}
}

// TestDistortions: of strength 0 all leave the image, and blurring, displacing and mixing keep the sum.
func TestDistortions(t *testing.T) {
	image, other := make([]float64, 48), make([]float64, 48)
	image[20], image[7], other[40] = 1, 0.25, 1.25
	for _, d := range distortions {
		r := counter.New(1, 2)
		out := make([]float64, 48)
		d.apply(out, image, other, 0, &r)
		if !slices.Equal(out, image) {
			t.Errorf("%s of strength 0: %v", d.name, out)
		}
		clear(out)
		d.apply(out, image, other, 0.9, &r)
		if slices.Equal(out, image) || slices.Min(out) < 0 {
			t.Errorf("%s: %v", d.name, out)
		}
		if sum := wafer.Sum(out); d.name != "dropout and noise" && d.name != "gain noise" && math.Abs(sum-1.25) > 1e-12 {
			t.Errorf("%s: the sum is %v", d.name, sum)
		}
	}
}

func TestSpearman(t *testing.T) {
	for _, c := range []struct {
		a, b []float64
		want float64
	}{
		{[]float64{1, 2, 30}, []float64{5, 6, 7}, 1},
		{[]float64{1, 2, 3}, []float64{3, 2, 1}, -1},
		{[]float64{1, 1, 2, 3}, []float64{1, 2, 2, 4}, 0.8333333333}, // scipy.stats.spearmanr
		{[]float64{1, 1, 1}, []float64{1, 2, 3}, 0},
	} {
		if got := spearman(c.a, c.b); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%v, %v: %v, want %v", c.a, c.b, got, c.want)
		}
	}
}

func ExampleRun() {
	p := Default()
	p.Events, p.Losses = 100, []string{"emd", "sliced:count=4"}
	r, err := Run(context.Background(), p, Settings{Seed: 1})
	fmt.Println(len(r.Rows), r.Rows[1].Spearman > 0.97, err)
	// Output: 2 true <nil>
}
