package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"barrow/run/shard"
)

// barrow runs the program, which must do well, and returns what it says.
func barrow(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs strings.Builder
	if code := execute(args, strings.NewReader(""), &out, &errs); code != 0 {
		t.Fatalf("barrow %s: code %d: %s", strings.Join(args, " "), code, errs.String())
	}
	return out.String() + errs.String()
}

// refused runs the program, which must not do well, and returns what it says.
func refused(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs strings.Builder
	if code := execute(args, strings.NewReader(""), &out, &errs); code == 0 {
		t.Fatalf("barrow %s: %s", strings.Join(args, " "), out.String())
	}
	return errs.String()
}

func same(t *testing.T, what, a, b string) {
	t.Helper()
	one, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	if other, err := os.ReadFile(b); err != nil || !bytes.Equal(one, other) || len(one) == 0 {
		t.Errorf("%s: %s is another than %s: %v", what, b, a, err)
	}
}

// wafers writes a table of wafers with so many rows in the way that a program may write it.
func wafers(t *testing.T, path string, rows int, head, quote, end, last string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(head)
	for c := range 48 {
		fmt.Fprintf(&b, "CALQ_%d,", c)
	}
	b.WriteString("layer,note" + end)
	for k := range rows {
		for c := range 48 {
			fmt.Fprintf(&b, "%d,", ((k+1)*(c+1)*7)%(20+c))
		}
		fmt.Fprintf(&b, "%d,%sno. %d%s%s", k%13, quote, k, quote, end)
	}
	if err := os.WriteFile(path, []byte(strings.TrimSuffix(b.String(), end)+last), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestShardsOfInputs: shards make the bytes of one run of inputs of all kinds, whatever their number and
// whichever comes first.
func TestShardsOfInputs(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	const rows = 3011
	a := wafers(t, in("a.csv"), rows, "", "", "\n", "\n")
	b := wafers(t, in("b.csv"), rows, "\ufeff# by hand\n# twice\n", `"`, "\r\n", "")
	more := wafers(t, in("more.csv"), 700, "", `"`, "\n", "\n\n# end\n")
	barrow(t, "convert", a, in("c.parquet"))
	barrow(t, "convert", b, in("c.npz"))
	barrow(t, "convert", a, in("c.root"))
	barrow(t, "convert", b, in("c.csv.gz"))
	barrow(t, "convert", "--dialect", "plain", a, in("plain.csv"))
	barrow(t, "convert", a, in("a.npy"))
	ntuple := filepath.Join("..", "..", "wafer", "rootio", "testdata", "small.root")
	grid := in("grid.csv")
	var text strings.Builder
	for k := range rows {
		fmt.Fprintf(&text, "%d.5 %d.25  %d.5 %d.5\n", k%7, k%11+1, k%5, k%3)
		if k%100 == 0 {
			text.WriteString("\n") // empty lines are passed over
		}
	}
	if err := os.WriteFile(grid, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		out  string
		args []string
	}{
		{"e.txt", []string{"emd", a, b}},
		{"e.txt", []string{"emd", in("c.csv.gz"), in("c.parquet"), "--json"}},
		{"e.txt", []string{"emd", in("plain.csv"), in("c.root")}},
		{"e.txt", []string{"emd", in("c.npz"), in("a.npy")}},
		{"e.txt", []string{"emd", grid, grid, "--grid", "2x2"}},
		{"e.txt", []string{"emd", in("plain.csv"), in("a.npy"), "--grid", "6x8"}},
		{"x.csv", []string{"econt", "encode", b, "--etx", "2"}},
		{"x.csv.zst", []string{"econt", "encode", in("c.parquet"), "--etx", "2"}},
		{"v.csv", []string{"convert", a, b, more}},
		{"v.csv", []string{"convert", a, more, "--select", "layer > 9", "--columns", "note"}},
		{"v.csv", []string{"convert", a, more, "--every", "7"}},
		{"v.csv", []string{"convert", a, more, "--every", "7", "--select", "row % 3 == 1"}},
		{"v.parquet", []string{"convert", in("*.csv"), "--columns", "layer"}}, // but for those without
		{"v.npz", []string{"convert", in("c.npz"), in("c.parquet"), in("c.csv.gz"), b}},
		{"v.csv", []string{"convert", ntuple}},
		{"v.csv", []string{"convert", ntuple, ntuple}},
	} {
		if strings.Contains(c.args[1], "*") {
			for _, name := range []string{"plain.csv", "grid.csv"} {
				if err := os.Rename(in(name), in(name+".away")); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, n := range []int{1, 3, 7} {
			work := t.TempDir()
			at := func(name string) []string {
				if c.args[0] == "convert" {
					return append(append([]string{}, c.args...), filepath.Join(work, name))
				}
				return append(append([]string{}, c.args...), "--out", filepath.Join(work, name))
			}
			one := "one" + strings.TrimLeft(c.out, "evx")
			barrow(t, at(one)...)
			for k := range n {
				barrow(t, append(at(c.out), "--shard", fmt.Sprintf("%d/%d", (k+n/2)%n, n))...)
			}
			what := strings.Join(c.args, " ")
			if _, err := os.Stat(filepath.Join(work, c.out+shard.Ending, "inputs.json")); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			barrow(t, "merge", filepath.Join(work, c.out)+shard.Ending)
			same(t, what, filepath.Join(work, one), filepath.Join(work, c.out))
		}
	}
}

// TestInputsThatChange: what is known of inputs is believed as long as they are what they were.
func TestInputsThatChange(t *testing.T) {
	dir := t.TempDir()
	a := wafers(t, filepath.Join(dir, "a.csv"), 5000, "", "", "\n", "\n")
	out := filepath.Join(dir, "x.csv")
	one := filepath.Join(dir, "one.csv")
	known := filepath.Join(out+shard.Ending, "inputs.json")
	part := func(i int) []string {
		return []string{"econt", "encode", a, "--etx", "2", "--out", out, "--shard", fmt.Sprintf("%d/5", i)}
	}
	barrow(t, "econt", "encode", a, "--etx", "2", "--out", one)
	barrow(t, part(3)...)
	first, err := os.ReadFile(known)
	if err != nil {
		t.Fatal(err)
	}
	// Touched, as copies are.
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(a, later, later); err != nil {
		t.Fatal(err)
	}
	barrow(t, part(0)...)
	// A damaged file of what is known, one cut off, none at all.
	for k, damaged := range [][]byte{bytes.Replace(first, []byte(`"at":`), []byte(`"at":1`), 1), first[:len(first)/2], nil} {
		if bytes.Equal(damaged, first) {
			t.Fatal("nothing is damaged")
		}
		if err := os.WriteFile(known, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if damaged == nil {
			if err := os.Remove(known); err != nil {
				t.Fatal(err)
			}
		}
		barrow(t, part([]int{1, 2, 4}[k])...)
		again, err := os.ReadFile(known)
		if err != nil || bytes.Equal(again, damaged) {
			t.Errorf("what is known is not found out again: %v", err)
		}
	}
	barrow(t, "merge", out+shard.Ending)
	same(t, "changed in between", one, out)
	// Other content, of the same length: a digit of the last row.
	b, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-5]++
	for _, content := range [][]byte{b, append(b, "\n"...)} {
		if err := os.WriteFile(a, content, 0o600); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if text := refused(t, append(part(1), "--force")...); !strings.Contains(text, "shard 1/5") || !strings.Contains(text, a+" has other content than before") {
				t.Error(text)
			}
		}
		if err := os.Remove(known); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if text := refused(t, append(part(1), "--force")...); !strings.Contains(text, a+" has other content than before") {
			t.Error(text)
		}
		if _, err := os.Stat(known); err == nil {
			t.Error("what was found out of other content is kept")
		}
	}
}

// TestShardsAtOnce: of shards that come at once one looks the inputs through, and all make what one run makes.
func TestShardsAtOnce(t *testing.T) {
	dir := t.TempDir()
	a := wafers(t, filepath.Join(dir, "a.csv"), 4000, "", "", "\n", "\n")
	b := wafers(t, filepath.Join(dir, "b.csv"), 4000, "# b\n", "", "\n", "\n")
	out := filepath.Join(dir, "e.txt")
	const n = 9
	var all sync.WaitGroup
	codes, texts := make([]int, n), make([]bytes.Buffer, n)
	for i := range n {
		all.Go(func() {
			args := []string{"emd", a, b, "--out", out, "--threads", "1", "--shard", fmt.Sprintf("%d/%d", i, n)}
			codes[i] = execute(args, strings.NewReader(""), &texts[i], &texts[i])
		})
	}
	all.Wait()
	for i, code := range codes {
		if code != 0 {
			t.Errorf("shard %d: %s", i, texts[i].String())
		}
	}
	barrow(t, "merge", out+shard.Ending)
	barrow(t, "emd", a, b, "--out", filepath.Join(dir, "one.txt"))
	same(t, "at once", filepath.Join(dir, "one.txt"), out)
	left, err := filepath.Glob(filepath.Join(out+shard.Ending, "inputs.lock*"))
	if err != nil || len(left) > 0 {
		t.Errorf("locks are left: %q, %v", left, err)
	}
}

// readBytes is how much this process has read so far, of files and all else; false where the system does
// not say.
func readBytes() (n int64, ok bool) {
	b, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0, false
	}
	_, err = fmt.Sscanf(string(b), "rchar: %d", &n)
	return n, err == nil
}

// TestShardReadsItsPart: a shard in the middle of large inputs reads its part of them, and little more.
func TestShardReadsItsPart(t *testing.T) {
	if _, ok := readBytes(); !ok {
		t.Skip("no /proc/self/io")
	}
	dir := t.TempDir()
	a := wafers(t, filepath.Join(dir, "a.csv"), 40_000, "", `"`, "\n", "\n")
	parquet := filepath.Join(dir, "a.parquet")
	barrow(t, "convert", a, parquet)
	const n = 40
	for _, args := range [][]string{
		{"emd", a, a, "--out", filepath.Join(dir, "e.txt")},
		{"econt", "encode", a, "--etx", "2", "--out", filepath.Join(dir, "x.csv")},
		{"convert", a, filepath.Join(dir, "v.csv")},
		{"convert", a, filepath.Join(dir, "v.parquet")},
		{"convert", parquet, filepath.Join(dir, "w.csv")},
	} {
		info, err := os.Stat(args[1])
		if args[0] == "econt" {
			info, err = os.Stat(args[2])
		}
		if err != nil {
			t.Fatal(err)
		}
		size := info.Size()
		if args[0] == "emd" {
			size *= 2
		}
		const little = 1 << 20 // buffers, the rows behind the mark, the piece itself for its record
		barrow(t, append(args, "--shard", fmt.Sprint("0/", n))...)
		for _, i := range []int{1, n / 2, n - 1} {
			before, _ := readBytes()
			barrow(t, append(args, "--shard", fmt.Sprint(i, "/", n))...)
			after, _ := readBytes()
			if read := after - before; read > size/n+little {
				t.Errorf("%s: shard %d of %d reads %d bytes of %d", strings.Join(args, " "), i, n, read, size)
			} else {
				t.Logf("%s: shard %d of %d reads %d bytes of %d", args[0], i, n, read, size)
			}
		}
	}
}

// TestPace: of two that read side by side neither gets far ahead, and none waits for one that has ended.
func TestPace(t *testing.T) {
	var a, b pace
	const step, steps = window / 4, 40
	var farthest atomic.Int64
	go func() {
		defer a.ends()
		for k := range steps {
			a.to(t.Context(), int64(k+1)*step, &b)
		}
	}()
	for k := range steps / 2 { // slower, and ends first
		time.Sleep(time.Millisecond)
		farthest.Store(max(farthest.Load(), a.at.Load()-b.at.Load()))
		b.to(t.Context(), int64(k+1)*step, &a)
	}
	if far := farthest.Load(); far > window+step {
		t.Errorf("one is %d bytes ahead", far)
	}
	b.ends()
	a.to(t.Context(), steps*step, &b)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	var other pace
	a.to(ctx, steps*step, &other) // returns
}
