package pick

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"barrow/hgcal"
	"barrow/wafer"
)

// list of images that are read in batches of any size.
type images struct {
	set *wafer.Set
	at  int
	per int // images a Read at most
}

func (m *images) Read(s *wafer.Set, n int) (int, error) {
	if m.at == m.set.Len() {
		return 0, io.EOF
	}
	n = min(n, m.per, m.set.Len()-m.at)
	*s = *m.set.Slice(m.at, m.at+n).Select(count(n))
	m.at += n
	return n, nil
}
func (m *images) Share() (float64, bool) { return float64(m.at) / float64(m.set.Len()), true }
func (m *images) Place(i int) string     { return fmt.Sprintf("file:%d", i) }
func (m *images) Info() wafer.Info {
	var info wafer.Info
	for _, c := range m.set.Columns {
		info.Columns = append(info.Columns, c.Name)
	}
	return info
}

func count(n int) []int {
	index := make([]int, n)
	for i := range index {
		index[i] = i
	}
	return index
}

// some are n images: number, text and words as columns.
func some(n int) *wafer.Set {
	s := &wafer.Set{Charge: make([]float64, n*hgcal.Cells), Columns: []wafer.Column{{Name: "event"}, {Name: "tc_eta"}, {Name: "layer"}, {Name: "ModType"}, {Name: "odd name"}}}
	for i := range n {
		s.Image(i)[i%hgcal.Cells] = float64(i) / 2
		s.Columns[0].Int = append(s.Columns[0].Int, int64(i))
		s.Columns[1].Float = append(s.Columns[1].Float, float64(i)/10)
		text := strconv.Itoa(i % 3)
		if i%5 == 4 {
			text = ""
		}
		s.Columns[2].Text = append(s.Columns[2].Text, text)
		s.Columns[3].Text = append(s.Columns[3].Text, strconv.Itoa(i%2))
		s.Columns[4].Text = append(s.Columns[4].Text, fmt.Sprint(float64(i)+.5))
	}
	return s
}

// events are the numbers of the images that are picked.
func events(t *testing.T, set *wafer.Set, per int, s Settings) ([]int64, error) {
	t.Helper()
	r, err := New(context.Background(), &images{set: set, per: per}, s)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	got, err := wafer.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if got.Len() == 0 {
		return nil, nil
	}
	for i, e := range got.Columns[0].Int {
		if got.Image(i)[e%hgcal.Cells] != float64(e)/2 || s.Columns == nil && got.Column("odd name").Text[i] != fmt.Sprint(float64(e)+.5) {
			t.Fatalf("%+v: image %d is not that of event %d", s, i, e)
		}
	}
	return got.Columns[0].Int, nil
}

