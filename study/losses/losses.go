// Package losses holds losses against the exact earth mover's distance: how well each orders
// pairs of images and measures them, on images and what five distortions of random strength
// make of them.
package losses

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"barrow/emd"
	"barrow/hgcal"
	"barrow/internal/counter"
	"barrow/internal/limit"
	"barrow/loss"
	modelfile "barrow/model/file"
	"barrow/nn"
	"barrow/study/images"
	"barrow/surrogate"
	"barrow/wafer"
)

// A Plan says which losses are held against the distance, on what.
type Plan struct {
	images.Input

	Losses []string `json:"losses" help:"losses, and sums of them"`
	Most   int      `json:"images" help:"images of files taken at most, evenly spread over all"`
	Metric string   `json:"metric" value:"file" help:"ground metric, or a CSV file of x,y per cell"`
	Shapes bool     `json:"shapes" help:"scale both images to sum 1, as the distance does: losses of charges then see no totals"`
	CNN    string   `json:"emd_cnn,omitempty" value:"file" help:"weights file or run folder of the EMD network, for losses that need it (default: builtin, the one that comes with Barrow)"`
}

// Default holds all kinds of losses against the distance on 1000 simulated images.
func Default() Plan {
	return Plan{Input: images.Default(1000), Most: 3000, Metric: "benchmark", Losses: []string{
		"mse", "l1", "weighted-mse", "telescope", "neighbourhood", "neighbourhood:radius=2", "neighbourhood:filter=max", "spectral",
		"spectral:longest=16", "wavelet", "fss", "csi", "brier", "ssim", "sliced", "sliced:count=4", "sliced:directions=trained",
		"sliced:directions=trained:count=2", "sinkhorn", "emd-cnn", "emd",
	}}
}

// Help tells of settings that mean another thing than where something is trained.
func (p Plan) Help(key string) string {
	if key == "data" {
		return "wafer file whose images are distorted, instead of simulated ones, or a pattern of names; may be repeated"
	}
	return ""
}

// Choices are the values that a setting of the plan may have, those of the images apart.
func (p Plan) Choices(key string) []string {
	switch key {
	case "losses":
		return loss.Names()
	case "metric":
		return hgcal.Metrics()
	}
	return nil
}

// maxImages is far above what says more about a correlation.
const maxImages = 1_000_000

// Settings are what changes no figure but the times.
type Settings struct {
	Seed     uint64
	Threads  int // 0: all processors
	Progress func(share float64, note string)
	Images   images.Settings // Seed and Threads are those above
}

// A Result are the figures of all losses.
type Result struct {
	Images      string   `json:"images"` // in words
	Pairs       int      `json:"pairs"`
	Metric      string   `json:"metric"`
	Shapes      bool     `json:"shapes"` // both images were scaled to sum 1
	Distortions []string `json:"distortions"`
	// Mean is the mean exact distance of the pairs of each distortion.
	Mean []float64 `json:"mean_emd"`
	Rows []Row     `json:"rows"`
}

// A Row are the figures of one loss.
type Row struct {
	Loss  string `json:"loss"`
	Label string `json:"label"`
	// Spearman is the rank correlation with the distance over all pairs, Each over those of
	// each distortion.
	Spearman float64   `json:"spearman"`
	Each     []float64 `json:"spearman_by_distortion"`
	// Error is √(Σ(a·L − E)²/ΣE²) with the factor a that makes it least: of the loss L of each
	// pair and its distance E, or of √L where Root says so, which then is the nearer one.
	Error float64 `json:"error"`
	Root  bool    `json:"root"`
	Scale float64 `json:"scale"` // a
	// Microseconds is what value and gradient of a pair take on one processor.
	Microseconds float64 `json:"microseconds"`
}

// pairs are images and what was made of them, as a training scales them.
type pairs struct {
	target, distorted []float32
	units, distance   []float64
	kind              []int // of each pair its distortion
}

