package compare

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/evaluate"
	"barrow/loss"
	"barrow/nn"
	"barrow/run"
	"barrow/simulate"
	"barrow/wafer"
)

func wafers(t testing.TB) *wafer.Set {
	t.Helper()
	s, err := simulate.Generate(600, simulate.Settings{Seed: 4})
	if err != nil {
		t.Fatal(err)
	}
	s, _ = s.NonZero()
	return s
}

func small() Plan {
	p := Default()
	p.Losses, p.Precisions, p.Seeds, p.Epochs = []string{"emd", "telescope"}, []string{"float", "asic"}, 2, 4
	p.Bits = nil
	return p
}

func open(t *testing.T, p Plan) *run.Folder {
	t.Helper()
	id, err := p.Identity(Kind())
	if err != nil {
		t.Fatal(err)
	}
	f, err := run.Open(filepath.Join(t.TempDir(), "run"), id, run.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

func results(t *testing.T, f *run.Folder) string {
	t.Helper()
	b, err := os.ReadFile(f.Path(run.Results))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestRun: the table is the same to the byte on one thread, on two, and after
// an interruption.
func TestRun(t *testing.T) {
	d, err := Split(wafers(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	p := small()
	p.Learned = []string{"stc16", "bc"} // of which stc16 has no use for 5 links
	table := resumes(t, p, d)
	var kinds []string
	for _, x := range table.Chip.Results {
		kinds = append(kinds, x.Name+" "+string(x.Decoding)+" "+fmt.Sprint(x.Links))
	}
	if got := strings.Join(kinds, "; "); got != "best choice kept 5; best choice spread 5; best choice learned 5" {
		t.Error(got)
	}
	p.Learned = []string{"bc", "rpt"}
	if err := p.Check(false); err == nil || !strings.Contains(err.Error(), `learned = "rpt": it may be bc,`) {
		t.Error(err)
	}
	p.Learned = []string{"bc", "bc"}
	if err := p.Check(false); err == nil || !strings.Contains(err.Error(), "learned: bc is named twice") {
		t.Error(err)
	}
}

// TestParts: an encoder is kept while another decoder is trained for it, through
// interruptions, and that decoder is better at what it is trained for.
func TestParts(t *testing.T) {
	d, err := Split(wafers(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	if d.Pretraining, err = simulate.Generate(1000, simulate.Settings{Seed: 5}); err != nil {
		t.Fatal(err)
	}
	p := small()
	p.Losses, p.Epochs = []string{"telescope", "emd@telescope"}, 8
	p.Pretrain, p.PretrainEpochs = []string{"others"}, 2
	table := resumes(t, p, d)
	for _, precision := range p.Precisions {
		one, two := table.Row("telescope", precision, 0), table.Row("emd@telescope", precision, 0)
		if !(two.EMD.Mean < one.EMD.Mean) {
			t.Errorf("%s: mean EMD %v with the other decoder, %v before", precision, two.EMD.Mean, one.EMD.Mean)
		}
	}
	f := open(t, p)
	if _, _, err := Run(context.Background(), f, p, d, Resources{Threads: 2}); err != nil {
		t.Fatal(err)
	}
	var codes [2][]float32
	for k, j := range p.Jobs()[:2] {
		m, err := autoencoder.Load(Weights(f, j), nn.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		if codes[k], err = m.Encode(context.Background(), d.Test); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(codes[0], codes[1]) {
		t.Error("the encoder has changed")
	}
	for _, c := range []struct{ loss, want string }{{"emd@", "names no loss behind the @"}, {"emd@best", `unknown loss "best"`}, {"@emd", "a loss without a name"}} {
		p.Losses = []string{c.loss}
		if err := p.Check(false); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.loss, err, c.want)
		}
	}
}

// TestPretraining: the same, with a first training on other images, which
// helps.
func TestPretraining(t *testing.T) {
	d, err := Split(wafers(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	p := small()
	p.Decoder = "dense"
	without, _, err := Run(context.Background(), open(t, p), p, d, Resources{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	if d.Pretraining, err = simulate.Generate(1500, simulate.Settings{Seed: 5}); err != nil {
		t.Fatal(err)
	}
	p.Pretrain, p.PretrainEpochs = []string{"others"}, 4
	with := resumes(t, p, d)
	for i, r := range with.Rows {
		if other := without.Rows[i]; r.EMD.Mean >= other.EMD.Mean {
			t.Errorf("%s, %s: mean EMD %v, without pretraining %v", r.Loss, r.Precision, r.EMD.Mean, other.EMD.Mean)
		}
	}
	p.PretrainEpochs = 0
	if err := p.Check(false); err == nil || !strings.Contains(err.Error(), "pretrain_epochs = 0: want 1") {
		t.Errorf("no epochs of pretraining: %v", err)
	}
}

// resumes runs a plan on one thread, and on two with an interruption, and wants
// the same bytes.
func resumes(t *testing.T, p Plan, d Data) *Table {
	t.Helper()
	ctx := context.Background()
	f := open(t, p)
	table, times, err := Run(ctx, f, p, d, Resources{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	want := results(t, f)
	check(t, table, times)

	g := open(t, p)
	cut, cancel := context.WithCancel(ctx)
	_, _, err = Run(cut, g, p, d, Resources{Threads: 2, Progress: func(share float64, _ string) {
		if share > 0.4 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted: %v", err)
	}
	again := 0.0
	if _, _, err := Run(ctx, g, p, d, Resources{Threads: 2, Progress: func(share float64, _ string) {
		if again == 0 {
			again = share
		}
	}}); err != nil {
		t.Fatal(err)
	}
	if again == 0 {
		t.Error("no progress was reported")
	}
	if got := results(t, g); got != want {
		t.Errorf("two threads and an interruption changed the table:\n%s\n%s", got, want)
	}
	left, err := filepath.Glob(g.Path(run.Weights, "*"+run.CheckpointEnding))
	if err != nil || len(left) > 0 {
		t.Errorf("checkpoints of finished trainings are left: %v", left)
	}
	return table
}

// check holds a table to what must be true of any.
func check(t *testing.T, table *Table, times *Times) {
	t.Helper()
	if len(table.Rows) != 4 || len(times.Rows) != 4 || table.Baseline != "telescope" {
		t.Fatalf("%d rows, %d of times, baseline %s", len(table.Rows), len(times.Rows), table.Baseline)
	}
	for i, r := range table.Rows {
		v := r.EMD.Values
		if len(v) != 2 || v[0] == v[1] || r.EMD.Mean != (v[0]+v[1])/2 || r.Worst != max(v[0], v[1]) {
			t.Errorf("row %d: EMD %+v, worst %v", i, r.EMD, r.Worst)
		}
		if want := math.Abs(v[0]-v[1]) / math.Sqrt2; math.Abs(r.EMD.Std-want) > 1e-12 {
			t.Errorf("row %d: spread %v, want %v", i, r.EMD.Std, want)
		}
		if r.Loss == "telescope" && (r.Ratio.Mean != 1 || r.Worse != 0) {
			t.Errorf("the baseline against itself: %+v, %v worse", r.Ratio, r.Worse)
		}
		base := table.Row("telescope", r.Precision, r.Bits)
		if want := v[1] / base.EMD.Values[1]; math.Abs(r.Ratio.Values[1]-want) > 1e-12 {
			t.Errorf("row %d: ratio %v, want %v", i, r.Ratio.Values[1], want)
		}
		if len(r.ByOccupancy) == 0 || len(r.ByEta) == 0 || r.Cost.Weights != 2144 || !(times.Rows[i].Wafers > 0) {
			t.Errorf("row %d: %+v", i, r)
		}
	}
	if table.Row("mse", "float", 0) != nil {
		t.Error("a row that was not asked for")
	}
	if b, err := json.Marshal(table); err != nil || strings.Contains(string(b), "econds") {
		t.Errorf("times in the table: %v", err)
	}
}

func TestConditional(t *testing.T) {
	p := small()
	p.Losses, p.Precisions, p.Seeds, p.Conditional = []string{"telescope"}, []string{"cmssw-fork"}, 1, true
	d, err := Split(wafers(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Run(context.Background(), open(t, p), p, d, Resources{}); err != nil {
		t.Error(err)
	}
}

// TestOutputByLoss: losses of shapes alone get squares without a limit, the
// others a sigmoid with the plan's range, each part of "emd@telescope" its own.
func TestOutputByLoss(t *testing.T) {
	p := small()
	p.Losses, p.Precisions, p.Seeds = []string{"telescope", "emd", "emd+energy", "emd+0.1*telescope", "emd@telescope"}, []string{"asic"}, 1
	p.Decoder, p.Range, p.Output = autoencoder.DecoderResidual, 2, OutputByLoss
	if err := p.Check(false); err != nil {
		t.Fatal(err)
	}
	for _, j := range p.Jobs() {
		want, size := "square", 0
		if strings.Contains(strings.Split(j.Loss, "@")[0], "telescope") {
			want, size = "", 2
		}
		if j.Architecture.Output != want || j.Architecture.Range != size {
			t.Errorf("%s: output %q with range %d, want %q with %d", j.Loss, j.Architecture.Output, j.Architecture.Range, want, size)
		}
	}
	p.Losses, p.Epochs = []string{"telescope", "emd@telescope"}, 1
	d, err := Split(wafers(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	folder := open(t, p)
	table, _, err := Run(context.Background(), folder, p, d, Resources{})
	if err != nil {
		t.Fatal(err)
	}
	one, two := table.Row("telescope", "asic", 0), table.Row("emd@telescope", "asic", 0)
	if want := two.EMD.Mean / one.EMD.Mean; one.Ratio.Mean != 1 || math.Abs(two.Ratio.Mean-want) > 1e-9 || want == 1 {
		t.Errorf("ratios to the telescope MSE %v and %v, want 1 and %v", one.Ratio.Mean, two.Ratio.Mean, want)
	}
	for name, want := range map[string]string{run.EncoderWeights: "square", encoderOf: ""} {
		m, err := autoencoder.Load((&work{folder: folder}).file(name, p.Jobs()[1], run.WeightsEnding), nn.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Architecture().Output; got != want {
			t.Errorf("%s: output %q, want %q", name, got, want)
		}
	}
	p.Output = "cube"
	if err := p.Check(false); err == nil || !strings.Contains(err.Error(), `output = "cube": it may be sigmoid, square, by-loss`) {
		t.Error(err)
	}
}

func TestCheck(t *testing.T) {
	for want, spoil := range map[string]func(*Plan){
		`unknown loss "emdd"; the losses are brier, csi, emd,`:       func(p *Plan) { p.Losses = []string{"emdd"} },
		"emd-cnn needs the weights":                                  func(p *Plan) { p.Losses = []string{"emd-cnn"} },
		`precision = "6bit": it may be float,`:                       func(p *Plan) { p.Precisions = []string{"6bit"} },
		"latent_bits = 12: want 1 to 9":                              func(p *Plan) { p.Precisions, p.Bits = []string{"asic"}, []int{12} },
		"weight_bits = 3: the weights of precision":                  func(p *Plan) { p.WeightBits = 3 },
		`schedule = "step": it may be constant, cosine, warm-cosine`: func(p *Plan) { p.Schedule = "step" },
		"learning_rate = 2":                                          func(p *Plan) { p.Rate = 2 },
		"epochs = 0: want 1":                                         func(p *Plan) { p.Epochs = 0 },
		"seeds = -1: want 1":                                         func(p *Plan) { p.Seeds = -1 },
		"patience = -3: want 1 to 1000000, or 0 to run all epochs":   func(p *Plan) { p.Patience = -3 },
		"links = 9: all bits of an encoder's outputs fill 5: want 1": func(p *Plan) { p.Precisions, p.Links = []string{"asic"}, []int{9} },
		`mask = "16x3", links = 1: its 48 bits need 2 links`: func(p *Plan) {
			p.Precisions, p.Links, p.Mask = []string{"asic"}, []int{1}, "16x3"
		},
		"mip = NaN":             func(p *Plan) { p.Threshold = math.NaN() },
		"is named twice":        func(p *Plan) { p.Losses = []string{"emd", "emd"} },
		"no loss is named":      func(p *Plan) { p.Losses = nil },
		"no precision is named": func(p *Plan) { p.Precisions = nil },
	} {
		p := small()
		spoil(&p)
		if err := p.Check(false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error with %q", err, want)
		}
	}
	p := small()
	p.Precisions, p.Links, p.Mask = []string{"asic"}, []int{1}, "9x2,7x0" // which fills one
	if err := p.Check(false); err != nil {
		t.Error(err)
	}
	if jobs := p.Jobs(); jobs[0].Architecture.Links() != 1 || jobs[0].Architecture.Mask != "9x2,7x0" {
		t.Errorf("%+v", jobs[0])
	}
	p = small()
	p.Losses = []string{"emd-cnn + energy"}
	if err := p.Check(true); err != nil {
		t.Error(err)
	}
	if _, err := Split(wafers(t).Slice(0, 5), 1); err == nil {
		t.Error("five images were accepted")
	}
	if _, _, err := Run(context.Background(), open(t, p), p, Data{}, Resources{CNN: func() (loss.Distance, error) { return nil, os.ErrNotExist }}); err == nil {
		t.Error("a comparison without images ran")
	}
}

// TestNoBins: where no bin has enough images JSON has an empty list, which can be walked.
func TestNoBins(t *testing.T) {
	b, err := json.Marshal(Row{ByOccupancy: average([][]evaluate.Bin{nil, nil})})
	if err != nil || !strings.Contains(string(b), `"emd_by_occupancy":[]`) {
		t.Errorf("%s, %v", b, err)
	}
}
