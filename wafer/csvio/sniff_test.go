package csvio

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"barrow/hgcal"
	"barrow/internal/shared"
	"barrow/wafer"
)

// images are five images with charges that are told apart: cell c of image i
// holds 100·i + 2·c, but no row counts up by one.
func images() (rows [][]string) {
	for i := range 5 {
		r := row()
		for c := range r {
			r[c] = strconv.Itoa(100*i + 2*c)
		}
		rows = append(rows, r)
	}
	return rows
}

func numbers(from, n int) (f []string) {
	for i := range n {
		f = append(f, strconv.Itoa(from+i))
	}
	return f
}

// tabled is the images with columns in front and behind, which may depend on the
// row.
func tabled(front, behind func(i int) []string) (rows [][]string) {
	for i, r := range images() {
		var a, b []string
		if front != nil {
			a = front(i)
		}
		if behind != nil {
			b = behind(i)
		}
		rows = append(rows, slices.Concat(a, r, b))
	}
	return rows
}

func text(rows ...[]string) string {
	var b strings.Builder
	for _, r := range rows {
		b.WriteString(strings.Join(r, ",") + "\n")
	}
	return b.String()
}

func older(i int) []string {
	return []string{strconv.Itoa(i), "1", "9", "-3", "4", "12.5", "1", "1.9", "-0.5"}
}

func index(from int) func(int) []string {
	return func(i int) []string { return []string{strconv.Itoa(from + i)} }
}

// check holds what is read to the images.
func check(s *wafer.Set) error {
	want := images()
	if s.Len() != len(want) {
		return fmt.Errorf("%d images, want %d", s.Len(), len(want))
	}
	for i, r := range want {
		for c, f := range r {
			if v, _ := strconv.ParseFloat(f, 64); s.Image(i)[c] != v {
				return fmt.Errorf("image %d, cell %d: %g, want %g", i, c, s.Image(i)[c], v)
			}
		}
	}
	return nil
}

func readText(in string, o wafer.ReadSettings) (*wafer.Set, error) {
	r, err := NewReader(strings.NewReader(in), "test", o)
	if err != nil {
		return nil, err
	}
	return wafer.ReadAll(r)
}

