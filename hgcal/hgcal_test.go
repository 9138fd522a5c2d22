package hgcal

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"testing"

	"barrow/internal/shared"
)

// data returns the path of a file of the shared reference data, or skips the
// test where it is absent.
func data(t *testing.T, name string) string {
	t.Helper()
	return shared.Data(t, filepath.FromSlash(name))
}

func table(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open(data(t, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func distance(p []Point, i, j int) float64 {
	return math.Hypot(p[i][0]-p[j][0], p[i][1]-p[j][1])
}

func within(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s = %.9g, want %.9g ± %g", what, got, want, tol)
	}
}

func TestPlaces(t *testing.T) {
	for i := range Cells {
		if got := Cell(Place(i)); got != i {
			t.Errorf("Cell(Place(%d)) = %d", i, got)
		}
		if got, ok := FromUV(UV(i)); !ok || got != i {
			t.Errorf("FromUV(UV(%d)) = %d, %t", i, got, ok)
		}
	}
	if _, ok := FromUV(0, 7); ok {
		t.Error("a cell at u=0, v=7")
	}
}

// TestUVAgainstTable also holds the file's positions against the cell numbers.
func TestUVAgainstTable(t *testing.T) {
	rows := table(t, "geometry/hex_cmssw_cm.csv")[1:]
	p := CMSSW()
	for i, r := range rows {
		v := floats(t, r)
		if a, b := UV(i); float64(a) != v[1] || float64(b) != v[2] {
			t.Errorf("UV(%d) = %d, %d, want %g, %g", i, a, b, v[1], v[2])
		}
		if p[i] != (Point{v[3], v[4]}) {
			t.Errorf("CMSSW()[%d] = %v, want %v", i, p[i], v[3:])
		}
	}
	if len(rows) != Cells {
		t.Errorf("%d rows", len(rows))
	}
}

func floats(t *testing.T, rec []string) []float64 {
	t.Helper()
	v := make([]float64, len(rec))
	for j, s := range rec {
		var err error
		if v[j], err = strconv.ParseFloat(s, 64); err != nil {
			t.Fatal(err)
		}
	}
	return v
}

func TestBenchmarkAgainstTable(t *testing.T) {
	p := Benchmark()
	for i, r := range table(t, "geometry/hex_benchmark.csv") {
		for k := range 2 {
			// The file has six decimals.
			if got := strconv.FormatFloat(p[i][k], 'f', 6, 64); got != r[k] && got != "-"+r[k] {
				t.Errorf("cell %d: %s, want %s", i, got, r[k])
			}
		}
	}
}

// TestBenchmarkFacts checks what is known of the paper's coordinates from
// independent studies of them.
func TestBenchmarkFacts(t *testing.T) {
	p := Benchmark()
	var all []float64
	seen := map[int]bool{}
	sum := 0.0
	for i := range p {
		for j := range i {
			d := distance(p, i, j)
			all = append(all, d)
			seen[int(math.Round(d*1000))] = true
			sum += d
		}
	}
	sort.Float64s(all)
	within(t, "largest distance", all[len(all)-1], 13.756812026164626, 4e-15)
	within(t, "D[5][9]", distance(p, 5, 9), 2.000000521663293, 4e-15)
	within(t, "D[3][40]", distance(p, 3, 40), 6.264970282930191, 4e-15)
	within(t, "mean off-diagonal distance", sum/float64(len(all)), 6.670, 5e-4)
	if len(seen) != 62 {
		t.Errorf("%d distinct distances to three decimals, want 62", len(seen))
	}
	near := map[string]int{}
	for _, d := range all[:120] {
		near[strconv.FormatFloat(d, 'f', 3, 64)]++
	}
	if near["1.803"] != 12 || near["2.000"] != 99 || near["2.291"] != 9 {
		t.Errorf("neighbour distances %v, want 12 of 1.803, 99 of 2.000, 9 of 2.291", near)
	}
	within(t, "nearest non-neighbours", all[120], 3.041, 5e-4)
	for k, axis := range []string{"x", "y"} {
		m, s := 0.0, 0.0
		for i := range p {
			m += p[i][k] / Cells
		}
		for i := range p {
			s += (p[i][k] - m) * (p[i][k] - m) / Cells
		}
		within(t, "σ of "+axis, math.Sqrt(s), 3.611, 1e-3)
	}
}

func TestCMSSWFacts(t *testing.T) {
	p := CMSSW()
	var all []float64
	for i := range p {
		for j := range i {
			all = append(all, distance(p, i, j))
		}
	}
	sort.Float64s(all)
	within(t, "largest distance", all[len(all)-1], 16.43, 0.005)
	near := map[string]int{}
	for _, d := range all[:120] {
		near[strconv.FormatFloat(d, 'f', 3, 64)]++
	}
	if near["2.119"] == 0 || near["2.402"] != 99 || near["2.887"] == 0 || len(near) != 3 {
		t.Errorf("neighbour distances %v, want 99 of 2.402 and the rest 2.119 or 2.887", near)
	}
	// The lattice of the comment beside the table.
	const pitch = 2.402366
	x0, y0 := [3]float64{7.23200, 7.23200, 6.53850}, [3]float64{-4.33596, -5.13675, -4.73635}
	for i := range p {
		u, v := UV(i)
		k, _, _ := Place(i)
		within(t, "x", p[i][0], x0[k]-math.Sqrt(3)/2*pitch*float64(v), 4e-5)
		within(t, "y", p[i][1], y0[k]+pitch*(float64(u)-float64(v)/2), 4e-5)
	}
}

func TestMetricsAgree(t *testing.T) {
	b, c := Benchmark(), CMSSW()
	within(t, "correlation of distances", correlate(b, c), 0.99978, 5e-6)
	// Reading ECON-T's channels as V9 cells: the trap that Order guards against.
	post := make([]Point, Cells)
	for i, j := range postMux {
		post[j] = c[i]
	}
	within(t, "correlation of distances in the wrong order", correlate(c, post), 0.49, 0.005)
}

func correlate(p, q []Point) float64 {
	var n, x, y, xx, yy, xy float64
	for i := range p {
		for j := range p {
			if i == j {
				continue
			}
			a, b := distance(p, i, j), distance(q, i, j)
			n, x, y, xx, yy, xy = n+1, x+a, y+b, xx+a*a, yy+b*b, xy+a*b
		}
	}
	return (n*xy - x*y) / math.Sqrt((n*xx-x*x)*(n*yy-y*y))
}

func TestOrders(t *testing.T) {
	for _, o := range Orders() {
		to, from := o.ToV9(), o.FromV9()
		for i := range Cells {
			if to[from[i]] != i || from[to[i]] != i {
				t.Errorf("%v: not a permutation at %d", o, i)
			}
		}
		if got, err := ParseOrder(o.String()); err != nil || got != o {
			t.Errorf("ParseOrder(%q) = %v, %v", o, got, err)
		}
		for _, other := range Orders() {
			m, back := Map(o, other), Map(other, o)
			for j := range m {
				if back[m[j]] != j {
					t.Errorf("%v to %v and back moves %d", o, other, j)
				}
			}
		}
	}
	if _, err := ParseOrder("v8"); err == nil {
		t.Error("order v8 was accepted")
	}
	raster := Raster.ToV9()
	if raster[0] != 28 || raster[31] != 15 || raster[32] != 47 || raster[47] != 32 {
		t.Errorf("raster order %v", raster)
	}
}

func TestPostMuxAgainstTable(t *testing.T) {
	from := PostMux.FromV9()
	for _, r := range table(t, "econt/LDM_TC_Mapping.csv")[1:] {
		v := floats(t, r)
		tc := int(v[0])
		if u, w := UV(tc); float64(u) != v[1] || float64(w) != v[2] {
			t.Errorf("UV(%d) = %d, %d, want %g, %g", tc, u, w, v[1], v[2])
		}
		if float64(from[tc]) != v[3] {
			t.Errorf("cell %d at post-mux channel %d, want %g", tc, from[tc], v[3])
		}
	}
}

func TestArrangements(t *testing.T) {
	want := []int{
		28, 29, 30, 31, 0, 4, 8, 12, 24, 25, 26, 27, 1, 5, 9, 13,
		20, 21, 22, 23, 2, 6, 10, 14, 16, 17, 18, 19, 3, 7, 11, 15,
		47, 43, 39, 35, -1, -1, -1, -1, 46, 42, 38, 34, -1, -1, -1, -1,
		45, 41, 37, 33, -1, -1, -1, -1, 44, 40, 36, 32, -1, -1, -1, -1,
	}
	masked := Arrange8x8()
	if !slices.Equal(masked[:], want) {
		t.Errorf("8×8: %v", masked)
	}
	quarter := [][]int{{35, 34, 33, 32}, {39, 38, 37, 36}, {43, 42, 41, 40}, {47, 46, 45, 44}}
	whole := Arrange8x8Unmasked()
	for y := range 4 {
		copy(want[8*(y+4)+4:], quarter[y])
	}
	if !slices.Equal(whole[:], want) {
		t.Errorf("8×8 unmasked: %v", whole)
	}
	for n, i := range Arrange443() {
		pixel, k := n/3, n%3
		if i != 16*k+pixel {
			t.Errorf("4×4×3 entry %d is cell %d", n, i)
		}
	}
	checkGrid(t, masked)
}

// checkGrid counts how many true neighbours the 8×8 image has side by side,
// and which a 3×3 window does not reach.
func checkGrid(t *testing.T, a [64]int) {
	t.Helper()
	edge := map[[2]int]bool{}
	for _, e := range Edges() {
		edge[e] = true
	}
	grid, reached, total := 0, map[[2]int]bool{}, 0
	for n, i := range a {
		for m, j := range a {
			dx, dy := m%8-n%8, m/8-n/8
			if i == Masked || j == Masked || i >= j || dx*dx > 1 || dy*dy > 1 {
				continue
			}
			e := [2]int{i, j}
			if edge[e] {
				reached[e] = true
			}
			if dx*dy == 0 {
				total++
				if edge[e] {
					grid++
				}
			}
		}
	}
	if total != 80 || grid != 80 {
		t.Errorf("8×8 grid: %d of %d edges true, want 80 of 80", grid, total)
	}
	var missed [][2]int
	for _, e := range Edges() {
		if !reached[e] {
			missed = append(missed, e)
		}
	}
	want := [][2]int{{3, 34}, {7, 33}, {7, 34}, {11, 32}, {11, 33}, {15, 32}}
	if !slices.Equal(missed, want) {
		t.Errorf("a 3×3 window misses %v, want %v", missed, want)
	}
}

func TestNeighbours(t *testing.T) {
	edges := Edges()
	inter := 0
	for _, e := range edges {
		if e[0]/16 != e[1]/16 {
			inter++
		}
	}
	if len(edges) != 120 || inter != 21 {
		t.Errorf("%d edges, %d across seams, want 120 and 21", len(edges), inter)
	}
	degree := map[int]int{}
	for _, n := range Neighbours() {
		degree[len(n)]++
	}
	if degree[6] != 27 || degree[4] != 15 || degree[3] != 6 {
		t.Errorf("degrees %v, want 27 of 6, 15 of 4, 6 of 3", degree)
	}
	c := CMSSW()
	var other [][2]int
	for i := range c {
		for j := i + 1; j < Cells; j++ {
			if distance(c, i, j) < 3 {
				other = append(other, [2]int{i, j})
			}
		}
	}
	if !slices.Equal(edges, other) {
		t.Error("the two metrics have different neighbours")
	}
}

func TestSupercells(t *testing.T) {
	published := map[[4]int]float64{
		{0, 1, 4, 5}: .25 * 1.5, {2, 3, 6, 7}: .25*1 + 1./12, {8, 9, 12, 13}: .25 * 2.25,
		{10, 11, 14, 15}: .25 * 1.5, {6, 7, 10, 11}: .25, {1, 2, 5, 6}: .25,
		{18, 19, 22, 23}: .25*1 + 1./12, {34, 35, 38, 39}: .25*1 + 1./12,
		{2, 3, 19, 23}: .25*1 + 1./6, {3, 7, 34, 35}: .25*1 + 1./6, {18, 19, 35, 39}: .25*1 + 1./6,
		{0, 1, 27, 31}: .25 * 1.5, {1, 2, 23, 27}: .25, {7, 11, 33, 34}: .25,
		{11, 15, 32, 33}: .25 * 1.5, {16, 17, 43, 47}: .25 * 1.5, {17, 18, 39, 43}: .25,
	}
	equal := map[[4]int]float64{{2, 3, 6, 7}: 13. / 48, {18, 19, 22, 23}: 13. / 48, {34, 35, 38, 39}: 13. / 48,
		{2, 3, 19, 23}: 7. / 24, {3, 7, 34, 35}: 7. / 24, {18, 19, 35, 39}: 7. / 24}
	p, e := Supercells(Published), Supercells(Equal)
	if len(p) != 36 || len(e) != 36 {
		t.Fatalf("%d and %d groups, want 36", len(p), len(e))
	}
	found, differ, sum := 0, 0, 0.0
	for n, g := range p {
		if w, ok := published[g.Cells]; ok {
			found++
			within(t, "published weight", g.Weight, w, 1e-15)
		}
		if w, ok := equal[g.Cells]; ok {
			differ++
			within(t, "equal weight", e[n].Weight, w, 1e-15)
		} else if g != e[n] {
			t.Errorf("group %v: published %g, equal %g", g.Cells, g.Weight, e[n].Weight)
		}
		sum += e[n].Weight
	}
	if found != len(published) || differ != 6 {
		t.Errorf("%d of %d groups present, %d differ", found, len(published), differ)
	}
	within(t, "sum of equal weights", sum, 12, 1e-12)
	if w, err := ParseWeighting("equal"); err != nil || w != Equal || w.String() != "equal" {
		t.Error(w, err)
	}
	if _, err := ParseWeighting("none"); err == nil {
		t.Error("weighting none was accepted")
	}
	if Rhombus(2)[15] != 47 {
		t.Error(Rhombus(2))
	}
}

func TestDrawing(t *testing.T) {
	area := 0.0
	for i, q := range CellPolygons() {
		a := 0.0
		for n := range q {
			m := (n + 1) % 4
			a += (q[n][0]*q[m][1] - q[m][0]*q[n][1]) / 2
			within(t, "side", math.Hypot(q[n][0]-q[m][0], q[n][1]-q[m][1]), 2, 1e-12)
			if !inside(q[n]) {
				t.Errorf("cell %d leaves the wafer at %v", i, q[n])
			}
		}
		area += math.Abs(a)
	}
	within(t, "area of all cells", area, 1.5*math.Sqrt(3)*DrawingRadius*DrawingRadius, 1e-9)
	// No two cells overlap: the centres are those of a tiling, 2 or √3 apart.
	c := CellCentres()
	for _, e := range Edges() {
		d := distance(c[:], e[0], e[1])
		if d < math.Sqrt(3)-1e-9 || d > math.Sqrt(7)+1e-9 {
			t.Errorf("neighbours %v are %g apart in the drawing", e, d)
		}
	}
	within(t, "correlation with the benchmark metric", correlate(c[:], Benchmark()), 0.998, 5e-4)
	for k, s := range Seams() {
		within(t, "seam", math.Hypot(s[1][0], s[1][1]), DrawingRadius, 1e-12)
		if s[0] != (Point{}) {
			t.Errorf("seam %d starts at %v", k, s[0])
		}
	}
}

// inside reports whether a point is in the hexagon of Outline or on its rim.
func inside(p Point) bool {
	o := Outline()
	for n := range o {
		a, b := o[n], o[(n+1)%6]
		if (b[0]-a[0])*(p[1]-a[1])-(b[1]-a[1])*(p[0]-a[0]) > 1e-9 {
			return false
		}
	}
	return true
}
