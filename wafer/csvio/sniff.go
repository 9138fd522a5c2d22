package csvio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strings"

	"barrow/hgcal"
	"barrow/internal/lines"
	"barrow/wafer"
)

// sampled is how many rows are looked at before the first image is read.
const sampled = 8

// table is the beginning of a file, cut into fields.
type table struct {
	rows     [][]string
	comment  []string // of the last comment line above
	settings wafer.ReadSettings
	trailing bool       // there is a separator, and nothing, behind every row
	lines    func() int // rows of the file, as far as is known without reading much
}

// layout tells what the columns are. An error of what the first row is wraps
// nothing; one that a setting would settle is an UnclearError without a place.
func (t *table) layout() (*layout, error) {
	t.trim()
	l, err := t.byNames()
	if l == nil && err == nil {
		l, err = t.byPlace()
	}
	if err != nil {
		return nil, err
	}
	t.widen(l)
	if t.trailing && len(l.field) == len(t.rows[len(t.rows)-1]) {
		l.field = append(l.field, blank)
	}
	if l.said && l.order != t.settings.Order {
		return nil, &wafer.UnclearError{Looks: fmt.Sprintf("the charges are numbered %v, as the header says, and %v is asked for", l.order, t.settings.Order),
			Choices: []wafer.Choice{{Setting: "order", Value: l.order.String(), Means: "as the header says"}}}
	}
	return l, nil
}

// trim takes away the blank behind a last separator, where all rows have one, and
// that of a header alone.
func (t *table) trim() {
	all := true
	for _, r := range t.rows {
		all = all && len(r) > 1 && r[len(r)-1] == ""
	}
	for i, r := range t.rows {
		if all {
			t.rows[i] = r[:len(r)-1]
		}
	}
	t.trailing = all
	if first := t.rows[0]; !all && len(t.rows) > 1 && len(first) == len(t.rows[1])+1 && first[len(first)-1] == "" {
		t.rows[0] = first[:len(first)-1]
	}
}

// untrim puts the blank back: it is a column's value.
func (t *table) untrim() {
	t.trailing = false
	for i, r := range t.rows {
		t.rows[i] = r[:len(r)+1]
	}
}

// byNames is the layout by names of the columns; nil where there are none.
func (t *table) byNames() (*layout, error) {
	first := t.rows[0]
	if isCharge(first[0]) && len(t.rows) > 1 && isCharge(t.rows[1][0]) || len(t.rows) > 2 && isCharge(t.rows[1][0]) && isCharge(t.rows[2][0]) {
		return nil, errTransposed
	}
	if t.settings.Header == "none" {
		return nil, nil
	}
	for _, name := range first {
		if nearly.MatchString(name) || isCharge(name) {
			l, err := chargeHeader(first, t.settings.Header == "first")
			if err == errFromOne {
				err = &wafer.UnclearError{Looks: err.Error(), Choices: []wafer.Choice{
					{Setting: "header", Value: "first", Means: "CALQ_1 is cell 0, and so on"}}}
			}
			return l, err
		}
	}
	if l := numberedHeader(first); l != nil {
		if last := len(l.field) - 1; l.names[len(l.names)-1] != string(wafer.ModType) || len(t.rows) > 1 && (&table{rows: t.rows[1:]}).ecoder(last) {
			return l, nil
		}
	}
	if len(t.comment) == len(first) {
		if l, err := chargeHeader(t.comment, false); err == nil {
			l.header = false
			return l, nil
		}
	}
	return nil, nil
}

var errTransposed = errors.New("the charges' names stand one below the other: the table is transposed; an image is a row")

