package rootio

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"barrow/hgcal"
	"barrow/internal/root"
	"barrow/wafer"
)

// fake is a table in memory.
type fake struct {
	columns []root.Column
	values  [][][]float64 // by column and entry
	texts   map[string][]string
	about   string
}

func (f *fake) Kind() string           { return "TTree" }
func (f *fake) Columns() []root.Column { return f.columns }
func (f *fake) About(int) string       { return f.about }
func (f *fake) Entries() int64 {
	if len(f.values) == 0 {
		return 0
	}
	return int64(len(f.values[0]))
}

// add adds a column, of numbers as they stand in text: entries by ";", values by ",".
func (f *fake) add(name string, kind root.Kind, n int, text string) *fake {
	var values [][]float64
	for _, entry := range strings.Split(text, ";") {
		v := []float64{}
		for _, s := range strings.Split(entry, ",") {
			if s = strings.TrimSpace(s); s == "" {
				continue
			}
			x := 0.0
			if _, err := fmt.Sscan(s, &x); err != nil {
				panic(err)
			}
			v = append(v, x)
		}
		values = append(values, v)
	}
	f.columns = append(f.columns, root.Column{Name: name, Type: "vector<float>", Kind: kind, Len: n})
	f.values = append(f.values, values)
	return f
}

// set replaces a column's values.
func (f *fake) set(name, text string) *fake {
	i := slices.IndexFunc(f.columns, func(c root.Column) bool { return c.Name == name })
	c := f.columns[i]
	last := len(f.columns)
	f.add(name, c.Kind, c.Len, text)
	f.values[i] = f.values[last]
	f.columns, f.values = f.columns[:last], f.values[:last]
	return f
}

// drop takes a column away.
func (f *fake) drop(name string) *fake {
	i := slices.IndexFunc(f.columns, func(c root.Column) bool { return c.Name == name })
	f.columns, f.values = slices.Delete(f.columns, i, i+1), slices.Delete(f.values, i, i+1)
	return f
}

func (f *fake) Reader(i int) (root.Reader, error) {
	return fakeReader{f, i}, nil
}

type fakeReader struct {
	f *fake
	i int
}

func (r fakeReader) Read(a *root.Array, first int64, n int) error {
	a.Offsets, a.Int, a.Float, a.Text = append(a.Offsets[:0], 0), a.Int[:0], a.Float[:0], a.Text[:0]
	for _, entry := range r.f.values[r.i][first : first+int64(n)] {
		for _, v := range entry {
			switch r.f.columns[r.i].Kind {
			case root.Float:
				a.Float = append(a.Float, v)
			case root.Text:
				a.Text = append(a.Text, r.f.texts[r.f.columns[r.i].Name][int(v)])
			default:
				a.Int = append(a.Int, int64(v))
			}
		}
		a.Offsets = append(a.Offsets, len(a.Float)+len(a.Int)+len(a.Text))
	}
	return nil
}

// cellsTable has one event of a cell at (0,0) and one at (7,4) of a wafer, and one of
// a tile.
func cellsTable() *fake {
	return new(fake).
		add("event", root.Int, 1, "5;6").
		add("tc_n", root.Int, 1, "2;1").
		add("tc_zside", root.Int, -1, "1,1;1").
		add("tc_subdet", root.Int, -1, "1,1;10").
		add("tc_layer", root.Int, -1, "9,9;40").
		add("tc_waferu", root.Int, -1, "3,3;-999").
		add("tc_waferv", root.Int, -1, "-2,-2;-999").
		add("tc_wafertype", root.Int, -1, "0,0;0").
		add("tc_cellu", root.Int, -1, "0,7;17").
		add("tc_cellv", root.Int, -1, "0,4;120").
		add("tc_data", root.Uint, -1, "1000,7;3").
		add("tc_mipPt", root.Float, -1, "1.5,2;3").
		add("tc_eta", root.Float, -1, "2,2.1;1.5").
		add("tc_phi", root.Float, -1, "3.1,-3.1;0").
		add("tc_simenergy", root.Float, -1, "3,1;4")
}

