package keras

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"barrow/internal/shared"
)

// wafers reads the first n images of a wafer file, 48 charges each.
func wafers(t testing.TB, name string, n int) [][48]float64 {
	t.Helper()
	f, err := os.Open(shared.Data(t, "wafers", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("%s: %d rows, %v", name, len(rows), err)
	}
	var out [][48]float64
	for _, row := range rows[1:min(n+1, len(rows))] {
		var image [48]float64
		for i := range image {
			if image[i], err = strconv.ParseFloat(row[i], 64); err != nil {
				t.Fatal(err)
			}
		}
		out = append(out, image)
	}
	return out
}

// normalise scales an image to sum 1.
func normalise(image [48]float64) [48]float64 {
	sum := 0.0
	for _, v := range image {
		sum += v
	}
	for i := range image {
		image[i] /= sum
	}
	return image
}

// pixels443 arranges an image as 4×4×3 in (y, x, channel) order: channel k,
// pixel (r, c) is cell 16k+4r+c.
func pixels443(image [48]float64) []float32 {
	out := make([]float32, 48)
	for k := range 3 {
		for p := range 16 {
			out[3*p+k] = float32(image[16*k+p])
		}
	}
	return out
}

// pythonWith is the interpreter, if it has numpy and the modules named, or the
// test is skipped. It looks for them without loading them, which takes seconds.
func pythonWith(t testing.TB, modules ...string) string {
	t.Helper()
	p := os.Getenv("BARROW_PYTHON")
	if p == "" {
		p = "/usr/bin/python3"
	}
	const look = "import sys, importlib.util as u; sys.exit(None in map(u.find_spec, sys.argv[1:]))"
	modules = append(modules, "numpy")
	if err := exec.Command(p, append([]string{"-c", look}, modules...)...).Run(); err != nil {
		t.Skipf("no Python with %[1]v: apt-get install python3-NAME for each, or name an interpreter in BARROW_PYTHON", modules)
	}
	return p
}

// pipe runs a program on float32 values and returns its float64 ones.
func pipe(t testing.TB, in []float32, name string, args ...string) []float64 {
	t.Helper()
	var b bytes.Buffer
	if err := binary.Write(&b, binary.LittleEndian, in); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(name, args...)
	cmd.Stdin = &b
	raw, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("%v: %v\n%s", cmd.Args, err, exit.Stderr)
		}
		t.Fatal(err)
	}
	out := make([]float64, len(raw)/8)
	if err := binary.Read(bytes.NewReader(raw), binary.LittleEndian, out); err != nil {
		t.Fatal(err)
	}
	return out
}

// imagePairs are inputs for an EMD CNN: pairs of real wafers (an image with
// itself among them), random dense images and random sparse ones, normalised.
func imagePairs(t testing.TB, n int) (a, b []float32) {
	t.Helper()
	rng := rand.New(rand.NewPCG(5, 6))
	images := wafers(t, "ldm.csv", 1000)
	random := func(fill float64) [48]float64 {
		var image [48]float64
		image[rng.IntN(48)] = 1
		for i := range image {
			if rng.Float64() < fill {
				image[i] = rng.ExpFloat64()
			}
		}
		return image
	}
	for i := range n {
		var p, q [48]float64
		switch i % 4 {
		case 0:
			p, q = images[rng.IntN(len(images))], images[rng.IntN(len(images))]
		case 1:
			p, q = random(1), random(1)
		case 2:
			p, q = random(0.2), random(0.2)
		case 3:
			p = images[rng.IntN(len(images))]
			if q = p; i%8 == 3 {
				q = random(1)
			}
		}
		a = append(a, pixels443(normalise(p))...)
		b = append(b, pixels443(normalise(q))...)
	}
	return a, b
}

// interleave puts samples of a and of b side by side.
func interleave(a, b []float32, size int) []float32 {
	out := make([]float32, 0, len(a)+len(b))
	for i := 0; i < len(a); i += size {
		out = append(append(out, a[i:i+size]...), b[i:i+size]...)
	}
	return out
}

// worst is the largest relative difference of two lists; numbers below floor
// in size count as floor.
func worst(got []float32, want []float64, floor float64) float64 {
	w := 0.0
	for i, v := range want {
		d := math.Abs(float64(got[i])-v) / max(math.Abs(v), floor)
		if math.IsNaN(d) {
			return math.Inf(1)
		}
		w = max(w, d)
	}
	return w
}
