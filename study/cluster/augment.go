package cluster

import (
	"fmt"
	"math"

	"barrow/internal/counter"
)

// Views says how two views of an image differ: in what does not make it another kind of image.
type Views struct {
	Turns     int     `json:"turns" help:"symmetric turns: 3 of wafers; of other images 1 for none, 2 halves or, of squares, 4 quarters (default: 3 of wafers, else 1)"`
	Poisson   float64 `json:"poisson" help:"charges drawn anew as Poisson numbers of quanta so many times as large as what the events say, or quantum; 0 for none"`
	Quantum   float64 `json:"quantum,omitempty" help:"charge that comes as one, in the data's unit, of rows that are single images (default: a twentieth of a bright cell)"`
	Gain      float64 `json:"gain" help:"spread of the cells' gains"`
	Dropout   float64 `json:"dropout" help:"share of cells that are left out; who looks for dead cells wants none"`
	Threshold float64 `json:"threshold" help:"cells below a share of the mean, drawn from 0 to this one, are set to zero"`
	Tilt      float64 `json:"tilt" help:"spread of a slope across the image, of the logarithm of charges from the middle to the rim: where in the detector a module stands"`
	Shift     float64 `json:"shift" help:"spread of a shift in pixels, of images with --grid"`
	Rotate    float64 `json:"rotate" help:"spread of a rotation in degrees, of images with --grid"`
	Stretch   float64 `json:"stretch" help:"spread of a stretch along each axis, of images with --grid"`
}

func (v Views) check() error {
	for _, c := range []struct {
		key         string
		value, most float64
	}{
		{"poisson", v.Poisson, 1000}, {"quantum", v.Quantum, math.MaxFloat64}, {"gain", v.Gain, 2}, {"dropout", v.Dropout, 0.9}, {"threshold", v.Threshold, 100},
		{"tilt", v.Tilt, 10}, {"shift", v.Shift, 1000}, {"rotate", v.Rotate, 180}, {"stretch", v.Stretch, 1},
	} {
		if !(c.value >= 0 && c.value <= c.most) {
			return fmt.Errorf("%s = %v: want 0 to %v", c.key, c.value, c.most)
		}
	}
	return nil
}

// moves says whether images are shifted, rotated or stretched.
func (v Views) moves() bool { return v.Shift > 0 || v.Rotate > 0 || v.Stretch > 0 }

// A viewer draws views of rows. It belongs to one goroutine.
type viewer struct {
	rows  *rows
	views Views
	moved []float64
}

// poisson draws a Poisson number; a large mean's by the normal limit.
func poisson(s *counter.Stream, mean float64) float64 {
	if mean > 30 {
		return max(0, math.Round(mean+float64(math.Sqrt(mean)*s.Normal())))
	}
	return float64(s.Poisson(mean))
}

// draw fills in a view of row i.
func (w *viewer) draw(i int, s *counter.Stream, charge, agreement []float64) {
	v, g := w.views, w.rows.grid
	from := w.rows.value[i]
	if v.moves() {
		from = w.move(from, s)
	}
	turn := g.turns[s.IntN(len(g.turns))]
	quantum := v.Poisson * w.rows.quantum[i]
	tx, ty := float64(v.Tilt*s.Normal()), float64(v.Tilt*s.Normal())
	mean := 0.0
	for cell, q := range from {
		to := turn[cell]
		if quantum > 0 {
			q = float64(quantum * poisson(s, q/quantum))
		}
		if v.Gain > 0 {
			q *= math.Exp(float64(v.Gain * s.Normal()))
		}
		if v.Tilt > 0 {
			q *= math.Exp(float64(tx*g.xy[to][0]) + float64(ty*g.xy[to][1]))
		}
		if v.Dropout > 0 && s.Float64() < v.Dropout {
			q = 0
		}
		charge[to] = q
		mean += q / float64(g.cells)
	}
	if v.Threshold > 0 {
		least := float64(v.Threshold * s.Float64() * mean)
		for k, q := range charge {
			if q < least {
				charge[k] = 0
			}
		}
	}
	if w.rows.agreement == nil {
		return
	}
	noise := v.Poisson / math.Sqrt(float64(w.rows.events[i]))
	for cell, r := range w.rows.agreement[i] {
		if r != 0 { // 0 is that of a cell that always says the same
			r = math.Tanh(fisher(r) + float64(noise*s.Normal()))
		}
		agreement[turn[cell]] = r
	}
}

// fisher is R. Fisher's z of a correlation, of which estimates are normal with a variance of 1/n.
func fisher(r float64) float64 { return math.Atanh(max(-0.95, min(0.95, r))) }

// move shifts, rotates and stretches an image about its middle; between pixels it is linear, outside 0.
func (w *viewer) move(from []float64, s *counter.Stream) []float64 {
	g, v := w.rows.grid, w.views
	if w.moved == nil {
		w.moved = make([]float64, g.cells)
	}
	sin, cos := math.Sincos(v.Rotate * s.Normal() * math.Pi / 180)
	sx, sy := math.Exp(float64(v.Stretch*s.Normal())), math.Exp(float64(v.Stretch*s.Normal()))
	dx, dy := float64(v.Shift*s.Normal()), float64(v.Shift*s.Normal())
	mx, my := float64(g.width-1)/2, float64(g.height-1)/2
	pixel := func(y, x int) float64 {
		if y < 0 || x < 0 || y >= g.height || x >= g.width {
			return 0
		}
		return from[y*g.width+x]
	}
	for i := range w.moved {
		x, y := float64(i%g.width)-mx-dx, float64(i/g.width)-my-dy
		x, y = (float64(cos*x)+float64(sin*y))*sx+mx, (float64(cos*y)-float64(sin*x))*sy+my
		fx, fy := math.Floor(x), math.Floor(y)
		a, b := x-fx, y-fy
		ix, iy := int(fx), int(fy)
		w.moved[i] = float64((1-b)*(float64((1-a)*pixel(iy, ix))+float64(a*pixel(iy, ix+1)))) +
			float64(b*(float64((1-a)*pixel(iy+1, ix))+float64(a*pixel(iy+1, ix+1))))
	}
	return w.moved
}
