package surrogate

import (
	_ "embed"
	"fmt"

	"barrow/internal/weights"
	"barrow/nn"
)

// builtIn is a potential network on the benchmark metric, trained on simulated
// images alone by the command that docs/surrogate.md gives.
//
//go:embed builtin.weights
var builtIn []byte

// BuiltIn is the EMD network that comes with the program.
func BuiltIn(s nn.Settings) (*Potential, error) {
	f, err := weights.Decode(builtIn, weights.Potential)
	if err != nil {
		return nil, fmt.Errorf("surrogate: the built-in network: %w", err)
	}
	return decodePotential(f, s)
}
