package compare

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/emd"
	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/nn"
	"barrow/report"
	"barrow/run"
	"barrow/wafer"
)

// TestProtocols: those that come with the program can be carried out, on all links; ten has at
// least the contenders that it promises, and five seeds.
func TestProtocols(t *testing.T) {
	for _, name := range Protocols() {
		for _, quick := range []bool{false, true} {
			p, err := ReadProtocol(name, quick)
			if err != nil {
				t.Fatal(err)
			}
			for _, links := range []int{1, 2, 3, 4, 5} {
				p.Links = []int{links}
				if err := p.Complete().Check(true); err != nil {
					t.Errorf("%s on %d links: %v", name, links, err)
				}
			}
			if p.Protocol.About == "" || p.Protocol.Baseline != "MSE" {
				t.Errorf("%s: %+v", name, p.Protocol)
			}
			if !quick && p.Seeds != 5 {
				t.Errorf("%s: %d seeds", name, p.Seeds)
			}
		}
	}
	p, err := ReadProtocol("ten", false)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []Contender{
		{Algorithm: "ts"}, {Algorithm: "stc"}, {Algorithm: "bc"}, {Linear: 16}, {Loss: "mse"}, {Loss: "weighted-mse"}, {Loss: "telescope"},
		{Loss: "neighbourhood"}, {Loss: "spectral"}, {Loss: "sliced"}, {Loss: "sinkhorn"}, {Loss: "emd-cnn"}, {Loss: "emd"},
	} {
		if !slices.ContainsFunc(p.Protocol.Contenders, func(c Contender) bool {
			return c.Algorithm == want.Algorithm && c.Linear == want.Linear && c.Loss == want.Loss
		}) {
			t.Errorf("ten lacks %+v", want)
		}
	}
}

const twoContenders = `
[[contender]]
loss = "mse"
[[contender]]
loss = "emd"
`

