package onnx

import (
	"errors"
	"fmt"
	"slices"

	"barrow/nn"
)

// A padding is how many rows of zeros are above and below an image, and how many
// columns before and after it.
type padding [2][2]int

var errOrder = errors.New("its elements come in an order that no layer of Barrow's makes: supported are images and vectors of whole images, and any order before and behind a dense layer")

// image makes of a value of the file's shape 1×C×H×W an image in Barrow's order, as a
// convolution takes it, and tells the zeros around it.
func (l *lowering) image(v *flow, name string) (*flow, padding, error) {
	var pad padding
	s := v.order.shape
	if len(s) != 4 || s[0] != 1 {
		return nil, pad, fmt.Errorf("it takes a tensor of the shape %v: supported are images, 1×C×H×W of one sample", s)
	}
	c, h, w := s[1], s[2], s[3]
	at := func(k, y, x int) int { return int(v.order.data[(k*h+y)*w+x]) - 1 }
	empty := func(y0, y1, x0, x1 int) bool {
		for k := range c {
			for y := y0; y < y1; y++ {
				for x := x0; x < x1; x++ {
					if at(k, y, x) >= 0 {
						return false
					}
				}
			}
		}
		return true
	}
	y0, y1, x0, x1 := 0, h, 0, w
	for ; y0 < y1 && empty(y0, y0+1, 0, w); y0++ {
	}
	for ; y1 > y0 && empty(y1-1, y1, 0, w); y1-- {
	}
	for ; x0 < x1 && empty(y0, y1, x0, x0+1); x0++ {
	}
	for ; x1 > x0 && empty(y0, y1, x1-1, x1); x1-- {
	}
	if y0 == y1 || x0 == x1 {
		return nil, pad, errors.New("all that it takes is zero")
	}
	pad = padding{{y0, h - y1}, {x0, w - x1}}
	var places []int
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			for k := range c {
				places = append(places, at(k, y, x))
			}
		}
	}
	out, err := l.arrange(v, places, nn.Shape{H: y1 - y0, W: x1 - x0, C: c}, name)
	if err != nil {
		return nil, pad, err
	}
	out.order = counted(1, y1-y0, x1-x0, c).transpose([]int{0, 3, 1, 2})
	return out, pad, nil
}

// arrange makes a value whose elements, in Barrow's order, are those at the places of v,
// by what layers there are.
func (l *lowering) arrange(v *flow, places []int, to nn.Shape, name string) (*flow, error) {
	ordered := true
	for i, p := range places {
		ordered = ordered && p == i
	}
	if ordered && len(places) == v.shape.Size() {
		return l.reshape(v, to, name)
	}
	if w, err := l.crop(v, places, to, name); w != nil || err != nil {
		return w, err
	}
	if len(v.layers) == 0 && len(v.inputs) <= 2 && to == v.shape && to.C%2 == 0 && !v.exchanged {
		half := to.C / 2
		swapped := true
		for i, p := range places {
			swapped = swapped && p == i-i%to.C+(i%to.C+half)%to.C
		}
		if swapped {
			w := *v
			w.exchanged = true
			return &w, nil
		}
	}
	w, err := l.permute(v, places)
	if err != nil {
		return nil, err
	}
	return l.reshape(w, to, name)
}

// reshape makes an image of a vector or the other way round: where the file does it, if
// the layers since then do the same to every element.
func (l *lowering) reshape(v *flow, to nn.Shape, name string) (*flow, error) {
	w := *v
	if v.shape == to {
		return &w, nil
	}
	y := nn.Layer{Kind: nn.KindReshape, Name: name + "_image", Height: to.H, Width: to.W, Channels: to.C}
	if to.Positions() == 1 {
		y = nn.Layer{Kind: nn.KindFlatten, Name: name + "_flatten"}
	}
	at := len(v.layers)
	if v.movedBy != "" {
		y.Name = v.movedBy
		for at > v.moved && elementwise(v.layers[at-1].Kind) {
			at--
		}
		if at > v.moved {
			at = len(v.layers)
		}
	}
	y.Name = l.name(y.Name)
	w.layers = slices.Insert(slices.Clone(v.layers), at, &layer{Layer: y})
	w.shape, w.movedBy = to, ""
	return &w, nil
}

// elementwise is whether layers of a kind do the same to every element.
func elementwise(kind string) bool {
	switch kind {
	case nn.KindReLU, nn.KindSigmoid, nn.KindTanh, nn.KindSiLU, nn.KindSquare, nn.KindQuantizedBits, nn.KindQuantizedReLU:
		return true
	}
	return false
}

