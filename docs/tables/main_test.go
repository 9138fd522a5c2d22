package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestPages fails where a page and the file of one of its tables disagree.
func TestPages(t *testing.T) {
	docs, tables := "..", 0
	for _, page := range pages(docs) {
		have, want, err := fill(page, docs)
		if err != nil {
			t.Error(err)
		}
		if !bytes.Equal(have, want) {
			t.Errorf("%s: its tables are not those of docs/results: go run ./docs/tables", page)
		}
		tables += len(marked.FindAll(have, -1))
	}
	if tables < 5 {
		t.Errorf("%d tables found: the markers have changed", tables)
	}
}

// TestResultsLength: what the encoders keep is a page to read, not a log.
func TestResultsLength(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "results.md"))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(b, []byte("\n")); n > 200 {
		t.Errorf("docs/results.md has %d lines, at most 200: what was tried goes to docs/log", n)
	}
}

// TestToBeMeasured: a table whose file is not there yet stays as it is, and is filled once it is.
func TestToBeMeasured(t *testing.T) {
	dir := t.TempDir()
	page := filepath.Join(dir, "page.md")
	text := "a\n<!-- table: new.json (to be measured) -->\n<!-- end -->\nb\n"
	if err := os.WriteFile(page, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, want, err := fill(page, dir); err != nil || string(want) != text {
		t.Errorf("%q, %v", want, err)
	}
	table := `{"command": "c", "measured": "m", "columns": [{"head": "x", "cell": "{x}"}], "rows": [{"x": 1}]}`
	if err := os.WriteFile(filepath.Join(dir, "new.json"), []byte(table), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, want, err := fill(page, dir); err != nil || string(want) != "a\n<!-- table: new.json -->\n| x |\n|---|\n| 1 |\n<!-- end -->\nb\n" {
		t.Errorf("%q, %v", want, err)
	}
}

func Example() {
	c := column{Head: "mean EMD", Cell: "{emd:.3f} ± {std:.3f}"}
	fmt.Println(c.of(map[string]any{"emd": 0.87, "std": 0.014}))
	fmt.Println(c.of(map[string]any{"emd": -0.87, "std": 0.014}))
	fmt.Println(c.of(map[string]any{"emd": 0.87}))
	// Output:
	// 0.870 ± 0.014 <nil>
	// −0.870 ± 0.014 <nil>
	// – <nil>
}
