package decoder

import (
	"context"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"barrow/econt"
	"barrow/nn"
)

// TestJoin: what a joined decoder makes of frames is the mean of what its members make of them,
// members that are joined themselves included, keeps what is known, and is the same once saved.
func TestJoin(t *testing.T) {
	images := wafers(t, 40, 8)
	all := kinds(t)
	for _, name := range []string{"BC3", "STC4 5E4M5", "STC4 4E3M3", "AE"} {
		pair := all[name]
		list := frames(t, pair[0], images)
		var members []*Model
		mean := make([]float64, len(list)*Cells)
		for k := range 3 {
			m, err := New(small(), pair[0], nn.Settings{Seed: uint64(k + 1)})
			if err != nil {
				t.Fatal(err)
			}
			members = append(members, m)
			for i, v := range decode(t, m, list) {
				mean[i] += v / 3
			}
		}
		two, err := Join(members[:2]...)
		if err != nil {
			t.Fatal(err)
		}
		three, err := Join(two, members[2])
		if err != nil {
			t.Fatal(err)
		}
		if n := three.Architecture().Members; n != 3 {
			t.Errorf("%d members", n)
		}
		got := decode(t, three, list)
		for i, v := range got {
			if math.Abs(v-mean[i]) > 1e-4*(1+mean[i]) {
				t.Fatalf("%s: frame %d, cell %d: %v, the members' mean is %v", name, i/Cells, i%Cells, v, mean[i])
			}
		}
		for i := range list {
			for c, ch := range three.Channels() {
				if list[i].Known()>>ch&1 != 0 && got[i*Cells+c] != list[i].Image[ch] {
					t.Fatalf("%s: frame %d, cell %d: %v, sent as %v", name, i, c, got[i*Cells+c], list[i].Image[ch])
				}
			}
		}
		path := filepath.Join(t.TempDir(), "joined.weights")
		if err := three.Save(path); err != nil {
			t.Fatal(err)
		}
		again, err := Load(path, nn.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range decode(t, again, list) {
			if v != got[i] {
				t.Fatalf("%s: cell %d: %v once saved, %v before", name, i, v, got[i])
			}
		}
	}
	if _, err := Join(); err == nil {
		t.Error("none are joined")
	}
	a, err := New(small(), all["BC3"][0], nn.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range []Architecture{{Units: 8}, {Units: small().Units, Blocks: 3}, {Units: small().Units, Blocks: small().Blocks, Conditions: true}} {
		b, err := New(of, all["BC3"][0], nn.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Join(a, b); err == nil || !strings.Contains(err.Error(), "cannot be one") {
			t.Errorf("%v: %v", of, err)
		}
	}
	b, err := New(small(), all["AE"][0], nn.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Join(a, b); err == nil {
		t.Error("decoders of other frames are joined")
	}
}

// TestJoinedGradient holds the gradient to the network's outputs to differences.
func TestJoinedGradient(t *testing.T) {
	pair := kinds(t)["STC4 4E3M3"]
	a := small()
	a.Members = 3
	m, err := New(a, pair[0], nn.Settings{Seed: 2})
	if err != nil {
		t.Fatal(err)
	}
	list := frames(t, pair[0], wafers(t, 3, 9))
	x, err := m.Inputs(list, nil)
	if err != nil {
		t.Fatal(err)
	}
	in := nn.NewTensor(len(list), m.net.InputShape())
	copy(in.Data, x)
	y, err := m.net.Forward(in, nn.Inference)
	if err != nil {
		t.Fatal(err)
	}
	dy := nn.NewTensor(len(list), m.net.OutputShape())
	for k := range list {
		var dq, out [econt.Channels]float64
		for ch := range dq {
			dq[ch] = math.Sin(float64(7*ch + k))
		}
		value := func() (v float64) {
			m.place(&list[k], y, k, &out)
			for ch := range dq {
				v += dq[ch] * out[ch]
			}
			return v
		}
		m.back(&list[k], y, k, &dq, 1, dy)
		for j := range 3 * econt.Channels {
			i := k*3*econt.Channels + j
			at, step := y.Data[i], float32(1e-3)*(y.Data[i]+0.01)
			y.Data[i] = at + step
			up, high := y.Data[i], value()
			y.Data[i] = at - step
			down, low := y.Data[i], value()
			y.Data[i] = at
			if want := (high - low) / float64(up-down); math.Abs(float64(dy.Data[i])-want) > 0.01*(math.Abs(want)+1) {
				t.Fatalf("frame %d, output %d: gradient %v, by differences %v", k, j, dy.Data[i], want)
			}
		}
	}
}

// TestTuneJoins: where the two ways of learning from given images are better together, that is what is
// returned, with its own loss.
func TestTuneJoins(t *testing.T) {
	ctx := context.Background()
	pair, train, validation, l, s := lessons(t)
	s.Course.Simulated.Epochs = 10
	start, _, err := Pretrain(ctx, pair, l, s)
	if err != nil {
		t.Fatal(err)
	}
	m, h, err := Tune(ctx, start, pair, train, validation, l, s)
	if err != nil {
		t.Fatal(err)
	}
	best, err := lossOf(ctx, m, pair, validation, l, s)
	if err != nil || math.Abs(best-h.Best) > 1e-6*best {
		t.Errorf("%v is the loss of what is returned, %v is told, %v", best, h.Best, err)
	}
	if m.Architecture().members() > 2 {
		t.Errorf("%v", m.Architecture())
	}
}
