package nn

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barrow/internal/weights"
)

func encode(t testing.TB, c *Checkpoint) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := c.encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestSaveAndLoadGiveSameBits(t *testing.T) {
	net := prepare(t, n1(16, 5, 2, 24), Settings{Seed: 3, MaxBatch: 20})
	x := randomTensor(20, net.InputShape(), 1)
	if _, err := net.Forward(x, Training); err != nil { // moves the running statistics
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "model.barrow")
	if err := net.Save(path, map[string]string{"metric": "benchmark"}); err != nil {
		t.Fatal(err)
	}
	again, err := Load(path, Settings{MaxBatch: 20, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	a, err := net.Forward(x, Inference)
	if err != nil {
		t.Fatal(err)
	}
	b, err := again.Forward(x, Inference)
	if err != nil {
		t.Fatal(err)
	}
	if !sameBits(a.Data, b.Data) || !sameBits(weightsOf(net), weightsOf(again)) {
		t.Error("the network read back differs")
	}
	c, err := ReadCheckpoint(path)
	if err != nil || c.Meta["metric"] != "benchmark" || c.Spec.Name != "n1" {
		t.Errorf("checkpoint %+v, %v", c, err)
	}
}

// TestDamagedCheckpoints: package weights tests what it refuses; here, that every
// error about content names the file and wraps ErrCheckpoint.
func TestDamagedCheckpoints(t *testing.T) {
	net := prepare(t, n2(), Settings{Seed: 3})
	good := encode(t, net.checkpoint(nil))
	changed := bytes.Clone(good)
	changed[len(good)/2] ^= 0x10
	for _, c := range []struct {
		content []byte
		want    string
	}{
		{nil, "the file is empty"},
		{[]byte("\x89HDF\r\n\x1a\n and so on and on"), "an HDF5 file"},
		{good[:len(good)-9], "cut off"},
		{changed, "checksum"},
	} {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, c.content, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path, Settings{}); !errors.Is(err, ErrCheckpoint) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("error %v, want one with %q and the path", err, c.want)
		}
	}
	if _, err := Load(filepath.Join(t.TempDir(), "absent"), Settings{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

func TestCheckpointOfAnotherNetwork(t *testing.T) {
	c := prepare(t, n2(), Settings{}).checkpoint(nil)
	other := prepare(t, n1(4, 3, 1, 5), Settings{})
	if err := c.Fill(other); !errors.Is(err, ErrCheckpoint) {
		t.Errorf("error %v", err)
	}
	c.Spec.Layers[0].Filters = 9
	if _, err := c.network(Settings{}); !errors.Is(err, ErrCheckpoint) || !strings.Contains(err.Error(), "conv2d_1/kernel") {
		t.Errorf("error %v", err)
	}
}

// FuzzCheckpoint gives any description to a network's arrays, one of them under
// any name.
func FuzzCheckpoint(f *testing.F) {
	f.Add(`{"spec":{"input":{"h":1,"w":1,"c":2},"layers":[{"kind":"dense","units":1}]}}`, "dense_1/kernel")
	f.Add(`{"training":{"epoch":1}}`, "training/best/0")
	f.Fuzz(func(t *testing.T, about, name string) {
		if !json.Valid([]byte(about)) {
			t.Skip()
		}
		var b bytes.Buffer
		err := (&weights.File{Kind: weights.Network, About: json.RawMessage(about), Arrays: []weights.Array{
			{Name: name, Shape: []int{2, 1}, Data: make([]float32, 2)}, {Name: "dense_1/bias", Shape: []int{1}, Data: make([]float32, 1)}}}).Write(&b)
		if err != nil {
			t.Skip()
		}
		file, err := weights.Decode(b.Bytes(), weights.Network)
		if err != nil {
			return // names that zip does not take
		}
		c, err := decode(file)
		if err == nil && c.Spec.Input.Size() < 100 && len(c.Spec.Layers) < 3 {
			_, err = c.network(Settings{Threads: 1, MaxBatch: 1})
		}
		if err != nil && !errors.Is(err, ErrCheckpoint) {
			t.Errorf("%v does not wrap ErrCheckpoint", err)
		}
	})
}
