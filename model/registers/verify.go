package registers

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"barrow/econt"
	"barrow/hgcal"
	"barrow/model"
)

// verify sends the test vectors' charges through the chip as the files in dir
// configure it, and holds what it sends to the vectors' latents.
func verify(ctx context.Context, dir string, _ *model.Model, v model.Vectors) (string, error) {
	for _, d := range dialects {
		r, path, err := open(dir, d)
		if err != nil {
			return "", err
		}
		if err := ctx.Err(); err != nil {
			return "", err
		}
		if err := send(&r.Config, v.Get("charge"), v.Get("latent")); err != nil {
			return "", fmt.Errorf("registers: %s: %w", path, err)
		}
	}
	n, _ := v.Get("charge").Rows()
	return fmt.Sprintf("the chip sends what the network computes of %d images, by the registers of each dialect", n), nil
}

// open reads an export's file of a dialect.
func open(dir string, d econt.Dialect) (*econt.Registers, string, error) {
	path := filepath.Join(dir, d.String()+".yaml")
	f, err := os.Open(path)
	if err != nil {
		return nil, path, fmt.Errorf("registers: %w", err)
	}
	defer f.Close()
	r, err := econt.ReadRegisters(f)
	if err != nil {
		return nil, path, fmt.Errorf("registers: %s: %w", path, err)
	}
	return r, path, nil
}

// send compares what the chip sends of images with the outputs expected.
func send(c *econt.Config, charge, latent *model.Array) error {
	chip, err := econt.New(*c)
	if err != nil {
		return err
	}
	decoder, err := econt.NewDecoder(*c, econt.DecoderSettings{})
	if err != nil {
		return err
	}
	n, outputs := latent.Rows()
	channel := hgcal.Map(hgcal.Raster, hgcal.V9) // of each cell
	rows := make([]econt.Output, n)
	for i := range rows {
		var q [econt.Channels]uint32
		for cell, ch := range channel {
			q[ch] = uint32(charge.Data[i*hgcal.Cells+cell])
		}
		if err := chip.StepCALQ(i%econt.OrbitBX, &q, &rows[i]); err != nil {
			return err
		}
	}
	frames, err := decoder.Stream(rows)
	if err != nil {
		return err
	}
	if len(frames) != n {
		return fmt.Errorf("%d frames of %d images", len(frames), n)
	}
	for i, f := range frames {
		for j, sent := range f.Latent {
			if want := 256 * latent.Data[i*outputs+j]; float64(sent) != want {
				return fmt.Errorf("the chip sends %d as output %d of vector %d, the network computes %v", sent, j+1, i+1, want)
			}
		}
	}
	return nil
}