// Run measures all losses.
func Run(ctx context.Context, p Plan, s Settings) (*Result, error) {
	names, err := loss.Distinct(p.Losses)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("losses: no loss is named; there are %v", loss.Names())
	}
	points, err := hgcal.Positions(p.Metric)
	if err != nil {
		return nil, err
	}
	metric, err := emd.Euclidean(points)
	if err != nil {
		return nil, err
	}
	threads, err := limit.Threads(s.Threads)
	if err != nil {
		return nil, err
	}
	// One thread, so that the times are those of one processor.
	of := loss.Resources{Metric: metric, Points: points, Threads: 1}
	all := make([]loss.Loss, len(names))
	for i, name := range names {
		if all[i], err = p.parse(name, &of); err != nil {
			return nil, err
		}
	}
	x, source, err := p.pairs(ctx, s, threads)
	if err != nil {
		return nil, err
	}
	if err := x.measure(ctx, metric, threads); err != nil {
		return nil, err
	}
	r := &Result{Images: source, Pairs: len(x.kind), Metric: p.Metric, Shapes: p.Shapes, Mean: x.means()}
	for _, d := range distortions {
		r.Distortions = append(r.Distortions, d.name)
	}
	for i, l := range all {
		if s.Progress != nil {
			s.Progress(float64(i)/float64(len(all)), names[i])
		}
		row, err := x.row(ctx, l)
		if err != nil {
			return nil, err
		}
		row.Loss, row.Label = names[i], loss.Label(names[i])
		r.Rows = append(r.Rows, row)
	}
	return r, nil
}

// pairs reads or simulates the images, as many as there are to be, and distorts them; source says
// in words what they are.
func (p Plan) pairs(ctx context.Context, s Settings, threads int) (x *pairs, source string, err error) {
	if err := limit.Count("images =", p.Most, maxImages); err != nil {
		return nil, "", fmt.Errorf("losses: %w", err)
	}
	in := s.Images
	in.Seed, in.Threads = s.Seed, threads
	set, source, err := p.Read(ctx, in)
	if err != nil {
		return nil, "", err
	}
	if n := set.Len(); len(p.Data) > 0 && n > p.Most {
		index := make([]int, p.Most)
		for k := range index {
			index[k] = k * n / p.Most
		}
		set, source = set.Select(index), fmt.Sprintf("%d of %d images of %s", p.Most, n, source)
	}
	if set.Len() < 2 {
		return nil, "", fmt.Errorf("losses: %d images with charge: want two at least", set.Len())
	}
	return draw(set, s.Seed, p.Shapes), source, nil
}

// parse makes a loss, and opens the network that the first one that needs it needs.
func (p Plan) parse(name string, of *loss.Resources) (loss.Loss, error) {
	t, err := loss.Describe(name)
	if err != nil {
		return nil, err
	}
	if _, encoder, _ := loss.Stages(name); encoder != "" {
		return nil, fmt.Errorf("losses: %s is two losses, of a decoder and of an encoder: name them one by one", name)
	}
	if t.CNN && of.CNN == nil {
		if p.CNN == "" || p.CNN == "builtin" {
			of.CNN, err = surrogate.BuiltIn(nn.Settings{Threads: 1})
		} else {
			of.CNN, err = modelfile.Estimator(p.CNN, modelfile.Settings{Threads: 1})
		}
		if err != nil {
			return nil, err
		}
	}
	return loss.Parse(name, *of)
}

// draw distorts every image in each way, with strengths of their own; shapes scales both to sum 1.
func draw(set *wafer.Set, seed uint64, shapes bool) *pairs {
	x, n := &pairs{}, set.Len()
	image, other, out := make([]float64, loss.Cells), make([]float64, loss.Cells), make([]float64, loss.Cells)
	for i := range n {
		unit := scaled(image, set.Image(i))
		r := counter.New(seed, uint64(i))
		for k, d := range distortions {
			scaled(other, set.Image((i+1+r.IntN(n-1))%n))
			for sum := 0.0; sum == 0; sum = wafer.Sum(out) { // what lost all cells is drawn again
				clear(out)
				d.apply(out, image, other, r.Float64(), &r)
			}
			of, to := 1.0, 1.0
			if shapes {
				of, to = wafer.Sum(image), wafer.Sum(out)
			}
			for c := range out {
				x.target, x.distorted = append(x.target, float32(image[c]/of)), append(x.distorted, float32(out[c]/to))
			}
			x.units, x.kind = append(x.units, unit*of), append(x.kind, k)
		}
	}
	return x
}