func TestSelect(t *testing.T) {
	const n = 200
	for text, want := range map[string]func(i int) bool{
		"event > 150":                       func(i int) bool { return i > 150 },
		"event % 7 == 3 && eta > 2":         func(i int) bool { return i%7 == 3 && float64(i)/10 > 2 },
		"layer == 2":                        func(i int) bool { return i%5 != 4 && i%3 == 2 },
		"layer in [1, 2]":                   func(i int) bool { return i%5 != 4 && i%3 > 0 },
		"missing(layer)":                    func(i int) bool { return i%5 == 4 },
		`ModType == "1"`:                    func(i int) bool { return i%2 == 1 },
		"sum >= 50":                         func(i int) bool { return i >= 100 },
		"sum(charge) >= 50 and row < 150":   func(i int) bool { return i >= 100 && i < 150 },
		"charge[5] > 0":                     func(i int) bool { return i%48 == 5 },
		"count(charge, # > 35) == 1":        func(i int) bool { return i > 70 },
		`$env["odd name"] < 10`:             func(i int) bool { return i < 10 },
		"not (event < 190) or abs(eta) < 1": func(i int) bool { return i >= 190 || i < 10 },
		"let e = event; e == 4":             func(i int) bool { return i == 4 },
		"layer != 2":                        func(i int) bool { return i%5 == 4 || i%3 != 2 },
		"layer not in [1, 2]":               func(i int) bool { return i%5 == 4 || i%3 == 0 },
		`ModType in ["1", "2"]`:             func(i int) bool { return i%2 == 1 },
		`string(event) == "7"`:              func(i int) bool { return i == 7 },
		`eta == event/10`:                   func(i int) bool { return true },
	} {
		for _, per := range []int{1, 7, 1000} {
			got, err := events(t, some(n), per, Settings{Select: text})
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			var right []int64
			for i := range n {
				if want(i) {
					right = append(right, int64(i))
				}
			}
			if !slices.Equal(got, right) {
				t.Errorf("%s: %v, want %v", text, got, right)
			}
		}
	}
	for text, want := range map[string]string{
		"layr == 2":       `no column "layr"; did you mean`,
		"foo > 1":         "there are event, tc_eta, layer, ModType, odd name, and of every image row, charge and sum",
		"event":           "it gives 0; want true or false",
		"sum + 1":         "it gives 1; want true or false",
		"row > \"x\"":     "mismatched types int and string",
		"ModType > 3":     "file:0: select",
		"event > ":        "unexpected token",
		"event == 1 == (": "(1:",
		"missing()":       "not enough arguments",
		// What is never equal is a slip, and says where.
		`layer == "9"`:               "pick: file:0: select: layer = 0, a number, is compared with \"9\", a text: write numbers without quotation marks",
		`eta < 1 && layer != "1"`:    "(1:18)",
		`"2" == event`:               "\"2\", a text, is compared with event = 0, a number",
		`ModType == 1`:               "ModType = \"0\", a text, is compared with 1, a number",
		`$env["odd name"] == "x"`:    "$env[\"odd name\"] = 0.5, a number",
		`layer in ["1", "2"]`:        "layer = 0, a number, is compared with \"1\", a text",
		`ModType not in [1, -2]`:     "ModType = \"0\", a text, is compared with 1, a number",
		`layer == ModType`:           "layer = 0, a number, is compared with ModType = \"0\", a text",
		`let l = layer; l == "1"`:    "l = 0, a number",
		`event == true`:              "is compared with true, a truth value",
		`row == "1"`:                 "mismatched types int and string",
		`event == 2 && layer == "2"`: "file:2: select: layer = 2",
	} {
		if _, err := events(t, some(3), 10, Settings{Select: text}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestSteps(t *testing.T) {
	for _, c := range []struct {
		s    Settings
		want []int64
	}{
		{Settings{Every: 3}, []int64{0, 3, 6, 9}},
		{Settings{Every: 3, Limit: 2}, []int64{0, 3}},
		{Settings{Select: "event >= 2", Every: 3, Limit: 9}, []int64{2, 5, 8}},
		{Settings{Limit: 2, Columns: []string{"event", "layer"}}, []int64{0, 1}},
		{Settings{Select: "event < 0"}, nil},
	} {
		if got, err := events(t, some(10), 4, c.s); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, %v", c.s, got, err)
		}
	}
	for want, s := range map[string]Settings{"every = -1": {Every: -1}, "limit = -2": {Limit: -2}, `no column "x"`: {Columns: []string{"x"}}} {
		if _, err := events(t, some(3), 4, s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", s, err)
		}
	}
}

// TestColumns: a column may be called by any of its names, as in Select.
func TestColumns(t *testing.T) {
	for _, names := range [][]string{{"event", "tc_eta"}, {"event", "eta"}, {"event", " eta"}, {" event ", " tc_eta "}} {
		s := Settings{Columns: names, Select: "layer == 1"}
		r, err := New(context.Background(), &images{set: some(10), per: 4}, s)
		if err != nil {
			t.Fatalf("%q: %v", names, err)
		}
		got, err := wafer.ReadAll(r)
		if err != nil || len(got.Columns) != 2 || got.Columns[0].Name != "event" || got.Columns[1].Name != "tc_eta" || !slices.Equal(got.Columns[0].Int, []int64{1, 7}) {
			t.Errorf("%q: %v, %v", names, got, err)
		}
		if take, err := Columns(s, r.from.Info().Columns); err != nil || !slices.Equal(take, []string{"event", "tc_eta", "layer"}) {
			t.Errorf("%q takes %q, %v", names, take, err)
		}
	}
	for name, want := range map[string]string{"layr": `no column "layr"; did you mean layer?; there are event, tc_eta`, " evnt": `did you mean event?`, "phi": `no column "phi"; there`, "eta": "named twice"} {
		_, err := New(context.Background(), &images{set: some(1)}, Settings{Columns: []string{"tc_eta", name}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", name, err, want)
		}
	}
}

// TestShuffle: an order of the seed alone, whatever fits in memory, and what a limit
// leaves is a sample.
func TestShuffle(t *testing.T) {
	const n = 3000
	all, err := events(t, some(n), 1000, Settings{Shuffle: true, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	sorted := slices.Sorted(slices.Values(all))
	for i, e := range sorted {
		if e != int64(i) {
			t.Fatal("no permutation")
		}
	}
	if slices.IsSorted(all) || len(all) != n {
		t.Fatal("not shuffled")
	}
	if other, _ := events(t, some(n), 1000, Settings{Shuffle: true, Seed: 4}); slices.Equal(other, all) {
		t.Error("seeds 3 and 4 give the same order")
	}
	dir := t.TempDir()
	for _, room := range []int{1, 10_000, 200_000} {
		r, err := New(context.Background(), &images{set: some(n), per: 17}, Settings{Shuffle: true, Seed: 3, Limit: 500,
			Spool: func() (*os.File, error) { return os.CreateTemp(dir, "") }})
		if err != nil {
			t.Fatal(err)
		}
		sh, err := newShuffle(3, r.settings.Spool)
		if err != nil {
			t.Fatal(err)
		}
		sh.room = room
		if err := r.fill(sh); err != nil {
			t.Fatal(err)
		}
		if len(sh.runs) == 0 {
			t.Fatalf("room of %d: all in memory", room)
		}
		r.shuffle = sh
		got, err := wafer.ReadAll(r)
		if err != nil || !slices.Equal(got.Columns[0].Int, all[:500]) {
			t.Errorf("room of %d: another order: %v", room, err)
		}
		if share, ok := r.Share(); !ok || share != 1 {
			t.Errorf("share %v at the end", share)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestShuffleIsFair: every image is first equally often.
func TestShuffleIsFair(t *testing.T) {
	const n, times = 5, 10_000
	first := [n]int{}
	set := some(n).WithoutColumns()
	for seed := range uint64(times) {
		sh, err := newShuffle(seed, nil)
		if err != nil {
			t.Fatal(err)
		}
		sh.room = 100 * n * hgcal.Cells // which all fit in
		for i := range n {
			if err := sh.add(set, i, i); err != nil {
				t.Fatal(err)
			}
		}
		if err := sh.begin(); err != nil {
			t.Fatal(err)
		}
		places, err := sh.read(&wafer.Set{}, 1, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		first[places[0]]++
	}
	for e, k := range first {
		if z := (float64(k) - times/n) / math.Sqrt(times*0.16); math.Abs(z) > 5 {
			t.Errorf("image %d is first %d times of %d", e, k, times)
		}
	}
}

// TestShuffleKinds: columns of several kinds keep every value, and charges of any size
// are exact.
func TestShuffleKinds(t *testing.T) {
	sets := []*wafer.Set{
		{Charge: make([]float64, hgcal.Cells), Columns: []wafer.Column{{Name: "n", Int: []int64{-7}}}},
		{Charge: make([]float64, hgcal.Cells), Columns: []wafer.Column{{Name: "n", Float: []float64{2.5}}}},
		{Charge: make([]float64, hgcal.Cells), Columns: []wafer.Column{{Name: "n", Text: []string{"x"}}}},
	}
	odd := []float64{1e300, 0.1, 1 << 52, 1<<52 - 1, math.Copysign(0, -1), 5e-324}
	sh, err := newShuffle(1, nil)
	if err != nil {
		t.Fatal(err)
	}
	for n, s := range sets {
		copy(s.Charge, odd)
		if err := sh.add(s, 0, n); err != nil {
			t.Fatal(err)
		}
	}
	if err := sh.begin(); err != nil {
		t.Fatal(err)
	}
	var got wafer.Set
	places, err := sh.read(&got, 10, []string{"n"}, nil)
	if err != nil || len(places) != 3 {
		t.Fatal(places, err)
	}
	for k, n := range places {
		if got.Columns[0].Text[k] != sets[n].Columns[0].Value(0) {
			t.Errorf("%q is changed to %q", sets[n].Columns[0].Value(0), got.Columns[0].Text[k])
		}
		if !slices.Equal(got.Image(k), sets[n].Image(0)) || math.Signbit(got.Image(k)[4]) != true {
			t.Errorf("charges %v", got.Image(k)[:6])
		}
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	r, err := New(ctx, &images{set: some(10), per: 2}, Settings{Shuffle: true, Progress: func(float64, string) { cancel() }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wafer.ReadAll(r); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}
