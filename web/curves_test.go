package web

import (
	"slices"
	"strings"
	"testing"

	"barrow/report"
	"barrow/run"
)

// TestRecolour: a training's curve in a report has the colour that the training had while it went
// on, whatever it is called there, and where that name is its own, on the whole page.
func TestRecolour(t *testing.T) {
	c := newCurves()
	var list []run.Epoch
	for k := range 3 {
		v := float64(k + 1)
		list = append(list, run.Epoch{Part: "cnn", Epoch: k + 1, Loss: 9 * v, Validation: 8 * v, Rate: v}, run.Epoch{Part: "encoder-emd", Epoch: k + 1, Loss: 2 * v, Validation: 3 * v, Rate: v})
	}
	c.add("", list)
	live := c.figures()
	if len(live) != 2 || !slices.Equal(live[0].Palette, []string{"cnn", "encoder-emd"}) {
		t.Fatalf("live: %+v", live)
	}
	curve := func(group string, y ...float64) report.Figure {
		return report.Figure{Title: group, Lines: &report.Lines{X: report.Axis{Label: "epoch"}, Series: []report.Line{{Name: group + ", validation", Group: group, Y: y}}}}
	}
	page := func(first, second string) *report.Page {
		return &report.Page{Palette: []string{"BC"}, Sections: []report.Section{{Figures: []report.Figure{curve(first, 3, 6, 9), curve(second, 8, 16, 24), curve("else", 1)}}}}
	}
	p := page("EMD", "the CNN")
	c.recolour(p)
	if got := p.Palette; !slices.Equal(got, []string{"the CNN", "EMD", "BC"}) {
		t.Errorf("the page's colours: %v", got)
	}
	if got := p.Sections[0].Figures[0].Palette; slices.Index(got, "EMD") != 1 {
		t.Errorf("a curve's: %v", got)
	}
	p = page("seed 1", "seed 1")
	c.recolour(p)
	if got := p.Palette; !slices.Equal(got, []string{"BC"}) {
		t.Errorf("the page's colours where names are shared: %v", got)
	}
	for i, want := range []int{1, 0} {
		if got := p.Sections[0].Figures[i].Palette; slices.Index(got, "seed 1") != want {
			t.Errorf("curve %d: %v", i, got)
		}
	}
}

// TestSharedNames: what the names of all trainings begin with is left out of legends and said below.
func TestSharedNames(t *testing.T) {
	epoch := func(part string) run.Epoch { return run.Epoch{Part: part, Epoch: 1, Loss: 2, Validation: 3, Rate: 1} }
	for _, test := range []struct {
		before  [2]string
		parts   []string
		want    []string
		caption string
	}{
		{parts: []string{"encoder-asic-emd-seed1", "encoder-asic-emd-cnn-seed1"}, want: []string{"seed1", "cnn-seed1"}, caption: "encoder-asic-emd-"},
		{parts: []string{"decoder", "decoder-given"}, want: []string{"decoder", "decoder-given"}},
		{parts: []string{"encoder-", "encoder-"}, want: []string{"encoder-"}},
		{parts: []string{"encoder-emd"}, want: []string{"encoder-emd"}},
		{before: [2]string{"a-1: ", "a-2: "}, parts: []string{"encoder-emd", "encoder-mse"}, want: []string{"a-1: emd", "a-2: mse"}, caption: "encoder-"},
	} {
		c := newCurves()
		for i, part := range test.parts {
			c.add(test.before[i], []run.Epoch{epoch(part)})
		}
		for _, f := range c.figures() {
			if !slices.Equal(f.Palette, test.want) || (f.Caption == "") != (test.caption == "") || !strings.Contains(f.Caption, test.caption) {
				t.Errorf("%s: %q, %q, want %q", f.Title, f.Palette, f.Caption, test.want)
			}
			for _, l := range f.Lines.Series {
				if !slices.Contains(f.Palette, l.Group) || !strings.HasPrefix(l.Name, l.Group) {
					t.Errorf("%s: the line %q of %q", f.Title, l.Name, l.Group)
				}
			}
		}
	}
}