// scaled divides an image by the power of 2 that makes it sum to 1 to 2, and tells what one of
// it is in MIP_T.
func scaled(to, image []float64) float64 {
	unit := wafer.NormSumLog2.Scale(image)
	for c, v := range image {
		to[c] = v / unit
	}
	return unit / hgcal.CountsPerMIPT
}

// measure computes the exact distances.
func (x *pairs) measure(ctx context.Context, metric *emd.Metric, threads int) error {
	exact, err := emd.NewBatch(metric, emd.Settings{Unequal: emd.UnequalNormalise, Threads: threads})
	if err != nil {
		return err
	}
	p, q := make([]float64, len(x.target)), make([]float64, len(x.target))
	for i, v := range x.target {
		p[i], q[i] = float64(v), float64(x.distorted[i])
	}
	x.distance = make([]float64, len(x.kind))
	return exact.Distance(ctx, p, q, x.distance)
}

func (x *pairs) means() []float64 {
	sum, count := make([]float64, len(distortions)), make([]float64, len(distortions))
	for i, k := range x.kind {
		sum[k] += x.distance[i]
		count[k]++
	}
	for k := range sum {
		sum[k] /= count[k]
	}
	return sum
}

// row are the figures of a loss.
func (x *pairs) row(ctx context.Context, l loss.Loss) (row Row, err error) {
	n := len(x.kind)
	if err := loss.CheckThresholds(l, x.units, x.target); err != nil {
		return row, err
	}
	values := make([]float64, n)
	if err := loss.Each(ctx, l, x.units, x.target, x.distorted, values, nil); err != nil {
		return row, err
	}
	row.Spearman = spearman(values, x.distance)
	for k := range distortions {
		var a, b []float64
		for i, kind := range x.kind {
			if kind == k {
				a, b = append(a, values[i]), append(b, x.distance[i])
			}
		}
		row.Each = append(row.Each, spearman(a, b))
	}
	row.Error, row.Scale = fit(values, x.distance)
	roots := make([]float64, n)
	for i, v := range values {
		roots[i] = math.Sqrt(max(0, v))
	}
	if e, a := fit(roots, x.distance); e < row.Error {
		row.Error, row.Scale, row.Root = e, a, true
	}
	row.Microseconds, err = x.time(ctx, l)
	return row, err
}

// time is what value and gradient of a pair take in microseconds, in batches as those of a training:
// the quickest of a few passes.
func (x *pairs) time(ctx context.Context, l loss.Loss) (float64, error) {
	const batch = 500
	grad, m := make([]float32, len(x.target)), min(len(x.kind), 4*batch)
	best := time.Duration(math.MaxInt64)
	for range 3 {
		start := time.Now()
		for i := 0; i < m; i += batch {
			j := min(i+batch, m)
			from, to := i*loss.Cells, j*loss.Cells
			if _, err := loss.EvalIn(ctx, l, x.units[i:j], x.target[from:to], x.distorted[from:to], grad[from:to]); err != nil {
				return 0, err
			}
		}
		best = min(best, time.Since(start))
		if best > time.Second {
			break
		}
	}
	return float64(best.Nanoseconds()) / 1000 / float64(m), nil
}

// fit is √(Σ(a·v − e)²/Σe²) with the a that makes it least.
func fit(v, e []float64) (relative, a float64) {
	var vv, ve, ee float64
	for i, x := range v {
		vv += x * x
		ve += x * e[i]
		ee += e[i] * e[i]
	}
	if vv == 0 || ee == 0 {
		return 1, 0
	}
	a = ve / vv
	return math.Sqrt(max(0, 1-ve*a/ee)), a
}

// Best are the rows from the highest correlation to the lowest.
func (r *Result) Best() []Row {
	rows := slices.Clone(r.Rows)
	slices.SortStableFunc(rows, func(a, b Row) int {
		switch {
		case a.Spearman > b.Spearman:
			return -1
		case a.Spearman < b.Spearman:
			return 1
		}
		return 0
	})
	return rows
}
