package autoencoder

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"barrow/econt"
	"barrow/nn"
)

// Widths are the bits of each of the encoder's outputs that are sent, the highest ones; of an
// output of 0 bits nothing is.
type Widths [Latent]int

// ParseWidths reads widths as Architecture.Mask has them: those of the outputs in their order,
// 0 to 9 each, COUNTxBITS for several, as in "9x2,7x0" or "3,15x1".
func ParseWidths(text string) (Widths, error) {
	var w Widths
	n := 0
	for item := range strings.SplitSeq(text, ",") {
		count, bits, several := strings.Cut(strings.TrimSpace(item), "x")
		if !several {
			count, bits = "1", count
		}
		c, err := strconv.Atoi(count)
		b, bad := strconv.Atoi(bits)
		switch {
		case err != nil || bad != nil || c < 1:
			return w, fmt.Errorf("mask = %q: %q is no width of outputs; want such as 9x2,7x0: nine outputs of 2 bits, seven of none", text, item)
		case b < 0 || b > maxLatentBits:
			return w, fmt.Errorf("mask = %q: outputs of %d bits: want 0 to %d", text, b, maxLatentBits)
		case c > Latent-n:
			return w, fmt.Errorf("mask = %q: it has more than %d outputs", text, Latent)
		}
		for range c {
			w[n] = b
			n++
		}
	}
	if n < Latent {
		return w, fmt.Errorf("mask = %q: it has %d outputs, and the encoder %d", text, n, Latent)
	}
	if w.Widest() == 0 {
		return w, fmt.Errorf("mask = %q: nothing would be sent", text)
	}
	return w, nil
}

// String writes the widths as ParseWidths reads them.
func (w Widths) String() string {
	var items []string
	for j := 0; j < Latent; {
		n := 1
		for j+n < Latent && w[j+n] == w[j] {
			n++
		}
		items = append(items, fmt.Sprintf("%dx%d", n, w[j]))
		j += n
	}
	return strings.Join(items, ",")
}

// Widest is the width of the widest output.
func (w Widths) Widest() int {
	most := 0
	for _, b := range w {
		most = max(most, b)
	}
	return most
}

// Keep is the chip's mask that sends so many bits.
func (w Widths) Keep() econt.Mask { return econt.KeepHighest(w) }

// uniform reports whether all outputs are as wide.
func (w Widths) uniform() bool {
	for _, b := range w {
		if b != w[0] {
			return false
		}
	}
	return true
}

// codes are the bits that are sent, of outputs as the chip counts them.
func (w Widths) codes() (kept [Latent]int32) {
	for j, b := range w {
		kept[j] = outputTop >> (maxLatentBits - b) << (maxLatentBits - b)
	}
	return kept
}

// withMask gives a mask its usual spelling. One of one width is no mask: it says latent_bits.
func (a Architecture) withMask() Architecture {
	w, err := ParseWidths(a.Mask)
	if err != nil {
		return a // precision says why
	}
	a.Mask = w.String()
	if w.uniform() && (a.LatentBits == 0 || a.LatentBits == w[0]) {
		a.LatentBits, a.Mask = w[0], ""
	}
	return a
}

// masked gives a preset the width of the mask's widest output.
func (a Architecture) masked(p *Precision) error {
	w, err := ParseWidths(a.Mask)
	switch {
	case err != nil:
		return fmt.Errorf("autoencoder: %w", err)
	case a.LatentBits != 0:
		return fmt.Errorf("autoencoder: mask = %q, latent_bits = %d: give one of the two", a.Mask, a.LatentBits)
	case !p.Chip:
		return fmt.Errorf("autoencoder: mask = %q: the chip alone sends more bits of some outputs than of others, and the precision is %q: choose asic, or give all outputs one width", a.Mask, a.Precision)
	}
	p.Latent.Bits = w.Widest()
	return nil
}

// Widths are the bits of the outputs that the architecture sends, of the chip's nine at most:
// in floating point, and in formats of another program, all.
func (a Architecture) Widths() (w Widths) {
	a = a.withDefaults()
	if a.Mask != "" {
		if w, err := ParseWidths(a.Mask); err == nil {
			return w
		}
	}
	for j := range w {
		w[j] = maxLatentBits
		if a.LatentBits > 0 {
			w[j] = min(a.LatentBits, maxLatentBits)
		}
	}
	return w
}

// Links is the fewest of the chip's links that carry all bits of the outputs.
func (a Architecture) Links() int {
	keep := a.Widths().Keep()
	return keep.Links()
}

// The layers behind the outputs that cut each of them to its bits: nearer to 0 by as many powers
// of two as its step is coarser than that of the widest, down to multiples of that, and back.
const (
	layerNarrow = "latent_narrow"
	layerCut    = "latent_cut"
	layerWiden  = "latent_widen"
)

// cut lists them.
func (w Widths) cut(latent Fixed) []nn.Layer {
	down := nn.Layer{Kind: nn.KindDense, Name: layerNarrow, Units: Latent, NoBias: true, Bits: maxLatentBits + 1, Integer: 1}
	up := down
	up.Name, up.Integer = layerWiden, maxLatentBits
	return []nn.Layer{down, latent.relu(layerCut), up}
}

// set gives the layers their powers of two, which no training changes.
func (w Widths) set(net *nn.Network) {
	widest := w.Widest()
	for name, sign := range map[string]int{layerNarrow: 1, layerWiden: -1} {
		p := net.Param(name + "/kernel")
		p.Trainable = false
		clear(p.Value)
		for j, b := range w {
			if b > 0 {
				p.Value[j*Latent+j] = float32(math.Ldexp(1, sign*(b-widest)))
			}
		}
	}
}

// Reorder puts the encoder's outputs into another order: output j becomes what output order[j]
// was. What is decoded stays. An order that is none, and a model whose outputs have widths of
// their own, are errors.
func (m *Model) Reorder(order [Latent]int) error {
	var seen [Latent]bool
	for _, from := range order {
		if from < 0 || from >= Latent || seen[from] {
			return fmt.Errorf("autoencoder: %v is no order of %d outputs", order, Latent)
		}
		seen[from] = true
	}
	if m.arch.Mask != "" || m.arch.Precision == Custom {
		return fmt.Errorf("autoencoder: the outputs of a model of %v have their places", m.arch)
	}
	first := ""
	for _, l := range m.net.Layers()[m.end:] {
		if l.Kind == nn.KindDense {
			first = l.Name
			break
		}
	}
	kernel, bias, decoder := m.net.Param(layerDense+"/kernel"), m.net.Param(layerDense+"/bias"), m.net.Param(first+"/kernel")
	units := len(bias.Value)
	old := slices.Clone(kernel.Value)
	for i := range kernel.Value {
		kernel.Value[i] = old[i/units*units+order[i%units]]
	}
	old = slices.Clone(bias.Value)
	for j := range bias.Value {
		bias.Value[j] = old[order[j]]
	}
	old = slices.Clone(decoder.Value) // its inputs are the outputs, and conditions behind them
	wide := decoder.Shape[len(decoder.Shape)-1]
	for j, from := range order {
		copy(decoder.Value[j*wide:(j+1)*wide], old[from*wide:])
	}
	return nil
}
