package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"barrow/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

// elements parses a document strictly as XML and returns its start elements.
func elements(t *testing.T, name string, doc []byte) []xml.StartElement {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(doc))
	var list []xml.StartElement
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatalf("%s: not well formed: %v", name, err)
		}
		if e, ok := tok.(xml.StartElement); ok {
			list = append(list, e.Copy())
		}
	}
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func write(t *testing.T, p report.Page) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := report.Write(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func svg(t *testing.T, f report.Figure) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := report.SVG(&b, f); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func figures(p report.Page) []report.Figure {
	var list []report.Figure
	for _, s := range p.Sections {
		list = append(list, s.Figures...)
	}
	return list
}

// small is a page with one tiny figure of every kind, for the golden files.
func small() report.Page {
	square := func(x float64) [][2]float64 { return [][2]float64{{x, 0}, {x + 1, 0}, {x + 1, 1}, {x, 1}} }
	return report.Page{
		Title: "Small", Subtitle: "one of each", Summary: []string{"Two p_T & <b>."},
		Tables: []report.Table{{Columns: []report.Column{{Name: "loss"}, {Name: "EMD", Unit: "cm", Numeric: true}},
			Rows: [][]string{{"a", "1.0"}, {"b", "0.5"}}, Emphasis: []int{1}, Note: "two losses"}},
		Sections: []report.Section{{Title: "All", Text: []string{"text"}, Figures: []report.Figure{
			{ID: "wafers", Title: "Wafers", Wafers: &report.Wafers{Cells: [][][2]float64{square(0), square(1)}, Unit: "ADC counts",
				Columns: []string{"a"}, Rows: []report.WaferRow{{Name: "first", Input: []float64{0, 2}, Decoded: [][]float64{{0.5, 1.5}}, Notes: []string{"EMD 0.25"}}}}},
			{ID: "profile", Title: "Profile", Caption: "two series", Profile: &report.Profile{X: report.Axis{Label: "occupancy"}, Y: report.Axis{Label: "EMD", Unit: "cm"},
				Edges: []float64{0, 1, 2, 3}, Series: []report.Band{
					{Name: "a", Mid: []float64{1, 2, 3}, Low: []float64{0.5, 1, 2}, High: []float64{2, 3, 4}},
					{Name: "b", Mid: []float64{1, math.NaN(), 1}, Low: []float64{1, 0, 1}, High: []float64{2, 0, 2}, Count: []int{3, 0, 4}}}}},
			{ID: "density", Title: "Density", Density: &report.Density{X: report.Axis{Label: "x"}, Y: report.Axis{Label: "y"}, Diagonal: true,
				XEdges: []float64{0, 1, 2}, YEdges: []float64{0, 1, 2}, Count: []float64{5, 0, 1, 100}}},
			{ID: "histogram", Title: "Histogram", Histogram: &report.Histogram{X: report.Axis{Label: "x"}, Y: report.Axis{Label: "n", Log: true},
				Edges: []float64{-1, 0, 1, 2}, Series: []report.Counts{{Name: "a", Count: []float64{0, 10, 1000}}, {Name: "b", Count: []float64{5, 5, 5}}},
				Marks: []report.Mark{{Name: "mean", At: 0.5}}}},
			{ID: "lines", Title: "Lines", Lines: &report.Lines{X: report.Axis{Label: "epoch"}, Y: report.Axis{Label: "loss", Log: true}, Series: []report.Line{
				{Name: "a, training", Group: "a", X: []float64{1, 2, 3}, Y: []float64{1, 0.1, 0.01}},
				{Name: "a, validation", Group: "a", X: []float64{1, 2, 3}, Y: []float64{2, 0.2, 0.02}, Dashed: true},
				{Name: "b, training", Group: "b", X: []float64{2}, Y: []float64{0.3}}}}},
			{ID: "bars", Title: "Error bars", Label: &report.Label{Experiment: "Barrow", Status: "Simulation", Right: "√s = 14 TeV, 200 PU"},
				Lines: &report.Lines{X: report.Axis{Label: "p_T", Unit: "GeV"}, Y: report.Axis{Label: "resolution"}, Series: []report.Line{
					{Name: "a", X: []float64{1, 2}, Y: []float64{3, 2}, Low: []float64{2.5, 1.5}, High: []float64{3.5, 2.25}, Points: true},
					{Name: "b", X: []float64{1.5, 2}, Y: []float64{2, 1}, XLow: []float64{1, 1.75}, XHigh: []float64{2, 2.5}, Loose: true}}}},
			{ID: "intervals", Title: "Intervals", Intervals: &report.Intervals{X: report.Axis{Label: "ratio"}, Spread: "95 % interval",
				Rows: []report.Interval{{Name: "a", Value: 1, Low: 1, High: 1}, {Name: "b", Value: 0.7, Low: 0.65, High: 0.76}}, Marks: []report.Mark{{Name: "one", At: 1}}}},
			{ID: "areas", Title: "Areas", Areas: &report.Areas{X: report.Axis{Label: "x", Unit: "cm"}, Y: report.Axis{Label: "y", Unit: "cm"},
				Kinds: []report.AreaKind{{Name: "a", Areas: [][][2]float64{{{0, 0}, {1, 0}, {1, 1}}}}, {Name: "b", Areas: [][][2]float64{{{0, 0}, {0, 3}, {1, 1}}, {{2, 2}, {3, 2}, {3, 3}}}}, {Name: "none"}}}},
			{ID: "steps", Title: "Steps", Areas: &report.Areas{X: report.Axis{Label: "x"}, Y: report.Axis{Label: "y"}, Ordered: true,
				Kinds: []report.AreaKind{{Name: "0 – 1", Areas: [][][2]float64{{{0, 0}, {1, 0}, {1, 1}}}}, {Name: "1 – 2"}, {Name: "2 – 3", Areas: [][][2]float64{{{0, 0}, {0, 1}, {1, 1}}}}}}},
			{ID: "transport", Title: "Transport", Transport: &report.Transport{Unit: "decoded − input", Moves: "counts", Values: transported(), Cells: cellNames(),
				Arrows: []report.Arrow{{From: 5, To: 5, Mass: 9}, {From: 3, To: 20, Mass: 4}, {From: 3, To: 47, Mass: 1}}}},
			{ID: "front", Title: "Front", Front: &report.Front{X: report.Axis{Label: "multiplications"}, Y: report.Axis{Label: "EMD", Unit: "cm"}, Points: []report.FrontPoint{
				{Name: "a", X: 0, Y: 2, Low: 1.9, High: 2.1}, {Name: "b", X: 700, Y: 2.2, Low: 2.2, High: 2.2}, {Name: "c", X: 2700, Y: 1.2, Low: 1, High: 1.3}, {Name: "d", X: 2700, Y: 1.21, Low: 1, High: 1.3}}}},
			{ID: "ranks", Title: "Ranks", Ranks: &report.Ranks{Critical: 1.1, Rows: []report.Rank{{Name: "a", Mean: 3.4}, {Name: "b", Mean: 1.2}, {Name: "c", Mean: 3.2}, {Name: "d", Mean: 2.2}},
				Groups: [][]int{{1, 3}, {3, 2}, {2, 0}}}},
		}}},
		Footer: []string{"seed 1"},
	}
}

// transported is the difference that the arrows of the page make.
func transported() []float64 {
	v := make([]float64, 48)
	v[3], v[20], v[47] = -5, 4, 1
	return v
}

func cellNames() (list []string) {
	for i := range 48 {
		list = append(list, fmt.Sprintf("cell %d, \"%d\"", i, 2*i))
	}
	return list
}

// TestCells: the page has a shape with a name for each cell, files have none.
func TestCells(t *testing.T) {
	page := small()
	f, _ := page.Figure("transport")
	shapes := func(doc []byte) (list []string) {
		for _, e := range elements(t, "transport", doc) {
			if attr(e, "class") == "cell" {
				list = append(list, attr(e, "data-cell")+" "+attr(e, "aria-label"))
			}
		}
		return list
	}
	var b bytes.Buffer
	if err := report.Inline(&b, report.Page{Title: "t", Sections: []report.Section{{Title: "s", Figures: []report.Figure{f}}}}); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b.Bytes(), []byte("style=")) || bytes.Contains(b.Bytes(), []byte("<style")) {
		t.Error("what is drawn for another's page has a style of its own")
	}
	if list := shapes(b.Bytes()); len(list) != 48 || list[7] != `7 cell 7, "14"` {
		t.Errorf("cells of the page: %q", list)
	}
	if list := shapes(svg(t, f)); len(list) > 0 {
		t.Errorf("cells of the file: %q", list)
	}
	for _, class := range []string{".n2{--n:2}", ".n9{--n:9}", "--paper:", "prefers-color-scheme:dark"} {
		if !strings.Contains(report.Style(), class) {
			t.Errorf("the style sheet lacks %s", class)
		}
	}
}

