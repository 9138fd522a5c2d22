package csvio

import (
	"errors"
	"math"
	"strconv"
)

var (
	errNumber   = errors.New("is not a decimal number")
	errNegative = errors.New("is negative")
	errFinite   = errors.New("is not a finite number")
	errComma    = errors.New("has a comma in it: write decimal points, and nothing between thousands")
	errMissing  = errors.New("the charge is missing")
)

// exactPower10[k] is 10^k, exact in float64.
var exactPower10 = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// parseCharge reads a non-negative decimal number, correctly rounded. Digits
// that fit 53 bits with a small power of ten, nearly all that occur, need one
// exact integer and one rounding; the rest goes through strconv.
func parseCharge(b []byte) (float64, error) {
	if len(b) == 0 {
		return 0, errMissing
	}
	var mantissa uint64
	i, digits, fraction := 0, 0, -1
	for ; i < len(b); i++ {
		c := b[i]
		if d := c - '0'; d <= 9 {
			mantissa = mantissa*10 + uint64(d)
			if mantissa != 0 {
				digits++
			}
			continue
		}
		if c == '.' && fraction < 0 {
			fraction = i + 1
			continue
		}
		return parseSlow(b)
	}
	scale := 0
	if fraction >= 0 {
		scale = len(b) - fraction
	}
	if digits > 15 || scale > 22 || len(b) == 1 && b[0] == '.' {
		return parseSlow(b)
	}
	return float64(mantissa) / exactPower10[scale], nil
}

func parseSlow(b []byte) (float64, error) {
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9', c == '.', c == '-', c == '+', c == 'e', c == 'E':
		default: // strconv would also take hexadecimal and underscores
			if v, err := strconv.ParseFloat(string(b), 64); err == nil && v-v != 0 {
				return 0, errFinite
			}
			return 0, errNumber
		}
	}
	v, err := strconv.ParseFloat(string(b), 64)
	switch {
	case errors.Is(err, strconv.ErrRange) && math.IsInf(v, 0):
		return 0, errFinite
	case err != nil && !errors.Is(err, strconv.ErrRange):
		return 0, errNumber
	case v < 0:
		return 0, errNegative
	}
	return math.Abs(v), nil // -0 is 0
}

// appendNumber writes a number in its shortest exact form.
func appendNumber(b []byte, v float64) []byte {
	if v >= 0 && v < 1<<53 && v == math.Trunc(v) {
		return strconv.AppendUint(b, uint64(v), 10)
	}
	return strconv.AppendFloat(b, v, 'g', -1, 64)
}
