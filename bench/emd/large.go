package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"barrow/emd"
	"barrow/internal/images"
)

// largeOptions are those of --large.
type largeOptions struct {
	sides, norms, classes string
	clouds                string
	longest               time.Duration // for one pair
	plot, results, table  string
}

// A largeRow is a line of the table of whole images. The JSON keys are the program's
// contract. Milliseconds are of one thread's processor time: the least of all rounds, in each of
// which every program solves the pair for 20 ms, once at least.
type largeRow struct {
	Class         string             `json:"class"`
	Norm          string             `json:"norm"`
	Side          int                `json:"side,omitempty"` // of an image
	Points        int                `json:"points"`
	BarrowMS      float64            `json:"barrow_ms"`
	PrepareMS     float64            `json:"prepare_ms"` // of the metric and the solver, the quickest
	Peers         map[string]float64 `json:"peers_ms"`
	Ratios        map[string]float64 `json:"ratio"` // peer over Barrow
	MaxDifference *float64           `json:"max_difference"`
}

// A problem is what all classes of one size and norm have in common: the ground.
type problem struct {
	norm    string
	side    int // 0 for clouds
	points  int
	places  []float64 // x and y of each, of p
	placesQ []float64 // of q where these are others
	names   []string  // of the pairs
	p, q    [][]float64

	solver  *emd.Solver
	prepare float64
	rows    []largeRow
}

// large is --large.
func large(o options) error {
	problems, err := largeProblems(o)
	if err != nil {
		return err
	}
	var peers []*largePeer
	if o.peers {
		var done func()
		peers, done = findLargePeers(o)
		defer done()
	}
	if !o.json {
		printLargeHead(peers, o)
	}
	before := readLoad()
	slow := map[string]bool{} // by contender and norm
	var rows []largeRow
	for _, b := range problems {
		if slow["barrow "+b.norm] {
			continue
		}
		if err := b.measure(peers, slow, o); err != nil {
			return fmt.Errorf("%s, %d points: %w", b.norm, b.points, err)
		}
		for _, x := range b.rows {
			if err := x.print(o.json, peers); err != nil {
				return err
			}
		}
		rows = append(rows, b.rows...)
	}
	list := growths(rows, peers)
	if !o.json {
		fmt.Println("\nMilliseconds of one thread's processor time, each program for 20 ms a round, the least of all rounds, Barrow's with the gradient. In brackets: the other program over Barrow.")
		printGrowth(list)
	}
	before.report(readLoad())
	if o.large.plot != "" {
		if err := plotGrowth(o.large.plot, list); err != nil {
			return err
		}
	}
	if o.large.results != "" {
		if err := writeResults(o.large.results, growthTable(list), peers); err != nil {
			return err
		}
	}
	if o.large.table != "" {
		return writeResults(o.large.table, classTable(rows, peers), peers)
	}
	return nil
}

// largeProblems draws all images and clouds.
func largeProblems(o options) ([]*problem, error) {
	var list []*problem
	classes := images.Classes()
	if o.large.classes != "" {
		classes = strings.Split(o.large.classes, ",")
	}
	for text := range strings.SplitSeq(o.large.sides, ",") {
		if text == "" {
			continue
		}
		side, err := strconv.Atoi(text)
		if err != nil || side < 2 {
			return nil, fmt.Errorf("--sides %q: %q is no number of pixels from 2 on", o.large.sides, text)
		}
		for norm := range strings.SplitSeq(o.large.norms, ",") {
			if !slices.Contains([]string{"l1", "linf", "l2"}, norm) {
				return nil, fmt.Errorf("--norms %q: %q is none of l1, linf and l2", o.large.norms, norm)
			}
			b := &problem{norm: norm, side: side, points: side * side}
			for k := range side * side {
				b.places = append(b.places, float64(k%side), float64(k/side))
			}
			for _, c := range classes {
				if err := b.addImages(c, o.seed); err != nil {
					return nil, err
				}
			}
			list = append(list, b)
		}
	}
	for text := range strings.SplitSeq(o.large.clouds, ",") {
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 2 {
			return nil, fmt.Errorf("--clouds %q: %q is no number of points from 2 on", o.large.clouds, text)
		}
		list = append(list, newCloud(n, o.seed, false), newCloud(n, o.seed, true))
	}
	return list, nil
}

