package autoencoder

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"barrow/wafer"
)

// ConditionCount is the number of conditions of the conditional autoencoder.
const ConditionCount = 8

// Conditions makes the eight conditions of each image from a set's metadata
// columns and charges: η/3.1, waferv/12, waferu/12, the wafer's type as three
// numbers of which one is 1, ln(ΣCALQ+1) and (layer−1)/46, as the public code
// of the conditional autoencoder scales them. Where the wafer's type is missing,
// HD_LD gives it: HD is type 0, LD type 1. A column that is missing or a value
// out of range is an error that names it.
func Conditions(s *wafer.Set) ([]float32, error) {
	var columns [4][]float64
	var missing []string
	for n, k := range []wafer.Known{wafer.Eta, wafer.WaferV, wafer.WaferU, wafer.Layer} {
		var err error
		if columns[n], err = s.Numbers(k); !lacks(err, &missing) {
			return nil, fmt.Errorf("autoencoder: %w", err)
		}
	}
	types, err := s.WaferTypes()
	if !lacks(err, &missing) {
		return nil, fmt.Errorf("autoencoder: %w", err)
	}
	switch len(missing) {
	case 0:
	case 1:
		return nil, fmt.Errorf("autoencoder: a network with conditions needs the column %s of the images", missing[0])
	default:
		return nil, fmt.Errorf("autoencoder: a network with conditions needs the columns %s of the images", strings.Join(missing, ", "))
	}
	eta, v, u, layer := columns[0], columns[1], columns[2], columns[3]
	out := make([]float32, s.Len()*ConditionCount)
	for i := range s.Len() {
		kind := types[i]
		if kind != 0 && kind != 1 && kind != 2 {
			return nil, fmt.Errorf("autoencoder: %w", &wafer.ValueError{Image: i + 1, Err: fmt.Errorf("wafer type %v; want 0, 1 or 2 (silicon of 120, 200 or 300 µm)", kind)})
		}
		if math.Abs(eta[i]) > maxEta {
			return nil, fmt.Errorf("autoencoder: %w", &wafer.ValueError{Image: i + 1, Err: fmt.Errorf("%s is %v; want a pseudorapidity, between -%d and %d", wafer.Eta, eta[i], maxEta, maxEta)})
		}
		row := out[i*ConditionCount:]
		row[0] = float32(math.Abs(eta[i]) / 3.1)
		row[1] = float32(v[i] / 12)
		row[2] = float32(u[i] / 12)
		row[3+int(kind)] = 1
		row[6] = float32(math.Log(wafer.Sum(s.Image(i)) + 1))
		row[7] = float32((layer[i] - 1) / 46)
		for _, v := range row[:ConditionCount] {
			if v-v != 0 {
				return nil, fmt.Errorf("autoencoder: %w", &wafer.ValueError{Image: i + 1, Err: fmt.Errorf("its conditions %v are not finite numbers", row[:ConditionCount])})
			}
		}
	}
	return out, nil
}

// maxEta is above any |η| of the endcap, and below what programs write where they know none.
const maxEta = 10

// lacks adds the column to the list if the error is that one is missing, and tells whether it is no other.
func lacks(err error, list *[]string) bool {
	if missing := (*wafer.NoColumnError)(nil); errors.As(err, &missing) {
		*list = append(*list, missing.Names)
		return true
	}
	return err == nil
}

// checkConditions holds the conditions to the model and to n images.
func (m *Model) checkConditions(d data, n int) error {
	if m.sides == nil {
		return nil
	}
	if len(d.conditions) != n*ConditionCount {
		return fmt.Errorf("autoencoder: %d conditions for %d images; a conditional autoencoder needs %d each", len(d.conditions), n, ConditionCount)
	}
	return nil
}
