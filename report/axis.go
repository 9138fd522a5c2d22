package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// ticker places labelled ticks at round numbers.
type ticker struct {
	log   bool
	whole bool // the numbers are counts: no label between them
	about int  // number of labels wished for
}

// Ticks implements [plot.Ticker].
func (t ticker) Ticks(lo, hi float64) []plot.Tick {
	if t.log && lo > 0 {
		return logTicks(lo, hi, t.about)
	}
	step := niceStep(hi-lo, t.about)
	switch {
	case t.whole && step < 1:
		step = 1
	case t.whole && step == 2.5:
		step = 5
	}
	var ticks []plot.Tick
	first := math.Ceil(lo/step - 1e-9)
	for k := range int((hi-lo)/step) + 2 {
		if v := (first + float64(k)) * step; v <= hi+1e-9*step {
			// Not a rounding error beyond the ends, where the plot sees it half.
			at := math.Min(math.Max(v, lo), hi)
			ticks = append(ticks, plot.Tick{Value: at, Label: tickLabel(v, step)})
		}
	}
	return ticks
}

// niceStep is 1, 2, 2.5 or 5 times a power of ten that divides span into
// about n parts.
func niceStep(span float64, n int) float64 {
	raw := span / float64(max(n, 1))
	if !(raw > 0) || math.IsInf(raw, 0) {
		return 1
	}
	p := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 2.5, 5} {
		if raw <= m*p*(1+1e-9) {
			return m * p
		}
	}
	return 10 * p
}

// tickLabel writes v with the decimals that step needs, a real minus sign,
// and thousands apart; far from 1 it writes powers of ten.
func tickLabel(v, step float64) string {
	if math.Abs(v) < step*1e-6 {
		return "0"
	}
	if m := math.Abs(v); m >= 1e6 || step < 1e-5 {
		return power(v, step)
	}
	prec := 0
	for s := step; prec < 7 && math.Abs(s-math.Round(s)) > 1e-6*s; prec++ {
		s *= 10
	}
	return number(v, prec)
}

// number writes v with prec decimals, a real minus sign and thin spaces in
// the thousands from 10 000 on; from 10⁹ on, three digits and a power of ten.
func number(v float64, prec int) string {
	if m := math.Abs(v); m >= 1e9 {
		return power(v, math.Pow(10, math.Floor(math.Log10(m))-2))
	}
	s := strconv.FormatFloat(math.Abs(v), 'f', prec, 64)
	whole, frac, _ := strings.Cut(s, ".")
	if len(whole) > 4 {
		var parts []string
		for len(whole) > 3 {
			parts = append([]string{whole[len(whole)-3:]}, parts...)
			whole = whole[:len(whole)-3]
		}
		whole = strings.Join(append([]string{whole}, parts...), "\u2009")
	}
	if frac != "" {
		whole += "." + frac
	}
	if v < 0 && strings.Trim(s, "0.") != "" {
		whole = "−" + whole
	}
	return whole
}

// power writes v as 2.5×10⁶.
func power(v, step float64) string {
	e := math.Floor(math.Log10(math.Abs(v)) + 1e-9)
	m := v / math.Pow(10, e)
	digits := 0
	for s := step / math.Pow(10, e); digits < 3 && math.Abs(s-math.Round(s)) > 1e-6*s; digits++ {
		s *= 10
	}
	exp := superscript(int(e))
	if ms := number(m, digits); ms != "1" {
		return ms + "×10" + exp
	}
	return "10" + exp
}

func superscript(n int) string {
	return strings.NewReplacer("-", "⁻", "0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴",
		"5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹").Replace(strconv.Itoa(n))
}

// logTicks labels 1, 2 and 5 of each decade on short ranges, powers of ten on
// long ones, with small ticks between.
func logTicks(lo, hi float64, about int) []plot.Tick {
	decades := math.Log10(hi / lo)
	var ticks []plot.Tick
	every := int(math.Max(1, math.Ceil(decades/float64(about+1))))
	for e := int(math.Floor(math.Log10(lo))); float64(e) <= math.Log10(hi)+1; e++ {
		for m := 1; m < 10; m++ {
			v, _ := strconv.ParseFloat(fmt.Sprintf("%de%d", m, e), 64) // exact, so that labels are short
			if v < lo*(1-1e-9) || v > hi*(1+1e-9) {
				continue
			}
			t := plot.Tick{Value: math.Min(math.Max(v, lo), hi)}
			switch {
			case m == 1 && e%every == 0, decades < 2 && about > 3 && (m == 2 || m == 5), decades < 0.6 && about > 4:
				t.Label = logLabel(v, hi)
			case every > 1 && m > 1:
				continue
			}
			ticks = append(ticks, t)
		}
	}
	if labelled(ticks) < 2 { // less than one step between round numbers
		return ticker{about: min(about, 4)}.Ticks(lo, hi)
	}
	return ticks
}

func labelled(ticks []plot.Tick) int {
	n := 0
	for _, t := range ticks {
		if t.Label != "" {
			n++
		}
	}
	return n
}