// TestProtocolErrors: what is wrong is said with file and line.
func TestProtocolErrors(t *testing.T) {
	for text, want := range map[string]string{
		"about = 3":                     "own.toml:",
		"about = \"":                    "own.toml:1:",
		"[settings]\nevents = 5":        "own.toml: no table [[contender]]: want two at least",
		"[[contender]]\nloss = \"mse\"": "own.toml: one table [[contender]]: want two at least",
		"rate_step = \"2\"":             "own.toml:1: rate_step: want a value of the kind float, not string",
		"[[contender]]\nloss = \"mse\"\nalgorithm = \"bc\"":                                      "own.toml:1: a contender has one of loss",
		"[settings]\nprecisions = [\"asics\"]" + twoContenders:                                   `own.toml:2: precisions = "asics": it may be float,`,
		"[settings]\nprecisions = [\"asic\", \"float\"]" + twoContenders:                         "own.toml:2: precisions = [asic float]: a protocol compares at one",
		"[[contender]]\nlinear = 3\n[[contender]]\nalgorithm = \"bc\"":                           "own.toml: no contender has a loss",
		"[[contender]]\nloss = \"mse\"\n[[contender]]\nalgorithm = \"ctc\"\ndecoding = \"kept\"": `own.toml:5: decoding = "kept": what CTC4 5E4M sends is decoded in one way`,
		"\nabuot = \"x\"" + twoContenders:                                                        `own.toml:2: unknown key "abuot": a protocol has about, baseline`,
		"\n[setings]\nevents = 5":                                                                `own.toml:2: unknown key "setings"`,
		"[settings]\n\nevnts = 5":                                                                `own.toml:3: unknown setting "evnts"; did you mean events?`,
		"[settings]\nseeds = \"two\"":                                                            "own.toml:2: seeds = two: ",
		"[settings]\nlosses = [\"emd\"]":                                                         `own.toml:2: unknown setting "losses"`,
		"rate_step = 1.0" + twoContenders:                                                        "own.toml:1: rate_step = 1: want a factor above 1",
		"baseline = \"EMD\"" + twoContenders:                                                     `own.toml:1: baseline = "EMD": it may be MSE, exact EMD`,
		"[[contender]]\nloss = \"mse\"\n[[contender]]\n\nloss = \"emdd\"":                        `own.toml:5: loss: unknown loss "emdd"`,
		"[[contender]]\nloss = \"mse\"\n[[contender]]\nname = \"x\"":                             "own.toml:3: a contender has one of loss, algorithm and linear",
		"[[contender]]\nloss = \"mse\"\nlinear = 3\n[[contender]]\nloss = \"emd\"":               "own.toml:1: a contender has one of",
		"[[contender]]\nloss = \"mse\"\n[[contender]]\nlinear = 17":                              "own.toml:4: linear = 17: want 1 to 16",
		"[[contender]]\nloss = \"mse\"\n[[contender]]\nalgorithm = \"rpt\"":                      `own.toml:4: algorithm = "rpt": it may be bc, `,
		"[[contender]]\nloss = \"mse\"\n[[contender]]\nalgorithm = \"bc\"\ndecoding = \"learn\"": `own.toml:5: decoding = "learn": it may be kept, spread, learned; did you mean learned?`,
		"rate_step = 2.0\nrate_seeds = -1" + twoContenders:                                       `own.toml:2: rate_seeds = `,
		"[[contender]]\nloss = \"mse\"\ndecoding = \"kept\"\n[[contender]]\nloss = \"emd\"":      "own.toml:3: decoding: only an algorithm has one",
		"[[contender]]\nloss = \"mse\"\n[[contender]]\nname = \"y\"\nloss = \"1*mse\"":           `own.toml:3: y stands there already`,
		"[[contender]]\nloss = \"mse\"\n[[contender]]\nname = \"MSE\"\nloss = \"emd\"":           `own.toml:4: a second contender is called "MSE"`,
		"[[contender]]\nloss = \"mse\"\nlos = \"x\"\n[[contender]]\nloss = \"emd\"":              `own.toml:3: unknown key "los" of a contender: it may be name, loss, algorithm, decoding, linear; did you mean loss?`,
	} {
		_, err := parseProtocol("own.toml", text, false)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if _, err := parseProtocol("own.toml", twoContenders, true); err == nil || !strings.Contains(err.Error(), "no table [quick]") {
		t.Error(err)
	}
	if _, err := ReadProtocol("tne", false); err == nil || !strings.Contains(err.Error(), `protocol = "tne": it may be spatial, ten, or a file; did you mean ten?`) {
		t.Error(err)
	}
	if _, err := ReadProtocol(filepath.Join(t.TempDir(), "ldm.csv"), false); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if _, err := ReadProtocol(filepath.Join(t.TempDir(), "none.toml"), false); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	for want, spoil := range map[string]func(*Plan){
		"the protocol own names its own": func(p *Plan) { p.Losses = p.Losses[:1] },
		"at one precision":               func(p *Plan) { p.Precisions = []string{"asic", "float"} },
		"CTC4 4E3M cannot use 4 links: it may have 1, 2, 3": func(p *Plan) {
			p.Precisions, p.Links = []string{"asic"}, []int{4}
		},
		"times the protocol's rate_step, 50, it is 1.5": func(p *Plan) { p.Rate = 0.03 },
	} {
		p, err := parseProtocol("own.toml", "rate_step = 50.0\n"+twoContenders+"[[contender]]\nalgorithm = \"ctc-4e3m\"\n[settings]\nprecisions = [\"asic\"]\nlinks = [3]", false)
		if err != nil {
			t.Fatal(err)
		}
		spoil(&p)
		if err := p.Complete().Check(false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// own is a small protocol with a contender of every kind.
func own(t *testing.T) Plan {
	t.Helper()
	p, err := parseProtocol("own.toml", `
rate_step = 2.0
rate_seeds = 2
[settings]
precisions = ["asic"]
links = [3]
sum = "sent"
epochs = 3
seeds = 3
[[contender]]
algorithm = "bc"
[[contender]]
algorithm = "stc"
[[contender]]
linear = 16
[[contender]]
loss = "mse"
[[contender]]
loss = "emd"
[[contender]]
algorithm = "stc"
decoding = "learned"
`, false)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestProtocolRun: the results are the same to the byte on one thread, on two, and after an
// interruption, and what stands in them is what they say it is.
func TestProtocolRun(t *testing.T) {
	d, err := Split(wafers(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	p, ctx := own(t), context.Background()
	f := open(t, p)
	table, times, err := Run(ctx, f, p, d, Resources{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	g := open(t, p)
	cut, cancel := context.WithCancel(ctx)
	if _, _, err := Run(cut, g, p, d, Resources{Threads: 2, Progress: func(share float64, _ string) {
		if share > 0.5 {
			cancel()
		}
	}}); !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted: %v", err)
	}
	if _, _, err := Run(ctx, g, p, d, Resources{Threads: 2}); err != nil {
		t.Fatal(err)
	}
	if results(t, f) != results(t, g) {
		t.Error("two threads and an interruption changed the results")
	}
	j := table.Protocol
	if len(j.Contenders) != 6 || j.Links != 3 || j.LinkBits != 96 || len(table.Rows) != 2 || j.BySeeds == nil || j.ByImages != nil {
		t.Fatalf("%+v", j)
	}
	for i, s := range j.Contenders {
		if s.trained() == (i < 3) || len(s.EMD.Values) != 3 && s.trained() || len(s.Rates) != 2 && s.trained() || s.Tuned == nil || s.Tuned.Seeds != 2 {
			t.Errorf("%+v", s)
		}
		if s.Name == "MSE" && (s.Ratio.Ratio != 1 || s.Ratio.Low != 1) {
			t.Errorf("the baseline to itself: %+v", s.Ratio)
		}
		if !(s.Ratio.Low <= s.Ratio.Ratio && s.Ratio.Ratio <= s.Ratio.High) || !(s.P95.Mean > s.Median.Mean) || len(s.Fractions) != farthest+1 || !(s.Bits <= 96) || s.Method == "" {
			t.Errorf("%+v", s)
		}
		if math.Abs(s.Response.Mean-1) > 0.1 {
			t.Errorf("%s: response %v, though the sum is sent", s.Name, s.Response.Mean)
		}
	}
	if bc := j.Contenders[0]; !bc.Pareto || bc.Cost.Multiplications != 0 { // nothing else is as good without multiplications
		t.Errorf("%+v", bc)
	}
	if r := table.Row("mse", "asic", 5); r.EMD.Mean != j.Contenders[3].EMD.Mean || r.ToMSE.Ratio != 1 {
		t.Errorf("row %+v, contender %+v", r, j.Contenders[3])
	}
	asTheChipMeter(t, d.Test, j.Contenders[0])
	if len(table.Standings(times)) != 5 {
		t.Error("tables are missing")
	}
	page, err := Page(f.Path())
	if err != nil {
		t.Fatal(err)
	}
	if err := page.Validate(); err != nil {
		t.Error(err)
	}
	for _, id := range []string{"front-multiplications", "front-training", "ratios", "ranks-by-seeds"} {
		if _, ok := page.Figure(id); !ok {
			t.Errorf("no figure %s", id)
		}
	}
}

// asTheChipMeter holds best choice to what the chip's meter finds.
func asTheChipMeter(t *testing.T, images *wafer.Set, s Standing) {
	t.Helper()
	points := hgcal.Benchmark()
	metric, err := emd.Euclidean(points[:])
	if err != nil {
		t.Fatal(err)
	}
	schemes, err := s.schemes(3)
	if err != nil {
		t.Fatal(err)
	}
	list, err := evaluate.Chip(context.Background(), metric, images, schemes, evaluate.ChipSettings{Settings: evaluate.Settings{Points: points[:]}})
	if err != nil {
		t.Fatal(err)
	}
	of := list[0].Fidelity
	if s.EMD.Mean != of.Of(evaluate.EMD).Mean || s.Response.Mean != of.Of(evaluate.Response).Mean || s.Bits != list[0].Bits {
		t.Errorf("%+v, the chip's meter has %v", s, list[0])
	}
}

// TestDiverged: a training that ends in numbers that are none counts as that, and does not end the
// run.
func TestDiverged(t *testing.T) {
	d, err := Split(wafers(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	p, err := parseProtocol("own.toml", `
[settings]
precisions = ["asic"]
decoder = "residual"
output = "square"
learning_rate = 0.99
schedule = "constant"
epochs = 3
seeds = 2
[[contender]]
loss = "1e12*telescope"
[[contender]]
linear = 2
`, false)
	if err != nil {
		t.Fatal(err)
	}
	f := open(t, p)
	table, _, err := Run(context.Background(), f, p, d, Resources{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	if s := table.Protocol.Contenders[0]; s.Diverged != 2 {
		t.Errorf("%+v", s)
	}
	want := results(t, f)
	if table, _, err = Run(context.Background(), f, p, d, Resources{Threads: 1}); err != nil || results(t, f) != want || table.Rows[0].Validation[0] != math.MaxFloat64 {
		t.Errorf("again: %v, %v", table.Rows[0].Validation, err)
	}
	if list, err := table.Encoders(f.Path()); err != nil || len(list) != 1 {
		t.Errorf("%v, %v", list, err)
	}
	p.Protocol = nil
	if _, _, err := Run(context.Background(), open(t, p), p, d, Resources{Threads: 1}); err == nil || !strings.Contains(err.Error(), "is not finite") {
		t.Errorf("without a protocol: %v", err)
	}
}

// TestNothingArrives: a training from which nothing arrives counts as diverged, whether its loss says
// so or the EMD that is watched, and what it started from is kept.
func TestNothingArrives(t *testing.T) {
	d, err := Split(wafers(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	p, err := parseProtocol("own.toml", twoContenders+"[settings]\nprecisions = [\"asic\"]\nepochs = 1\nseeds = 2", false)
	if err != nil {
		t.Fatal(err)
	}
	dark, err := p.Jobs()[0].Architecture.New(nn.Settings{Seed: 1, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	bias := dark.Network().Param("decoder_conv_2/bias").Value
	for i := range bias {
		bias[i] = -1000
	}
	start := filepath.Join(t.TempDir(), "dark.npz")
	if err := dark.Save(start); err != nil {
		t.Fatal(err)
	}
	f := open(t, p)
	table, _, err := Run(context.Background(), f, p, d, Resources{Threads: 1, Start: start})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range table.Protocol.Contenders {
		if s.Diverged != 2 {
			t.Errorf("%+v", s)
		}
	}
	kept, err := autoencoder.Load(Weights(f, p.Jobs()[0]), nn.Settings{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	if got := kept.Network().Param("decoder_conv_2/bias").Value[0]; got != -1000 {
		t.Errorf("the encoder is not the one that it started from: bias %v", got)
	}
}

// TestLinear: with enough components and bits images arrive as they are; with fewer the squared error
// is that of the components left out, less than with any other directions tried; bits are shared.
func TestLinear(t *testing.T) {
	images := wafers(t)
	a := autoencoder.Architecture{Precision: "float", Normalisation: "sumlog2"}
	apart := func(l *linear) float64 {
		decoded, err := l.decode(images)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for i := range images.Len() {
			scale := l.norm.Scale(images.Image(i))
			for c, v := range images.Image(i) {
				d := (v - decoded.Image(i)[c]) / scale
				sum += d * d
			}
		}
		return sum / float64(images.Len())
	}
	last := math.Inf(1)
	for _, n := range []int{1, 4, 16} {
		l, err := newLinear(n, a, images)
		if err != nil {
			t.Fatal(err)
		}
		all := 0
		for _, b := range l.bits {
			all += b
		}
		if all != 144 || n > 1 && l.bits[0] <= l.bits[n-1] {
			t.Errorf("%d components have %v bits", n, l.bits)
		}
		for j := range n {
			for k := range n {
				dot := 0.0
				for c := range l.components[j] {
					dot += l.components[j][c] * l.components[k][c]
				}
				if want := map[bool]float64{true: 1}[j == k]; math.Abs(dot-want) > 1e-9 {
					t.Errorf("components %d and %d: %v", j, k, dot)
				}
			}
		}
		now := apart(l)
		if !(now < last) {
			t.Errorf("%d components leave %v, fewer %v", n, now, last)
		}
		last = now
		// A component turned a little out of the best plane leaves more.
		turned := *l
		turned.components = slices.Clone(l.components)
		turned.components[0] = slices.Clone(l.components[0])
		for c := range turned.components[0] {
			turned.components[0][c] = l.components[0][c]*math.Cos(0.5) + math.Sin(0.5)/math.Sqrt(48)
		}
		if worse := apart(&turned); n > 1 && !(worse > now) {
			t.Errorf("%d components: %v, turned ones leave %v", n, now, worse)
		}
		if c := l.cost(); c.Multiplications != 48*n || c.Weights != 49*n {
			t.Errorf("%+v", c)
		}
	}
	for _, bits := range []int{1, 5, 9} {
		for v := -2.5; v < 2.5; v += 0.01 {
			r := rounded(v, 2, bits)
			if step := 4 / math.Exp2(float64(bits)); math.Abs(v) < 2 && math.Abs(r-v) > step/2+1e-12 || math.Abs(r) > 2-step/2+1e-12 {
				t.Errorf("%v with %d bits is %v", v, bits, r)
			}
		}
	}
	a.Precision, a.LatentBits = "asic", 5
	// No bit would be better elsewhere.
	l, err := newLinear(16, a, images)
	if err != nil {
		t.Fatal(err)
	}
	greedy := apart(l)
	for k := range l.bits {
		l.bits[k] = 5
	}
	if equal := apart(l); !(greedy < equal) {
		t.Errorf("bits by error leave %v, equal ones %v", greedy, equal)
	}
}

// TestAgainst: what is said of ratios holds for all of them together.
func TestAgainst(t *testing.T) {
	of := func(ratio, by float64) *evaluate.Paired { return &evaluate.Paired{Ratio: ratio, Seeds: 1, Images: by} }
	for _, c := range []struct {
		list []*evaluate.Paired
		want []string
	}{
		// 1.96 standard errors are needed of one, 2.24 of the first of two.
		{[]*evaluate.Paired{nil, of(0.9, 0.05)}, []string{"–", lowerSome}},
		{[]*evaluate.Paired{of(0.9, 0.05), of(1.2, 0.05)}, []string{lowerUnfit, lowerUnfit}},
		{[]*evaluate.Paired{of(0.9, 0.04), of(0.9, 0.05)}, []string{lowerSome, lowerSome}},
		{[]*evaluate.Paired{of(0.8, 0.02), of(0.7, 0.4), of(0.89, 0.02)}, []string{lowerMuch, lowerUnfit, lowerSome}},
	} {
		for i, got := range against(c.list) {
			if got[1] != c.want[i] {
				t.Errorf("%v, want %v", got, c.want[i])
			}
		}
	}
}

// TestFront: those on the front are those that report draws.
func TestFront(t *testing.T) {
	list := []Standing{}
	for _, v := range [][2]float64{{0, 3}, {0, 2}, {5, 2}, {7, 1}, {9, 1.5}} {
		s := Standing{EMD: Spread{Mean: v[1]}}
		s.Cost.Multiplications = int(v[0])
		list = append(list, s)
	}
	front(list)
	var got []bool
	for _, s := range list {
		got = append(got, s.Pareto)
	}
	if !slices.Equal(got, []bool{false, true, false, true, false}) {
		t.Error(got)
	}
}

// TestPageRefuses: a page of results and times that are not of one run.
func TestPageRefuses(t *testing.T) {
	d, err := Split(wafers(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	p := own(t)
	p.Protocol.RateStep, p.Epochs, p.Seeds = 0, 1, 1
	f := open(t, p)
	_, times, err := Run(context.Background(), f, p, d, Resources{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	times.Contenders = times.Contenders[:2]
	if err := f.WriteJSON(run.Times, times); err != nil {
		t.Fatal(err)
	}
	var page *report.Page
	if page, err = Page(f.Path()); err == nil || !strings.Contains(err.Error(), "6 contenders in the results, 2 in the times") {
		t.Errorf("%v, %v", page, err)
	}
}
