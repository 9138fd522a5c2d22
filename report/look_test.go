package report

import (
	"fmt"
	"image/color"
	"math"
	"regexp"
	"strings"
	"testing"
)

// luminance and contrast are those of the Web Content Accessibility
// Guidelines 2.1.
func luminance(c color.NRGBA) float64 {
	lin := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*lin(c.R) + 0.7152*lin(c.G) + 0.0722*lin(c.B)
}

func contrast(a, b color.NRGBA) float64 {
	x, y := luminance(a), luminance(b)
	return (math.Max(x, y) + 0.05) / (math.Min(x, y) + 0.05)
}

func TestColours(t *testing.T) {
	for _, list := range [][]string{seqLight, seqDark, divLight, divDark, seriesLight, seriesDark, emptyCell[:]} {
		for _, h := range list {
			if got := hex(h); fmt.Sprintf("%02x%02x%02x", got.R, got.G, got.B) != h {
				t.Errorf("%q is read as %v", h, got)
			}
		}
	}
	for name, th := range map[string]map[string]color.NRGBA{"light": light, "dark": dark} {
		if len(th) != len(light) {
			t.Errorf("%s has %d shades, light has %d", name, len(th), len(light))
		}
		for shade, least := range map[string]float64{"ink": 7, "muted": 4.5, "rule": 3, "s0": 4.5} {
			if c := contrast(th[shade], th["paper"]); c < least {
				t.Errorf("%s: contrast of %s with the paper is %.2f, want %v", name, shade, c, least)
			}
		}
		for _, s := range seriesNames {
			if c := contrast(th[s], th["paper"]); c < 3 {
				t.Errorf("%s: contrast of %s with the paper is %.2f, want 3", name, s, c)
			}
		}
		for i := 1; i <= levels; i++ { // farther from the paper with every step
			a, b := contrast(th[sequential[i-1]], th["paper"]), contrast(th[sequential[i]], th["paper"])
			if b <= a {
				t.Errorf("%s: charge level %d (%.2f) does not stand out more than the one below (%.2f)", name, i, b, a)
			}
		}
		for i := levels/2 + 1; i <= levels; i++ {
			for _, k := range []int{i, levels - i} {
				inner := k + 1
				if k > levels/2 {
					inner = k - 1
				}
				if contrast(th[diverging[k]], th["paper"]) <= contrast(th[diverging[inner]], th["paper"]) {
					t.Errorf("%s: difference level %d does not stand out more than %d", name, k, inner)
				}
			}
		}
	}
}

// deficient are the matrices of Machado, Oliveira and Fernandes (2009) for
// complete colour-vision deficiency, on linear RGB.
var deficient = map[string][9]float64{
	"normal":       {1, 0, 0, 0, 1, 0, 0, 0, 1},
	"protanopia":   {0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998},
	"deuteranopia": {0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881},
	"tritanopia":   {1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.303900},
}

