package nn

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"
)

// TestAgainstPyTorch repeats the ten training steps that
// testdata/pytorch/dump.py did, and compares the loss and every gradient.
func TestAgainstPyTorch(t *testing.T) {
	arrays, rate := readDump(t)
	cnn := n1(6, 5, 3, 10)
	for name, spec := range map[string]Spec{"n1": cnn, "n2": n2()} {
		t.Run(name, func(t *testing.T) { repeatDump(t, name, spec, arrays, rate) })
	}
}

func readDump(t *testing.T) (map[string][]float32, float64) {
	t.Helper()
	header, err := os.ReadFile("testdata/pytorch/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var index struct {
		Rate   float64
		Arrays []struct {
			Name   string
			Shape  []int
			Offset int
		}
	}
	if err := json.Unmarshal(header, &index); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile("testdata/pytorch/reference.bin")
	if err != nil {
		t.Fatal(err)
	}
	arrays := map[string][]float32{}
	for _, a := range index.Arrays {
		size := 1
		for _, d := range a.Shape {
			size *= d
		}
		v := make([]float32, size)
		for i := range v {
			v[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*(a.Offset+i):]))
		}
		arrays[a.Name] = v
	}
	return arrays, index.Rate
}

func repeatDump(t *testing.T, name string, spec Spec, arrays map[string][]float32, rate float64) {
	net, err := New(spec, Settings{Threads: 2, MaxBatch: 12})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range net.Params() {
		if p.Trainable {
			if err := net.SetParam(p.Name, arrays[name+"/weight/"+p.Name]); err != nil {
				t.Fatal(err)
			}
		}
	}
	loss, adam := Loss(Huber{}), &Adam{}
	if name == "n2" {
		loss = MSE{}
	}
	fill := func(s Shape, v []float32) *Tensor {
		x := NewTensor(len(v)/s.Size(), s)
		for n := range x.N {
			x.SetSample(n, v[n*s.Size():(n+1)*s.Size()])
		}
		return x
	}
	for step := range 10 {
		at := fmt.Sprintf("%s/%d/", name, step)
		x := fill(net.InputShape(), arrays[at+"input"])
		target := fill(net.OutputShape(), arrays[at+"target"])
		net.ZeroGrad()
		y, err := net.Forward(x, Training)
		if err != nil {
			t.Fatal(err)
		}
		dy := NewTensor(x.N, net.OutputShape())
		value, err := loss.Eval(target.Data, y.Data, dy.Data)
		if err != nil {
			t.Fatal(err)
		}
		if err := net.BackwardWeights(dy); err != nil {
			t.Fatal(err)
		}
		value += net.Penalty()
		if want := float64(arrays[at+"loss"][0]); math.Abs(value-want) > 2e-6*want {
			t.Errorf("step %d: loss %v, PyTorch %v", step, value, want)
		}
		compareDump(t, step, at, net, arrays)
		adam.Update(net.Params(), rate)
	}
}

// compareDump wants every gradient array within 1e-4 of its norm, and those
// that are zero but for rounding (of biases in front of a BatchNorm) within
// 1e-6 of the whole gradient's.
func compareDump(t *testing.T, step int, at string, net *Network, arrays map[string][]float32) {
	t.Helper()
	whole := 0.0
	for _, p := range net.Params() {
		for _, v := range arrays[at+"grad/"+p.Name] {
			whole += float64(v) * float64(v)
		}
	}
	for _, p := range net.Params() {
		if !p.Trainable {
			continue
		}
		diff, norm := 0.0, 0.0
		for i, v := range arrays[at+"grad/"+p.Name] {
			diff += math.Pow(float64(p.Grad[i])-float64(v), 2)
			norm += float64(v) * float64(v)
		}
		if math.Sqrt(diff) > 1e-4*math.Sqrt(norm)+1e-6*math.Sqrt(whole) {
			t.Errorf("step %d: gradient of %s is off by %.2g, its norm is %.2g", step, p.Name, math.Sqrt(diff), math.Sqrt(norm))
		}
	}
}
