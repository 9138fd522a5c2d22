package file

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"barrow/autoencoder"
	"barrow/model"
	"barrow/nn"
)

// A Verified is what Verify found of a file of an export.
type Verified struct {
	File   string  `json:"file"`
	Part   string  `json:"part,omitempty"` // "" where the format holds the folder to the vectors itself, and Remark says what it found
	Most   float64 `json:"most"`           // the largest difference from the test vectors, of a part
	Remark string  `json:"remark,omitempty"`
}

// Verify runs an export's test vectors through Barrow's own reader of the files in its
// folder, or holds them to its files as the format does itself. A difference is an
// error that names the first layer where they part.
func Verify(ctx context.Context, m *model.Model, format, dir string) ([]Verified, error) {
	f, err := exporter(format)
	if err != nil {
		return nil, err
	}
	e, err := makeExport(ctx, m, f)
	if err != nil {
		return nil, err
	}
	var found []Verified
	for _, file := range e.files {
		if file.Part == nil || f.Open == nil && f.Read == nil {
			continue
		}
		v, err := e.verify(ctx, filepath.Join(dir, file.Name), file.Part)
		if err != nil {
			return found, err
		}
		found = append(found, *v)
	}
	if f.Verify != nil {
		said, err := f.Verify(ctx, dir, m, e.vectors)
		if err != nil {
			return found, fmt.Errorf("model: %w", err)
		}
		found = append(found, Verified{File: dir, Remark: said})
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("model: Barrow does not read the format %s back, so it cannot be verified here", format)
	}
	return found, nil
}

// verify holds one file to the vectors of the part that it has.
func (e *export) verify(ctx context.Context, path string, p *model.Part) (*Verified, error) {
	r, err := e.open(path)
	if err != nil {
		return nil, err
	}
	in := p.Take(e.vectors)
	want := e.vectors.Get(p.Output)
	if want == nil || slices.Contains(in, nil) {
		return nil, fmt.Errorf("model: %s: no test vectors for the part %s", path, p.Name)
	}
	in, err = fit(in, r.Inputs())
	if err != nil {
		return nil, fmt.Errorf("model: %s: %w", path, err)
	}
	out, err := inBatches(ctx, r, in)
	if err != nil {
		return nil, fmt.Errorf("model: %s: %w", path, err)
	}
	got := out.Get("y")
	if got == nil {
		return nil, fmt.Errorf("model: %s: it makes nothing", path)
	}
	got = channelsLast(got, want.Shape)
	enc := e.model.Encoder()
	exact := p.Name == "encoder" && enc != nil && enc.Exact()
	v := &Verified{File: path, Part: p.Name}
	at, most := model.Differ(got.Data, want.Data, exact)
	if v.Most = most; at < 0 {
		return v, nil
	}
	if math.IsInf(most, 1) { // which nothing below explains
		return nil, e.apart(ctx, r, in, path, p, at, got, want)
	}
	if enc != nil && enc.Chip != nil && p.Network != nil {
		own, err := p.Run(ctx, e.vectors)
		if err != nil {
			return nil, err
		}
		if at, _ := model.Differ(got.Data, own.Data, exact); at < 0 {
			v.Remark = fmt.Sprintf("single products are not truncated in it, as they are on the chip: %d of %d numbers are others than the chip's", others(got, want), len(want.Data))
			return v, nil
		}
	}
	if v.Remark = e.ties(p, got, want); v.Remark != "" {
		return v, nil
	}
	return nil, e.apart(ctx, r, in, path, p, at, got, want)
}

// ties says of an encoder that rounds sums in floating point how many outputs are a step
// off, as where the order of the terms puts a sum to the other side of a tie, or of the
// decoder behind it, how many images have other numbers. "" where that explains nothing:
// more than one in a hundred, or farther off.
func (e *export) ties(p *model.Part, got, want *model.Array) string {
	enc := e.model.Encoder()
	if enc == nil || enc.Exact() || enc.Step() == 0 || len(got.Data) != len(want.Data) {
		return ""
	}
	const few = 100
	switch p.Name {
	case "encoder":
		n := others(got, want)
		if _, most := model.Differ(got.Data, want.Data, true); n*few > len(want.Data) || most > enc.Step() {
			return ""
		}
		return fmt.Sprintf("%d of %d numbers are a step off: sums in floating point, in another order, fall to the other side of a tie", n, len(want.Data))
	case "whole":
		rows, _ := want.Rows()
		n := 0
		for i := range rows {
			if at, _ := model.Differ(got.Slice(i, i+1).Data, want.Slice(i, i+1).Data, false); at >= 0 {
				n++
			}
		}
		if n*few > rows*autoencoder.Latent { // each of an image's outputs may be off
			return ""
		}
		return fmt.Sprintf("%d of %d images are others, whose outputs of the encoder may be a step off: sums in floating point, in another order, fall to the other side of a tie", n, rows)
	}
	return ""
}