// lab is CIELAB of a colour seen through m.
func lab(c color.NRGBA, m [9]float64) [3]float64 {
	var rgb, out [3]float64
	for i, v := range [3]uint8{c.R, c.G, c.B} {
		rgb[i] = luminance(color.NRGBA{R: v, G: v, B: v})
	}
	for i := range out {
		out[i] = math.Min(math.Max(m[3*i]*rgb[0]+m[3*i+1]*rgb[1]+m[3*i+2]*rgb[2], 0), 1)
	}
	f := func(v float64) float64 {
		if v > 216.0/24389 {
			return math.Cbrt(v)
		}
		return (24389.0/27*v + 16) / 116
	}
	x := f((0.4124*out[0] + 0.3576*out[1] + 0.1805*out[2]) / 0.9505)
	y := f(0.2126*out[0] + 0.7152*out[1] + 0.0722*out[2])
	z := f((0.0193*out[0] + 0.1192*out[1] + 0.9505*out[2]) / 1.089)
	return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

// TestColourBlind asks that the first four series, and the two ends of the
// difference scale, stay apart for every kind of colour vision. A difference
// of 10 in CIELAB is clear at a glance.
func TestColourBlind(t *testing.T) {
	for name, th := range map[string]map[string]color.NRGBA{"light": light, "dark": dark} {
		for vision, m := range deficient {
			apart := func(a, b string) {
				x, y := lab(th[a], m), lab(th[b], m)
				if d := math.Sqrt(math.Pow(x[0]-y[0], 2) + math.Pow(x[1]-y[1], 2) + math.Pow(x[2]-y[2], 2)); d < 10 {
					t.Errorf("%s, %s: %s and %s are only %.1f apart", name, vision, a, b, d)
				}
			}
			for i := range 4 {
				for j := range i {
					apart(seriesNames[i], seriesNames[j])
				}
			}
			for i := range levels / 3 {
				apart(diverging[i], diverging[levels-i])
			}
		}
	}
}

func labelsOf(k ticker, lo, hi float64) string {
	var s []string
	for _, t := range k.Ticks(lo, hi) {
		if t.Label != "" {
			s = append(s, t.Label)
		}
	}
	return strings.Join(s, " ")
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		k      ticker
		lo, hi float64
		want   string
	}{
		{ticker{about: 5}, 0, 2.5, "0 0.5 1.0 1.5 2.0 2.5"},
		{ticker{about: 5}, -0.3, 0.3, "−0.2 0 0.2"},
		{ticker{about: 6}, -0.3, 0.3, "−0.3 −0.2 −0.1 0 0.1 0.2 0.3"},
		{ticker{about: 5}, 0, 50000, "0 10\u2009000 20\u2009000 30\u2009000 40\u2009000 50\u2009000"},
		{ticker{about: 4}, 0, 4e6, "0 10⁶ 2×10⁶ 3×10⁶ 4×10⁶"},
		{ticker{about: 4}, 0, 2e-6, "0 5×10⁻⁷ 1.0×10⁻⁶ 1.5×10⁻⁶ 2.0×10⁻⁶"},
		{ticker{about: 5}, 0, 1.2, "0 0.25 0.50 0.75 1.00"},
		{ticker{about: 6, whole: true}, 1, 3, "1 2 3"},
		{ticker{about: 6, whole: true}, 0, 15, "0 5 10 15"},
		{ticker{log: true, about: 6}, 0.07, 1.1, "0.1 0.2 0.5 1"},
		{ticker{log: true, about: 6}, 0.001, 2000, "0.001 0.01 0.1 1 10 100 1000"},
		{ticker{log: true, about: 6}, 1, 1e20, "1 10³ 10⁶ 10⁹ 10¹² 10¹⁵ 10¹⁸"},
		{ticker{log: true, about: 6}, 0.21, 0.48, "0.3 0.4"},
		{ticker{log: true, about: 6}, 0.31, 0.38, "0.32 0.34 0.36 0.38"},
	} {
		if got := labelsOf(c.k, c.lo, c.hi); got != c.want {
			t.Errorf("%+v from %v to %v: %q, want %q", c.k, c.lo, c.hi, got, c.want)
		}
	}
}

func TestAxisEnds(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		axis   Axis
		fit    fitting
		a, b   float64
	}{
		{0.5, 1.9, Axis{}, fromZero, 0, 2},
		{0.86, 1.43, Axis{}, airyEnds, 0.8, 1.5},
		{-1.9, -0.5, Axis{}, fromZero, -2, 0},
		{0.5, 1.9, Axis{}, exact, 0.5, 1.9},
		{1, 1, Axis{}, exact, 0.9, 1.1},
		{0, 0, Axis{}, fromZero, -1e-9, 1e-9},
		{4, 4, Axis{Log: true}, exact, 2, 8},
		{1, 2, Axis{Min: At(5)}, exact, 5, 6},
		{1, 2, Axis{Max: At(-5)}, exact, -6, -5},
		{1, 2, Axis{Log: true, Min: At(5)}, exact, 5, 50},
		{1, 2, Axis{Log: true, Max: At(0.5)}, exact, 0.05, 0.5},
		{0, 100, Axis{Min: At(10), Max: At(20)}, fromZero, 10, 20},
	} {
		a, b := span{c.lo, c.hi}.ends(c.axis, c.fit)
		if math.Abs(a-c.a) > 1e-12 || math.Abs(b-c.b) > 1e-12 {
			t.Errorf("%v…%v %+v: %v to %v, want %v to %v", c.lo, c.hi, c.axis, a, b, c.a, c.b)
		}
	}
}

