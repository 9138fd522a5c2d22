package autoencoder

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"barrow/nn"
)

// StartMeta is the name, in place of a file's, of the start that comes with the program: one of each of two precisions,
// from which a new kind of wafers is learned in few steps, as barrow/study/fewshot learned it from simulated tasks by the
// command that docs/meta.md gives.
const StartMeta = "meta"

//go:embed meta-float.weights
var metaFloat []byte

//go:embed meta-asic.weights
var metaASIC []byte

// StartDigest is the SHA-256 of the start that comes with the program for a precision; "" where there is none.
func StartDigest(precision string) string {
	b := builtInStart(precision)
	if b == nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func builtInStart(precision string) []byte {
	switch precision {
	case "", "float":
		return metaFloat
	case "asic":
		return metaASIC
	}
	return nil
}

// CheckStart reports what keeps an autoencoder from starting with the weights of a file, or with StartMeta.
func (a Architecture) CheckStart(name string) error {
	_, err := a.withDefaults().start(name)
	return err
}

// start is the model to start from: of the same architecture but perhaps for the widths of its outputs.
func (a Architecture) start(name string) (*Model, error) {
	other, err := opened(name, a.Precision)
	if err != nil {
		return nil, err
	}
	have, want := other.arch, a
	for _, x := range []*Architecture{&have, &want} {
		x.LatentBits, x.Mask = 0, ""
	}
	if have != want {
		return nil, fmt.Errorf("autoencoder: %s holds an autoencoder of another kind (%v) than the one to train (%v)", name, other.arch, a)
	}
	return other, nil
}

func opened(name, precision string) (*Model, error) {
	if name != StartMeta {
		return Load(name, nn.Settings{})
	}
	b := builtInStart(precision)
	if b == nil {
		return nil, fmt.Errorf("autoencoder: the start %q is there in the precisions float and asic, not in %s: name the file of one that was learned for it", StartMeta, precision)
	}
	c, err := nn.DecodeCheckpoint(b)
	if err != nil {
		return nil, fmt.Errorf("autoencoder: the built-in start: %w", err)
	}
	var a Architecture
	if err := json.Unmarshal([]byte(c.Meta[metaArchitecture]), &a); err != nil {
		return nil, fmt.Errorf("autoencoder: the built-in start: %w", err)
	}
	m, err := a.New(nn.Settings{})
	if err != nil {
		return nil, err
	}
	if err := c.Fill(m.net); err != nil {
		return nil, fmt.Errorf("autoencoder: the built-in start: %w", err)
	}
	return m, nil
}
