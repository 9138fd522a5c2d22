package decoder

import (
	"fmt"

	"barrow/autoencoder"
	"barrow/econt"
	"barrow/internal/limit"
	"barrow/nn"
)

// An Architecture says how large a decoder is; zero fields are the defaults.
type Architecture struct {
	Units  int `json:"units" help:"width of the layers, 0 for the default"`                 // 128 by default
	Blocks int `json:"blocks" help:"residual blocks of two layers each, 0 for the default"` // 2 by default
	// Conditions tells the network eight numbers about the image beside its frame
	// (autoencoder.Conditions). The sum among them is always the one that was sent, which a
	// decoder without conditions has, too.
	Conditions bool `json:"conditions,omitempty" help:"decode with conditions: η, wafer place and type, layer"`
	// Members is how many decoders are one ([Join]): their images are averaged. 0 is one.
	Members int `json:"members,omitempty"`
}

// members is how many there are.
func (a Architecture) members() int { return max(1, a.Members) }

// More than any decoder needs.
const (
	maxUnits   = 8192
	maxBlocks  = 64
	maxMembers = 256
)

func (a Architecture) withDefaults() Architecture {
	if a.Units == 0 {
		a.Units = 128
	}
	if a.Blocks == 0 {
		a.Blocks = 2
	}
	return a
}

// Check reports what no decoder can have, by the setting's key.
func (a Architecture) Check() error {
	a = a.withDefaults()
	if err := limit.Count("units =", a.Units, maxUnits); err != nil {
		return fmt.Errorf("decoder: %w, or 0 for the default", err)
	}
	if err := limit.Count("blocks =", a.Blocks, maxBlocks); err != nil {
		return fmt.Errorf("decoder: %w, or 0 for the default", err)
	}
	if err := limit.Count("members =", a.members(), maxMembers); err != nil {
		return fmt.Errorf("decoder: %w", err)
	}
	return nil
}

// String says how large a decoder is, and whether it wants conditions.
func (a Architecture) String() string {
	a = a.withDefaults()
	conditions := "no conditions"
	if a.Conditions {
		conditions = "conditions"
	}
	size := fmt.Sprintf("%d units, %d blocks", a.Units, a.Blocks)
	if a.members() > 1 {
		size = fmt.Sprintf("%d members of %s", a.Members, size)
	}
	return size + " and " + conditions
}

// specName begins the names of decoders' networks.
const specName = "frame decoder"

// Names of layers.
const (
	layerInput  = "input_dense"
	layerOutput = "output"
	blockOut    = "_out"
)

// spec is the network for an algorithm's frames: what arrived to 48 squares, one for
// each channel, from each member.
func (a Architecture) spec(algorithm econt.Algorithm) nn.Spec {
	a = a.withDefaults()
	last, units := layerInput, a.members()*a.Units
	layers := []nn.Layer{{Kind: nn.KindDense, Name: last, Units: units}}
	for k := 1; k <= a.Blocks; k++ {
		block := fmt.Sprintf("block_%d", k)
		layers = append(layers,
			nn.Layer{Kind: nn.KindDense, Name: block + "_in", Units: units}, nn.Layer{Kind: nn.KindSiLU, Name: block + "_silu"},
			nn.Layer{Kind: nn.KindDense, Name: block + blockOut, Units: units}, nn.Layer{Kind: nn.KindAdd, Name: block, From: last})
		last = block
	}
	layers = append(layers, nn.Layer{Kind: nn.KindSiLU, Name: "silu"},
		nn.Layer{Kind: nn.KindDense, Name: layerOutput, Units: a.members() * econt.Channels}, nn.Layer{Kind: nn.KindSquare, Name: "shares"})
	return nn.Spec{Name: specName + " " + algorithm.String(), Input: nn.Vector(inputs(algorithm)), Layers: layers}
}

// What a network is told of a frame. Charges are shares of all that was sent.
const (
	perChannel = 4 // its charge, whether that was sent, its group's sum, whether it has that group's largest charge
	latentUnit = 256
)

// inputs is how many numbers that is.
func inputs(a econt.Algorithm) int {
	if a == econt.Autoencoder {
		return autoencoder.Latent + autoencoder.ConditionCount
	}
	// One more is what no channel left out is above.
	return perChannel*econt.Channels + 1 + autoencoder.ConditionCount
}
