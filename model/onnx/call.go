package onnx

import (
	"context"
	"fmt"
	"slices"
)

// A call is a node with the values of its inputs; nil is one that is left out.
type call struct {
	*node
	ctx context.Context
	in  []*tensor
	err error // of an attribute of a wrong kind
}

// input is input i, or nil.
func (c *call) input(i int) *tensor {
	if i < len(c.in) {
		return c.in[i]
	}
	return nil
}

func (n *node) attr(name string) *attribute {
	for _, a := range n.attrs {
		if a.name == name {
			return a
		}
	}
	return nil
}

func (c *call) get(name string, kind int64) *attribute {
	a := c.attr(name)
	if a == nil {
		return nil
	}
	if a.kind != kind && !(a.kind == attrInt && a.guessed() && kind != attrTensor) {
		c.err = fmt.Errorf("the attribute %q is of the kind %d, want %d", name, a.kind, kind)
		return nil
	}
	return a
}

// guessed is whether an attribute has no value at all, which of some kinds is one: an
// empty list or text, or 0.
func (a *attribute) guessed() bool { return a.i == 0 }

func (c *call) int(name string, or int) int {
	if a := c.get(name, attrInt); a != nil {
		return int(a.i)
	}
	return or
}

func (c *call) float(name string, or float64) float64 {
	if a := c.get(name, attrFloat); a != nil {
		return float64(a.f)
	}
	return or
}

func (c *call) text(name, or string) string {
	if a := c.get(name, attrString); a != nil {
		return string(a.s)
	}
	return or
}

// list is an attribute of whole numbers; nil if there is none.
func (c *call) list(name string) []int {
	a := c.get(name, attrInts)
	if a == nil {
		return nil
	}
	out := make([]int, len(a.ints))
	for i, v := range a.ints {
		out[i] = int(v)
	}
	return out
}

// axis is an axis that counts from the end where it is negative.
func axis(v, rank int) (int, error) {
	if v < -rank || v >= rank {
		return 0, fmt.Errorf("axis %d of a tensor of %d dimensions", v, rank)
	}
	if v < 0 {
		v += rank
	}
	return v, nil
}

// axes checks a list of axes; none may come twice.
func axes(list []int, rank int) ([]int, error) {
	out := make([]int, len(list))
	for i, v := range list {
		a, err := axis(v, rank)
		if err != nil {
			return nil, err
		}
		if slices.Contains(out[:i], a) {
			return nil, fmt.Errorf("axis %d twice in %v", v, list)
		}
		out[i] = a
	}
	return out, nil
}
