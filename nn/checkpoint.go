package nn

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"barrow/internal/outfile"
	"barrow/internal/weights"
)

// ErrCheckpoint is wrapped by every error about the content of a weights file or
// checkpoint.
var ErrCheckpoint = weights.ErrUnusable

// A Checkpoint is the content of a weights file, or of the file of a training
// under way, which has more arrays: a zip archive of NumPy arrays (numpy.load
// opens it) with the network's arrays under their names.
type Checkpoint struct {
	Spec Spec              `json:"spec"`
	Meta map[string]string `json:"meta,omitempty"` // the user's notes

	arrays   []weights.Array
	training *trainingState
}

// about is the description in a file.
type about struct {
	*Checkpoint
	Training *trainingState `json:"training,omitempty"`
}

// underWay begins the names of a training's own arrays, ownArray matches them: no
// array of a layer is called so, whatever the layer is called.
const underWay = "training/"

var ownArray = regexp.MustCompile("^" + underWay + `(slot|average|best)/\d+$`)

// Save writes the network to path in one step: an existing file is replaced
// only by a complete one.
func (n *Network) Save(path string, meta map[string]string) error {
	return n.checkpoint(meta).write(path)
}

// checkpoint refers to the network's arrays without copying them.
func (n *Network) checkpoint(meta map[string]string) *Checkpoint {
	c := &Checkpoint{Spec: n.spec, Meta: meta}
	for _, p := range n.params {
		c.arrays = append(c.arrays, weights.Array{Name: p.Name, Shape: p.Shape, Data: p.Value})
	}
	return c
}

// Load reads a network from path.
func Load(path string, s Settings) (*Network, error) {
	c, err := ReadCheckpoint(path)
	if err != nil {
		return nil, err
	}
	n, err := c.network(s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return n, nil
}

// network builds the network that the checkpoint holds.
func (c *Checkpoint) network(s Settings) (*Network, error) {
	n, err := New(c.Spec, s)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	return n, c.Fill(n)
}

// Fill copies the checkpoint's arrays into n, which must have arrays of the
// same names and sizes.
func (c *Checkpoint) Fill(n *Network) error {
	if len(c.arrays) != len(n.params) {
		return fmt.Errorf("nn: %w: %d arrays for a network of %d", ErrCheckpoint, len(c.arrays), len(n.params))
	}
	filled := map[string]bool{}
	for _, a := range c.arrays {
		if err := n.SetParam(a.Name, a.Data); err != nil {
			return fmt.Errorf("nn: %w: %w", ErrCheckpoint, err)
		}
		if !allFinite(a.Data) {
			return fmt.Errorf("nn: %w: array %q holds values that are not finite: the training that it is of diverged", ErrCheckpoint, a.Name)
		}
		filled[a.Name] = true
	}
	if len(filled) < len(n.params) {
		return fmt.Errorf("nn: %w: an array is there twice", ErrCheckpoint)
	}
	return nil
}

func allFinite(values []float32) bool {
	for _, v := range values {
		if v-v != 0 {
			return false
		}
	}
	return true
}

// write puts the checkpoint at path in one step.
func (c *Checkpoint) write(path string) error {
	if err := outfile.Write(path, true, c.encode); err != nil {
		return fmt.Errorf("nn: checkpoint: %w", err)
	}
	return nil
}

func (c *Checkpoint) encode(w io.Writer) error {
	f := weights.File{Kind: weights.Network, About: about{c, c.training}, Arrays: slices.Clone(c.arrays)}
	if c.training != nil {
		for _, a := range c.training.arrays {
			a.Name = underWay + a.Name
			f.Arrays = append(f.Arrays, a)
		}
	}
	return f.Write(w)
}

// ReadCheckpoint reads a weights file or checkpoint whole and compares its
// checksums. Errors name the file.
func ReadCheckpoint(path string) (*Checkpoint, error) {
	f, err := weights.Open(path, weights.Network)
	if err != nil {
		return nil, fmt.Errorf("nn: %w", err)
	}
	c, err := decode(f)
	if err != nil {
		return nil, fmt.Errorf("nn: %s: %w", path, err)
	}
	return c, nil
}

// DecodeCheckpoint is ReadCheckpoint of a file's content.
func DecodeCheckpoint(content []byte) (*Checkpoint, error) {
	f, err := weights.Decode(content, weights.Network)
	if err != nil {
		return nil, fmt.Errorf("nn: %w", err)
	}
	c, err := decode(f)
	if err != nil {
		return nil, fmt.Errorf("nn: %w", err)
	}
	return c, nil
}

func decode(f *weights.File) (*Checkpoint, error) {
	c := &Checkpoint{}
	d := about{Checkpoint: c}
	if err := f.Describe(&d); err != nil {
		return nil, err
	}
	c.training = d.Training
	for _, a := range f.Arrays {
		switch {
		case !ownArray.MatchString(a.Name):
			c.arrays = append(c.arrays, a)
		case c.training != nil:
			a.Name = strings.TrimPrefix(a.Name, underWay)
			c.training.arrays = append(c.training.arrays, a)
		}
	}
	return c, nil
}
