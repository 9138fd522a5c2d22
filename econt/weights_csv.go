package econt

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// The CSV form of the weights has one row a weight under the header
//
//	layer,output,input,weight
//
// with layer conv, conv_bias, dense or dense_bias; output the filter or the
// output's number; input the tap row·3 + column, or the hidden unit (row·4 +
// column)·8 + filter, and empty for a bias; weight the six-bit integer. No
// memory order is involved, and rows may come in any order.
var csvHeader = []string{"layer", "output", "input", "weight"}

// maxWeightsCSV is the most bytes that are read; 2,144 rows have 30,000.
const maxWeightsCSV = 1 << 20

var errLongCSV = fmt.Errorf("econt: weights: more than %d MB: no weights file", maxWeightsCSV>>20)

// WriteCSV writes the weights as CSV.
func (w *Weights) WriteCSV(out io.Writer) error {
	bw := bufio.NewWriter(out)
	fmt.Fprintln(bw, "layer,output,input,weight")
	for f := range 8 {
		for tap := range 9 {
			fmt.Fprintf(bw, "conv,%d,%d,%d\n", f, tap, w.Conv[8*tap+f])
		}
	}
	for f, v := range w.ConvBias {
		fmt.Fprintf(bw, "conv_bias,%d,,%d\n", f, v)
	}
	for j := range w.Dense {
		for k, v := range w.Dense[j] {
			fmt.Fprintf(bw, "dense,%d,%d,%d\n", j, k, v)
		}
	}
	for j, v := range w.DenseBias {
		fmt.Fprintf(bw, "dense_bias,%d,,%d\n", j, v)
	}
	return bw.Flush()
}

// ReadWeightsCSV reads what WriteCSV writes. Every weight must be there once.
func ReadWeightsCSV(r io.Reader) (*Weights, error) {
	limited := &io.LimitedReader{R: r, N: maxWeightsCSV + 1}
	cr := csv.NewReader(limited)
	cr.FieldsPerRecord = len(csvHeader)
	cr.ReuseRecord = true
	head, err := cr.Read()
	switch {
	case limited.N == 0:
		return nil, errLongCSV
	case err == io.EOF:
		return nil, fmt.Errorf("econt: weights: empty file; want a header %s", strings.Join(csvHeader, ","))
	case err != nil:
		return nil, fmt.Errorf("econt: weights: %w", err)
	}
	for i, name := range csvHeader {
		if head[i] != name {
			return nil, fmt.Errorf("econt: weights: column %d of the header is %q; want %q", i+1, head[i], name)
		}
	}
	var w Weights
	seen := map[*int8]bool{}
	for {
		rec, err := cr.Read()
		if limited.N == 0 {
			return nil, errLongCSV
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("econt: weights: %w", err)
		}
		line, _ := cr.FieldPos(0)
		dst, err := w.place(rec[0], rec[1], rec[2])
		if err != nil {
			return nil, fmt.Errorf("econt: weights: line %d: %w", line, err)
		}
		if seen[dst] {
			return nil, fmt.Errorf("econt: weights: line %d: %s %s %s is given twice", line, rec[0], rec[1], rec[2])
		}
		seen[dst] = true
		v, err := strconv.Atoi(rec[3])
		if err != nil || v < -32 || v > 31 {
			return nil, fmt.Errorf("econt: weights: line %d: weight %q: want an integer from −32 to 31", line, rec[3])
		}
		*dst = int8(v)
	}
	if len(seen) != WeightCount {
		return nil, fmt.Errorf("econt: weights: %d weights; want %d", len(seen), WeightCount)
	}
	return &w, nil
}

// place finds the weight of a CSV row.
func (w *Weights) place(layer, output, input string) (*int8, error) {
	number := func(s, what string, n int) (int, error) {
		v, err := strconv.Atoi(s)
		if err != nil || v < 0 || v >= n {
			return 0, fmt.Errorf("%s %q of %s: want 0 to %d", what, s, layer, n-1)
		}
		return v, nil
	}
	outputs, inputs := 16, 0
	switch layer {
	case "conv":
		outputs, inputs = 8, 9
	case "conv_bias":
		outputs = 8
	case "dense":
		inputs = 128
	case "dense_bias":
	default:
		return nil, fmt.Errorf("layer %q: want conv, conv_bias, dense or dense_bias", layer)
	}
	j, err := number(output, "output", outputs)
	if err != nil {
		return nil, err
	}
	k := 0
	if inputs > 0 {
		if k, err = number(input, "input", inputs); err != nil {
			return nil, err
		}
	} else if input != "" {
		return nil, fmt.Errorf("input %q of %s: a bias has none", input, layer)
	}
	switch layer {
	case "conv":
		return &w.Conv[8*k+j], nil
	case "conv_bias":
		return &w.ConvBias[j], nil
	case "dense":
		return &w.Dense[j][k], nil
	}
	return &w.DenseBias[j], nil
}
