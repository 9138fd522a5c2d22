package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestDraw: as many of each digit, the same for the same seed, others for others.
func TestDraw(t *testing.T) {
	a, err := draw(20, 10, 3)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := draw(20, 10, 3)
	c, _ := draw(20, 10, 23)
	if len(a.pixels) != 20*100 || !slices.Equal(a.pixels, b.pixels) || slices.Equal(a.pixels, c.pixels) {
		t.Error("digits are not those of their seeds")
	}
	count := map[string]int{}
	for _, l := range a.labels {
		count[l]++
	}
	if len(count) != 10 || count["0"] != 2 || count["9"] != 2 {
		t.Errorf("%v", count)
	}
}

// TestWrite: a label and as many pixels in each row, under names for them.
func TestWrite(t *testing.T) {
	known, err := draw(3, 9, 1)
	if err != nil {
		t.Fatal(err)
	}
	asked, _ := draw(2, 9, 9)
	dir := t.TempDir()
	if err := write(dir, 9, known, asked); err != nil {
		t.Fatal(err)
	}
	for name, rows := range map[string]int{"train.csv": 3, "test.csv": 2} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(b)), "\n")
		if len(lines) != 1+rows || !strings.HasPrefix(lines[0], "label,pixel0,") || !strings.HasPrefix(lines[2], "1,") {
			t.Errorf("%s: %d lines, %.20q", name, len(lines), lines[0])
		}
		for _, l := range lines {
			if n := strings.Count(l, ","); n != 81 {
				t.Errorf("%s: %d fields: %.30q", name, n+1, l)
			}
		}
	}
}

// TestTable runs both finders of both distances on a few digits.
func TestTable(t *testing.T) {
	known, err := draw(20, 8, 1)
	if err != nil {
		t.Fatal(err)
	}
	asked, _ := draw(4, 8, 50)
	if err := table(t.Context(), 8, 1, known, asked); err != nil {
		t.Error(err)
	}
}
