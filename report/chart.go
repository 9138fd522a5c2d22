package report

import (
	"math"
	"sort"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A drawing has a natural size and can draw itself on a canvas of that size.
type drawing interface {
	size() (w, h vg.Length)
	draw(c draw.Canvas)
}

// A chart is a plot with its legend above it, where it covers no data.
type chart struct {
	plot   *plot.Plot
	x, y   string // axis labels
	legend []entry
	height vg.Length
	label  *Label
	// square makes the plot area as wide as high.
	square bool
	// side, if set, is drawn in a strip of sideWidth beside the plot area.
	side func(c draw.Canvas)
}

const sideWidth vg.Length = 62

// size implements drawing.
func (ch *chart) size() (w, h vg.Length) {
	h = ch.height
	if h == 0 {
		h = chartHeight
	}
	if lines := layLegend(ch.legend, chartWidth-margins); lines > 1 {
		h += vg.Length(lines-1) * legendLine // long legends do not press the plot
	}
	if ch.label != nil {
		h += markLine
	}
	return chartWidth, h
}

// margins are left and right of everything in a chart.
const margins vg.Length = 12

// draw implements drawing.
func (ch *chart) draw(c draw.Canvas) {
	c = draw.Crop(c, 4, 4-margins, 4, -4)
	if len(ch.legend) > 0 {
		c.Max.Y -= drawLegend(c, ch.legend) + 8
	} else if ch.side != nil {
		c.Max.Y -= legendLine // its title
	}
	if ch.label != nil {
		c.Max.Y -= markLine
	}
	left, below := vg.Length(labelRoom), vg.Length(labelRoom)
	if ch.y == "" {
		left = 0
	}
	area := draw.Crop(c, left, 0, below, 0)
	if ch.side != nil {
		area.Max.X -= sideWidth
	}
	data := ch.plot.DataCanvas(area)
	ch.spaceTicks(data.Size().X)
	area.Min.X += max(0, c.Min.X-ch.firstTick(data))
	data = ch.plot.DataCanvas(area)
	if extra := data.Size().X - data.Size().Y; ch.square && extra > 0 {
		area.Min.X += extra / 2
		area.Max.X -= extra / 2
	} else if ch.square {
		area.Max.Y += extra
	}
	ch.plot.Draw(area)
	data = ch.plot.DataCanvas(area)
	ch.labels(c, area, data)
	if ch.label != nil {
		ch.label.draw(data)
	}
	if ch.side != nil {
		side := c
		side.Min = vg.Point{X: data.Max.X + 14, Y: data.Min.Y}
		side.Max = vg.Point{X: data.Max.X + sideWidth, Y: data.Max.Y}
		ch.side(side)
	}
}

// spaceTicks wishes for fewer numbers on the x axis until they have room.
func (ch *chart) spaceTicks(room vg.Length) {
	k, ok := ch.plot.X.Tick.Marker.(ticker)
	for ok && k.about > 1 {
		last, clear := vg.Length(math.Inf(-1)), true
		for _, t := range k.Ticks(ch.plot.X.Min, ch.plot.X.Max) {
			if t.Label == "" {
				continue
			}
			at := room * vg.Length(ch.plot.X.Norm(t.Value))
			half := ch.plot.X.Tick.Label.Width(t.Label) / 2
			clear = clear && at-half > last
			last = at + half + 8
		}
		if clear {
			break
		}
		k.about--
		ch.plot.X.Tick.Marker = k
	}
}

// firstTick is where the leftmost number of the x axis begins; the plot makes
// room for the last one only.
func (ch *chart) firstTick(data draw.Canvas) vg.Length {
	left := data.Max.X
	x, _ := ch.plot.Transforms(&data)
	for _, t := range ch.plot.X.Tick.Marker.Ticks(ch.plot.X.Min, ch.plot.X.Max) {
		if t.Label != "" {
			left = min(left, x(t.Value)-ch.plot.X.Tick.Label.Width(t.Label)/2)
		}
	}
	return left
}

// labelRoom is the depth of an axis label with the air around it.
const labelRoom = 18

// labels writes the axis labels along the middle of the plot area. The plot
// would do it too, but makes room for them as if every axis were linear.
func (ch *chart) labels(c, area, data draw.Canvas) {
	style := fit(textStyle(sizeLabel, muted, draw.XCenter, draw.YBottom), ch.x, c.Size().X)
	half := style.Width(ch.x) / 2
	x := clamp((data.Min.X+data.Max.X)/2, c.Min.X+half, c.Max.X-half)
	c.FillText(style, vg.Point{X: x, Y: area.Min.Y - labelRoom + 2}, ch.x)
	style = fit(textStyle(sizeLabel, muted, draw.XCenter, draw.YTop), ch.y, c.Size().Y)
	style.Rotation = math.Pi / 2
	half = style.Width(ch.y) / 2
	y := clamp((data.Min.Y+data.Max.Y)/2, c.Min.Y+half, c.Max.Y-half)
	c.FillText(style, vg.Point{X: area.Min.X - labelRoom, Y: y}, ch.y)
}

// markLine is the height that a label takes.
const markLine vg.Length = 17

// draw writes the label above the plot area: what is whose on the left, the rest on
// the right, in what room that leaves.
func (l *Label) draw(data draw.Canvas) {
	style := textStyle(sizeLabel, ink, draw.XLeft, draw.YBottom)
	at, gap := vg.Point{X: data.Min.X, Y: data.Max.Y + 3}, style.Width("n")
	for i, part := range []string{l.Experiment, l.Status} {
		s := italic(style)
		if i == 0 {
			s = bold(style)
		}
		if part = shorten(s, part, data.Max.X-at.X); part != "" {
			data.FillText(s, at, part)
			at.X += s.Width(part) + gap
		}
	}
	style.XAlign = draw.XRight
	if part := shorten(style, l.Right, data.Max.X-at.X-gap); part != "…" {
		data.FillText(style, vg.Point{X: data.Max.X, Y: at.Y}, part)
	}
}

// fit makes the type smaller where text is wider than room.
func fit(style draw.TextStyle, text string, room vg.Length) draw.TextStyle {
	if w := style.Width(text); w > room && room > 0 {
		style.Font.Size *= room / w
	}
	return style
}

// shorten cuts text that is wider than room and ends it with an ellipsis.
func shorten(style draw.TextStyle, text string, room vg.Length) string {
	runes := []rune(strings.TrimSpace(oneLine(text)))
	if style.Width(string(runes)) <= room {
		return string(runes)
	}
	n := sort.Search(len(runes), func(n int) bool { return style.Width(string(runes[:n])+"…") > room })
	return string(runes[:max(n-1, 0)]) + "…"
}

// An entry is one name in a legend with a sample of how it is drawn.
type entry struct {
	name   string
	sample func(c *draw.Canvas, from, to vg.Point)
	x      vg.Length // where layLegend puts it
	line   int
}

const (
	sampleWidth vg.Length = 20
	sampleGap   vg.Length = 5
	entryGap    vg.Length = 16
	legendLine  vg.Length = 16
)

// legendStyle is the type of legends.
func legendStyle() draw.TextStyle { return textStyle(sizeTick, ink, draw.XLeft, draw.YCenter) }

// layLegend gives every entry its line and distance from the left in a given
// width, with the names that fit, and returns the number of lines.
func layLegend(list []entry, width vg.Length) (lines int) {
	x := vg.Length(0)
	style := legendStyle()
	for i := range list {
		e := &list[i]
		e.name = shorten(style, e.name, width-sampleWidth-sampleGap)
		w := sampleWidth + sampleGap + style.Width(e.name)
		if lines == 0 || x+w > width {
			x = 0
			lines++
		}
		e.x, e.line = x, lines-1
		x += w + entryGap
	}
	return lines
}

// drawLegend writes the entries in lines from the upper left and returns the
// height used.
func drawLegend(c draw.Canvas, list []entry) vg.Length {
	lines := layLegend(list, c.Size().X)
	style := legendStyle()
	descent := style.FontExtents().Descent
	for _, e := range list {
		from := vg.Point{X: c.Min.X + e.x, Y: c.Max.Y - (vg.Length(e.line)+0.5)*legendLine}
		to := vg.Point{X: from.X + sampleWidth, Y: from.Y}
		e.sample(&c, from, to)
		c.FillText(style, vg.Point{X: to.X + sampleGap, Y: to.Y + descent}, e.name)
	}
	return vg.Length(lines) * legendLine
}

// lineSample is a legend sample of a line, with the series' marker or
// without.
func lineSample(style draw.LineStyle) func(*draw.Canvas, vg.Point, vg.Point) {
	return func(c *draw.Canvas, from, to vg.Point) {
		c.StrokeLine2(style, from.X, from.Y, to.X, to.Y)
	}
}

// markLines draws the vertical lines of a chart.
type markLines []Mark

// Plot implements [plot.Plotter].
func (m markLines) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	for _, mark := range m {
		if at := x(mark.At); c.ContainsX(at) {
			c.StrokeLine2(dashed(ink, 1.1), at, c.Min.Y, at, c.Max.Y)
		}
	}
}

func markEntries(list []Mark) []entry {
	var out []entry
	for _, m := range list {
		if m.Name != "" {
			out = append(out, entry{name: m.Name, sample: lineSample(dashed(ink, 1.1))})
		}
	}
	return out
}

// noData stands where a figure has nothing to draw.
type noData struct{}

func (noData) size() (w, h vg.Length) { return chartWidth, 80 }

func (noData) draw(c draw.Canvas) {
	style := textStyle(sizeLabel, muted, draw.XCenter, draw.YCenter)
	c.FillText(style, c.Center(), "no data")
}