// crop keeps a rectangle of an image; nil if the places are none.
func (l *lowering) crop(v *flow, places []int, to nn.Shape, name string) (*flow, error) {
	s := v.shape
	if to.C != s.C || to.H > s.H || to.W > s.W || places[0] < 0 || places[0]%s.C != 0 {
		return nil, nil
	}
	top, left := places[0]/s.C/s.W, places[0]/s.C%s.W
	for i, p := range places {
		y, x := i/to.C/to.W, i/to.C%to.W
		if left+x >= s.W || p != ((top+y)*s.W+left+x)*s.C+i%s.C {
			return nil, nil
		}
	}
	return v.with(&layer{Layer: nn.Layer{Kind: nn.KindCrop, Name: l.name(name + "_crop"), Top: top, Left: left, Height: to.H, Width: to.W}})
}

// permute brings elements into another order by the columns of the dense layer that
// makes them: behind it may be layers that do the same to each element.
func (l *lowering) permute(v *flow, places []int) (*flow, error) {
	if v.shape.Positions() != 1 || len(places) != v.shape.C {
		return nil, errOrder
	}
	seen := make([]bool, len(places))
	for _, p := range places {
		if p < 0 || seen[p] {
			return nil, errOrder
		}
		seen[p] = true
	}
	w := *v
	w.layers = slices.Clone(v.layers)
	for i := len(w.layers) - 1; i >= 0; i-- {
		moved := *w.layers[i]
		if elementwise(moved.Kind) {
			continue
		}
		if moved.Kind != nn.KindDense && moved.Kind != nn.KindBatchNorm {
			return nil, errOrder
		}
		moved.weights = map[string][]float32{}
		for name, old := range w.layers[i].weights {
			fresh := make([]float32, len(old))
			for k := range fresh {
				fresh[k] = old[k-k%len(places)+places[k%len(places)]]
			}
			moved.weights[name] = fresh
		}
		w.layers[i] = &moved
		if moved.Kind == nn.KindDense {
			return &w, nil
		}
	}
	return nil, errOrder
}

// channels tells which of a value's channels the file's channels are, along an axis of
// its tensor; an error if one is of several, or zeros are among them.
func (v *flow) channels(axis int) ([]int, error) {
	s := v.order.shape
	if axis >= len(s) {
		return nil, fmt.Errorf("it takes a tensor of the shape %v", s)
	}
	inner := 1
	for _, d := range s[axis+1:] {
		inner *= d
	}
	out := make([]int, s[axis])
	for i := range out {
		out[i] = -1
	}
	of := make([]int, v.shape.C)
	for i := range of {
		of[i] = -1
	}
	for i, p := range v.order.data {
		if p == 0 {
			return nil, errors.New("zeros that pad an image come before it: supported is padding before a convolution")
		}
		k, c := i/inner%s[axis], (int(p)-1)%v.shape.C
		if out[k] >= 0 && out[k] != c || of[c] >= 0 && of[c] != k {
			return nil, errors.New("its channels are not the channels of the image before it")
		}
		out[k], of[c] = c, k
	}
	return out, nil
}

// spreadTo gives of a constant, as it is combined with a value, one number for each of
// the value's channels; 0 or 1, what changes nothing, where a channel is not used.
func (v *flow) spreadTo(t *tensor, otherwise float64) ([]float32, error) {
	shape, err := broadcast(v.order.shape, t.shape)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(shape, v.order.shape) {
		return nil, fmt.Errorf("a constant of the shape %v makes more of %v", t.shape, v.order.shape)
	}
	out := make([]float32, v.shape.C)
	set := make([]bool, v.shape.C)
	for i := range out {
		out[i] = float32(otherwise)
	}
	walk(shape, [][]int{spread(t.shape, shape)}, func(i int, at []int) {
		p := int(v.order.data[i]) - 1
		if p < 0 {
			err = errors.New("zeros that pad an image come before it: supported is padding before a convolution")
			return
		}
		c, x := p%v.shape.C, float32(t.data[at[0]])
		if set[c] && out[c] != x {
			err = errors.New("a constant has other numbers for each pixel: supported is one a channel")
		}
		out[c], set[c] = x, true
	})
	return out, err
}

func (v *flow) padded() bool { return slices.Contains(v.order.data, 0) }
