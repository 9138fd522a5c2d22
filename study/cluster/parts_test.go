package cluster

import (
	"context"
	"math"
	"slices"
	"testing"

	"barrow/hgcal"
	"barrow/internal/counter"
)

func random(n, d int, seed uint64) [][]float64 {
	s := counter.New(seed, 0)
	x := make([][]float64, n)
	for i := range x {
		x[i] = make([]float64, d)
		for k := range x[i] {
			x[i][k] = s.Normal()
		}
	}
	return x
}

// TestContrast: the gradient is that of differences, and the loss the definition, summed plainly.
func TestContrast(t *testing.T) {
	const n, d, temperature = 10, 5, 0.4
	z, grad := make([]float32, n*d), make([]float32, n*d)
	s := counter.New(3, 0)
	for k := range z {
		z[k] = float32(s.Normal())
	}
	plain := func() float64 {
		cos := func(i, j int) float64 {
			a, b, c := 0.0, 0.0, 0.0
			for k := range d {
				x, y := float64(z[i*d+k]), float64(z[j*d+k])
				a, b, c = a+x*x, b+y*y, c+x*y
			}
			return c / math.Sqrt(a*b)
		}
		loss := 0.0
		for i := range n {
			sum := 0.0
			for k := range n {
				if k != i {
					sum += math.Exp(cos(i, k) / temperature)
				}
			}
			loss -= math.Log(math.Exp(cos(i, (i+n/2)%n)/temperature)/sum) / n
		}
		return loss
	}
	if got, want := contrast(z, n, d, temperature, grad), plain(); math.Abs(got-want) > 1e-7 {
		t.Fatalf("%v, want %v", got, want)
	}
	for k, v := range z {
		const h = 1e-3
		z[k] = v + h
		hi, up := plain(), float64(z[k])
		z[k] = v - h
		lo, down := plain(), float64(z[k])
		z[k] = v
		if want := (hi - lo) / (up - down); math.Abs(want-float64(grad[k])) > 1e-5 {
			t.Errorf("gradient %d is %v, differences give %v", k, grad[k], want)
		}
	}
}