func TestGolden(t *testing.T) {
	page := small()
	files := map[string][]byte{"page.html": write(t, page)}
	for _, f := range figures(page) {
		f, ok := page.Figure(f.ID)
		if !ok {
			t.Fatalf("figure %q is not found", f.ID)
		}
		files[f.ID+".svg"] = svg(t, f)
	}
	for name, got := range files {
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs from the golden file; look at it, then run go test ./report -run Golden -args -update", path)
		}
	}
}

// outside finds what would make a browser ask the network or run code.
var outside = regexp.MustCompile(`(?i)https?:|//[a-z]|<script|javascript:|\bsrc=|url\(|@import|<link|<iframe|<object|\bon[a-z]+=`)

// TestSound checks the sample page and its figures: well formed, nothing from
// outside, every number finite, identifiers used once, drawings described.
func TestSound(t *testing.T) {
	page := sample()
	docs := map[string][]byte{"page": write(t, page), "small": write(t, small())}
	for _, f := range append(figures(page), figures(small())...) {
		docs[f.ID+".svg"] = svg(t, f)
	}
	for name, doc := range docs {
		text := strings.Replace(string(doc), `xmlns="http://www.w3.org/2000/svg"`, "", 1)
		if m := outside.FindString(text); m != "" {
			t.Errorf("%s holds %q", name, m)
		}
		if m := regexp.MustCompile(`NaN|[+-]Inf\b|="-?\d+e`).FindString(text); m != "" {
			t.Errorf("%s holds the number %q", name, m)
		}
		ids := map[string]int{}
		var wanted []string
		for _, e := range elements(t, name, doc) {
			if id := attr(e, "id"); id != "" {
				ids[id]++
			}
			wanted = append(wanted, strings.Fields(attr(e, "aria-labelledby"))...)
			if h := attr(e, "href"); h != "" {
				wanted = append(wanted, strings.TrimPrefix(h, "#"))
			}
			if e.Name.Local == "svg" && attr(e, "aria-hidden") != "true" && (attr(e, "role") != "img" && attr(e, "role") != "group" || attr(e, "aria-label") == "") {
				t.Errorf("%s: a drawing has no description", name)
			}
		}
		for id, n := range ids {
			if n != 1 {
				t.Errorf("%s: id %q is used %d times", name, id, n)
			}
		}
		for _, id := range wanted {
			if ids[id] != 1 {
				t.Errorf("%s: nothing has the id %q", name, id)
			}
		}
	}
}