// addImages draws a pair of a class; dotmark is the pair of files, where it fits.
func (b *problem) addImages(class string, seed uint64) error {
	var pair [2][]float64
	for k := range pair {
		var err error
		if class == "dotmark" {
			if b.side != 32 {
				return nil
			}
			pair[k], err = readImage(fmt.Sprintf("data32_100%d.csv", k+1))
		} else {
			pair[k], err = images.Draw(class, b.side, 2*seed+uint64(k))
		}
		if err != nil {
			return err
		}
	}
	b.names, b.p, b.q = append(b.names, class), append(b.p, pair[0]), append(b.q, pair[1])
	return nil
}

// readImage reads an image of DOTmark.
func readImage(name string) ([]float64, error) {
	dir := cmp.Or(os.Getenv("BARROW_DATA"), filepath.Join("..", "shared", "data"))
	text, err := os.ReadFile(filepath.Join(dir, "dotmark", name))
	if err != nil {
		return nil, fmt.Errorf("the images of DOTmark (set BARROW_DATA to the folder of the shared data): %w", err)
	}
	var v []float64
	for field := range strings.FieldsFuncSeq(string(text), func(r rune) bool { return r == ',' || r == '\n' || r == '\r' }) {
		x, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		v = append(v, x)
	}
	return v, nil
}

// newCloud is of n random points in the unit square: masses that are random on the same
// points, or one unit each on two clouds.
func newCloud(n int, seed uint64, two bool) *problem {
	r := rand.New(rand.NewPCG(seed, uint64(n)))
	places := func() []float64 {
		v := make([]float64, 2*n)
		for k := range v {
			v[k] = r.Float64()
		}
		return v
	}
	masses := func() []float64 {
		v, left := make([]float64, n), float64(images.Total)
		for k := range v {
			v[k] = 1000
			if !two {
				v[k] = math.Floor(r.Float64() * images.Total / float64(n))
			}
			left -= v[k]
		}
		if !two {
			v[0] += left
		}
		return v
	}
	b := &problem{norm: "l2", points: n, places: places(), names: []string{"cloud"}, p: [][]float64{masses()}, q: [][]float64{masses()}}
	if two {
		b.placesQ, b.names = places(), []string{"two-clouds"}
	}
	return b
}

// distance is the cost between a place of p and one of q.
func (b *problem) distance(i, j int) float64 {
	other := b.places
	if b.placesQ != nil {
		other = b.placesQ
	}
	dx, dy := math.Abs(b.places[2*i]-other[2*j]), math.Abs(b.places[2*i+1]-other[2*j+1])
	switch b.norm {
	case "l1":
		return dx + dy
	case "linf":
		return max(dx, dy)
	}
	return math.Sqrt(dx*dx + dy*dy)
}

func (b *problem) matrix() []float64 {
	d := make([]float64, 0, b.points*b.points)
	for i := range b.points {
		for j := range b.points {
			d = append(d, b.distance(i, j))
		}
	}
	return d
}

