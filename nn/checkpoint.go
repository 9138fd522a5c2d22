package nn

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"barrow/internal/outfile"
)

// A checkpoint file is, in this order: the eight bytes of magic; the format's
// version and the length of the header, little-endian uint32; the header, JSON
// that describes the network, its arrays' names and shapes and, during a
// training, its progress; the arrays' values, little-endian float32 without
// gaps in the header's order; the SHA-256 sum of all that.
const (
	magic             = "BARROWNN"
	checkpointVersion = 1
)

// ErrCheckpoint is wrapped by every error about a checkpoint's content.
var ErrCheckpoint = errors.New("not a usable checkpoint")

// An Array is one named array of a checkpoint.
type Array struct {
	Name  string    `json:"name"`
	Shape []int     `json:"shape"`
	Data  []float32 `json:"-"`
}

func (a Array) size() (int, bool) {
	size := 1
	for _, d := range a.Shape {
		if d < 0 || d > 1<<28 {
			return 0, false
		}
		if size *= d; size > 1<<28 {
			return 0, false
		}
	}
	return size, true
}

// A Checkpoint is the content of a checkpoint file.
type Checkpoint struct {
	Spec   Spec              `json:"spec"`
	Meta   map[string]string `json:"meta,omitempty"` // the user's notes
	Arrays []Array           `json:"arrays"`         // the network's arrays
	// Training is present in the files that a Fit writes under way.
	Training *TrainingState `json:"training,omitempty"`
}

// Save writes the network to path in one step: an existing file is replaced
// only by a complete one.
func (n *Network) Save(path string, meta map[string]string) error {
	return n.checkpoint(meta).Write(path)
}

// checkpoint refers to the network's arrays without copying them.
func (n *Network) checkpoint(meta map[string]string) *Checkpoint {
	c := &Checkpoint{Spec: n.spec, Meta: meta}
	for _, p := range n.params {
		c.Arrays = append(c.Arrays, Array{p.Name, p.Shape, p.Value})
	}
	return c
}

// Load reads a network from path.
func Load(path string, s Settings) (*Network, error) {
	c, err := ReadCheckpoint(path)
	if err != nil {
		return nil, err
	}
	n, err := c.Network(s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return n, nil
}

// Network builds the network that the checkpoint holds.
func (c *Checkpoint) Network(s Settings) (*Network, error) {
	n, err := New(c.Spec, s)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	return n, c.Fill(n)
}

// Fill copies the checkpoint's arrays into n, which must have arrays of the
// same names and sizes.
func (c *Checkpoint) Fill(n *Network) error {
	if len(c.Arrays) != len(n.params) {
		return fmt.Errorf("nn: %w: %d arrays for a network of %d", ErrCheckpoint, len(c.Arrays), len(n.params))
	}
	for _, a := range c.Arrays {
		if err := n.SetParam(a.Name, a.Data); err != nil {
			return fmt.Errorf("nn: %w: %w", ErrCheckpoint, err)
		}
	}
	return nil
}

// Write puts the checkpoint at path in one step.
func (c *Checkpoint) Write(path string) error {
	return outfile.Write(path, true, c.Encode)
}

// Encode writes the checkpoint in the file format.
func (c *Checkpoint) Encode(w io.Writer) error {
	header, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("nn: checkpoint: %w", err)
	}
	sum := sha256.New()
	out := io.MultiWriter(w, sum)
	head := binary.LittleEndian.AppendUint32([]byte(magic), checkpointVersion)
	head = binary.LittleEndian.AppendUint32(head, uint32(len(header)))
	if _, err := out.Write(append(head, header...)); err != nil {
		return err
	}
	var buf []byte
	for _, a := range c.all() {
		buf = buf[:0]
		for _, v := range a.Data {
			buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
		}
		if _, err := out.Write(buf); err != nil {
			return err
		}
	}
	_, err = w.Write(sum.Sum(nil))
	return err
}

// all are the network's arrays and those of the training.
func (c *Checkpoint) all() []*Array {
	var out []*Array
	for i := range c.Arrays {
		out = append(out, &c.Arrays[i])
	}
	if c.Training != nil {
		for i := range c.Training.Arrays {
			out = append(out, &c.Training.Arrays[i])
		}
	}
	return out
}

// ReadCheckpoint reads a checkpoint file whole and checks its sum.
func ReadCheckpoint(path string) (*Checkpoint, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("nn: %w", err)
	}
	c, err := DecodeCheckpoint(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// DecodeCheckpoint reads the content of a checkpoint file. Its errors wrap
// ErrCheckpoint.
func DecodeCheckpoint(b []byte) (*Checkpoint, error) {
	fail := func(format string, a ...any) (*Checkpoint, error) {
		return nil, fmt.Errorf("nn: %w: %s", ErrCheckpoint, fmt.Sprintf(format, a...))
	}
	const fixed = len(magic) + 8
	if len(b) < len(magic) || !bytes.Equal(b[:len(magic)], []byte(magic)) {
		return fail("the file does not start with %s", magic)
	}
	if len(b) < fixed+sha256.Size {
		return fail("it is cut off after %d bytes", len(b))
	}
	if v := binary.LittleEndian.Uint32(b[8:]); v != checkpointVersion {
		return fail("it has version %d; this program reads version %d", v, checkpointVersion)
	}
	length := int64(binary.LittleEndian.Uint32(b[12:]))
	body := b[fixed:]
	if length > int64(len(body)-sha256.Size) {
		return fail("it is cut off: %d bytes, but the header alone has %d", len(b), length)
	}
	c := &Checkpoint{}
	if err := json.Unmarshal(body[:length], c); err != nil {
		return fail("its header is damaged: %v", err)
	}
	total := int64(0)
	for _, a := range c.all() {
		size, ok := a.size()
		if !ok {
			return fail("array %q has the shape %v", a.Name, a.Shape)
		}
		total += 4 * int64(size)
	}
	if want := int64(fixed) + length + total + sha256.Size; int64(len(b)) != want {
		return fail("it has %d bytes, %d are expected (cut off or not written by Barrow)", len(b), want)
	}
	if sum := sha256.Sum256(b[:len(b)-sha256.Size]); !bytes.Equal(sum[:], b[len(b)-sha256.Size:]) {
		return fail("its checksum is wrong: the file is damaged")
	}
	values := body[length:]
	for _, a := range c.all() {
		size, _ := a.size()
		a.Data = make([]float32, size)
		for i := range a.Data {
			a.Data[i] = math.Float32frombits(binary.LittleEndian.Uint32(values[4*i:]))
		}
		values = values[4*size:]
	}
	return c, nil
}