// byPlace is the layout of a table whose charges have no names.
func (t *table) byPlace() (*layout, error) {
	first := t.rows[0]
	if whole := len(first) + 1; t.trailing && known(whole) != nil && t.settings.Layout == "" {
		if known(len(first)) != nil {
			return nil, &wafer.UnclearError{Looks: fmt.Sprintf("%d columns without names, the last of them empty: an Ecoder file without ModType, or 57 columns and a separator behind", whole),
				Choices: []wafer.Choice{{Setting: "layout", Value: "ecoder", Means: "an Ecoder file"}, {Setting: "layout", Value: "noheader", Means: "57 columns"}}}
		}
		if whole == noHeaderWidth {
			return nil, &wafer.UnclearError{Looks: fmt.Sprintf("%d columns without names, the last of them empty: an older training file without tc_phi, or %d columns and a separator behind", whole, whole-1),
				Choices: []wafer.Choice{{Setting: "layout", Value: "noheader", Means: "an older training file"}, {Setting: "layout", Value: "charges,...", Means: "the charges first"}}}
		}
		t.untrim()
	}
	if t.trailing && t.settings.Layout != "" {
		if _, err := described(t.settings.Layout, len(first)+1); err == nil {
			t.untrim()
		}
	}
	first = t.rows[0]
	l, err := t.columns(len(first))
	if err != nil {
		return nil, err
	}
	switch t.settings.Header {
	case "":
		err = t.headless(l, first)
	case "first":
		l.header = true
		if charges, words := l.charges(first); words == 0 && !rising(charges) && !renamed(charges) {
			err = &wafer.UnclearError{Looks: "the first row is to be names but looks like an image", Choices: []wafer.Choice{
				{Setting: "header", Value: "none", Means: "the first row is an image"}}}
		}
	}
	return l, err
}

// charges are the fields of the first row where a layout has charges, and how many
// of them are words.
func (l *layout) charges(first []string) (fields []string, words int) {
	for j, f := range l.field {
		if f >= 0 {
			fields = append(fields, first[j])
			if _, ok := number(first[j]); !ok && first[j] != "" {
				words++
			}
		}
	}
	return fields, words
}

// rising reports whether every number is above the one before, as in no image.
func rising(fields []string) bool {
	for i, f := range fields {
		v, _ := number(f)
		if i > 0 {
			if before, _ := number(fields[i-1]); v <= before {
				return false
			}
		}
	}
	return true
}

// commas reports whether every field is a number with a decimal comma, or without one.
func commas(fields []string) bool {
	for _, f := range fields {
		if _, ok := number(strings.Replace(f, ",", ".", 1)); !ok {
			return false
		}
	}
	return true
}

// headless tells whether the first row may be an image.
func (t *table) headless(l *layout, first []string) error {
	charges, words := l.charges(first)
	image := wafer.Choice{Setting: "header", Value: "none", Means: "the first row is an image"}
	names := wafer.Choice{Setting: "header", Value: "first", Means: "the first row is names; the columns are taken in their order"}
	switch {
	case words == hgcal.Cells && t.settings.Layout != "":
		l.header = true
	case words == hgcal.Cells && commas(charges):
		return fmt.Errorf("the charges of the first row are like %q, which %w", charges[0], errComma)
	case words == hgcal.Cells:
		return &wafer.UnclearError{Looks: "a header without CALQ_0 … CALQ_47", Choices: []wafer.Choice{names}}
	case counts(charges):
		return &wafer.UnclearError{Looks: fmt.Sprintf("the first row counts %s: column numbers, or an image", start(charges[:3])),
			Choices: []wafer.Choice{names, image}}
	case renamed(charges):
		names.Means = "the first row is names, its image lost"
		return &wafer.UnclearError{Looks: "the first row is an image that a data-frame library took for names: what occurs again has .1, .2, … added; write the file anew from its source",
			Choices: []wafer.Choice{names, image}}
	}
	return nil
}

