package surrogate

import (
	_ "embed"
	"fmt"
	"os"

	"barrow/loss"
	"barrow/nn"
)

// builtIn is a potential network on the benchmark metric, trained on simulated
// images alone by the command that docs/surrogate.md gives.
//
//go:embed builtin.weights
var builtIn []byte

// BuiltIn is the EMD network that comes with the program.
func BuiltIn(s nn.Settings) (*Potential, error) { return DecodePotential(builtIn, s) }

// Open reads the weights of an EMD network of either sort: a [*Model] or a
// [*Potential].
func Open(path string, s nn.Settings) (loss.Distance, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("surrogate: %w", err)
	}
	magic := make([]byte, len(potentialMagic))
	n, _ := f.Read(magic)
	f.Close()
	if string(magic[:n]) == potentialMagic {
		return LoadPotential(path, s)
	}
	return Load(path, s)
}
