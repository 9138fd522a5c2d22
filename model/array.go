package model

import "slices"

// An Array is numbers in a shape, the last index running fastest.
type Array struct {
	// Type is what the numbers are of; float64 holds those of every type, whole
	// ones up to 2^53.
	Type  Type
	Shape []int
	Data  []float64
}

// A Type is a type of numbers.
type Type int

// The types of numbers; truth values are whole numbers, 0 and 1.
const (
	Float32 Type = iota
	Float64
	Int64
)

// Floats is an array of 32-bit numbers.
func Floats(data []float32, shape ...int) *Array {
	a := &Array{Shape: shape, Data: make([]float64, len(data))}
	for i, v := range data {
		a.Data[i] = float64(v)
	}
	return a
}

// Float32s are the numbers, rounded to 32 bits where they are not of them.
func (a *Array) Float32s() []float32 {
	out := make([]float32, len(a.Data))
	for i, v := range a.Data {
		out[i] = float32(v)
	}
	return out
}

// Rows is the length along the first index, and the size of what has one of it.
func (a *Array) Rows() (n, size int) {
	if len(a.Shape) == 0 {
		return 1, 1
	}
	size = 1
	for _, d := range a.Shape[1:] {
		size *= d
	}
	return a.Shape[0], size
}

// Slice is rows from to to-1, which share the array's memory.
func (a *Array) Slice(from, to int) *Array {
	_, size := a.Rows()
	shape := slices.Clone(a.Shape)
	shape[0] = to - from
	return &Array{a.Type, shape, a.Data[from*size : to*size : to*size]}
}

// Join puts arrays of as many rows beside one another, row by row.
func Join(arrays ...*Array) *Array {
	out := &Array{Type: arrays[0].Type, Shape: []int{arrays[0].Shape[0], 0}}
	for i := range out.Shape[0] {
		out.Shape[1] = 0
		for _, a := range arrays {
			_, size := a.Rows()
			out.Shape[1] += size
			out.Data = append(out.Data, a.Data[i*size:(i+1)*size]...)
		}
	}
	return out
}

// A Vector is one array of test vectors, a row a sample.
type Vector struct {
	Name  string // "x", as files have it
	About string // what it is, in a few words
	*Array
}

// Vectors are what a format's files are tested with.
type Vectors []Vector

// Get is the array of that name, or nil.
func (v Vectors) Get(name string) *Array {
	if i := slices.IndexFunc(v, func(a Vector) bool { return a.Name == name }); i >= 0 {
		return v[i].Array
	}
	return nil
}