// read reads all images of a table.
func read(f *fake, s wafer.ReadSettings) (*wafer.Set, *reader, error) {
	p := planOf("f.root: t", f, s)
	if p.start == nil {
		return nil, nil, fmt.Errorf("%s", p.says)
	}
	r, err := newReader("f.root: t", f, p)
	if err != nil {
		return nil, nil, err
	}
	var all, part wafer.Set
	for {
		_, err := r.Read(&part, 10)
		if err == io.EOF {
			return &all, r, nil
		}
		if err != nil {
			return nil, r, err
		}
		if err := all.Append(&part); err != nil {
			return nil, r, err
		}
	}
}

func TestCells(t *testing.T) {
	set, r, err := read(cellsTable(), wafer.ReadSettings{})
	if err != nil {
		t.Fatal(err)
	}
	if set.Len() != 1 {
		t.Fatalf("%d images", set.Len())
	}
	// round(2048/cosh 2) = 544; round(2048/cosh 2.1) = 494.
	if im := set.Image(0); im[47] != math.Floor(1000*544/2048.) || im[0] != math.Floor(7*494/2048.) || wafer.Sum(im) != im[47]+im[0] {
		t.Errorf("%v", im)
	}
	for name, want := range map[string]string{"event": "5", "entry": "0", "zside": "1", "subdet": "1", "layer": "9", "waferu": "3", "waferv": "-2",
		"wafertype": "0", "HD_LD": "HD", "eta": "2.05", "SimEnergyTotal": "4", "EventSimEnergy": "4", "SimEnergyFraction": "1"} {
		if c := set.Column(name); c == nil || c.Value(0) != want {
			t.Errorf("%s: %v, want %s", name, c, want)
		}
	}
	if phi := set.Column("phi").Float[0]; math.Abs(math.Abs(phi)-math.Pi) > 1e-12 {
		t.Errorf("the mean of 3.1 and -3.1 is %g", phi)
	}
	if remarks := strings.Join(r.Remarks(), "\n"); !strings.Contains(remarks, "1 of 3 items of tc_* are tiles") {
		t.Error(remarks)
	}
	if in := r.Info(); in.Unit != "calq" || !in.OrderSaid {
		t.Errorf("%+v", in)
	}
	if share, ok := r.Share(); !ok || share != 1 {
		t.Errorf("%g of it read", share)
	}
}

