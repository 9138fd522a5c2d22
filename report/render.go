package report

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"image/color"
	"io"

	"barrow/report/internal/svg"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// fontStack is what text is set in: the fonts whose widths the layout was
// made with, then whatever has no serifs.
const fontStack = `"Liberation Sans",Arimo,Arial,Helvetica,sans-serif`

// pictureDPI is the resolution of PNG files, twice that of a plain screen.
const pictureDPI = 192

// build turns a valid figure into a drawing.
func (a *artist) build(f *Figure) drawing {
	switch {
	case f.empty():
		return noData{}
	case f.Wafers != nil:
		return &sheet{f.Wafers, f.Wafers.geometry()}
	case f.Transport != nil:
		return newTransport(f.Transport)
	case f.Ranks != nil:
		return a.ranks(f.Ranks)
	}
	ch := a.chart(f)
	ch.label = f.Label
	return ch
}

func (a *artist) chart(f *Figure) *chart {
	switch {
	case f.Profile != nil:
		return a.profile(f.Profile)
	case f.Density != nil:
		return a.density(f.Density)
	case f.Histogram != nil:
		return a.histogram(f.Histogram)
	case f.Lines != nil:
		return a.lines(f.Lines)
	case f.Areas != nil:
		return a.areas(f.Areas)
	case f.Front != nil:
		return a.frontChart(f.Front)
	}
	return a.intervals(f.Intervals)
}

// artistFor takes the figure's palette, completed by its own names.
func artistFor(f *Figure) *artist {
	return &artist{paletteOf(f.Palette, []Figure{*f})}
}

// paint runs draw and turns a panic of the plotting library into an error:
// it has no other way to report a fault.
func paint(f *Figure, draw func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("report: %s: cannot be drawn: %v", f.label(), r)
		}
	}()
	draw()
	return nil
}

// SVG writes one figure as an SVG file of its own, with its title. It follows
// the light or dark setting of the reader and is drawn as valid XML.
func SVG(w io.Writer, f Figure) error {
	if err := f.Validate(); err != nil {
		return err
	}
	d := titled{artistFor(&f).build(&f), f.Title}
	c, err := onSVG(&f, d)
	if err != nil {
		return err
	}
	width, height := d.size()
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.4g %.4g" width="%.4g" height="%.4g" role="img" aria-label="%s">`+"\n",
		width.Points(), height.Points(), width.Points(), height.Points(), html.EscapeString(f.describe()))
	style := css(append(c.Used(), "fpaper"))
	fmt.Fprintf(&b, "<style>text{font-family:%s}\n%s</style>\n<rect class=\"fpaper\" width=\"100%%\" height=\"100%%\"/>\n", fontStack, style)
	if err := c.Body(&b); err != nil {
		return fmt.Errorf("report: %s: %w", f.label(), err)
	}
	b.WriteString("</svg>\n")
	_, err = io.WriteString(w, clean(b.String()))
	return err
}

// onSVG draws on a new SVG canvas of the drawing's size.
func onSVG(f *Figure, d drawing) (*svg.Canvas, error) {
	width, height := d.size()
	c := svg.New(width, height)
	if err := paint(f, func() { d.draw(draw.New(c)) }); err != nil {
		return nil, err
	}
	if err := c.Err(); err != nil {
		return nil, fmt.Errorf("report: %s: %w", f.label(), err)
	}
	return c, nil
}

// PNG draws the figures beside each other on white, with their titles, at 192
// dots per inch. Names keep one colour across them.
func PNG(w io.Writer, figures ...Figure) error {
	if len(figures) == 0 {
		return errors.New("report: no figures for the picture")
	}
	var first []string
	for i := range figures {
		if err := figures[i].Validate(); err != nil {
			return err
		}
		first = append(first, figures[i].Palette...)
	}
	a := &artist{paletteOf(first, figures)}
	const between vg.Length = 18
	var list []drawing
	var width, height vg.Length
	for i := range figures {
		d := titled{a.build(&figures[i]), figures[i].Title}
		list = append(list, d)
		dw, dh := d.size()
		width += dw + between
		height = max(height, dh)
	}
	width -= between
	c := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(pictureDPI), vgimg.UseBackgroundColor(color.White))
	x := vg.Length(0)
	for i, d := range list {
		dw, dh := d.size()
		part := draw.New(c)
		part.Rectangle = vg.Rectangle{Min: vg.Point{X: x, Y: height - dh}, Max: vg.Point{X: x + dw, Y: height}}
		if err := paint(&figures[i], func() { d.draw(part) }); err != nil {
			return err
		}
		x += dw + between
	}
	_, err := vgimg.PngCanvas{Canvas: c}.WriteTo(w)
	return err
}

// titled is a drawing with its title above it.
type titled struct {
	drawing
	title string
}

const titleHeight vg.Length = 26

func (t titled) size() (w, h vg.Length) {
	w, h = t.drawing.size()
	return w, h + titleHeight
}

func (t titled) draw(c draw.Canvas) {
	style := fit(bold(textStyle(sizeTitle, ink, draw.XLeft, draw.YTop)), t.title, c.Size().X-12)
	c.FillText(style, vg.Point{X: c.Min.X + 6, Y: c.Max.Y - 6}, t.title)
	t.drawing.draw(draw.Crop(c, 0, 0, 0, -titleHeight))
}
