package images

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barrow/simulate"
	"barrow/wafer"
)

// row is a line of a wafer file with the charge in the first cell.
func row(charge string, more ...string) string {
	return strings.Join(append(append([]string{charge}, strings.Split(strings.Repeat("0,", 46)+"1", ",")...), more...), ",") + "\n"
}

// head names the 48 charges, and more columns.
func head(more ...string) string {
	names := make([]string, 48)
	for i := range names {
		names[i] = "CALQ_" + string(rune('0'+i/10)) + string(rune('0'+i%10))
		if i < 10 {
			names[i] = "CALQ_" + string(rune('0'+i))
		}
	}
	return strings.Join(append(names, more...), ",") + "\n"
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestPlace: what is wrong with an image of a file is told with its place there.
func TestPlace(t *testing.T) {
	in := Default(0)
	in.Data = []string{write(t, head("HD_LD", "eta")+row("5", "HD", "1.7")+row("6", "LD", "abc")+row("4194304", "LD", "2"))}
	eta := func(set *wafer.Set) error { _, err := set.Numbers(wafer.Eta); return err }
	for _, tc := range []struct {
		s    Settings
		want string
	}{
		{Settings{}, ""},
		{Settings{Counts: true}, ":4: cell 0: charge 4.194304e+06"},
		{Settings{Counts: true, Densities: true}, `:4: cell 0: charge`},
		{Settings{Check: eta}, `:3: eta is "abc"; want a number`},
		{Settings{Check: func(*wafer.Set) error { return io.ErrNoProgress }}, io.ErrNoProgress.Error()},
	} {
		if _, _, err := in.Read(context.Background(), tc.s); (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: %v", tc.s, err)
		}
	}
	in.Data = []string{write(t, head("HD_LD")+row("5", "HD")+row("6", "XX"))}
	if _, _, err := in.Read(context.Background(), Settings{Counts: true, Densities: true}); err == nil || !strings.Contains(err.Error(), `:3: HD_LD is "XX"; want HD or LD`) {
		t.Error(err)
	}
}

func TestRead(t *testing.T) {
	var said []string
	s := Settings{Seed: 3, Remark: func(text string) { said = append(said, text) }}
	set, source, err := Default(50).Read(context.Background(), s)
	if err != nil || source != "50 simulated images (mixed)" || set.Len() < 25 || len(set.Columns) == 0 {
		t.Fatalf("%d images, %q, %v", set.Len(), source, err)
	}

	// The same columns are kept, others are left out; so are images without charge.
	empty := strings.Repeat("0,", 47) + "0,1.7\n"
	with, same, other := write(t, head("eta")+row("5", "1.7")+empty), write(t, head("eta")+row("6", "2.1")), write(t, head("layer")+row("7", "9"))
	in := Default(0)
	in.Data = []string{with, same}
	if set, source, err = in.Read(context.Background(), s); err != nil || set.Len() != 2 || len(set.Columns) != 1 || source != with+", "+same {
		t.Errorf("%+v, %q, %v", set, source, err)
	}
	kept := s
	kept.Empty = true
	if set, _, err = in.Read(context.Background(), kept); err != nil || set.Len() != 3 || set.ZeroSum() != 1 {
		t.Errorf("with those without charge %+v, %v", set, err)
	}
	in.Data = []string{write(t, head("eta")+empty)}
	if _, _, err := in.Read(context.Background(), kept); err == nil || !strings.Contains(err.Error(), "no image with charge") {
		t.Error(err)
	}
	in.Data = []string{with, same}
	streamed, order := in, ""
	streamed.Data, streamed.Order = []string{"-"}, "postmux"
	s.Stream = func(string) io.Reader { return strings.NewReader(head("eta") + row("5", "1.7")) }
	s.Remark = func(text string) { order = text }
	if set, _, err = streamed.Read(context.Background(), s); err != nil || set.Len() != 1 || !strings.Contains(order, "postmux, as given") {
		t.Errorf("a stream: %+v, %q, %v", set, order, err)
	}
	s.Stream, s.Remark = nil, func(text string) { said = append(said, text) }
	in.Data = append(in.Data, other)
	if set, _, err = in.Read(context.Background(), s); err != nil || set.Len() != 3 || len(set.Columns) != 0 {
		t.Errorf("%+v, %v", set, err)
	}
	all := strings.Join(said, "\n")
	for _, want := range []string{"1 images without charge left out, 1 kept", "the columns are left out"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in\n%s", want, all)
		}
	}
	in.Data = []string{write(t, head()+strings.Repeat("0,", 47)+"0\n")}
	if _, _, err := in.Read(context.Background(), s); err == nil || !strings.Contains(err.Error(), "no image with charge") {
		t.Errorf("nothing but empty images: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := in.Read(ctx, s); err == nil {
		t.Error("a cancelled context")
	}
}

// TestDraw: images drawn in parts are those drawn at once.
func TestDraw(t *testing.T) {
	s := simulate.Settings{Seed: 2, Threads: 2}
	want, err := simulate.Generate(drawn+100, s)
	if err != nil {
		t.Fatal(err)
	}
	got, err := draw(context.Background(), drawn+100, s)
	if err != nil || got.Digest() != want.Digest() {
		t.Errorf("other images: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := draw(ctx, 10, s); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context: %v", err)
	}
}

func TestCheck(t *testing.T) {
	for want, spoil := range map[string]func(*Input){
		"events = 0: want 1 to":              func(i *Input) { i.Events = 0 },
		"events = -1: want 1 to":             func(i *Input) { i.Events = -1 },
		"events = 9999999999: want 1 to":     func(i *Input) { i.Events = 9_999_999_999 },
		"would take":                         func(i *Input) { i.Events = 1_000_000_000 },
		`preset = "pion": it may be`:         func(i *Input) { i.Preset = "pion" },
		"; did you mean pions?":              func(i *Input) { i.Preset = "pion" },
		`order = "v8": it may be v9,`:        func(i *Input) { i.Order = "v8" },
		`header = "second": it may be first`: func(i *Input) { i.Header = "second" },
	} {
		i := Default(10)
		spoil(&i)
		if err := i.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	i := Default(0)
	i.Data = []string{"a.csv"}
	if err := i.Check(); err != nil {
		t.Errorf("no events where there are files: %v", err)
	}
}

// TestPattern: a name may stand for many, and mistakes of other programs are repeated
// only on demand.
func TestPattern(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"nt_10.csv": row("5") + row("6"), "nt_9.csv": row("7") + row("8")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	in := Default(0)
	in.Data = []string{filepath.Join(dir, "nt_*.csv")}
	set, _, err := in.Read(context.Background(), Settings{})
	if err != nil || set.Len() != 4 || set.Image(0)[0] != 7 || set.Image(2)[0] != 5 {
		t.Errorf("%d images, %v", set.Len(), err)
	}
	var said []string
	in.Quirks = []string{"first-row"}
	set, _, err = in.Read(context.Background(), Settings{Remark: func(text string) { said = append(said, text) }})
	if err != nil || set.Len() != 2 || set.Image(0)[0] != 8 || len(said) != 2 || !strings.Contains(said[0], "nt_9.csv: row 1 is left out") {
		t.Errorf("%d images, %q, %v", set.Len(), said, err)
	}
	in.Quirks = []string{"last-row"}
	if err := in.Check(); err == nil || !strings.Contains(err.Error(), "quirks") {
		t.Errorf("an unknown quirk: %v", err)
	}
	in = Default(0)
	in.Data, in.Charge = []string{"x"}, "calq13"
	if err := in.Check(); err == nil || !strings.Contains(err.Error(), "charge") {
		t.Errorf("an unknown reading: %v", err)
	}
}
