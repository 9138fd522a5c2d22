package surrogate

import (
	_ "embed"
	"fmt"
	"os"
)

// builtIn is a potential network on the benchmark metric, trained on simulated
// images alone by the command that docs/surrogate.md gives.
//
//go:embed builtin.weights
var builtIn []byte

// BuiltIn is the EMD network that comes with the program.
func BuiltIn(threads int) (*Potential, error) { return DecodePotential(builtIn, threads) }

// Open reads the weights of an EMD network of either sort: a [*Model] or a
// [*Potential].
func Open(path string, threads int) (Estimator, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("surrogate: %w", err)
	}
	magic := make([]byte, len(potentialMagic))
	n, _ := f.Read(magic)
	f.Close()
	if string(magic[:n]) == potentialMagic {
		return LoadPotential(path, threads)
	}
	return Load(path, threads)
}