// TestRecognised are tables that other programs write and that can mean one
// thing only.
func TestRecognised(t *testing.T) {
	plain, headed := tabled(nil, nil), append([][]string{calq()}, tabled(nil, nil)...)
	named := func(name func(int) string) []string {
		var f []string
		for k := range hgcal.Cells {
			f = append(f, name(k))
		}
		return f
	}
	scientific := tabled(nil, nil)
	for _, r := range scientific {
		for c := range r {
			v, _ := strconv.ParseFloat(r[c], 64)
			r[c] = strconv.FormatFloat(v, 'e', 18, 64)
		}
	}
	indexed := tabled(index(7), nil)
	quoted := strings.ReplaceAll(text(calq()), ",", `","`)
	quoted = `"` + strings.TrimSpace(quoted) + `"` + "\n"
	for name, c := range map[string]struct {
		in      string
		columns []string
	}{
		"semicolons":                       {strings.ReplaceAll(text(headed...), ",", ";"), nil},
		"tabs":                             {strings.ReplaceAll(text(headed...), ",", "\t"), nil},
		"spaces":                           {strings.ReplaceAll(text(plain...), ",", " "), nil},
		"aligned by spaces":                {strings.ReplaceAll(text(plain...), ",", "   "), nil},
		"spaces around":                    {"  " + strings.ReplaceAll(strings.ReplaceAll(text(plain...), ",", " \t"), "\n", " \n "), nil},
		"numpy.savetxt":                    {"# written by numpy\n" + strings.ReplaceAll(text(scientific...), ",", " "), nil},
		"numpy.savetxt with header":        {"# " + strings.ReplaceAll(text(headed...), ",", " "), nil},
		"numpy.savetxt, comment behind":    {text(plain...) + "# the end\n", nil},
		"a spreadsheet's separator":        {"sep=;\n" + strings.ReplaceAll(text(headed...), ",", ";"), nil},
		"separator behind each row":        {strings.ReplaceAll(text(headed...), "\n", ",\n"), nil},
		"separator behind the images":      {text(calq()) + strings.ReplaceAll(text(plain...), "\n", ",\n"), nil},
		"separator behind, no header":      {strings.ReplaceAll(text(plain...), "\n", ",\n"), nil},
		"index before names":               {text(append([][]string{append([]string{""}, calq()...)}, indexed...)...), []string{"index"}},
		"Unnamed: 0 before names":          {text(append([][]string{append([]string{"Unnamed: 0"}, calq()...)}, indexed...)...), []string{"Unnamed: 0"}},
		"index before numbers":             {text(append([][]string{append([]string{""}, numbers(0, 48)...)}, indexed...)...), []string{"index"}},
		"index before 57 numbers":          {text(append([][]string{append([]string{""}, numbers(0, 57)...)}, tabled(index(3), older)...)...), append([]string{"index"}, NoHeaderColumns()...)},
		"two indices":                      {text(append([][]string{append([]string{"", "Unnamed: 0"}, numbers(0, 48)...)}, tabled(func(int) []string { return []string{"1", "2"} }, nil)...)...), []string{"index", "Unnamed: 0"}},
		"names of rows, as R writes them":  {quoted + text(tabled(func(i int) []string { return []string{strconv.Quote(strconv.Itoa(i + 1))} }, nil)...), []string{"index"}},
		"CALQ0":                            {text(append([][]string{named(func(k int) string { return fmt.Sprintf("CALQ%d", k) })}, plain...)...), nil},
		"CALQ_00":                          {text(append([][]string{named(func(k int) string { return fmt.Sprintf("CALQ_%02d", k) })}, plain...)...), nil},
		"calq_0":                           {strings.ToLower(text(headed...)), nil},
		"wafer_CALQ0":                      {text(append([][]string{named(func(k int) string { return fmt.Sprintf("wafer_CALQ%d", k) })}, plain...)...), nil},
		"a column without a name":          {text(append([][]string{append(calq(), "")}, tabled(nil, func(int) []string { return []string{"x"} })...)...), []string{"column_48"}},
		"quoted names":                     {quoted + text(plain...), nil},
		"byte order mark before semicolon": {"\ufeff" + strings.ReplaceAll(text(headed...), ",", ";"), nil},
	} {
		s, err := readText(c.in, wafer.ReadSettings{})
		if err == nil {
			err = check(s)
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var columns []string
		for _, c := range s.Columns {
			columns = append(columns, c.Name)
		}
		if !slices.Equal(columns, c.columns) {
			t.Errorf("%s: columns %q, want %q", name, columns, c.columns)
		}
	}
}

// TestRefused are tables that may mean two things, or that say something else
// than an image: each error says what the file looks like, and the settings that
// it names lead to the images.
func TestRefused(t *testing.T) {
	plain := tabled(nil, nil)
	with := func(header []string, rows [][]string) string { return text(append([][]string{header}, rows...)...) }
	one := func(i int) []string { return []string{strconv.Itoa(i % 2)} }
	transposed := func(rows [][]string) (out [][]string) {
		for j := range rows[0] {
			var r []string
			for i := range rows {
				r = append(r, rows[i][j])
			}
			out = append(out, r)
		}
		return out
	}
	many := slices.Concat(plain, plain, plain, plain, plain, plain, plain, plain, plain, plain, plain) // 55 images
	r, v := []string{}, []string{}
	for k := range hgcal.Cells {
		r = append(r, fmt.Sprintf("V%d", k+1))
		v = append(v, fmt.Sprintf("CALQ_%d", k+1))
	}
	mangled, seen := []string{}, map[string]int{}
	for k := range hgcal.Cells {
		f := strconv.Itoa(k % 3)
		if n := seen[f]; n > 0 {
			mangled = append(mangled, fmt.Sprintf("%s.%d", f, n))
		} else {
			mangled = append(mangled, f)
		}
		seen[f]++
	}
	type settings = wafer.ReadSettings
	for name, c := range map[string]struct {
		in, looks string
		settle    []settings // each gives the images
	}{
		"index in front":               {text(tabled(index(0), nil)...), "49 columns without names.*; the first column counts 0, 1, 2, 3 …", []settings{{Layout: "index,charges"}, {Layout: "-,charges"}}},
		"index from 1000":              {text(tabled(index(1000), nil)...), "the first column counts 1000, 1001", []settings{{Layout: "index,charges"}}},
		"index and 47 charges":         {text(shorter(tabled(index(0), nil))...), "48 columns without names, of which the first counts 0, 1, 2, 3 …", nil},
		"shuffled index":               {text(tabled(func(i int) []string { return []string{strconv.Itoa(7 * i % 5)} }, nil)...), "49 columns without names", []settings{{Layout: "index,charges"}}},
		"a label behind":               {text(tabled(nil, one)...), "49 columns without names", []settings{{Layout: "charges,label"}, {Layout: "charges,..."}}},
		"60 columns":                   {text(tabled(nil, func(int) []string { return make([]string, 12) })...), "", nil},
		"48 integers above":            {with(numbers(0, 48), plain), "the first row counts 0, 1, 2 …: column numbers, or an image", []settings{{Header: "first"}}},
		"48 numbers above":             {with(strings.Split("0.0,"+strings.Join(numbers(1, 47), ".0,"), ","), plain), "the first row counts 0.0, 1", []settings{{Header: "first"}}},
		"from 1":                       {with(numbers(1, 48), plain), "the first row counts 1, 2, 3", []settings{{Header: "first"}}},
		"57 integers above":            {with(numbers(0, 57), tabled(nil, older)), "the first row counts 0, 1, 2", []settings{{Header: "first"}}},
		"49 integers above an index":   {with(numbers(0, 49), tabled(index(0), nil)), "49 columns without names", []settings{{Header: "first", Layout: "index,charges"}}},
		"index, 57 columns":            {text(tabled(index(0), older)...), "58 columns without names.*is no ModType", []settings{{Layout: "index,noheader"}}},
		"index, 57 columns, header":    {with(numbers(0, 58), tabled(index(0), older)), "58 columns", []settings{{Header: "first", Layout: "index,noheader"}}},
		"57 columns and a separator":   {strings.ReplaceAll(text(tabled(nil, older)...), "\n", ",\n"), "58 columns without names, the last of them empty", []settings{{Layout: "noheader"}}},
		"an index and 57 columns wide": {strings.ReplaceAll(text(tabled(index(0), older)...), "\n", ",\n"), "58 columns without names", []settings{{Layout: "index,noheader"}}},
		"index, 56 columns":            {text(tabled(index(0), func(int) []string { return make0(8, "7") })...), "57 columns without names.*not what such a file has", []settings{{Layout: "index,charges,..."}}},
		"names that say nothing":       {with(r, plain), "a header without CALQ_0", []settings{{Header: "first"}, {Layout: "charges"}}},
		"50 such names":                {with(append([]string{"a", "b"}, r...), tabled(func(int) []string { return []string{"1", "2"} }, nil)), "a header of 50 columns without CALQ_0", []settings{{Layout: "a,b,charges"}}},
		"CALQ_1 to CALQ_48":            {with(v, plain), "the charges are called CALQ_1 … CALQ_48", []settings{{Header: "first"}}},
		"an image taken for names":     {with(mangled, plain), "took for names", []settings{{Header: "first"}}},
		"transposed":                   {text(transposed(plain)...), "there are 48 rows: is the table transposed", nil},
		"transposed, 55 images":        {text(transposed(many)...), "there are 48 rows: is the table transposed", nil},
		"transposed, names in front":   {text(append([][]string{append([]string{""}, numbers(0, 48)...)}, transposed(append([][]string{calq()}, many[:48]...))...)...), "transposed", nil},
		"transposed, only names":       {text(transposed(append([][]string{calq()}, many[:48]...))...), "transposed", nil},
		"64 charges":                   {text(slices.Concat(calq(), numbers64()), make0(64, "1")), "CALQ_63.*an image of Barrow has 48", nil},
		"a second CALQ_3":              {with(append(calq(), "CALQ_3.1"), tabled(nil, one)), `column 49 is "CALQ_3.1"`, nil},
		"two spellings of CALQ_3":      {with(append(calq(), "calq3"), tabled(nil, one)), `"calq3" occurs twice`, nil},
		"decimal commas":               {strings.ReplaceAll(strings.ReplaceAll(text(plain...), ",", ";"), "4", "4,5"), "comma in it: write decimal points", nil},
		"decimal commas in all":        {strings.ReplaceAll(strings.ReplaceAll(text(plain...), ",", ",5;"), "\n", ",5\n"), "comma in it: write decimal points", nil},
		"decimal commas among tabs":    {strings.ReplaceAll(strings.ReplaceAll(text(plain...), ",", "\t"), "4", "4,5"), "comma in it: write decimal points", nil},
		"decimal commas and commas":    {strings.ReplaceAll(text(plain...), ",", ",5,") + "", "columns without names", nil},
		"UTF-16":                       {"\xff\xfeC\x00A\x00", "the text is UTF-16", nil},
		"UTF-16, big end first":        {"\xfe\xff\x00C\x00A", "the text is UTF-16", nil},
		"UTF-16 without a mark":        {"C\x00A\x00L\x00Q\x00\n\x00", "zero bytes", nil},
		"old line ends":                {strings.ReplaceAll(text(plain...), "\n", "\r"), "carriage returns alone", nil},
		"a comment between rows":       {text(plain[:2]...) + "# half\n" + text(plain[2:]...), "test:3: a comment between rows", nil},
		"text behind the separator":    {strings.ReplaceAll(text(slices.Concat(plain, plain)...), "\n", ",\n") + text(append(row(), "9")), `test:11:49: "9" behind the last separator`, nil},
		"another order":                {strings.ReplaceAll(with(calq(), plain), "CALQ_", "CALQ_postmux_"), "numbered postmux, as the header says, and v9 is asked for", nil},
		"two orders":                   {strings.Replace(with(calq(), plain), "CALQ_7", "CALQ_raster_7", 1), "more than one cell order", nil},
	} {
		s, err := readText(c.in, settings{})
		if err == nil {
			t.Errorf("%s was read, %v", name, check(s))
			continue
		}
		if !like(err.Error(), c.looks) {
			t.Errorf("%s: %v, want %q", name, err, c.looks)
		}
		for _, settle := range c.settle {
			unclear := (*wafer.UnclearError)(nil)
			if !errors.As(err, &unclear) || len(unclear.Choices) == 0 || unclear.Place != "csvio: test:1" {
				t.Errorf("%s: %#v names no settings, or no place", name, err)
			}
			s, err := readText(c.in, settle)
			if err == nil {
				err = check(s)
			}
			if err != nil {
				t.Errorf("%s with %+v: %v", name, settle, err)
			}
		}
	}
}

func shorter(rows [][]string) (out [][]string) {
	for _, r := range rows {
		out = append(out, r[:len(r)-1])
	}
	return out
}

func make0(n int, v string) []string { return slices.Repeat([]string{v}, n) }

func numbers64() (f []string) {
	for k := range 16 {
		f = append(f, fmt.Sprintf("CALQ_%d", 48+k))
	}
	return f
}

// like reports whether the parts of a pattern, between ".*", are in a text.
func like(text, pattern string) bool {
	for _, p := range strings.Split(pattern, ".*") {
		if !strings.Contains(text, p) {
			return false
		}
	}
	return true
}

func TestLayoutErrors(t *testing.T) {
	in := text(tabled(index(0), nil)...)
	for layout, want := range map[string]string{
		"index":                 "want charges, noheader or ecoder in it once",
		"charges,charges":       "want charges, noheader or ecoder in it once",
		"charges":               `layout "charges" is 48 columns, the table has 49`,
		"index,charges,eta":     "is 50 columns, the table has 49",
		"index,,charges":        `word 2 is ""`,
		"...,charges":           "... only at the end",
		"a,charges,a":           `two columns are called "a"`,
		"column_1,charges,...,": `word 3 is "..."`,
	} {
		if _, err := readText(in, wafer.ReadSettings{Layout: layout}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", layout, err, want)
		}
	}
	falling := row()
	slices.Reverse(falling)
	if _, err := readText(text(falling, row()), wafer.ReadSettings{Header: "first"}); err == nil || !strings.Contains(err.Error(), "looks like an image") {
		t.Errorf("an image as names: %v", err)
	}
	for _, s := range []wafer.ReadSettings{{Header: "second"}, {Order: -1}, {Order: 3}} {
		if _, err := readText(in, s); err == nil {
			t.Errorf("%+v was accepted", s)
		}
	}
}

// TestCases are the files of the reviewers' cases: the right three images, or a
// refusal that the named setting settles.
func TestCases(t *testing.T) {
	load := func(name string, o wafer.ReadSettings) (*wafer.Set, error) {
		b, err := os.ReadFile(shared.Case(t, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		return readText(string(b), o)
	}
	for name, settle := range map[string]wafer.ReadSettings{
		"01-leading-index-column/index.csv":               {Layout: "index,charges"},
		"01-leading-index-column/index_digits_header.csv": {},
		"02-integer-header-row/digits.csv":                {Header: "first"},
		"02-integer-header-row/digits57.csv":              {Header: "first"},
		"02-integer-header-row/digits57_index.csv":        {},
	} {
		right, err := load(filepath.Dir(name)+"/right.csv", wafer.ReadSettings{})
		if err != nil {
			t.Fatal(err)
		}
		s, err := load(name, wafer.ReadSettings{})
		unclear := (*wafer.UnclearError)(nil)
		if err != nil && (settle.Header+settle.Layout == "" && settle.Order == hgcal.V9 || !errors.As(err, &unclear)) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err != nil {
			t.Log(err)
			if s, err = load(name, settle); err != nil {
				t.Errorf("%s with %+v: %v", name, settle, err)
				continue
			}
		}
		if !slices.Equal(s.Charge, right.Charge) {
			t.Errorf("%s: %v", name, s.Charge)
		}
	}
}

// TestNeverMisread writes random images as other programs may, with an index,
// headers, separators and columns: what is read are the images, or an error.
func TestNeverMisread(t *testing.T) {
	rapid.Check(t, neverMisread)
}

// FuzzTables does the same for as long as it is let.
func FuzzTables(f *testing.F) { f.Fuzz(rapid.MakeFuzz(neverMisread)) }

func neverMisread(t *rapid.T) {
	n := rapid.IntRange(1, 6).Draw(t, "images")
	charge := rapid.OneOf(rapid.IntRange(0, 3), rapid.IntRange(0, 2000))
	front := rapid.SampledFrom([]string{"", "index", "text"}).Draw(t, "front")
	behind := rapid.IntRange(0, 12).Draw(t, "behind")
	if front == "index" && behind == noHeaderWidth-hgcal.Cells-1 {
		behind++ // 57 columns may be an index and 56: seen only where the values say so
	}
	header := rapid.SampledFrom([]string{"", "calq", "calq without index", "numbers", "numbers without index", "words"}).Draw(t, "header")
	sep := rapid.SampledFrom([]string{",", ";", "\t", " "}).Draw(t, "separator")
	trailing := rapid.Bool().Draw(t, "trailing")
	start := rapid.IntRange(0, 5).Draw(t, "start")
	if header == "numbers" && front == "text" {
		header = "" // numbers for all columns
	}
	var want []float64
	var out [][]string
	width := hgcal.Cells + behind
	var names []string
	switch header {
	case "calq", "calq without index":
		names = calq()
		for j := range behind {
			names = append(names, fmt.Sprintf("m%d", j))
		}
	case "numbers", "numbers without index":
		names = numbers(0, width)
	case "words":
		for j := range width {
			names = append(names, fmt.Sprintf("w%d", j))
		}
	}
	if names != nil && front != "" && !strings.HasSuffix(header, "without index") {
		names = append([]string{""}, names...)
	}
	if names != nil {
		out = append(out, names)
	}
	for i := range n {
		var r []string
		switch front {
		case "index":
			r = append(r, strconv.Itoa(start+i))
		case "text":
			r = append(r, fmt.Sprintf("wafer%d", i))
		}
		for range hgcal.Cells {
			c := charge.Draw(t, "charge")
			want = append(want, float64(c))
			r = append(r, strconv.Itoa(c))
		}
		for range behind {
			r = append(r, rapid.SampledFrom([]string{"1", "-2", "0.5", "x"}).Draw(t, "value"))
		}
		out = append(out, r)
	}
	in := strings.ReplaceAll(text(out...), ",", sep)
	if trailing {
		in = strings.ReplaceAll(in, "\n", sep+"\n")
	}
	s, err := readText(in, wafer.ReadSettings{})
	if err == nil && !slices.Equal(s.Charge, want) {
		t.Fatalf("misread:\n%s", in)
	}
	if err != nil && header == "calq" && (sep != " " || front == "") {
		t.Fatalf("a table with names of the charges is refused: %v\n%s", err, in)
	}
}
