// Package board leaves in a run's folder what TensorBoard shows of a training that is done:
// settings, figures, and some wafers as they are and as they are decoded.
package board

import (
	"bytes"
	"context"
	"fmt"
	"image/png"

	"barrow/evaluate"
	"barrow/report"
	"barrow/run"
	"barrow/wafer"
)

// shown is how many wafers are drawn of an encoder.
const shown = 3

// Encoder shows an encoder's training: the settings by which it differs from others, its
// figures on held-out images, and the first of them beside what it makes of them.
func Encoder(ctx context.Context, f *run.Folder, part string, settings map[string]any, figures *evaluate.Fidelity, images *wafer.Set, decode func(context.Context, *wafer.Set) (*wafer.Set, error)) error {
	images = images.Slice(0, min(shown, images.Len()))
	decoded, err := decode(ctx, images)
	if err != nil {
		return err
	}
	e := run.Ending{Settings: settings, Figures: map[string]float64{}}
	for _, m := range figures.Figures {
		e.Figures[m.Name] = m.Mean
	}
	w := &report.Wafers{Unit: "CALQ counts", Columns: []string{"decoded"}}
	exact := figures.Of(evaluate.EMD).Values
	for i := range images.Len() {
		row := report.WaferRow{Name: fmt.Sprintf("image %d", i+1), Input: images.Image(i), Decoded: [][]float64{decoded.Image(i)}}
		if i < len(exact) {
			row.Notes = []string{fmt.Sprintf("EMD %.2f", exact[i])}
		}
		w.Rows = append(w.Rows, row)
	}
	p, err := picture("wafers", report.Figure{ID: "wafers", Title: "Held-out images", Wafers: w})
	if err != nil {
		return err
	}
	e.Pictures = append(e.Pictures, p)
	return f.Show(part, e)
}

func picture(name string, f report.Figure) (run.Picture, error) {
	var b bytes.Buffer
	if err := report.PNG(&b, f); err != nil {
		return run.Picture{}, err
	}
	c, err := png.DecodeConfig(bytes.NewReader(b.Bytes()))
	return run.Picture{Name: name, PNG: b.Bytes(), Width: c.Width, Height: c.Height}, err
}
