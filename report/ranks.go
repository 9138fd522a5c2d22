package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Ranks shows mean ranks on an axis, with bars that join those which cannot be told apart: the
// diagram of J. Demšar (J. Mach. Learn. Res. 7 (2006) 1).
type Ranks struct {
	// Critical is by how much two mean ranks must differ; drawn as a length beside the axis. 0 where no
	// difference would do.
	Critical float64 `json:"critical_difference"`
	Rows     []Rank  `json:"rows"` // two at least, in any order
	// Groups are rows, by number, that are not told apart.
	Groups [][]int `json:"groups,omitempty"`
}

// A Rank is one row of [Ranks].
type Rank struct {
	Name string  `json:"name"`
	Mean float64 `json:"mean"` // from 1 to the number of rows
}

// Lengths of a diagram of ranks.
const (
	rankTop   vg.Length = 52 // to the axis
	rankGroup vg.Length = 7  // between bars
	rankRow   vg.Length = 16
	rankNames vg.Length = 134 // at most, on either side
)

// rankSheet draws one.
type rankSheet struct {
	a     *artist
	r     *Ranks
	order []int // best first
}

func (a *artist) ranks(r *Ranks) *rankSheet {
	s := &rankSheet{a: a, r: r}
	for i := range r.Rows {
		s.order = append(s.order, i)
	}
	slices.SortStableFunc(s.order, func(i, j int) int {
		switch {
		case r.Rows[i].Mean < r.Rows[j].Mean:
			return -1
		case r.Rows[i].Mean > r.Rows[j].Mean:
			return 1
		}
		return 0
	})
	return s
}

// left is how many names stand on the left.
func (s *rankSheet) left() int { return (len(s.order) + 1) / 2 }

func (s *rankSheet) size() (w, h vg.Length) {
	return chartWidth, rankTop + vg.Length(len(s.r.Groups))*rankGroup + vg.Length(s.left())*rankRow + 22
}

func (s *rankSheet) draw(c draw.Canvas) {
	c = draw.Crop(c, 4, -4, 0, 0)
	style := textStyle(sizeTick, ink, draw.XRight, draw.YCenter)
	room := [2]vg.Length{}
	for k, i := range s.order {
		side := 0
		if k >= s.left() {
			side = 1
		}
		room[side] = max(room[side], min(rankNames, style.Width(oneLine(s.r.Rows[i].Name))))
	}
	lo, hi := c.Min.X+room[0]+14, c.Max.X-room[1]-14
	n := float64(len(s.order))
	x := func(rank float64) vg.Length { return lo + (hi-lo)*vg.Length((rank-1)/(n-1)) }
	axis := c.Max.Y - rankTop
	s.scale(c, x, axis)
	for g, group := range s.r.Groups {
		first, last := math.Inf(1), math.Inf(-1)
		for _, i := range group {
			first, last = min(first, s.r.Rows[i].Mean), max(last, s.r.Rows[i].Mean)
		}
		y := axis - 8 - vg.Length(g)*rankGroup
		c.StrokeLine2(stroke(ink, 3.2), x(first)-2, y, x(last)+2, y)
	}
	top := axis - 8 - vg.Length(len(s.r.Groups))*rankGroup - 8
	for k, i := range s.order {
		row := s.r.Rows[i]
		at, y := x(row.Mean), top-vg.Length(k)*rankRow
		edge, name, align := lo-8, vg.Point{X: lo - 14}, draw.XRight
		if k >= s.left() {
			y = top - vg.Length(len(s.order)-1-k)*rankRow
			edge, name.X, align = hi+8, hi+14, draw.XLeft
		}
		line := stroke(s.a.colour(row.Name), 1.2)
		c.StrokeLines(line, []vg.Point{{X: at, Y: axis}, {X: at, Y: y}, {X: edge, Y: y}})
		s.a.marker(&c, row.Name, vg.Point{X: at, Y: axis})
		name.Y, style.XAlign = y+style.FontExtents().Descent, align
		c.FillText(style, name, shorten(style, row.Name, rankNames))
	}
}

// scale draws the axis with the critical difference above it.
func (s *rankSheet) scale(c draw.Canvas, x func(float64) vg.Length, axis vg.Length) {
	n := float64(len(s.order))
	c.StrokeLine2(stroke(rule, 1), x(1), axis, x(n), axis)
	style := textStyle(sizeTick, muted, draw.XCenter, draw.YBottom)
	every := 1.0
	for x(1+every)-x(1) < style.Width("00")+6 && every < n {
		every++
	}
	for v := 1.0; v <= n; v += every {
		c.StrokeLine2(stroke(rule, 1), x(v), axis, x(v), axis+4)
		c.FillText(style, vg.Point{X: x(v), Y: axis + 6}, fmt.Sprint(v))
	}
	y := c.Max.Y - 20
	if s.r.Critical > 0 {
		end := min(x(1+s.r.Critical), x(n)) // it may be longer than the axis
		ruler := stroke(ink, 1.4)
		c.StrokeLine2(ruler, x(1), y, end, y)
		c.StrokeLine2(ruler, x(1), y-4, x(1), y+4)
		if 1+s.r.Critical <= n {
			c.StrokeLine2(ruler, end, y-4, end, y+4)
		}
	}
	text := s.r.critical()
	label := textStyle(sizeTick, ink, draw.XLeft, draw.YBottom)
	at := min(x(1), c.Max.X-label.Width(text))
	c.FillText(label, vg.Point{X: max(at, c.Min.X), Y: y + 5}, text)
	title := textStyle(sizeTick, muted, draw.XRight, draw.YCenter)
	c.FillText(title, vg.Point{X: x(1) - 8, Y: axis + title.FontExtents().Descent}, shorten(title, "mean rank", x(1)-8-c.Min.X))
}

func (r *Ranks) check() error {
	n := len(r.Rows)
	if n == 0 {
		return nil
	}
	if n == 1 {
		return fmt.Errorf("ranks of 1 row, want two at least")
	}
	if err := counts("critical difference", []float64{r.Critical}, 1); err != nil {
		return err
	}
	for _, row := range r.Rows {
		if !(row.Mean >= 1 && row.Mean <= float64(n)) {
			return fmt.Errorf("row %q: the mean rank %v, want 1 to %d", row.Name, row.Mean, n)
		}
	}
	for _, group := range r.Groups {
		for _, i := range group {
			if i < 0 || i >= n {
				return fmt.Errorf("a group of rows with row %d of %d", i, n)
			}
		}
	}
	return nil
}

// critical is the critical difference in words.
func (r *Ranks) critical() string {
	if r.Critical == 0 {
		return "no critical difference: too few blocks"
	}
	return "critical difference " + number(r.Critical, 2)
}

func (r *Ranks) describe() string {
	var parts []string
	for _, i := range (&artist{}).ranks(r).order {
		parts = append(parts, fmt.Sprintf("%s %s", r.Rows[i].Name, number(r.Rows[i].Mean, 2)))
	}
	told := fmt.Sprintf("those closer than %s are not told apart.", number(r.Critical, 2))
	if r.Critical == 0 {
		told = "of so few blocks none are told apart."
	}
	return fmt.Sprintf("mean ranks: %s; %s", list(parts), told)
}

func (r *Ranks) numbers() Table {
	words := r.critical()
	t := Table{Columns: []Column{{Name: ""}, column("mean rank")}, Note: strings.ToUpper(words[:1]) + words[1:] + "."}
	for _, i := range (&artist{}).ranks(r).order {
		t.Rows = append(t.Rows, []string{r.Rows[i].Name, number(r.Rows[i].Mean, 2)})
	}
	return t
}