// measure times Barrow and the peers on all pairs, in turns.
func (b *problem) measure(peers []*largePeer, slow map[string]bool, o options) error {
	if err := b.make(); err != nil {
		return err
	}
	var running []*largePeer
	for _, p := range peers {
		if slow[p.name+" "+b.norm] || !p.can(b) {
			continue
		}
		if err := p.begin(b); err != nil {
			return err
		}
		running = append(running, p)
	}
	for i, name := range b.names {
		if err := b.measurePair(i, name, running, slow, o); err != nil {
			return err
		}
	}
	for _, p := range running {
		if err := p.close(); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	for _, x := range b.rows {
		if x.BarrowMS > o.large.longest.Seconds()*1e3 {
			slow["barrow "+b.norm] = true
		}
	}
	return nil
}

// make makes the solver again and again, and keeps the time of the quickest: between them the garbage
// that the others were is collected.
func (b *problem) make() error {
	b.prepare = math.Inf(1)
	for begun := time.Now(); time.Since(begun) < pairTime; {
		start := time.Now()
		ground, err := b.ground()
		if err != nil {
			return err
		}
		if b.solver, err = emd.NewSolver(ground, emd.Settings{}); err != nil {
			return err
		}
		b.prepare = min(b.prepare, time.Since(start).Seconds())
	}
	return nil
}

// measurePair times one pair.
func (b *problem) measurePair(i int, name string, running []*largePeer, slow map[string]bool, o options) error {
	x := largeRow{Class: name, Norm: b.norm, Side: b.side, Points: b.points, PrepareMS: b.prepare * 1e3,
		BarrowMS: math.Inf(1), Peers: map[string]float64{}, Ratios: map[string]float64{}}
	dp, dq := make([]float64, b.points), make([]float64, b.points)
	worst := 0.0
	for range o.rounds {
		value, seconds, err := timed(pairTime, func() (float64, error) { return b.solver.Gradient(b.p[i], b.q[i], dp, dq) })
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		x.BarrowMS = min(x.BarrowMS, seconds*1e3)
		for _, p := range running {
			if slow[p.name+" "+b.norm] {
				continue // once was enough
			}
			want := make([]float64, 1)
			seconds, err := p.solve(i, i+1, pairTime, want)
			if err != nil {
				return err
			}
			want[0] *= p.scale(sum(b.p[i]))
			diff := math.Abs(value-want[0]) / want[0]
			if p.single && !(diff <= 1e-6) {
				fmt.Fprintf(os.Stderr, "bench/emd: %s is off by %.2g of the value for %s, %s, %d pixels: left out from there on\n", p.name, diff, name, b.norm, b.points)
				slow[p.name+" "+b.norm] = true
				continue
			}
			if !p.single {
				if !(diff <= 1e-9) {
					return fmt.Errorf("%s, %s: %.17g differs from %.17g", name, p.name, value, want[0])
				}
				worst = max(worst, diff)
			}
			if before, ok := x.Peers[p.name]; !ok || seconds*1e3 < before {
				x.Peers[p.name] = seconds * 1e3
			}
			slow[p.name+" "+b.norm] = seconds > o.large.longest.Seconds()
		}
	}
	for name, ms := range x.Peers {
		x.Ratios[name] = ms / x.BarrowMS
		x.MaxDifference = &worst
	}
	b.rows = append(b.rows, x)
	return nil
}

// pairTime is how long every program, Barrow and the others, solves a pair again and again in a round.
const pairTime = 20 * time.Millisecond

// timed is one solve's processor time, as the mean of as many as take least, one at least.
func timed(least time.Duration, solve func() (float64, error)) (value, seconds float64, err error) {
	start := clock()
	for n := 1; ; n++ {
		if value, err = solve(); err != nil {
			return 0, 0, err
		}
		if t := clock() - start; t >= least.Seconds() {
			return value, t / float64(n), nil
		}
	}
}

// clock is this process's processor time in seconds, or the time where that is not known.
func clock() float64 {
	if t := processorTime(); t > 0 {
		return t.Seconds()
	}
	return float64(time.Now().UnixNano()) / 1e9
}

func sum(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x
	}
	return s
}

func printLargeHead(peers []*largePeer, o options) {
	fmt.Printf("%s; %d rounds", cpuName(), o.rounds)
	head, line := "| image | norm | points | Barrow, ms | prepared in, ms |", "|---|---|---|---|---|"
	for _, p := range peers {
		fmt.Printf("; %s %s", p.name, p.version)
		head, line = head+" "+p.title+" |", line+"---|"
	}
	fmt.Printf("\n\n%s relative difference |\n%s---|\n", head, line)
}

func (x largeRow) print(asJSON bool, peers []*largePeer) error {
	if asJSON {
		b, err := json.Marshal(x)
		if err == nil {
			fmt.Println(string(b))
		}
		return err
	}
	size := strconv.Itoa(x.Points)
	if x.Side > 0 {
		size = fmt.Sprintf("%d²", x.Side)
	}
	fmt.Printf("| %s | %s | %s | %.3g | %.3g |", x.Class, x.Norm, size, x.BarrowMS, x.PrepareMS)
	for _, p := range peers {
		if ms, ok := x.Peers[p.name]; ok {
			fmt.Printf(" %.3g (%.3g) |", ms, x.Ratios[p.name])
		} else {
			fmt.Print(" – |")
		}
	}
	if x.MaxDifference == nil {
		fmt.Println(" – |")
		return nil
	}
	fmt.Printf(" %.1e |\n", *x.MaxDifference)
	return nil
}
