package parquetio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"time"

	"barrow/internal/parquet"

	"github.com/x448/float16"
)

// numbers gives a column's values as numbers: in the memory of dst, or of v.
func numbers(dst []float64, l *parquet.Leaf, v *parquet.Values) ([]float64, error) {
	dst = dst[:0]
	g := l.Logical
	switch {
	case len(v.Float) > 0:
		return v.Float, nil
	case g.Meaning == parquet.Decimal && len(v.Int) > 0:
		for _, n := range v.Int {
			dst = append(dst, decimal(n, g.Scale))
		}
	case g.Meaning == parquet.Decimal:
		for _, t := range v.Text {
			x, err := bigDecimal(t, g.Scale)
			if err != nil {
				return nil, err
			}
			dst = append(dst, x)
		}
	case g.Meaning == parquet.Float16:
		for _, t := range v.Text {
			dst = append(dst, float64(float16.Frombits(binary.LittleEndian.Uint16([]byte(t))).Float32()))
		}
	case unsigned(l, 64):
		for _, n := range v.Int {
			dst = append(dst, float64(uint64(n)))
		}
	case unsigned(l, 32):
		for _, n := range v.Int {
			dst = append(dst, float64(uint32(n)))
		}
	default:
		for _, n := range v.Int {
			dst = append(dst, float64(n))
		}
	}
	return dst, nil
}

// unsigned reports whether values are stored in so many bits without a sign.
func unsigned(l *parquet.Leaf, bits int) bool {
	g := l.Logical
	return g.Meaning == parquet.Whole && !g.Signed && (l.Physical == parquet.Int64) == (bits == 64)
}

// decimal is n / 10^scale, correctly rounded.
func decimal(n int64, scale int) float64 {
	if scale <= 22 && !inexact(n) {
		return float64(n) / math.Pow10(scale)
	}
	x, _ := strconv.ParseFloat(fmt.Sprintf("%de-%d", n, scale), 64)
	return x
}

// bigDecimal is a decimal of any length: two's complement, the highest byte first.
func bigDecimal(t string, scale int) (float64, error) {
	if len(t) == 0 || len(t) > 64 {
		return 0, fmt.Errorf("a decimal of %d bytes: want 1 to 64", len(t))
	}
	n := new(big.Int).SetBytes([]byte(t))
	if t[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(t))))
	}
	return strconv.ParseFloat(fmt.Sprintf("%de-%d", n, scale), 64)
}

// wholes adds whole numbers to dst. at is the place of one that is more than an int64
// holds, -1 if there is none.
func wholes(dst []int64, l *parquet.Leaf, v []int64) (_ []int64, at int) {
	switch {
	case unsigned(l, 64):
		for i, n := range v {
			if n < 0 {
				return nil, i
			}
		}
	case unsigned(l, 32):
		for _, n := range v {
			dst = append(dst, int64(uint32(n)))
		}
		return dst, -1
	}
	return append(dst, v...), -1
}

// texts adds a column's values to dst as text: dates and times as ISO 8601 has them.
func texts(dst []string, l *parquet.Leaf, v *parquet.Values) ([]string, error) {
	g := l.Logical
	var write func(n int64) string
	switch {
	case l.Physical == parquet.Int96:
		for _, t := range v.Text {
			dst = append(dst, julian(t))
		}
		return dst, nil
	case g.Meaning == parquet.UUID:
		for _, t := range v.Text {
			dst = append(dst, fmt.Sprintf("%x-%x-%x-%x-%x", t[:4], t[4:6], t[6:8], t[8:10], t[10:]))
		}
		return dst, nil
	case g.Meaning == parquet.Date:
		write = func(n int64) string { return time.Unix(n*86400, 0).UTC().Format(time.DateOnly) }
	case g.Meaning == parquet.Time:
		write = func(n int64) string { return moment(n, g.PerSecond).Format("15:04:05.999999999") }
	case g.Meaning == parquet.Timestamp && g.UTC:
		write = func(n int64) string { return moment(n, g.PerSecond).Format("2006-01-02T15:04:05.999999999Z") }
	case g.Meaning == parquet.Timestamp:
		write = func(n int64) string { return moment(n, g.PerSecond).Format("2006-01-02T15:04:05.999999999") }
	case len(v.Int) > 0 || len(v.Float) > 0:
		return nil, errors.New("values in a column that has none")
	default:
		return append(dst, v.Text...), nil
	}
	for _, n := range v.Int {
		dst = append(dst, write(n))
	}
	return dst, nil
}

func moment(n, perSecond int64) time.Time {
	seconds, rest := n/perSecond, n%perSecond
	return time.Unix(seconds, rest*(1e9/perSecond)).UTC()
}

// julian is a moment as older programs store it, in 12 bytes: nanoseconds of the day,
// and the Julian day, of which 2440588 is the first of 1970.
func julian(t string) string {
	b := []byte(t)
	day := int64(int32(binary.LittleEndian.Uint32(b[8:]))) - 2440588
	return time.Unix(day*86400, int64(binary.LittleEndian.Uint64(b))).UTC().Format("2006-01-02T15:04:05.999999999")
}
