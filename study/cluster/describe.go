package cluster

import (
	"cmp"
	"context"
	"encoding/csv"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/mat"
)

// What a page shows.
const (
	shownMembers = 5
	shownOdd     = 12
)

// describe says of every row what is known of it, and of every cluster what it looks like.
func (w *work) describe(ctx context.Context, l *lesson, x [][]float64, labels []int, sure []float64) (*Found, error) {
	r := l.viewer.rows
	f := &Found{Label: labels, Confidence: sure, Truth: r.truth}
	var err error
	if f.Odd, f.Worst, err = l.oddness(ctx, w.threads); err != nil {
		return nil, err
	}
	f.Map, f.Share = principal(x)
	var class []int
	if r.truth != nil {
		if class, err = matched(counts(labels, r.truth, w.plan.Classes, len(r.classes))); err != nil {
			return nil, err
		}
	}
	of := make([][]int, w.plan.Classes)
	for i, c := range labels {
		of[c] = append(of[c], i)
	}
	for c, list := range of {
		g := Group{Size: len(list), Means: r.means(list)}
		if class != nil && class[c] >= 0 {
			g.Class = r.classes[class[c]]
		}
		slices.SortStableFunc(list, func(a, b int) int { return cmp.Compare(sure[b], sure[a]) })
		for _, i := range list[:min(len(list), shownMembers)] {
			g.Members = append(g.Members, r.member(i, f.Odd, f.Worst))
		}
		f.Groups = append(f.Groups, g)
	}
	f.Oddest = r.oddest(f.Odd, f.Worst)
	return f, nil
}

// oddest are the rows with the largest scores.
func (r *rows) oddest(scores []float64, worst []int) (list []Member) {
	order := make([]int, r.len())
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	for _, i := range order[:min(len(order), shownOdd)] {
		list = append(list, r.member(i, scores, worst))
	}
	return list
}

func (r *rows) member(i int, scores []float64, worst []int) Member {
	m := Member{Row: i, Number: r.numberOf(i), Image: r.shares(i), Agreement: r.agreementOf(i), Odd: scores[i], Worst: worst[i]}
	var module []string
	for _, c := range r.columns[:r.naming] {
		module = append(module, c.text[i])
	}
	m.Module = strings.Join(module, "/")
	if r.truth != nil {
		m.Truth = r.classes[r.truth[i]]
	}
	return m
}

// means of some rows.
func (r *rows) means(list []int) Means {
	m := Means{Mean: make([]float64, r.grid.cells)}
	if r.agreement != nil {
		m.Agreement = make([]float64, r.grid.cells)
	}
	for _, i := range list {
		for k, q := range r.shares(i) {
			m.Mean[k] += q / float64(len(list))
		}
		for k, q := range r.agreementOf(i) {
			m.Agreement[k] += q / float64(len(list))
		}
	}
	return m
}

// shares is an image with the total 1, or 0.
func (r *rows) shares(i int) []float64 {
	total := 0.0
	for _, q := range r.value[i] {
		total += q
	}
	out := make([]float64, len(r.value[i]))
	for k, q := range r.value[i] {
		if total > 0 {
			out[k] = q / total
		}
	}
	return out
}

// principal are rows' coordinates along the two directions in which they vary most, which have mean 0
// here, and what share of the variance that is.
func principal(x [][]float64) (at [][2]float64, share [2]float64) {
	d := len(x[0])
	c := mat.NewSymDense(d, nil)
	for a := range d {
		for b := range a + 1 {
			s := 0.0
			for _, v := range x {
				s += float64(v[a] * v[b])
			}
			c.SetSym(a, b, s/float64(len(x)))
		}
	}
	at = make([][2]float64, len(x))
	var e mat.EigenSym
	if !e.Factorize(c, true) {
		return at, share
	}
	values := e.Values(nil)
	var vectors mat.Dense
	e.VectorsTo(&vectors)
	total := 0.0
	for _, v := range values {
		total += max(v, 0)
	}
	for k := range min(2, d) {
		axis := mat.Col(nil, d-1-k, &vectors)
		largest := 0.0 // whose sign is made positive: the other direction is as good
		for _, v := range axis {
			if math.Abs(v) > math.Abs(largest)+tiny {
				largest = v
			}
		}
		for i, v := range x {
			at[i][k] = math.Copysign(1, largest) * dot(v, axis)
		}
		if total > 0 {
			share[k] = max(values[d-1-k], 0) / total
		}
	}
	return at, share
}

// write makes the table of all rows: their number in the input, from 0, of modules that of their first image, what
// the input says of them, and what was found.
func (r *rows) write(to io.Writer, f *Found) error {
	w := csv.NewWriter(to)
	head := []string{"row"}
	for _, c := range r.columns {
		head = append(head, c.name)
	}
	if r.agreement != nil {
		head = append(head, "images")
	}
	if r.truth != nil {
		head = append(head, "true_class")
	}
	if err := w.Write(append(head, "cluster", "confidence", "odd", "worst_cell", "map_x", "map_y")); err != nil {
		return err
	}
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
	for i := range r.len() {
		line := []string{strconv.Itoa(r.numberOf(i))}
		for _, c := range r.columns {
			line = append(line, c.text[i])
		}
		if r.agreement != nil {
			line = append(line, strconv.Itoa(r.events[i]))
		}
		if r.truth != nil {
			line = append(line, r.classes[r.truth[i]])
		}
		line = append(line, strconv.Itoa(f.Label[i]), number(f.Confidence[i]), number(f.Odd[i]), strconv.Itoa(f.Worst[i]), number(f.Map[i][0]), number(f.Map[i][1]))
		if err := w.Write(line); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}
