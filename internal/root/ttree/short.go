package ttree

import (
	"math"
	"strconv"
	"strings"
)

// short is the layout of a Float16_t, or of a Double32_t, whose title may have a range
// and a number of bits in brackets: [low,high,bits].
func (l *layout) short(title string, half bool) {
	l.number, l.bits = f32, 12
	if half {
		l.number = short32
	}
	low, high, bits, ok := bracket(title)
	if !ok {
		return
	}
	if low < high {
		l.number, l.low = ranged, low
		steps := math.Pow(2, float64(bits))
		if bits >= 32 {
			steps = math.MaxUint32
		}
		l.step = (high - low) / steps
		return
	}
	if bits < 15 {
		l.number, l.bits = short32, bits
	}
}

// bracket finds a range in a title; brackets before it are an array's.
func bracket(title string) (low, high float64, bits int, ok bool) {
	for {
		var body string
		if _, title, ok = strings.Cut(title, "["); !ok {
			return 0, 0, 0, false
		}
		if body, title, ok = strings.Cut(title, "]"); !ok {
			return 0, 0, 0, false
		}
		parts := strings.Split(body, ",")
		if len(parts) < 2 {
			continue
		}
		bits = 32
		if len(parts) > 2 {
			if n, err := strconv.Atoi(strings.TrimSpace(parts[2])); err == nil && n >= 2 && n <= 32 {
				bits = n
			}
		}
		return bound(parts[0]), bound(parts[1]), bits, true
	}
}

// bound is an end of a range: a number, or a multiple or part of pi.
func bound(s string) float64 {
	if len(s) > 64 {
		return 0
	}
	s = strings.ToLower(strings.ReplaceAll(s, " ", ""))
	if v, err := strconv.ParseFloat(s, 64); err == nil {
		return v
	}
	if s, ok := strings.CutPrefix(s, "-"); ok {
		return -bound(s)
	}
	if a, b, ok := strings.Cut(s, "/"); ok {
		if v, err := strconv.ParseFloat(b, 64); err == nil && v != 0 {
			return bound(a) / v
		}
	}
	if a, b, ok := strings.Cut(s, "*"); ok {
		return bound(a) * bound(b)
	}
	switch strings.TrimPrefix(s, "tmath::") {
	case "pi", "pi()":
		return math.Pi
	case "twopi", "2pi", "twopi()":
		return 2 * math.Pi
	}
	return 0
}