// logLabel writes powers of ten from 1000 on where the axis goes far.
func logLabel(v, hi float64) string {
	if v >= 1e-3 && (v < 1000 || v < 1e4 && hi < 1e5) {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return power(v, v)
}

// wholes tells whether all values are whole numbers.
func wholes(list ...[]float64) bool {
	for _, x := range list {
		for _, v := range x {
			if v != math.Trunc(v) {
				return false
			}
		}
	}
	return true
}

// A span collects the values that an axis must show.
type span struct{ lo, hi float64 }

func newSpan() span { return span{math.Inf(1), math.Inf(-1)} }

func (s *span) add(list ...float64) {
	for _, v := range list {
		s.lo, s.hi = math.Min(s.lo, v), math.Max(s.hi, v)
	}
}

// fitting is how an axis is laid around its values.
type fitting int

const (
	exact    fitting = iota // the values' own ends
	airyEnds                // air around them, linear ends on round numbers
	fromZero                // the same, with zero where it is near
)

// ends turns the values into the ends of the axis.
func (s span) ends(a Axis, fit fitting) (lo, hi float64) {
	lo, hi = s.lo, s.hi
	if lo > hi {
		lo, hi = 0, 1
		if a.Log {
			lo = 0.1
		}
	}
	switch {
	case a.Log && narrow(lo, hi):
		lo, hi = lo/2, hi*2
	case narrow(lo, hi):
		pad := math.Max(math.Abs(lo)/10, 1e-9)
		lo, hi = lo-pad, hi+pad
	case fit == exact:
	case a.Log:
		f := math.Pow(hi/lo, 0.04)
		lo, hi = lo/f, hi*f
	default:
		lo, hi = airy(lo, hi, fit == fromZero)
	}
	if a.Min != nil {
		lo = *a.Min
	}
	if a.Max != nil {
		hi = *a.Max
	}
	if lo >= hi || narrow(lo, hi) { // a fixed end beyond all data
		switch {
		case a.Log && a.Min != nil:
			hi = lo * 10
		case a.Log:
			lo = hi / 10
		case a.Min != nil:
			hi = lo + math.Max(1, math.Abs(lo)/10)
		default:
			lo = hi - math.Max(1, math.Abs(hi)/10)
		}
	}
	return lo, hi
}

// narrow tells whether a range is too small against its values to place round
// numbers in.
func narrow(lo, hi float64) bool {
	return hi-lo <= math.Max(1e-9*math.Max(math.Abs(lo), math.Abs(hi)), 1e-200)
}

// airy widens a linear range: to zero where zero is wished for and near, by a
// twentieth elsewhere, and on to round numbers.
func airy(lo, hi float64, zero bool) (float64, float64) {
	pad := (hi - lo) / 20
	a, b := lo-pad, hi+pad
	if lo >= 0 && (lo == 0 || zero && lo < 0.6*hi) {
		a = 0
	}
	if hi <= 0 && (hi == 0 || zero && hi > 0.6*lo) {
		b = 0
	}
	step := niceStep(b-a, 5) / 2
	return math.Floor(a/step+1e-9) * step, math.Ceil(b/step-1e-9) * step
}

// newPlot is an empty plot in the house style.
func newPlot(x, y Axis, xs, ys span, fitX, fitY fitting) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	p.X.Min, p.X.Max = xs.ends(x, fitX)
	p.Y.Min, p.Y.Max = ys.ends(y, fitY)
	// The plot measures its own, empty labels and the tick labels by these.
	p.X.Tick.Label = textStyle(sizeTick, muted, draw.XCenter, draw.YTop)
	p.Y.Tick.Label = textStyle(sizeTick, muted, draw.XRight, draw.YCenter)
	p.X.Label.TextStyle, p.Y.Label.TextStyle = p.X.Tick.Label, p.Y.Tick.Label
	for i, side := range []struct {
		axis *plot.Axis
		from Axis
	}{{&p.X, x}, {&p.Y, y}} {
		side.axis.LineStyle = stroke(rule, 0.8)
		side.axis.Tick.LineStyle = stroke(rule, 0.8)
		side.axis.Tick.Length = vg.Points(4)
		side.axis.Padding = 0
		side.axis.Tick.Marker = ticker{log: side.from.Log, about: 6 - i}
		if side.from.Log {
			side.axis.Scale = plot.LogScale{}
		}
	}
	p.Add(gridLines{})
	return p
}

// gridLines draws a faint line at every labelled tick.
type gridLines struct{}

// Plot implements [plot.Plotter].
func (gridLines) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		if t.Label != "" && c.ContainsY(y(t.Value)) {
			c.StrokeLine2(stroke(grid, 0.7), c.Min.X, y(t.Value), c.Max.X, y(t.Value))
		}
	}
	for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
		if t.Label != "" && c.ContainsX(x(t.Value)) {
			c.StrokeLine2(stroke(grid, 0.7), x(t.Value), c.Min.Y, x(t.Value), c.Max.Y)
		}
	}
}
