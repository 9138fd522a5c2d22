package loss

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"barrow/internal/setting"
)

// options are what stands behind a loss's name, as in neighbourhood:radius=2:filter=max.
// A loss reads each of its own once, in a fixed order; whatever is left then is none.
type options struct {
	loss    string
	lattice *Lattice // on which the loss is to be
	given   map[string]string
	known   []string
	// said are the options that differ from the default, as they are spelt.
	said []string
	err  error
}

// readOptions splits what stands behind the name.
func readOptions(loss, text string, l *Lattice) (*options, error) {
	o := &options{loss: loss, lattice: l, given: map[string]string{}}
	if text == "" {
		return o, nil
	}
	for _, part := range strings.Split(text, ":") {
		key, value, ok := strings.Cut(part, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if !ok || key == "" || value == "" {
			return nil, fmt.Errorf("loss: %s: %q is no option: want option=value, several with a colon between", loss, part)
		}
		if _, twice := o.given[key]; twice {
			return nil, fmt.Errorf("loss: %s: %s is given twice", loss, key)
		}
		o.given[key] = value
	}
	return o, nil
}

// take is the text of an option, and whether there is one to read.
func (o *options) take(key string) (string, bool) {
	o.known = append(o.known, key)
	text, ok := o.given[key]
	delete(o.given, key)
	return text, ok && o.err == nil
}

// say notes how an option that is not its default is spelt.
func (o *options) say(key, value string) { o.said = append(o.said, key+"="+value) }

func (o *options) fail(format string, args ...any) {
	if o.err == nil {
		o.err = fmt.Errorf("loss: "+o.loss+": "+format, args...)
	}
}

// whole reads a whole number between low and high.
func (o *options) whole(key string, def, low, high int) int {
	text, ok := o.take(key)
	if !ok {
		return def
	}
	v, err := strconv.Atoi(text)
	if err != nil || v < low || v > high {
		o.fail("%s=%s: want a whole number from %d to %d", key, text, low, high)
		return def
	}
	if v != def {
		o.say(key, strconv.Itoa(v))
	}
	return v
}

// maxDiscs bounds the lists of cells around each cell, together.
const maxDiscs = 1 << 26

// radius reads that of discs of which some leave a cell out.
func (o *options) radius() int {
	l := o.lattice
	most := l.largestRadius()
	if most < 1 {
		o.fail("every disc on %s has all of its cells, which leaves nothing of their places", l)
		return 1
	}
	if l.rings == nil {
		for most > 1 && (2*most+1)*(2*most+1) > maxDiscs/l.cells {
			most--
		}
	}
	return o.whole("radius", 1, 1, most)
}

// number reads a number above low and at most high, and what it is in.
func (o *options) number(key string, def, low, high float64, unit string) float64 {
	text, ok := o.take(key)
	if !ok {
		return def
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v > low && v <= high) {
		most := fmt.Sprintf("and at most %g%s", high, unit)
		if math.IsInf(high, 1) {
			most = "or inf" + unit
		}
		o.fail("%s=%s: want a number above %g %s", key, text, low, most)
		return def
	}
	if v != def {
		o.say(key, spellNumber(v))
	}
	return v
}

// numbers reads rising numbers with a slash between.
func (o *options) numbers(key string, def []float64, low, high float64, unit string) []float64 {
	text, ok := o.take(key)
	if !ok {
		return def
	}
	var list []float64
	var spelt []string
	for _, part := range strings.Split(text, "/") {
		v, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil || !(v > low && v <= high) {
			o.fail("%s=%s: want numbers above %g and at most %g%s, several with a slash between", key, text, low, high, unit)
			return def
		}
		list, spelt = append(list, v), append(spelt, spellNumber(v))
	}
	if !slices.IsSortedFunc(list, func(a, b float64) int { return cmp.Or(cmp.Compare(a, b), -1) }) {
		o.fail("%s=%s: want each number once, rising", key, text)
		return def
	}
	if !slices.Equal(list, def) {
		o.say(key, strings.Join(spelt, "/"))
	}
	return list
}

// choice reads one of several words; the first is the default.
func (o *options) choice(key string, words ...string) string {
	text, ok := o.take(key)
	if !ok {
		return words[0]
	}
	if !slices.Contains(words, text) {
		o.fail("%s=%s: want one of %s%s", key, text, strings.Join(words, ", "), setting.Hint(text, words))
		return words[0]
	}
	if text != words[0] {
		o.say(key, text)
	}
	return text
}

// done is what was wrong, or that there are options that the loss has not read.
func (o *options) done() error {
	if o.err != nil {
		return o.err
	}
	left := slices.Sorted(maps.Keys(o.given))
	switch {
	case len(left) == 0:
		return nil
	case len(o.known) == 0:
		return fmt.Errorf("loss: %s has no options, so no %s", o.loss, left[0])
	}
	return fmt.Errorf("loss: %s has no option %s: it has %s%s", o.loss, left[0], strings.Join(o.known, ", "), setting.Hint(left[0], o.known))
}

// spelt is the loss's name with the options that are not the defaults.
func (o *options) spelt() string { return strings.Join(append([]string{o.loss}, o.said...), ":") }

// spellNumber writes a number without the + of 1e+06, which would be read as a sum's.
func spellNumber(v float64) string {
	return strings.ReplaceAll(strconv.FormatFloat(v, 'g', -1, 64), "+", "")
}
