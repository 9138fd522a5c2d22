package physics

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/econt"
	"barrow/hgcal"
)

// readLinks reads a table from text.
func readLinks(t *testing.T, text string) (*LinkTable, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "links.csv")
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return ReadLinks(geometry, path)
}

// byLayer is a table of links that are the layer's number modulo 6.
func byLayer(separator string) string {
	text := "# allocation\nLayer" + separator + "elinks\n"
	for _, l := range geometry.Layers() {
		text += fmt.Sprintf("%d%s%d\n", l, separator, l%6)
	}
	return text
}

// byWafer is a table of the modules' own links with the wafers of so many sectors.
func byWafer(sectors int, column bool) string {
	text := "waferv,layer,waferu,kind,links"
	if column {
		text += ",sector"
	}
	text += "\n"
	for i := range geometry.Len() {
		w := geometry.Wafer(i)
		switch {
		case w.Sector >= sectors:
		case column:
			text += fmt.Sprintf("%d,%d,%d,%s,%d,%d\n", w.Module.V, w.Module.Layer, w.Module.U, w.Module.Kind, w.Module.Links, w.Sector)
		default:
			text += fmt.Sprintf("%d,%d,%d,%s,%d\n", w.V, w.Module.Layer, w.U, w.Module.Kind, w.Module.Links)
		}
	}
	return text
}

// TestReadLinks: tables by layer, by wafer of one sector, of the endcap and by sector.
func TestReadLinks(t *testing.T) {
	own := ModuleLinks(geometry)
	for _, text := range []string{byWafer(1, false), byWafer(1, true), byWafer(hgcal.Sectors, false), byWafer(hgcal.Sectors, true)} {
		got, err := readLinks(t, text)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.links, own.links) || got.Name() != "links.csv" {
			t.Errorf("table %s beginning %q is not the modules' own", got.Name(), text[:40])
		}
	}
	for _, separator := range []string{",", ";", "\t", " "} {
		got, err := readLinks(t, byLayer(separator))
		if err != nil {
			t.Fatal(err)
		}
		for i := range geometry.Len() {
			if n := geometry.Wafer(i).Module.Layer % 6; got.Links(i) != n {
				t.Fatalf("wafer %d in layer %d: %d links", i, geometry.Wafer(i).Module.Layer, got.Links(i))
			}
		}
		if counts := got.Counts(); !slices.Equal(counts, []int{0, 1, 2, 3, 4, 5}) {
			t.Errorf("counts %v", counts)
		}
	}
	sum := 0
	for _, m := range hgcal.GeometryV11.Modules() {
		sum += m.Links
	}
	if want := float64(sum) / float64(len(hgcal.GeometryV11.Modules())); own.Mean() != want {
		t.Errorf("%v links on average, want %v", own.Mean(), want)
	}
}

func TestReadLinksErrors(t *testing.T) {
	layers, wafers := byLayer(","), byWafer(1, false)
	cut := func(s string) string { return s[:strings.LastIndexByte(strings.TrimSuffix(s, "\n"), '\n')+1] }
	for _, tc := range []struct{ text, want string }{
		{"", ":1: the file is empty"},
		{"9,3\n", ":1: the first row names no column layer"},
		{"layer,bits\n9,3\n", ":1: the first row names no column layer, or none of links"},
		{"layer,waferu,links\n", ":1: one of the columns waferu and waferv"},
		{"layer,sector,links\n", ":1: a column sector without"},
		{"layer,links,links\n", `:1:3: two columns are called "links"`},
		{"layer,links\n9,3,1\n", ":2: 3 columns, want 2"},
		{"layer,links\n9.5,3\n", `:2:1: layer "9.5": want a whole number`},
		{"layer,links\n9,many\n", `:2:2: links "many": want a whole number`},
		{"layer,links\n9,14\n", ":2:2: 14 links: the chip has 0 to 13"},
		{"layer,links\n9,-1\n", ":2:2: -1 links"},
		{"layer,links\n10,1\n", ":2:1: layer 10 makes no trigger data in geometry v11"},
		{layers + "9,3\n", ":39:1: layer 9 once more, after row 7"},
		{cut(layers), ":37: the table ends without layer 50; wafers without a row: "},
		{wafers + wafers[len(cut(wafers)):], "once more, after row 3465"},
		{wafers + "40,9,3,FM,2\n", "layer 9 of geometry v11 has no wafer 3, 40"},
		{cut(wafers), "wafers without a row: 1"},
		{byWafer(2, true), "in sector 2; wafers without a row: 3464"},
	} {
		_, err := readLinks(t, tc.text)
		if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "physics: links: ") {
			t.Errorf("%v, want %q", err, tc.want)
		}
	}
	if _, err := ReadLinks(geometry, filepath.Join(t.TempDir(), "none.csv")); err == nil || !strings.Contains(err.Error(), "none.csv") {
		t.Errorf("a file that is not there: %v", err)
	}
	for _, n := range []int{0, -1, econt.MaxETx + 1} {
		if _, err := SameLinks(geometry, n); err == nil {
			t.Errorf("%d links are none", n)
		}
	}
}
