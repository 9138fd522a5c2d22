package nn

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func encode(t testing.TB, c *Checkpoint) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := c.Encode(&b); err != nil {
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

func TestDamagedCheckpoints(t *testing.T) {
	net := prepare(t, n2(), Settings{Seed: 3})
	good := encode(t, net.checkpoint(nil))
	if _, err := DecodeCheckpoint(good); err != nil {
		t.Fatal(err)
	}
	for length := range good {
		if length > 2000 && length%97 != 0 && length < len(good)-100 {
			continue
		}
		if _, err := DecodeCheckpoint(good[:length]); !errors.Is(err, ErrCheckpoint) {
			t.Fatalf("cut off after %d of %d bytes: %v", length, len(good), err)
		}
	}
	for i := 0; i < len(good); i += 37 {
		bad := bytes.Clone(good)
		bad[i] ^= 0x10
		if _, err := DecodeCheckpoint(bad); !errors.Is(err, ErrCheckpoint) {
			t.Fatalf("one bit of byte %d changed: %v", i, err)
		}
	}
	newer := bytes.Clone(good)
	newer[8] = 2
	for _, c := range []struct {
		content []byte
		want    string
	}{
		{nil, "does not start with BARROWNN"},
		{[]byte("\x89HDF\r\n\x1a\n and so on and on"), "does not start with BARROWNN"},
		{newer, "it has version 2; this program reads version 1"},
		{good[:len(good)-9], "cut off"},
		{append(bytes.Clone(good), 0), "are expected"},
	} {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, c.content, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path, Settings{}); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
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
	if _, err := c.Network(Settings{}); !errors.Is(err, ErrCheckpoint) || !strings.Contains(err.Error(), "conv2d_1/kernel") {
		t.Errorf("error %v", err)
	}
}

func FuzzDecodeCheckpoint(f *testing.F) {
	small, err := New(Spec{Input: Vector(2), Layers: []Layer{{Kind: KindDense, Units: 1}}}, Settings{})
	if err != nil {
		f.Fatal(err)
	}
	good := encode(f, small.checkpoint(map[string]string{"a": "b"}))
	f.Add(good)
	f.Add(good[:20])
	f.Add(good[:len(good)-1])
	f.Add([]byte("BARROWNN\x01\x00\x00\x00\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := DecodeCheckpoint(b)
		if err != nil {
			if !errors.Is(err, ErrCheckpoint) {
				t.Fatalf("error %v does not wrap ErrCheckpoint", err)
			}
			return
		}
		if !bytes.Equal(encode(t, c), b) {
			t.Skip("a header written in another way")
		}
	})
}