// TestOtherNames reads the same of collections and other prefixes.
func TestOtherNames(t *testing.T) {
	want, _, err := read(cellsTable(), wafer.ReadSettings{})
	if err != nil {
		t.Fatal(err)
	}
	for name, rename := range map[string]func(string) string{
		"collection":         func(s string) string { return strings.Replace(s, "tc_", "tc._0.", 1) },
		"branch and leaf":    func(s string) string { return s + "/" + s },
		"record":             func(s string) string { return "all." + s },
		"prefix of its own":  func(s string) string { return strings.Replace(s, "tc_", "L1THGCAL_TC_", 1) },
		"number in front":    func(s string) string { return strings.Replace(s, "tc_n", "ntc", 1) },
		"no number of cells": func(s string) string { return strings.Replace(s, "tc_n", "other", 1) },
	} {
		f := cellsTable()
		for i := range f.columns {
			f.columns[i].Name = rename(f.columns[i].Name)
		}
		got, _, err := read(f, wafer.ReadSettings{})
		if err != nil || !slices.Equal(got.Charge, want.Charge) || len(got.Columns) != len(want.Columns) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCellsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		f    *fake
		s    wafer.ReadSettings
		want []string
	}{
		"misspelt":              {cellsTable().drop("tc_cellv").add("tc_cellV", root.Int, -1, "0"), wafer.ReadSettings{}, []string{"need tc_cellv; did you mean tc_cellV?"}},
		"misspelt again":        {cellsTable().drop("tc_waferu").add("tc_wafer_u", root.Int, -1, "0"), wafer.ReadSettings{}, []string{"need tc_waferu; did you mean tc_wafer_u?"}},
		"no data":               {cellsTable().drop("tc_data"), wafer.ReadSettings{}, []string{"need tc_data", "there are tc_n, tc_zside"}},
		"data not needed":       {cellsTable().drop("tc_data"), wafer.ReadSettings{Charge: "mippt"}, nil},
		"no mipPt":              {cellsTable().drop("tc_mipPt"), wafer.ReadSettings{Charge: "mippt"}, []string{"need tc_mipPt"}},
		"no eta":                {cellsTable().drop("tc_eta"), wafer.ReadSettings{Charge: "calq12"}, []string{"need tc_eta"}},
		"no eta for data":       {cellsTable().drop("tc_eta"), wafer.ReadSettings{Charge: "data"}, nil},
		"no coordinates":        {cellsTable().drop("tc_cellu"), wafer.ReadSettings{}, []string{"need tc_cellu"}},
		"no subdet":             {cellsTable().drop("tc_subdet"), wafer.ReadSettings{}, nil},
		"another order":         {cellsTable(), wafer.ReadSettings{Order: hgcal.PostMux}, []string{"named by tc_cellu and tc_cellv"}},
		"short":                 {cellsTable().set("tc_eta", "2;1.5"), wafer.ReadSettings{}, []string{"f.root: t, entry 0, tc_eta: 1 values where tc_n says 2"}},
		"unequal, no number":    {cellsTable().drop("tc_n").set("tc_eta", "2,2.1;1.5,1"), wafer.ReadSettings{}, []string{"entry 1, tc_eta: 2 values where tc_zside has 1"}},
		"no cell":               {cellsTable().set("tc_cellu", "0,0;1"), wafer.ReadSettings{}, []string{"entry 0, tc_cellu: item 1, wafer (zside 1, subdet 1, layer 9, u 3, v -2): no trigger cell is at u=0, v=4"}},
		"far cell":              {cellsTable().set("tc_cellu", "0,4000000000;1"), wafer.ReadSettings{}, []string{"no trigger cell is at u=4000000000"}},
		"twice":                 {cellsTable().set("tc_cellu", "0,0;1").set("tc_cellv", "0,0;1"), wafer.ReadSettings{}, []string{"entry 0, tc_cellu: item 1", "u=0, v=0 is there twice"}},
		"infinite":              {cellsTable().set("tc_mipPt", "1,Inf;1"), wafer.ReadSettings{Charge: "mippt"}, []string{"tc_mipPt: item 1", "+Inf is no charge"}},
		"negative":              {cellsTable().set("tc_mipPt", "1,-1;1"), wafer.ReadSettings{Charge: "mippt"}, []string{"-1 is no charge"}},
		"no η":                  {cellsTable().set("tc_eta", "NaN,1;1"), wafer.ReadSettings{}, []string{"tc_data: item 0", "1000 at η NaN is no charge"}},
		"far wafer":             {cellsTable().set("tc_waferu", "3,70000;1"), wafer.ReadSettings{}, []string{"entry 0, tc_waferu: 70000 is no waferu"}},
		"negative number":       {cellsTable().set("tc_n", "2;-1"), wafer.ReadSettings{}, []string{"entry 1, tc_n: -1 is no number of items"}},
		"only tiles":            {cellsTable().set("tc_subdet", "10,10;10"), wafer.ReadSettings{}, []string{"f.root: t: no images in 2 entries; 3 of 3 items of tc_*"}},
		"econ alone":            {new(fake).add("econ_index", root.Int, -1, "0").add("econ_data", root.Int, -1, "7"), wafer.ReadSettings{}, []string{"econ_* are numbers of the chip's autoencoder, which are no images"}},
		"econ of uproot":        {new(fake).add("econ_index", root.Int, -1, "0").add("econ_data", root.Int, -1, "7").add("necon_data", root.Int, 1, "1"), wafer.ReadSettings{}, []string{"no images: econ_* are numbers of the chip's"}},
		"a row a cell":          {func() *fake { f := cellsTable(); f.columns[2].Len = 1; return f }(), wafer.ReadSettings{}, []string{"every row is one trigger cell (tc_zside is one value)"}},
		"nothing":               {new(fake).add("x", root.Int, 1, "0"), wafer.ReadSettings{}, []string{"neither trigger cells (tc_cellu"}},
		"some charges":          {new(fake).add("wafer_CALQ0", root.Int, -1, "0").add("wafer_CALQ1", root.Int, -1, "0"), wafer.ReadSettings{}, []string{"2 of the charges wafer_CALQ_*, of 48; missing are those of 2, 3, 4, 5, 6, …"}},
		"a charge missing":      {rowsTable(func(j int) string { return fmt.Sprintf("CALQ_%d", j) }).drop("CALQ_17"), wafer.ReadSettings{}, []string{"47 of the charges CALQ_*, of 48; missing are those of 17"}},
		"a charge twice":        {rowsTable(func(j int) string { return fmt.Sprintf("CALQ_%d", max(j, 1)) }), wafer.ReadSettings{}, []string{"CALQ_1 is no charge of 48, or there twice"}},
		"short arrays":          {new(fake).add("CALQ", root.Float, 40, "1"), wafer.ReadSettings{}, []string{"CALQ has 40 values, where an image has 48"}},
		"layer of halves":       {func() *fake { f := cellsTable(); f.columns[4].Kind = root.Float; return f.set("tc_layer", "9,9.5;1") }(), wafer.ReadSettings{}, []string{"entry 0, tc_layer: 9.5 is not a whole number"}},
		"layers as float":       {func() *fake { f := cellsTable(); f.columns[4].Kind = root.Float; return f }(), wafer.ReadSettings{}, nil},
		"longer than it should": {cellsTable().set("tc_eta", "2,2.1;2,2.1,1.5"), wafer.ReadSettings{}, nil},
	} {
		_, _, err := read(c.f, c.s)
		if len(c.want) == 0 {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err == nil {
			t.Errorf("%s: read", name)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %v; want %q", name, err, w)
			}
		}
	}
}

