package autoencoder

import (
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
	columns := map[string][]float64{}
	for _, want := range [][]string{{"eta", "tc_eta"}, {"waferv"}, {"waferu"}, {"wafertype", "type", "HD_LD"}, {"layer"}} {
		values, err := column(s, want)
		if err != nil {
			return nil, err
		}
		columns[want[0]] = values
	}
	out := make([]float32, s.Len()*ConditionCount)
	for i := range s.Len() {
		kind := columns["wafertype"][i]
		if kind != 0 && kind != 1 && kind != 2 {
			return nil, fmt.Errorf("autoencoder: image %d: wafer type %v; want 0, 1 or 2 (silicon of 120, 200 or 300 µm)", i, kind)
		}
		row := out[i*ConditionCount:]
		row[0] = float32(math.Abs(columns["eta"][i]) / 3.1)
		row[1] = float32(columns["waferv"][i] / 12)
		row[2] = float32(columns["waferu"][i] / 12)
		row[3+int(kind)] = 1
		row[6] = float32(math.Log(wafer.Sum(s.Image(i)) + 1))
		row[7] = float32((columns["layer"][i] - 1) / 46)
		for _, v := range row[:ConditionCount] {
			if v-v != 0 {
				return nil, fmt.Errorf("autoencoder: image %d: its conditions %v are not finite numbers", i, row[:ConditionCount])
			}
		}
	}
	return out, nil
}

func column(s *wafer.Set, names []string) ([]float64, error) {
	for _, name := range names {
		if c := s.Column(name); c != nil {
			if name == "HD_LD" && c.Text != nil {
				return density(c)
			}
			v, err := c.Floats()
			if err != nil {
				return nil, fmt.Errorf("autoencoder: %w", err)
			}
			return v, nil
		}
	}
	return nil, fmt.Errorf("autoencoder: the conditional autoencoder needs the column %s of the images", strings.Join(names, " or "))
}

// density is the wafer's type by its density.
func density(c *wafer.Column) ([]float64, error) {
	out := make([]float64, len(c.Text))
	for i, text := range c.Text {
		switch text {
		case "HD":
		case "LD":
			out[i] = 1
		default:
			return nil, fmt.Errorf("autoencoder: image %d: HD_LD is %q; want HD or LD", i, text)
		}
	}
	return out, nil
}

// checkConditions holds the conditions to the model and to n images.
func (m *Model) checkConditions(d Data, n int) error {
	if m.sides == nil {
		return nil
	}
	if len(d.Conditions) != n*ConditionCount {
		return fmt.Errorf("autoencoder: %d conditions for %d images; a conditional autoencoder needs %d each", len(d.Conditions), n, ConditionCount)
	}
	return nil
}