// columns is the layout of so many columns, as described or as known.
func (t *table) columns(width int) (*layout, error) {
	if t.settings.Layout != "" {
		return described(t.settings.Layout, width)
	}
	if words := t.rows[0]; width > hgcal.Cells && known(width) == nil && noNumbers(words) && t.settings.Header == "" {
		return nil, &wafer.UnclearError{Looks: fmt.Sprintf("a header of %d columns without CALQ_0 … CALQ_47", width), Choices: []wafer.Choice{
			{Setting: "layout", Value: "charges,...", Means: "the charges first"}, {Setting: "layout", Value: "index,charges,...", Means: "a row's index in front"}}}
	}
	index := t.column(0)
	choice := func(layout, means string) wafer.Choice {
		return wafer.Choice{Setting: "layout", Value: layout, Means: means}
	}
	l := known(width)
	switch {
	case l != nil && width == ecoderWidth && !t.ecoder(width-1):
		return nil, &wafer.UnclearError{Looks: fmt.Sprintf("%d columns without names, as a piece of an Ecoder file has, but the last, %q, is no ModType", width, t.column(width - 1)[0]),
			Choices: []wafer.Choice{choice("index,noheader", "a row's index, then the 57 columns of the older training files"), choice("charges,...", "the charges first"), choice("ecoder", "an Ecoder file")}}
	case l != nil && width == noHeaderWidth && counts(index) && !t.older():
		return nil, &wafer.UnclearError{Looks: fmt.Sprintf("%d columns without names, as the older training files have, but the first counts %s and those behind the charges are not what such a file has", width, start(index)),
			Choices: []wafer.Choice{choice("index,charges,...", "a row's index, the charges, other columns"), choice("noheader", "an older training file")}}
	case l != nil && width == hgcal.Cells && counts(index) && len(index) >= 4:
		return nil, &wafer.UnclearError{Looks: fmt.Sprintf("%d columns without names, of which the first counts %s, as a row's index does: there may be one charge too few", width, start(index)),
			Choices: []wafer.Choice{choice("charges", "the 48 charges")}}
	case l != nil:
		return l, nil
	case width < hgcal.Cells:
		return nil, t.narrow(width)
	}
	looks := fmt.Sprintf("%d columns without names: neither the 48 charges, nor the 57 or 58 columns of training files", width)
	choices := []wafer.Choice{choice("index,charges", "a row's index in front")}
	if width > hgcal.Cells+1 {
		choices[0] = choice("index,charges,...", "a row's index in front, other columns behind")
	}
	if known(width-1) != nil && width > hgcal.Cells+1 {
		choices[0].Value = map[int]string{noHeaderWidth: "index,noheader", ecoderWidth: "index,ecoder"}[width-1]
	}
	if counts(index) {
		looks += fmt.Sprintf("; the first column counts %s, as a row's index does", start(index))
	}
	if t.lines() == hgcal.Cells {
		looks += fmt.Sprintf("; there are %d rows: is the table transposed? An image is a row", hgcal.Cells)
	}
	if width == 2*hgcal.Cells {
		looks += "; is it decimal commas?"
	}
	return nil, &wafer.UnclearError{Looks: looks, Choices: append(choices, choice("charges,...", "the charges first"))}
}

// narrow is the error for less than an image.
func (t *table) narrow(width int) error {
	hint := ""
	if t.lines() == hgcal.Cells || t.lines() == hgcal.Cells+1 {
		hint = fmt.Sprintf("; there are %d rows: is the table transposed? An image is a row", t.lines())
	}
	return fmt.Errorf("%d columns and no header with CALQ_0: want at least the %d charges%s", width, hgcal.Cells, hint)
}

// column is column j of the rows looked at that are not said to be names.
func (t *table) column(j int) []string {
	var c []string
	rows := t.rows
	if t.settings.Header == "first" {
		rows = rows[1:]
	}
	for _, r := range rows {
		if j < len(r) {
			c = append(c, r[j])
		}
	}
	return c
}

func start(index []string) string { return strings.Join(index[:min(4, len(index))], ", ") + " …" }

// modType is what the kinds of modules are called: FI, aO, …
var modType = regexp.MustCompile(`^[A-Za-z][A-Z]$`)

// ecoder reports whether column last may be ModType.
func (t *table) ecoder(last int) bool {
	for _, f := range t.column(last) {
		if !modType.MatchString(f) {
			return false
		}
	}
	return true
}