// TestEventAsFloat: whole numbers are numbers of events, whatever type they have.
func TestEventAsFloat(t *testing.T) {
	f := cellsTable()
	for _, name := range []string{"event", "run", "lumi"} {
		if slices.ContainsFunc(f.columns, func(c root.Column) bool { return c.Name == name }) {
			f.drop(name)
		}
		f.add(name, root.Float, 1, "7;8")
	}
	set, _, err := read(f, wafer.ReadSettings{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"event", "run", "lumi"} {
		if c := set.Column(name); c == nil || len(c.Int) == 0 || c.Int[0] != 7 {
			t.Errorf("%s: %v", name, c)
		}
	}
	for _, odd := range []string{"7;8.5", "7;NaN", "7;+Inf"} {
		if _, _, err := read(f.set("event", odd), wafer.ReadSettings{}); err == nil || !strings.Contains(err.Error(), "entry 1, event: ") {
			t.Errorf("event %s: %v", odd, err)
		}
	}
}

func TestGenerated(t *testing.T) {
	f := cellsTable().add("gen_n", root.Int, 1, "3;0").add("gen_pt", root.Float, -1, "5,9,20;").add("gen_eta", root.Float, -1, "2,1.9,-2;")
	set, _, err := read(f, wafer.ReadSettings{})
	if err != nil {
		t.Fatal(err)
	}
	if pt, eta := set.Column("gen_pt").Float[0], set.Column("gen_eta").Float[0]; pt != 9 || eta != 1.9 {
		t.Errorf("the particle of pt %g at %g", pt, eta)
	}
	set, _, err = read(f.set("gen_eta", "-2,-1.9,-2;"), wafer.ReadSettings{})
	if err != nil {
		t.Fatal(err)
	}
	if pt := set.Column("gen_pt").Float[0]; !math.IsNaN(pt) {
		t.Errorf("a particle of pt %g where none is", pt)
	}
	if set.Column("gen_phi") != nil {
		t.Error("an azimuth that the table does not have")
	}
	set, _, err = read(f.set("gen_eta", "2,1.9,-2;").add("gen_phi", root.Float, -1, "-3,1,2;"), wafer.ReadSettings{})
	if err != nil {
		t.Fatal(err)
	}
	if phi := set.Column("gen_phi").Float[0]; phi != 1 {
		t.Errorf("the particle's azimuth is %g", phi)
	}
	if _, _, err := read(f.set("gen_pt", "5;"), wafer.ReadSettings{}); err == nil || !strings.Contains(err.Error(), "entry 0, gen_pt: 1 values where gen_n says 3") {
		t.Error(err)
	}
}

// wafersTable has two wafers, one in each event, with so many charges: j in cell j, 0
// above 47.
func wafersTable(count int) *fake {
	f := new(fake).add("wafer_n", root.Int, 1, "1;1").add("wafer_layer", root.Int, -1, "3;5")
	for j := range count {
		v := j
		if j >= hgcal.Cells {
			v = 0
		}
		f.add(fmt.Sprintf("wafer_CALQ%d", j), root.Int, -1, fmt.Sprintf("%d;%d", v, v))
	}
	return f
}

func TestWafers(t *testing.T) {
	for _, count := range []int{48, 64} {
		set, _, err := read(wafersTable(count), wafer.ReadSettings{Order: hgcal.PostMux})
		if err != nil {
			t.Fatal(err)
		}
		if toV9 := hgcal.PostMux.ToV9(); set.Len() != 2 || set.Image(1)[toV9[5]] != 5 || set.Column("layer").Int[1] != 5 {
			t.Errorf("%d charges: %v", count, set.Image(1))
		}
	}
	// As NanoAOD calls them.
	nano := wafersTable(48)
	for i, c := range nano.columns {
		name := strings.NewReplacer("wafer_CALQ", "L1THGCAL_wafer_CALQ_", "wafer_n", "nL1THGCAL_wafer", "wafer_layer", "L1THGCAL_wafer_layer").Replace(c.Name)
		nano.columns[i].Name = name
	}
	nano.add("nGenPart", root.Int, 1, "1;1").add("GenPart_pt", root.Float, -1, "4;5").add("GenPart_eta", root.Float, -1, "2;2")
	if set, _, err := read(nano, wafer.ReadSettings{}); err != nil || set.Len() != 2 || set.Image(1)[40] != 40 || set.Column("layer").Int[0] != 3 || set.Column("gen_pt").Float[1] != 5 {
		t.Errorf("%v, %v", set, err)
	}
	if says := made("f", nano, wafer.ReadSettings{}); says != "an image a wafer and event, of L1THGCAL_wafer_CALQ_0 to L1THGCAL_wafer_CALQ_47 as they are; wafers an event: about 1" {
		t.Error(says)
	}
	// The first event decides; a later one must not be another's.
	f := wafersTable(64).set("wafer_CALQ40", "0;0").set("wafer_CALQ63", "0;9")
	if _, _, err := read(f, wafer.ReadSettings{}); err == nil || !strings.Contains(err.Error(), "entry 0, wafer_CALQ36: item 0: 36 in a pixel of 8×8 that is no cell") {
		t.Error(err)
	}
	// Pixels, of which the others repeat some.
	f = wafersTable(64)
	repeats := hgcal.Arrange8x8Unmasked()
	for j, cell := range repeats {
		f.set(fmt.Sprintf("wafer_CALQ%d", j), fmt.Sprintf("%d;%d", cell, cell))
	}
	set, r, err := read(f, wafer.ReadSettings{})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range set.Image(0) {
		if int(v) != i {
			t.Fatalf("%v", set.Image(0))
		}
	}
	if remarks := r.Remarks(); len(remarks) != 1 || !strings.Contains(remarks[0], "pixels of 8×8") {
		t.Errorf("%q", remarks)
	}
	// Both are there: charges as such are taken, other readings are of the cells.
	both := cellsTable()
	w := wafersTable(48)
	both.columns, both.values = append(both.columns, w.columns...), append(both.values, w.values...)
	for charge, want := range map[string]int{"": 2, "calq": 2, "data": 1} {
		if set, _, err := read(both, wafer.ReadSettings{Charge: charge}); err != nil || set.Len() != want {
			t.Errorf("charge %q: %v, %v", charge, set, err)
		}
	}
}

func rowsTable(names func(j int) string) *fake {
	f := new(fake)
	for j := range hgcal.Cells {
		f.add(names(j), root.Float, 1, fmt.Sprintf("%d;%d;0", j, 2*j))
	}
	f.add("layer", root.Int, 1, "5;7;9").add("mean", root.Float, 1, "1;NaN;3").add("trace", root.Float, 3, "1,2,3;1,2,3;1,2,3").add("ModType", root.Text, 1, "0;1;0")
	f.texts = map[string][]string{"ModType": {"FI", "FM"}}
	return f
}

func TestRows(t *testing.T) {
	f := rowsTable(func(j int) string { return fmt.Sprintf("CALQ_%d", j) })
	f.about = "mippt"
	set, r, err := read(f, wafer.ReadSettings{})
	if err != nil {
		t.Fatal(err)
	}
	if set.Len() != 3 || set.Image(1)[9] != 18 || set.Column("ModType").Text[1] != "FM" || set.Column("layer").Int[2] != 9 || set.Column("trace") != nil {
		t.Errorf("%v", set)
	}
	if r.Info().Unit != "mippt" || r.Info().OrderSaid || !slices.Equal(r.Info().Columns, []string{"layer", "mean", "ModType"}) {
		t.Errorf("%+v", r.Info())
	}
	if remarks := r.Remarks(); len(remarks) != 1 || !strings.Contains(remarks[0], "left out: trace") {
		t.Errorf("%q", remarks)
	}
	if r.Place(0) != "f.root: t" { // the last Read was the end
		t.Error(r.Place(0))
	}
	if _, r, err := read(f, wafer.ReadSettings{Charge: "data"}); err != nil || !strings.Contains(r.Remarks()[0], "as they are, mippt, not made of trigger cells as data") {
		t.Errorf("%v", err)
	}
	postmux := rowsTable(func(j int) string { return fmt.Sprintf("CALQ_postmux_%d", j) })
	if _, _, err := read(postmux, wafer.ReadSettings{}); err == nil || !strings.Contains(err.Error(), "numbered postmux, as their names say, and v9 is asked for") {
		t.Error(err)
	}
	if set, _, err := read(postmux, wafer.ReadSettings{Order: hgcal.PostMux}); err != nil || set.Image(0)[hgcal.PostMux.ToV9()[9]] != 9 {
		t.Error(err)
	}
	var all []string
	for j := range hgcal.Cells {
		all = append(all, fmt.Sprint(j))
	}
	list := new(fake).add("CALQ", root.Int, hgcal.Cells, strings.Join(all, ",")).add("n", root.Int, 1, "4")
	if set, _, err := read(list, wafer.ReadSettings{}); err != nil || set.Len() != 1 || set.Image(0)[40] != 40 || set.Column("n").Int[0] != 4 {
		t.Error(err)
	}
	short := new(fake).add("CALQ", root.Int, -1, strings.Join(all, ",")+";1,2,3")
	if _, _, err := read(short, wafer.ReadSettings{}); err == nil || !strings.Contains(err.Error(), "entry 1, CALQ: 3 charges where an image has 48") {
		t.Error(err)
	}
	if _, _, err := read(f.set("CALQ_7", "1;-2;3"), wafer.ReadSettings{}); err == nil || !strings.Contains(err.Error(), "entry 1, CALQ_7: -2 is no charge") {
		t.Error(err)
	}
}

func TestGrouper(t *testing.T) {
	var g grouper
	for round := range 3 {
		g.reset()
		want := map[key]int{}
		for i := range 5000 {
			k, odd := newKey(int64(i%2*2-1), 1, int64(i*7%47), int64(i%23-11), int64(i%19-9))
			if odd != "" {
				t.Fatal(odd)
			}
			if k.zside() != int64(i%2*2-1) || k.subdet() != 1 || k.layer() != int64(i*7%47) || k.u() != int64(i%23-11) || k.v() != int64(i%19-9) {
				t.Fatal(k)
			}
			if _, ok := want[k]; !ok {
				want[k] = len(want)
			}
			if got := g.add(k); got != want[k] || g.find(k) != got {
				t.Fatalf("round %d: %v is %d, want %d", round, k, got, want[k])
			}
		}
		order := g.sorted(nil)
		if len(order) != len(want) || !slices.IsSortedFunc(order, func(a, b int) int { return int(int64(g.keys[a]) - int64(g.keys[b])) }) {
			t.Error("not in order")
		}
	}
}