// hostile puts text into every string of v, leaving IDs alone.
func hostile(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			hostile(v.Elem(), text)
		}
	case reflect.Slice:
		for i := range v.Len() {
			hostile(v.Index(i), text)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Name != "ID" {
				hostile(v.Field(i), text)
			}
		}
	case reflect.String:
		v.SetString(text)
	}
}

func TestEscaping(t *testing.T) {
	for _, text := range []string{`"><script>alert(1)</script><img src=x onerror=y>`, `'--></style></svg>&lt;`, "a\x00b\x01\xff\ufffe\nc", "{{.Title}}", "MIP_T<i>"} {
		page := small()
		hostile(reflect.ValueOf(&page), text)
		doc := write(t, page)
		for _, e := range elements(t, "page", doc) {
			switch n := e.Name.Local; n {
			case "script", "img", "i":
				t.Errorf("%q became an element %s", text, n)
			}
		}
		if got, want := len(elements(t, "page", doc)), 100; got < want {
			t.Errorf("%q: only %d elements are left", text, got)
		}
		for _, f := range figures(page) {
			for _, e := range elements(t, f.ID, svg(t, f)) {
				switch n := e.Name.Local; n {
				case "svg", "style", "rect", "path", "circle", "text":
				default:
					t.Errorf("%s: %q made an element %s", f.ID, text, n)
				}
			}
		}
	}
}

// TestDeterministic draws twice, and again from JSON.
func TestDeterministic(t *testing.T) {
	page := sample()
	first := write(t, page)
	if !bytes.Equal(first, write(t, page)) {
		t.Error("the same page gave different bytes")
	}
	data, err := json.Marshal(page)
	if err != nil {
		t.Fatal(err)
	}
	var back report.Page
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, write(t, back)) {
		t.Error("the page read back from JSON gave different bytes")
	}
}

// spoil walks over every number of v and calls visit with a setter for each.
func spoil(v reflect.Value, path string, visit func(path string, set func(float64))) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			spoil(v.Elem(), path, visit)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			spoil(v.Index(i), fmt.Sprintf("%s[%d]", path, i), visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			spoil(v.Field(i), path+"."+v.Type().Field(i).Name, visit)
		}
	case reflect.Float64:
		visit(path, v.SetFloat)
	}
}