func others(got, want *model.Array) int {
	n := 0
	for i, v := range want.Data {
		if got.Data[i] != v {
			n++
		}
	}
	return n
}

// open makes ready to run a file of the export.
func (e *export) open(path string) (model.Runner, error) {
	src := model.Source{Path: path}
	if e.format.Open != nil {
		return e.format.Open(src, nn.Settings{})
	}
	net, err := e.format.Read(src, nn.Settings{})
	if err != nil {
		return nil, err
	}
	return model.RunNetwork(net, nil, 0)
}

// apart is the error that says where a file's results leave those expected.
func (e *export) apart(ctx context.Context, r model.Runner, in []*model.Array, path string, p *model.Part, at int, got, want *model.Array) error {
	_, size := want.Rows()
	text := fmt.Sprintf("model: %s: the part %s makes other numbers than Barrow", path, p.Name)
	if len(got.Data) != len(want.Data) {
		text += fmt.Sprintf(": an array of the shape %v, not %v", got.Shape, want.Shape)
	} else {
		text += fmt.Sprintf(": number %d of vector %d is %v, not %v", at%size+1, at/size+1, got.Data[at], want.Data[at])
	}
	t, ok := r.(model.Tracer)
	if !ok || p.Network == nil {
		return errors.New(text)
	}
	ours, err := p.Trace(ctx, e.vectors)
	if err != nil {
		return errors.New(text)
	}
	theirs, err := t.Trace(ctx, in)
	if err != nil {
		return errors.New(text)
	}
	if here, there, ok := model.FirstPart(theirs, ours); ok {
		text += fmt.Sprintf("; they part at the layer %q", here)
		if there != "" && there != here {
			text += fmt.Sprintf(", where the file has %q", there)
		}
	}
	return errors.New(text)
}

// fit lays a part's inputs out as a model takes them: several as one where it has one,
// channels first where it has them first.
func fit(in []*model.Array, ports []model.Port) ([]*model.Array, error) {
	if len(ports) == 1 && len(in) > 1 {
		in = []*model.Array{model.Join(in...)}
	}
	if len(in) != len(ports) {
		return nil, fmt.Errorf("it has %d inputs, and the part %d", len(ports), len(in))
	}
	for i, p := range ports {
		s := in[i].Shape
		if len(s) == 4 && len(p.Shape) == 4 && !slices.Equal(p.Shape[1:], s[1:]) && slices.Equal(p.Shape[1:], []int{s[3], s[1], s[2]}) {
			in[i] = transposed(in[i], 3, 1, 2)
		}
	}
	return in, nil
}

// channelsLast turns an image with the channels first into one of the shape wanted.
func channelsLast(a *model.Array, want []int) *model.Array {
	if len(want) == 4 && !slices.Equal(a.Shape, want) && slices.Equal(a.Shape, []int{want[0], want[3], want[1], want[2]}) {
		return transposed(a, 2, 3, 1)
	}
	return a
}

// transposed is an array of four dimensions, of which the last three are in another
// order.
func transposed(a *model.Array, order ...int) *model.Array {
	s := a.Shape
	step := []int{s[1] * s[2] * s[3], s[2] * s[3], s[3], 1}
	out := &model.Array{Type: a.Type, Shape: []int{s[0], s[order[0]], s[order[1]], s[order[2]]}}
	for n := range s[0] {
		for i := range s[order[0]] {
			for j := range s[order[1]] {
				for k := range s[order[2]] {
					out.Data = append(out.Data, a.Data[n*step[0]+i*step[order[0]]+j*step[order[1]]+k*step[order[2]]])
				}
			}
		}
	}
	return out
}

// inBatches runs a model on as many samples at once as it takes: some take one.
func inBatches(ctx context.Context, r model.Runner, in []*model.Array) (model.Vectors, error) {
	n, batch := in[0].Shape[0], -1
	if shape := r.Inputs()[0].Shape; len(shape) > 0 {
		batch = shape[0]
	}
	if batch < 1 || batch == n {
		return r.Run(ctx, in)
	}
	if n%batch != 0 {
		return nil, fmt.Errorf("it takes %d samples at once, of which %d are no multiple", batch, n)
	}
	var all model.Vectors
	for from := 0; from < n; from += batch {
		var part []*model.Array
		for _, a := range in {
			part = append(part, a.Slice(from, from+batch))
		}
		out, err := r.Run(ctx, part)
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = out
			continue
		}
		for i, v := range out {
			all[i].Data = append(all[i].Data, v.Data...)
			all[i].Shape[0] += v.Shape[0]
		}
	}
	return all, nil
}