func TestNumbers(t *testing.T) {
	for want, got := range map[string]string{
		"1.000": number(1, 3), "−0.5": number(-0.5, 1), "0.0": number(-0.01, 1), "9999": number(9999, 0),
		"12\u2009345\u2009678.9": number(12345678.9, 1),
		"0":                      short(0), "0.54": short(0.541), "0.050": short(0.0499), "12.3": short(12.34), "1234": short(1234.4), "2.5×10⁻⁵": short(2.5e-5), "1.0×10⁶": short(1e6), "1.0×10⁻⁵": short(1e-5),
		"1, 2 and 3": list([]string{"1", "2", "3"}),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestSubscripts(t *testing.T) {
	for in, want := range map[string]string{
		"1 MIP_T, p_T<2": "1 MIP<sub>T</sub>, p<sub>T</sub>&lt;2",
		"CALQ_0 step_T":  "CALQ_0 step_T",
		"MIP_Tx":         "MIP_Tx",
	} {
		if got := string(subscripts(in)); got != want {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
	}
	if got := strings.Join(pieces("a MIP_T b p_T"), "|"); got != "a MIP|T| b p|T|" {
		t.Errorf("pieces: %q", got)
	}
}

// TestNumbersThin keeps long tables short, with first and last row.
func TestNumbersThin(t *testing.T) {
	var l Line
	for i := range 1000 {
		l.X, l.Y = append(l.X, float64(i)), append(l.Y, 1)
	}
	l.Name = "a"
	rows := (&Lines{Series: []Line{l}}).numbers().Rows
	if n := len(rows); n > maxNumbers+1 || rows[0][1] != "0" || rows[n-1][1] != "999" {
		t.Errorf("%d rows from %s to %s", n, rows[0][1], rows[n-1][1])
	}
}

// TestClasses asks that every class drawn with has a colour in the style.
func TestClasses(t *testing.T) {
	style := css(nil)
	for name := range light {
		for _, class := range []string{"f" + name, "l" + name} {
			if !regexp.MustCompile(`(?m)^\.` + class + `\{`).MatchString(style) {
				t.Errorf("no class %s", class)
			}
		}
		if n := strings.Count(style, "--"+name+":#"); n != 2 {
			t.Errorf("--%s is given %d values, want one a theme", name, n)
		}
	}
}

// TestLinePoints: a line draws its points where asked to, single points always,
// in the drawing and once more in the legend.
func TestLinePoints(t *testing.T) {
	shapes := func(lines ...Line) int {
		t.Helper()
		var svg strings.Builder
		f := Figure{ID: "x", Title: "x", Lines: &Lines{X: Axis{Label: "x"}, Y: Axis{Label: "y"}, Series: append(lines, Line{Name: "other", X: []float64{0, 4}, Y: []float64{0, 4}})}}
		if err := SVG(&svg, f); err != nil {
			t.Fatal(err)
		}
		return strings.Count(svg.String(), "<path") + strings.Count(svg.String(), "<polygon") + strings.Count(svg.String(), "<circle")
	}
	plain := Line{Name: "a", X: []float64{1, 2, 3}, Y: []float64{1, 3, 2}}
	marked, single := plain, Line{Name: "a", X: []float64{1}, Y: []float64{1}}
	marked.Points = true
	none, three, one := shapes(plain), shapes(marked), shapes(single)
	// A marker is a shape with an edge: every one adds the same.
	each := (three - none) / 4
	if each < 1 || three != none+4*each {
		t.Errorf("%d shapes without markers, %d with three and one in the legend", none, three)
	}
	// A single point has a marker and no line, in the drawing and in the legend.
	if one != none-2+2*each {
		t.Errorf("%d shapes with a single point, %d with a line, %d a marker", one, none, each)
	}
}
