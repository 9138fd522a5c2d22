// Command gen derives the compact module tables of package hgcal from the
// published geometry files:
//
//   - V16: geometry_hgcal.txt of erdemyigit/ECON_CAE, one 120° sector, of which
//     the planes read out for the trigger are kept;
//   - V11: ModuleLinkSummary.csv of cmantill/ECONT_Emulator (types and links)
//     and WaferEtaPhiMap.csv of rohanshenoy/EcoderGNN (η and φ of modules), from
//     which the layers' z and the offset of their wafer lattices are fitted.
//
// Run it as go generate does, in the hgcal folder:
//
//	go run ./internal/gen -geometry DIR
//
// Only facts are kept: layer, u, v, type, position in mm and number of links.
package main

import (
	"bufio"
	"encoding/csv"
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// module is one row of a table.
type module struct {
	layer, u, v int
	kind        string  // shape and thickness, such as FI
	x, y        float64 // mm
	links       int
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("gen: ")
	dir := flag.String("geometry", filepath.Join("..", "..", "shared", "data", "geometry"), "folder of the geometry files")
	flag.Parse()
	layers, v11 := readV11(*dir)
	write("modules_v11.txt", "ModuleLinkSummary.csv (cmantill/ECONT_Emulator), WaferEtaPhiMap.csv (rohanshenoy/EcoderGNN)", layers, v11)
	planes, v16 := readV16(*dir, layers)
	write("modules_v16.txt", "geometry_hgcal.txt (erdemyigit/ECON_CAE); z from V11 at the same depth", planes, v16)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func atoi(s string) int {
	f, err := strconv.ParseFloat(s, 64)
	check(err)
	return int(f)
}

func atof(s string) float64 {
	f, err := strconv.ParseFloat(s, 64)
	check(err)
	return f
}

func readCSV(path string) [][]string {
	f, err := os.Open(path)
	check(err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	check(err)
	return rows[1:]
}

// waferPitch is the distance of neighbouring wafers in mm, sensor and gap.
const waferPitch = 167.64

// lattice is the centre of V11 wafer u, v relative to the layer's offset.
func lattice(u, v int) (x, y float64) {
	return waferPitch * (float64(v)/2 - float64(u)), waferPitch * float64(v) * math.Sqrt(3) / 2
}

// layer is one trigger layer: z and the offset of its lattice in mm.
type layer struct {
	number    int
	z, dx, dy float64
	rms       float64 // of the fit, in η and φ
}

func readV11(dir string) ([]layer, []module) {
	type key struct{ layer, u, v int }
	var all []module
	for _, r := range readCSV(filepath.Join(dir, "ModuleLinkSummary.csv")) {
		all = append(all, module{layer: atoi(r[0]), u: atoi(r[1]), v: atoi(r[2]), links: atoi(r[4]), kind: r[6]})
	}
	place := map[key][2]float64{}
	for _, r := range readCSV(filepath.Join(dir, "WaferEtaPhiMap.csv")) {
		place[key{atoi(r[1]), atoi(r[2]), atoi(r[3])}] = [2]float64{atof(r[4]), atof(r[5])}
	}
	full := map[int][]sample{}
	for _, m := range all {
		if p, ok := place[key{m.layer, m.u, m.v}]; ok && m.kind[0] == 'F' {
			full[m.layer] = append(full[m.layer], sample{m.u, m.v, p[0], p[1]})
		}
	}
	var layers []layer
	at := map[int]layer{}
	for n, s := range full {
		l := fit(s)
		l.number = n
		layers = append(layers, l)
		at[n] = l
	}
	slices.SortFunc(layers, func(a, b layer) int { return a.number - b.number })
	for _, l := range layers {
		log.Printf("V11 layer %d: z %.0f mm, offset %.1f mm, rms %.3f", l.number, l.z, l.dy, l.rms)
	}
	var sector []module
	for _, m := range all {
		x, y := lattice(m.u, m.v)
		m.x, m.y = x+at[m.layer].dx, y+at[m.layer].dy
		// The sector between 60° and 180°, in which u and v are positive; on its
		// borders the first counts.
		if phi := math.Atan2(m.y, m.x); phi > math.Pi/3-1e-6 && phi < math.Pi-1e-6 {
			sector = append(sector, m)
		}
	}
	return layers, sector
}

type sample struct {
	u, v     int
	eta, phi float64
}

// fit finds z and the lattice offset of a layer: the offset of those that
// three-fold symmetry allows, the z that puts the mean η right.
func fit(s []sample) layer {
	best, least := layer{}, math.Inf(1)
	for _, dy := range []float64{0, waferPitch / math.Sqrt(3), -waferPitch / math.Sqrt(3)} {
		z := 3500.0
		for range 50 {
			sum := 0.0
			for _, p := range s {
				x, y := lattice(p.u, p.v)
				sum += math.Asinh(z/math.Hypot(x, y+dy)) - p.eta
			}
			z *= 1 - 0.9*sum/float64(len(s))
		}
		cost := 0.0
		for _, p := range s {
			x, y := lattice(p.u, p.v)
			// The file mixes both endcaps, which mirror x.
			d := min(math.Abs(math.Remainder(math.Atan2(y+dy, x)-p.phi, 2*math.Pi)),
				math.Abs(math.Remainder(math.Atan2(y+dy, -x)-p.phi, 2*math.Pi)))
			e := math.Asinh(z/math.Hypot(x, y+dy)) - p.eta
			cost += d*d + e*e
		}
		if cost < least {
			best, least = layer{z: math.Round(z), dy: dy}, cost
		}
	}
	best.rms = math.Sqrt(least / float64(len(s)))
	return best
}

func readV16(dir string, v11 []layer) ([]layer, []module) {
	f, err := os.Open(filepath.Join(dir, "geometry_hgcal.txt"))
	check(err)
	defer f.Close()
	in := bufio.NewScanner(f)
	in.Scan()
	column := map[string]int{}
	for j, name := range strings.Fields(in.Text()) {
		column[name] = j
	}
	var all []module
	read := map[int]bool{}
	for in.Scan() {
		r := strings.Fields(in.Text())
		m := module{
			layer: atoi(r[column["plane"]]), u: atoi(r[column["u"]]), v: atoi(r[column["v"]]), kind: r[column["itype"]],
			x: atof(r[column["x0"]]), y: atof(r[column["y0"]]), links: atoi(r[column["trigLinks"]]),
		}
		all = append(all, m)
		read[m.layer] = read[m.layer] || m.links > 0
	}
	check(in.Err())
	all = slices.DeleteFunc(all, func(m module) bool { return !read[m.layer] })
	z := func(number float64) float64 {
		for i := 1; i < len(v11); i++ {
			if a, b := v11[i-1], v11[i]; number <= float64(b.number) {
				return a.z + (b.z-a.z)*(number-float64(a.number))/float64(b.number-a.number)
			}
		}
		return v11[len(v11)-1].z
	}
	var planes []layer
	for n := 1; n <= 47; n++ {
		if read[n] {
			planes = append(planes, layer{number: n, z: math.Round(z(depth(n)))})
		}
	}
	return planes, all
}

// depth is the V11 layer at the depth of a V16 plane: 26 electromagnetic
// planes take the place of 28, 21 hadronic ones that of 22.
func depth(plane int) float64 {
	if plane <= 26 {
		return 1 + float64(plane-1)*27/25
	}
	return 29 + float64(plane-27)*21/20
}

func write(name, origin string, layers []layer, modules []module) {
	slices.SortStableFunc(modules, func(a, b module) int { return a.layer - b.layer })
	var b strings.Builder
	fmt.Fprintf(&b, "# Silicon modules of one 120° sector, trigger layers. Origin: %s.\n", origin)
	b.WriteString("# Written by internal/gen. Lines: \"layer N z\" (mm), then \"u v type x y links\" (x, y in mm) of its modules.\n")
	for _, l := range layers {
		fmt.Fprintf(&b, "layer %d %.0f\n", l.number, l.z)
		for _, m := range modules {
			if m.layer == l.number {
				fmt.Fprintf(&b, "%d %d %s %.1f %.1f %d\n", m.u, m.v, m.kind, m.x, m.y, m.links)
			}
		}
	}
	check(os.WriteFile(name, []byte(b.String()), 0o644))
	log.Printf("%s: %d layers, %d modules", name, len(layers), len(modules))
}