// TestNotFinite puts NaN and infinities in the place of every number of every
// figure in turn: each must be refused by an error naming the figure, with
// nothing written. The one number that may be anything is in an empty bin.
func TestNotFinite(t *testing.T) {
	tried := 0
	for k := range figures(small()) {
		probe := figures(small())[k]
		var paths []string
		spoil(reflect.ValueOf(&probe), "", func(p string, _ func(float64)) { paths = append(paths, p) })
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e200} {
			for i, p := range paths {
				if strings.HasPrefix(p, ".Profile.Series[1]") && strings.HasSuffix(p, "[1]") {
					continue
				}
				f := figures(small())[k]
				at := 0
				spoil(reflect.ValueOf(&f), "", func(_ string, set func(float64)) {
					if at == i {
						set(bad)
					}
					at++
				})
				var b bytes.Buffer
				err := report.Write(&b, report.Page{Title: "x", Sections: []report.Section{{Title: "s", Figures: []report.Figure{f}}}})
				if err == nil || !strings.Contains(err.Error(), strconv.Quote(f.ID)) || !strings.HasPrefix(err.Error(), "report: ") {
					t.Errorf("%s%s = %v: error %v", f.ID, p, bad, err)
				}
				if b.Len() > 0 {
					t.Errorf("%s%s = %v: %d bytes were written", f.ID, p, bad, b.Len())
				}
				tried++
			}
		}
	}
	if tried < 200 {
		t.Errorf("only %d numbers were tried", tried)
	}
}

func TestNoData(t *testing.T) {
	x, y := report.Axis{Label: "x"}, report.Axis{Label: "y"}
	for _, f := range []report.Figure{
		{ID: "wafers", Wafers: &report.Wafers{Columns: []string{"a"}}},
		{ID: "profile", Profile: &report.Profile{X: x, Y: y, Edges: []float64{0, 1}, Series: []report.Band{{Name: "a", Mid: []float64{0}, Low: []float64{0}, High: []float64{0}, Count: []int{0}}}}},
		{ID: "density", Density: &report.Density{X: x, Y: y, XEdges: []float64{0, 1}, YEdges: []float64{0, 1}, Count: []float64{0}}},
		{ID: "histogram", Histogram: &report.Histogram{X: x, Y: y, Edges: []float64{0, 1}, Series: []report.Counts{{Name: "a", Count: []float64{0}}}}},
		{ID: "lines", Lines: &report.Lines{X: x, Y: y, Series: []report.Line{{Name: "a"}}}},
		{ID: "intervals", Intervals: &report.Intervals{X: x}},
		{ID: "areas", Areas: &report.Areas{X: x, Y: y, Kinds: []report.AreaKind{{Name: "a"}}}},
		{ID: "transport", Transport: &report.Transport{Unit: "charge"}},
		{ID: "profile0", Profile: &report.Profile{X: x, Y: y, Series: []report.Band{{Name: "a"}}}},
		{ID: "density0", Density: &report.Density{X: x, Y: y}},
		{ID: "histogram0", Histogram: &report.Histogram{X: x, Y: y}},
	} {
		f.Title = "nothing"
		if doc := string(svg(t, f)); !strings.Contains(doc, ">no data</text>") || !strings.Contains(doc, "nothing: no data.") {
			t.Errorf("%s does not say that there is no data:\n%s", f.ID, doc)
		}
		doc := write(t, report.Page{Title: "p", Sections: []report.Section{{Title: "s", Figures: []report.Figure{f}}}})
		if !bytes.Contains(doc, []byte(">no data</text>")) {
			t.Errorf("%s: the page does not say that there is no data", f.ID)
		}
	}
}

func TestPNG(t *testing.T) {
	page := sample()
	emd, _ := page.Figure("emd-occupancy")
	two := []report.Figure{wafers(rand.New(rand.NewPCG(1, 1)), 1), emd}
	var a, b bytes.Buffer
	if err := report.PNG(&a, two...); err != nil {
		t.Fatal(err)
	}
	if err := report.PNG(&b, two...); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("the same figures gave different bytes")
	}
	im, err := png.Decode(&a)
	if err != nil {
		t.Fatal(err)
	}
	if s := im.Bounds().Size(); s.X < 2000 || s.Y < 600 {
		t.Errorf("the picture has %v points", s)
	}
	colours := map[[3]uint32]bool{}
	for y := 0; y < im.Bounds().Dy(); y += 3 {
		for x := 0; x < im.Bounds().Dx(); x += 3 {
			r, g, b, _ := im.At(x, y).RGBA()
			colours[[3]uint32{r, g, b}] = true
		}
	}
	if len(colours) < 40 {
		t.Errorf("the picture has only %d colours", len(colours))
	}
	if err := report.PNG(&b); err == nil {
		t.Error("a picture of nothing was drawn")
	}
}
