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
