package wafer

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"barrow/hgcal"
)

func column(name string, text ...string) *Set {
	return &Set{Charge: make([]float64, len(text)*hgcal.Cells), Columns: []Column{{Name: name, Text: text}}}
}

func TestTypes(t *testing.T) {
	for _, c := range []struct {
		name string
		text []string
		want Column
	}{
		{"id", []string{"1", "-2", "+3"}, Column{Int: []int64{1, -2, 3}}},
		{"id", []string{"1", "9.0"}, Column{Float: []float64{1, 9}}},
		{"layer", []string{"1", "9.0", "1e1"}, Column{Int: []int64{1, 9, 10}}},
		{"layer", []string{"1", "9.5"}, Column{Float: []float64{1, 9.5}}},
		{"layer", []string{"1", ""}, Column{Float: []float64{1, math.NaN()}}},
		{"layer", []string{"1", "NaN"}, Column{Float: []float64{1, math.NaN()}}},
		{"layer", []string{"1", "first"}, Column{Text: []string{"1", "first"}}},
		{"eta", []string{"2", "3"}, Column{Float: []float64{2, 3}}},
		{"tc_eta", []string{"2", "inf"}, Column{Float: []float64{2, math.Inf(1)}}},
		{"ModType", []string{"1", "2"}, Column{Text: []string{"1", "2"}}},
		{"note", []string{"", ""}, Column{Text: []string{"", ""}}},
		{"eta", []string{"", ""}, Column{Float: []float64{math.NaN(), math.NaN()}}},
		{"id", []string{"9223372036854775807"}, Column{Int: []int64{math.MaxInt64}}},
		{"id", []string{"9223372036854775808", "1"}, Column{Text: []string{"9223372036854775808", "1"}}},
		{"id", []string{"9007199254740993", ""}, Column{Text: []string{"9007199254740993", ""}}},
		{"id", []string{"0x10", "1"}, Column{Text: []string{"0x10", "1"}}},
		{"id", []string{"-", "1"}, Column{Text: []string{"-", "1"}}},
	} {
		var all, first Types
		for _, v := range c.text { // value by value, and all at once
			all.Look(column(c.name, v))
		}
		for _, types := range []*Types{&all, &first} {
			got, err := types.Apply(column(c.name, c.text...))
			if err != nil {
				t.Fatal(err)
			}
			g := got.Columns[0]
			same := func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
			if g.Name != c.name || !slices.Equal(g.Int, c.want.Int) || !slices.Equal(g.Text, c.want.Text) || !slices.EqualFunc(g.Float, c.want.Float, same) {
				t.Errorf("%s %q: %+v, want %+v", c.name, c.text, g, c.want)
			}
		}
	}
}

// TestTypesOfSeveral: numbers of other kinds in a second file, and what comes too late.
func TestTypesOfSeveral(t *testing.T) {
	whole := &Set{Charge: make([]float64, hgcal.Cells), Columns: []Column{{Name: "n", Int: []int64{3}}}}
	number := &Set{Charge: make([]float64, hgcal.Cells), Columns: []Column{{Name: "n", Float: []float64{2.5}}}}
	var types Types
	types.Look(whole)
	types.Look(number)
	got, err := types.Apply(whole)
	if err != nil || !slices.Equal(got.Columns[0].Float, []float64{3}) {
		t.Errorf("%+v, %v", got, err)
	}
	types = Types{}
	if _, err := types.Apply(whole); err != nil {
		t.Fatal(err)
	}
	var kind *KindError
	if _, err := types.Apply(number); !errors.As(err, &kind) || kind.Column != "n" || kind.Value != "2.5" || !strings.Contains(err.Error(), "whole number so far") {
		t.Errorf("a number after whole ones: %v", err)
	}
	types = Types{}
	layers := &Set{Charge: make([]float64, 2*hgcal.Cells), Columns: []Column{{Name: "layer", Float: []float64{3, 5}}}}
	if got, err := types.Apply(layers); err != nil || !slices.Equal(got.Columns[0].Int, []int64{3, 5}) {
		t.Errorf("layers as floats: %+v, %v", got, err)
	}
}