// older reports whether the columns behind the charges may be those of an older
// training file: endcap, layer, wafer, η and φ have values that they can have.
func (t *table) older() bool {
	within := func(column int, least, most float64, whole bool) bool {
		for _, f := range t.column(hgcal.Cells + column) {
			v, ok := number(f)
			if !ok || math.Abs(v) < least || math.Abs(v) > most || whole && v != math.Trunc(v) {
				return false
			}
		}
		return true
	}
	const zside, layer, waferu, waferv, eta, phi = 1, 2, 3, 4, 7, 8
	return within(zside, 1, 1, true) && within(layer, 1, 60, true) && within(waferu, 0, 20, true) && within(waferv, 0, 20, true) &&
		within(eta, 1, 4, false) && within(phi, 0, 2*math.Pi, false)
}

// widen fits a layout to rows that are one column wider: a blank behind the last
// separator, or rows' names in front that the header has no name for, as R
// writes them.
func (t *table) widen(l *layout) {
	n := len(l.field)
	rows := t.rows
	if l.header {
		rows = rows[1:]
	}
	if len(rows) == 0 || len(rows[0]) != n+1 {
		return
	}
	var index []string
	empty := true
	for _, r := range rows {
		index = append(index, r[0])
		empty = empty && (len(r) <= n || r[n] == "")
	}
	switch {
	case empty:
		l.field = append(l.field, blank)
	case l.header && len(t.rows[0]) == n && l.origin["index"] == 0 && (counts(index) || noNumbers(index)):
		for j, f := range l.field {
			if f <= meta {
				l.field[j] = f - 1
			}
		}
		l.field = append([]int{meta}, l.field...)
		l.names = append([]string{"index"}, l.names...)
	}
}

func noNumbers(fields []string) bool {
	for _, f := range fields {
		if _, ok := number(f); ok {
			return false
		}
	}
	return true
}

// sample reads the first rows. It returns them as lines, too: they are yet to be
// parsed.
func sample(r *Reader) (t *table, err error) {
	t = &table{settings: r.settings}
	for len(r.held) < sampled {
		line, err := r.next()
		if len(r.held) == 0 && err == nil {
			if skip := r.above(line, t); skip {
				continue
			}
			if r.sep == 0 {
				r.sep = lines.Separator(line, hgcal.Cells)
			}
		}
		if err != nil {
			r.after = err
			break
		}
		fields, err := lines.Split(nil, line, r.sep)
		if err != nil {
			r.after = r.failAt(r.lines.Row(), 0, err)
			break
		}
		if len(r.held) == 0 {
			r.row = r.lines.Row() - 1
		}
		r.held = append(r.held, bytes.Clone(line))
		t.rows = append(t.rows, texts(fields))
	}
	if len(r.held) == 0 {
		if r.after == io.EOF {
			return nil, fmt.Errorf("csvio: %s: empty: no images", r.name)
		}
		return nil, r.after
	}
	t.lines = r.countLines
	if t.comment != nil {
		t.comment = commentFields(t.comment[0], r.sep)
	}
	return t, nil
}

// above deals with what may stand above a table: comments, of which the last may
// be names, and the line by which a spreadsheet names the separator.
func (r *Reader) above(line []byte, t *table) bool {
	text := bytes.TrimSpace(line)
	if len(text) > 0 && text[0] == '#' {
		t.comment = []string{string(bytes.TrimLeft(text, "# \t"))}
		return true
	}
	if len(text) == 5 && strings.EqualFold(string(text[:4]), "sep=") || string(text) == "sep=" && line[len(line)-1] == '\t' {
		r.sep = line[len(line)-1]
		return true
	}
	return false
}

func commentFields(text string, sep byte) []string {
	fields, err := lines.Split(nil, []byte(text), sep)
	if err != nil {
		return nil
	}
	return texts(fields)
}

func texts(fields [][]byte) []string {
	t := make([]string, len(fields))
	for j, f := range fields {
		t[j] = string(f)
	}
	return t
}
