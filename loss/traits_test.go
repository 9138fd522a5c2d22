package loss

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// A loss that only this file knows of: nothing else is told its name.
var _ = register("test-only", Traits{
	Label: "test loss", Help: "nothing that anybody wants", Sees: SeesShape, CNN: true, Cost: 7,
}, func(Resources) (Loss, error) { return cellwise{"test-only", Cells, squared}, nil })

// TestOneFile: a loss touches one file. Names, help, traits, sums and parsing know
// the one above.
func TestOneFile(t *testing.T) {
	if !slices.Contains(Names(), "test-only") {
		t.Errorf("not among the names: %v", Names())
	}
	if want := "  test-only        nothing that anybody wants\n"; !strings.Contains(Help(), want) {
		t.Errorf("not in the help:\n%s", Help())
	}
	got, err := Describe("2*test-only+energy")
	want := Traits{Label: "2·test loss + energy", Help: "2·test loss + energy", Sees: SeesShape | SeesTotal, CNN: true, Cost: 7}
	if err != nil || got != want || !got.ShapeOnly() {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if l, err := Parse("test-only + 3*mse", Resources{}); err != nil || l.Name() != "test-only+3*mse" {
		t.Errorf("%v, %v", l, err)
	}
	if _, err := Parse("tset-only", Resources{}); err == nil || !strings.Contains(err.Error(), "test-only") {
		t.Errorf("an unknown name: %v, want the list", err)
	}
}

// TestTraits: what reports, plans and progress bars ask of the losses there are.
func TestTraits(t *testing.T) {
	for text, want := range map[string]struct {
		label      string
		shape, cnn bool
		cost       float64
	}{
		"weighted-mse":      {"weighted MSE", false, false, 1},
		"telescope":         {"telescope MSE", false, false, 1.2},
		"telescope-equal":   {"telescope MSE (equal weights)", false, false, 1.2},
		"emd":               {"exact EMD", true, false, 2},
		"emd-cnn":           {"EMD CNN", true, true, 9.4},
		"sliced":            {"sliced EMD", true, false, 2.1},
		"sinkhorn":          {"Sinkhorn divergence", true, false, 66},
		"energy":            {"energy", false, false, 1},
		"emd + 0.1*energy":  {"exact EMD + 0.1·energy", true, false, 2},
		"0.5*sliced":        {"0.5·sliced EMD", true, false, 2.1},
		"emd+0.1*telescope": {"exact EMD + 0.1·telescope MSE", false, false, 2.2},
		"emd@telescope":     {"exact EMD, encoder by telescope MSE", true, false, 3.2},
		"mse@emd-cnn":       {"MSE, encoder by EMD CNN", false, true, 10.4},
	} {
		got, err := Describe(text)
		if err != nil || got.Label != want.label || got.ShapeOnly() != want.shape || got.CNN != want.cnn || math.Abs(got.Cost-want.cost) > 1e-9 {
			t.Errorf("%s: %+v, %v; want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "emdd", "emd@", "@emd", "emd@best", "emd@mse@mse", "0*emd"} {
		if _, err := Describe(text); err == nil || Label(text) != text {
			t.Errorf("%q: no error, or it has the label %q", text, Label(text))
		}
	}
}

func TestDistinct(t *testing.T) {
	got, err := Distinct([]string{" emd", "1*emd + energy", "1e6 * mse", "emd @ telescope", "2*emd"})
	if want := []string{"emd", "emd+energy", "1e06*mse", "emd@telescope", "2*emd"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	for _, c := range []struct {
		list []string
		want string
	}{
		{[]string{"emd", "mse", "emd"}, `"emd" is named twice`},
		{[]string{"emd", "emd "}, `"emd" and "emd " are the same loss`},
		{[]string{"emd+energy", "energy + 1*emd"}, `"emd+energy" and "energy + 1*emd" are the same loss`},
		{[]string{"2*emd", "emd+emd"}, "are the same loss"},
		{[]string{"emd@mse", "emd @ 1.0*mse"}, "are the same loss"},
		{[]string{"emd", "emdd"}, `unknown loss "emdd"`},
	} {
		if _, err := Distinct(c.list); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.list, err, c.want)
		}
	}
}
