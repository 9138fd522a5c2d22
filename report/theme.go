package report

import (
	"fmt"
	"image/color"
	"math"
	"sort"
	"strconv"
	"strings"
)

// A shade is a color with a name: drawn on SVG it is a class whose value the
// theme gives, drawn on pixels it is the light value.
type shade struct {
	name    string
	opacity float64
}

// Class and Opacity make a shade a Named color of the SVG canvas.
func (s shade) Class() string    { return s.name }
func (s shade) Opacity() float64 { return s.opacity }

// RGBA implements [color.Color] with the light theme.
func (s shade) RGBA() (r, g, b, a uint32) {
	c := light[s.name]
	c.A = uint8(math.Round(255 * s.opacity))
	return c.RGBA()
}

func (s shade) fade(opacity float64) shade { return shade{s.name, opacity} }

func named(name string) shade { return shade{name, 1} }

// The roles of colours. s0…s11 are the series, q0…q24 the sequential scale
// from nothing to most, d0…d24 the diverging one with d12 at zero.
var (
	ink   = named("ink")   // titles, values
	muted = named("muted") // ticks and labels
	rule  = named("rule")  // axes
	grid  = named("grid")  // grid lines, cell borders
	paper = named("paper") // background
	// cellLine separates cells without competing with their colours.
	cellLine = named("cell")
)

const (
	seriesColours = 12
	levels        = 24 // q0…q24, d0…d24
)

// light and dark give every shade its value.
var light, dark = theme(false), theme(true)

// The anchors of the scales. Sequential: from pale green to deep blue on
// light, the other way on dark; lightness runs steadily, so that it survives
// grey printing. Diverging: blue for too little, orange for too much.
var (
	seqLight    = []string{"eaf3d9", "c4e3bd", "7fcdbb", "3fb0c3", "2285ba", "25529b", "101f5c"}
	seqDark     = []string{"1e2e4d", "1f4a86", "2274b0", "2fa3bd", "6cc9b6", "bfe5b4", "fbfbd9"}
	divLight    = []string{"08468b", "3a84c0", "9cc8e6", "f4f4f2", "f8bc82", "dd6f16", "8c3303"}
	divDark     = []string{"8cc9ff", "3d8fd6", "1f4c78", "262a30", "7d4212", "d97a26", "ffc48a"}
	seriesLight = []string{"0072b2", "d55e00", "009e73", "b3569b", "b87e00", "2b93c9", "6b6b6b", "7a4a1e", "c2185b", "5d4fb3", "5c7a00", "00807f"}
	seriesDark  = []string{"5aa9e6", "ff8c42", "3ecf9e", "e48fc6", "f0c04a", "8fd3ff", "b0b0b0", "c79a6b", "ff7a9e", "a79bff", "b4d455", "4fd6d6"}
	rolesLight  = map[string]string{"ink": "1b1f24", "muted": "4d5560", "rule": "8a929c", "grid": "e4e7eb", "paper": "ffffff", "cell": "c3c9d0"}
	rolesDark   = map[string]string{"ink": "eceff3", "muted": "b3bac4", "rule": "717983", "grid": "31363e", "paper": "1a1d22", "cell": "454c55"}
	emptyCell   = [2]string{"f6f7f8", "22262c"} // q0: a cell without charge
)

func theme(isDark bool) map[string]color.NRGBA {
	t := map[string]color.NRGBA{}
	roles, series, seq, div, zero := rolesLight, seriesLight, seqLight, divLight, emptyCell[0]
	if isDark {
		roles, series, seq, div, zero = rolesDark, seriesDark, seqDark, divDark, emptyCell[1]
	}
	for k, v := range roles {
		t[k] = hex(v)
	}
	for i, v := range series {
		t[fmt.Sprintf("s%d", i)] = hex(v)
	}
	t["q0"] = hex(zero)
	for i := range levels {
		x := float64(i) / (levels - 1)
		t[fmt.Sprintf("q%d", i+1)] = ramp(seq, x)
	}
	for i := range levels + 1 {
		t[fmt.Sprintf("d%d", i)] = ramp(div, float64(i)/levels)
	}
	return t
}

func hex(s string) color.NRGBA {
	v, _ := strconv.ParseUint(s, 16, 32) // constants of this file; a test reads them all
	return color.NRGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 255}
}

// ramp is the colour at x in [0, 1] of evenly spaced anchors.
func ramp(anchors []string, x float64) color.NRGBA {
	p := x * float64(len(anchors)-1)
	i := min(int(p), len(anchors)-2)
	f := p - float64(i)
	a, b := hex(anchors[i]), hex(anchors[i+1])
	mix := func(u, v uint8) uint8 { return uint8(math.Round(float64(u) + f*(float64(v)-float64(u)))) }
	return color.NRGBA{R: mix(a.R, b.R), G: mix(a.G, b.G), B: mix(a.B, b.B), A: 255}
}

// css writes the variables of both themes and the classes of the drawings.
// Only the classes in used (such as "fink", "ls3") are written, with the
// variables that they need; nil writes all.
func css(used []string) string {
	if used == nil {
		for name := range light {
			used = append(used, "f"+name, "l"+name)
		}
		sort.Strings(used)
	}
	vars := map[string]bool{}
	var classes strings.Builder
	for _, u := range used {
		name := u[1:]
		vars[name] = true
		if u[0] == 'l' {
			fmt.Fprintf(&classes, ".%s{fill:none;stroke:var(--%s)}\n", u, name)
		} else {
			fmt.Fprintf(&classes, ".%s{fill:var(--%s)}\n", u, name)
		}
	}
	var names []string
	for v := range vars {
		names = append(names, v)
	}
	sort.Strings(names)
	list := func(t map[string]color.NRGBA) string {
		var b strings.Builder
		for _, n := range names {
			c := t[n]
			fmt.Fprintf(&b, "--%s:#%02x%02x%02x;", n, c.R, c.G, c.B)
		}
		return b.String()
	}
	// Paper is white: the dark theme is for screens only.
	return ":root{" + list(light) + "}\n@media screen and (prefers-color-scheme:dark){:root{" + list(dark) + "}}\n" + classes.String()
}