// TestBrainGradient: the gradient through pooling, convolutions and dense layers is that of differences.
func TestBrainGradient(t *testing.T) {
	for _, c := range []struct {
		kind string
		rows *rows
	}{
		{networkSmall, drawn(t, 3)}, {networkEncoder, drawn(t, 3)}, {networkSmall, pictures(11, 13, 6)},
	} {
		p := Default()
		b, err := newBrain(c.kind, c.rows, true, 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		l := newLesson(b, c.rows, &p, 1)
		idx := []int{0, 1, 2, 3, 4, 5}
		b.net.ZeroGrad()
		if _, err := l.Train(t.Context(), idx); err != nil {
			t.Fatal(err)
		}
		off := 0
		for _, param := range b.net.Params() {
			if !param.Trainable {
				continue
			}
			k := len(param.Value) / 2
			grad, v := float64(param.Grad[k]), param.Value[k]
			loss := func(x float32) float64 {
				param.Value[k] = x
				z, err := l.look(idx, 1, 1) // of the same views, in inference
				if err != nil {
					t.Fatal(err)
				}
				return contrast(z.Data, z.N, z.Shape.C, l.temperature, make([]float32, len(z.Data)))
			}
			const h = 2e-3
			want := (loss(v+h) - loss(v-h)) / (2 * h)
			param.Value[k] = v
			if math.Abs(want-grad) > 2e-3+0.05*math.Abs(want) {
				off++ // a kink within the step
				t.Logf("%s %s: %v, differences give %v", c.kind, param.Name, grad, want)
			}
		}
		if off > 1 {
			t.Errorf("%s: %d gradients are off", c.kind, off)
		}
	}
}

// drawn are few simulated modules, n of each kind.
func drawn(t *testing.T, n int) *rows {
	t.Helper()
	s, err := newSimulation(5, 16, true)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.draw(t.Context(), sample(n), 2)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// pictures are images of another size.
func pictures(h, w, n int) *rows {
	r := &rows{grid: rectangle(h, w, 2)}
	for _, v := range random(n, h*w, 9) {
		for k := range v {
			v[k] = math.Abs(v[k])
		}
		r.value = append(r.value, v)
	}
	r.quanta(0)
	return r
}

// TestAgreement: closed forms, and the values of scikit-learn's documentation of its scores.
func TestAgreement(t *testing.T) {
	for _, c := range []struct {
		labels, truth      []int
		accuracy, nmi, ari float64
	}{
		{[]int{0, 0, 1, 1}, []int{0, 0, 1, 1}, 1, 1, 1},
		{[]int{1, 1, 0, 0}, []int{0, 0, 1, 1}, 1, 1, 1},
		{[]int{0, 0, 1, 2}, []int{0, 0, 1, 1}, 0.75, 0.8, 4.0 / 7},          // documentation of adjusted_rand_score: 0.57
		{[]int{0, 0, 1, 1}, []int{0, 0, 1, 2}, 0.75, 0.8, 4.0 / 7},          // symmetric
		{[]int{0, 0, 0, 0}, []int{0, 1, 2, 3}, 0.25, 0, 0},                  // documentation: 0
		{[]int{0, 1, 0, 1}, []int{0, 0, 1, 1}, 0.5, 0, -0.5},                // and its least value
		{[]int{0, 0, 1, 1, 2, 2}, []int{0, 0, 0, 1, 1, 1}, 2.0 / 3, 0, 0.0}, // user guide: ARI 0.24
	} {
		a, err := agree(c.labels, c.truth, slices.Max(c.labels)+1, slices.Max(c.truth)+1)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.labels) == 6 {
			// By hand: entropies ln 3 and ln 2, mutual information ⅔ ln 2; pairs 2 of 3 and 6 of 15.
			c.nmi = 2.0 / 3 * math.Ln2 / ((math.Log(3) + math.Ln2) / 2)
			c.ari = (2 - 3*6.0/15) / ((3+6)/2.0 - 3*6.0/15)
		}
		if math.Abs(a.Accuracy-c.accuracy) > 1e-12 || math.Abs(a.NMI-c.nmi) > 1e-12 || math.Abs(a.ARI-c.ari) > 1e-12 {
			t.Errorf("%v against %v: %+v, want %v %v %v", c.labels, c.truth, a, c.accuracy, c.nmi, c.ari)
		}
	}
}

// TestMatched: the matching is the best of all, tried one by one.
func TestMatched(t *testing.T) {
	s := counter.New(8, 0)
	for range 50 {
		const n = 5
		c := make([][]float64, n)
		for i := range c {
			for range n {
				c[i] = append(c[i], float64(s.IntN(20)))
			}
		}
		match, err := matched(c)
		if err != nil {
			t.Fatal(err)
		}
		got, most := 0.0, 0.0
		for i, j := range match {
			got += c[i][j]
		}
		perm := []int{0, 1, 2, 3, 4}
		var try func(k int, sum float64)
		try = func(k int, sum float64) {
			if k == n {
				most = max(most, sum)
				return
			}
			for j := k; j < n; j++ {
				perm[k], perm[j] = perm[j], perm[k]
				try(k+1, sum+c[k][perm[k]])
				perm[k], perm[j] = perm[j], perm[k]
			}
		}
		if try(0, 0); got != most {
			t.Fatalf("%v gives %v, the best is %v", match, got, most)
		}
	}
	if match, err := matched([][]float64{{1, 5}, {9, 2}, {3, 3}}); err != nil || !slices.Equal(match, []int{1, 0, -1}) {
		t.Errorf("%v, %v", match, err)
	}
}

func TestSilhouette(t *testing.T) {
	// Two pairs: a = 1, b = 10 or 9 and so on, by hand.
	x := [][]float64{{0}, {1}, {10}, {11}}
	want := (9.5/10.5 + 8.5/9.5) / 2
	if got := silhouette(x, []int{0, 0, 1, 1}, 2); math.Abs(got-want) > 1e-12 {
		t.Errorf("%v, want %v", got, want)
	}
	// One that is alone counts 0.
	want = ((11-5.5)/11 + (10-5)/10.0 + (1-9.5)/9.5) / 4
	if got := silhouette(x, []int{0, 0, 0, 1}, 2); math.Abs(got-want) > 1e-12 {
		t.Errorf("%v, want %v", got, want)
	}
	if got := silhouette(x, []int{0, 0, 0, 0}, 1); !math.IsNaN(got) {
		t.Errorf("one cluster: %v", got)
	}
}

func TestROCArea(t *testing.T) {
	for _, c := range []struct {
		scores []float64
		odd    []bool
		want   float64
	}{
		{[]float64{1, 2, 3}, []bool{false, false, true}, 1},
		{[]float64{3, 2, 1}, []bool{false, false, true}, 0},
		{[]float64{1, 1, 1, 1}, []bool{false, true, false, true}, 0.5},
		{[]float64{0.1, 0.4, 0.35, 0.8}, []bool{false, false, true, true}, 0.75}, // scikit-learn's roc_auc_score
	} {
		if got := rocArea(c.scores, func(i int) bool { return c.odd[i] }); got != c.want {
			t.Errorf("%v: %v, want %v", c.scores, got, c.want)
		}
	}
}

// TestClusters: blobs far apart are found by both methods, the same on any number of threads, and rings,
// which k-means cannot tell apart, by the spectrum.
func TestClusters(t *testing.T) {
	x := random(120, 3, 1)
	truth := make([]int, len(x))
	for i, v := range x {
		truth[i] = i % 4
		v[i%3] += 20 * float64(1+i%4)
	}
	rings := random(200, 2, 2)
	ring := make([]int, len(rings))
	for i, v := range rings {
		ring[i] = i % 2
		l := math.Hypot(v[0], v[1])
		for k := range v {
			v[k] *= (1 + 3*float64(ring[i])) / l
		}
	}
	for _, c := range []struct {
		name  string
		find  func(context.Context, [][]float64, int, uint64, int) ([]int, error)
		x     [][]float64
		truth []int
		k     int
		want  float64
	}{
		{"k-means", kMeans, x, truth, 12, 0}, {"spectral", spectral, rings, ring, 2, 1},
	} {
		one, err := c.find(t.Context(), c.x, c.k, 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		four, err := c.find(t.Context(), c.x, c.k, 1, 4)
		if err != nil || !slices.Equal(one, four) {
			t.Errorf("%s: other labels on four threads, %v", c.name, err)
		}
		a, err := agree(one, c.truth, c.k, slices.Max(c.truth)+1)
		if err != nil || a.Accuracy < c.want {
			t.Errorf("%s: %+v, %v", c.name, a, err)
		}
		if c.name == "k-means" { // twelve blobs: a class has three
			pure := 0.0
			for _, row := range counts(one, c.truth, c.k, 4) {
				pure += slices.Max(row)
			}
			if pure != float64(len(x)) {
				t.Errorf("%v of %d rows lie in pure clusters", pure, len(x))
			}
		}
	}
}

// TestTurns: turning a wafer moves cells as a third of a turn moves their places, three of them nothing, and
// neighbours stay neighbours; quarter turns of squares likewise.
func TestTurns(t *testing.T) {
	for name, g := range map[string]*grid{"wafer": waferGrid(), "square": rectangle(5, 5, 4), "rectangle": rectangle(4, 6, 2)} {
		angle := 2 * math.Pi / float64(len(g.turns))
		for k, turn := range g.turns {
			for _, sign := range []float64{1, -1} {
				sin, cos := math.Sincos(sign * angle * float64(k))
				off := 0.0
				for i, to := range turn {
					x, y := g.xy[i][0], g.xy[i][1]
					off = max(off, math.Hypot(cos*x-sin*y-g.xy[to][0], sin*x+cos*y-g.xy[to][1]))
				}
				if off < 1e-9 {
					break
				}
				if sign < 0 {
					t.Errorf("%s: turn %d is none of the plane: off by %v", name, k, off)
				}
			}
			for i, list := range g.near {
				for _, j := range list {
					if !slices.Contains(g.near[turn[i]], turn[j]) {
						t.Fatalf("%s: turn %d tears %d and %d apart", name, k, i, j)
					}
				}
			}
		}
	}
	g := waferGrid()
	for i, list := range g.near {
		for _, j := range list {
			if dy, dx := g.at[i]/8-g.at[j]/8, g.at[i]%8-g.at[j]%8; dy*dy > 1 || dx*dx > 1 {
				t.Errorf("neighbours %d and %d lie apart in the picture", i, j)
			}
		}
	}
	seen := map[int]bool{}
	for _, p := range g.at {
		seen[p] = true
	}
	if len(seen) != hgcal.Cells {
		t.Errorf("%d pixels for %d cells", len(seen), hgcal.Cells)
	}
}

// TestViews: resampling keeps the mean and has the variance of its quanta; nothing is nothing; each
// view by itself is a turned image without the rest.
func TestViews(t *testing.T) {
	r := &rows{grid: waferGrid(), value: [][]float64{make([]float64, hgcal.Cells)}, quantum: []float64{0.5}}
	for i := range r.value[0] {
		r.value[0][i] = float64(i)
	}
	w := &viewer{rows: r, views: Views{Poisson: 1}}
	w.rows.grid.turns = w.rows.grid.turns[:1]
	const n = 4000
	mean, square := make([]float64, hgcal.Cells), make([]float64, hgcal.Cells)
	out := make([]float64, hgcal.Cells)
	for k := range n {
		s := counter.New(1, uint64(k))
		w.draw(0, &s, out, nil)
		for i, q := range out {
			mean[i] += q / n
			square[i] += q * q / n
		}
	}
	for i := range out {
		want := float64(i)
		sd := math.Sqrt(0.5*want) + 1e-12
		if math.Abs(mean[i]-want) > 5*sd/math.Sqrt(n) || math.Abs((square[i]-mean[i]*mean[i])/(sd*sd)-1) > 0.15 && i > 0 {
			t.Errorf("cell %d: mean %v, variance %v", i, mean[i], square[i]-mean[i]*mean[i])
		}
	}
	w = &viewer{rows: r}
	w.rows.grid = waferGrid()
	seen := map[float64]bool{}
	for k := range 30 {
		s := counter.New(1, uint64(k))
		w.draw(0, &s, out, nil)
		seen[out[0]] = true
	}
	if len(seen) != 3 {
		t.Errorf("%d turns are seen: %v", len(seen), seen)
	}
}

// TestMahalanobis: of values of a known covariance the mean is 1 in each direction, and one far off is
// found.
func TestMahalanobis(t *testing.T) {
	var x []float32
	for _, v := range random(400, 4, 6) {
		x = append(x, float32(v[0]), float32(3*v[1]), float32(v[0]+0.1*v[2]), float32(v[3]))
	}
	copy(x[4*7:], []float32{2, 0, -2, 0}) // no value is odd, the pair is
	d := mahalanobis(x, 4)
	sum := 0.0
	for i, v := range d {
		if sum += v / float64(len(d)); i != 7 && v >= d[7] {
			t.Errorf("row %d is as odd (%v) as the odd one (%v)", i, v, d[7])
		}
	}
	if sum < 0.6 || sum > 1.01 {
		t.Errorf("the mean is %v, want 1", sum)
	}
}

// TestSelfLabel: a head that learns from its own labels mends wrong ones of rows that are nearer to
// TestOdd: modules with dead and hot cells are odder than most, and their worst cells are those.
func TestOdd(t *testing.T) {
	s, err := newSimulation(3, 64, false)
	if err != nil {
		t.Fatal(err)
	}
	list := monitored(100, 0.1)
	r, err := s.draw(t.Context(), list, 2)
	if err != nil {
		t.Fatal(err)
	}
	p := few()
	b, err := newBrain(p.Network, r, p.Level, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	scores, worst, err := newLesson(b, r, &p, 1).oddness(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	mean := 0.0
	for _, v := range scores {
		mean += v / float64(len(scores))
	}
	if mean < 0.8 || mean > 1.05 {
		t.Errorf("the mean score is %v", mean)
	}
	order := slices.Sorted(slices.Values(scores))
	for i, kind := range list {
		if kind != kindDead && kind != kindHot {
			continue
		}
		draw := counter.New(s.seed^streamTruth, uint64(i)) // as row draws
		draw.IntN(len(s.modules))
		d, turn := newDefect(kind, &draw), draw.IntN(hgcal.Sectors)
		var cells []int
		for _, c := range d.cells {
			cells = append(cells, (c+turn*hgcal.Cells/hgcal.Rhombi)%hgcal.Cells)
		}
		if scores[i] < order[len(order)/2] || kind == kindHot && scores[i] < order[len(order)-5] || !slices.Contains(cells, worst[i]) {
			t.Errorf("row %d, %s cells %v: score %.2f, worst cell %d", i, kindNames[kind], cells, scores[i], worst[i])
		}
	}
}

// another cluster.
func TestSelfLabel(t *testing.T) {
	x := random(100, 2, 4)
	labels, truth := make([]int, len(x)), make([]int, len(x))
	for i, v := range x {
		truth[i] = i % 2
		v[0] += 8 * float64(truth[i])
		if labels[i] = truth[i]; i%10 == 0 {
			labels[i] = 1 - truth[i]
		}
	}
	got, p, err := selfLabel(t.Context(), [][][]float64{x, x}, labels, 2, 3, 0.8)
	if err != nil || !slices.Equal(got, truth) {
		t.Errorf("%v, %v", got, err)
	}
	for i, v := range p {
		if !(v > 0.5 && v <= 1) {
			t.Errorf("row %d has the probability %v", i, v)
		}
	}
	if got, _, err := selfLabel(t.Context(), [][][]float64{x}, labels, 2, 0, 0.8); err != nil || !slices.Equal(got, labels) {
		t.Errorf("no rounds: other labels, %v", err)
	}
}
