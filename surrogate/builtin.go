package surrogate

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"

	"barrow/internal/weights"
	"barrow/nn"
)

// builtIn is a potential network on the benchmark metric, trained on simulated
// images alone by the command that docs/surrogate.md gives.
//
//go:embed builtin.weights
var builtIn []byte

// BuiltInDigest is the SHA-256 of its weights file, by which a study knows whether
// a newer program still has the same network.
func BuiltInDigest() string {
	sum := sha256.Sum256(builtIn)
	return hex.EncodeToString(sum[:])
}

// BuiltIn is the EMD network that comes with the program.
func BuiltIn(s nn.Settings) (*Potential, error) {
	f, err := weights.Decode(builtIn, weights.Potential)
	if err != nil {
		return nil, fmt.Errorf("surrogate: the built-in network: %w", err)
	}
	return decodePotential(f, s)
}
