package sniff

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func ExampleLooks() {
	fmt.Println(Looks([]byte("0,12,3\n")))
	// Output: text with commas, such as a CSV file of images
}

func TestLooks(t *testing.T) {
	for head, want := range map[string]string{
		"":                           "is empty",
		"BARROWPT\x01":               "before its first release",
		"\x89HDF\r\n\x1a\n":          "HDF5",
		"PK\x03\x04":                 "zip",
		"\x93NUMPY\x01":              "NumPy array",
		"root\x00\x00":               "ROOT",
		"root: of all evil":          "YAML",
		"PAR1":                       "Parquet",
		"BZh91AY&SY":                 "by bzip2: unpack it first",
		"\xfd7zXZ\x00\x00":           "by xz",
		"ARROW1\x00\x00":             "Feather",
		"\x1f\x8b\x08":               "gzip",
		strings.Repeat("\x00", 20):   "zero bytes",
		"\x7fELF\x02":                "binary file",
		"[1, 2]":                     "JSON",
		"a,b\n":                      "commas",
		"key: value\n":               "YAML",
		"words":                      "a text file",
		"größe " + "\xc3":            "a text file", // cut within a character
		"caf\xe9 with wrong letters": "binary file",
	} {
		if got := Looks([]byte(head)); !strings.Contains(got, want) {
			t.Errorf("%q: %s; want %s", head, got, want)
		}
	}
}

func TestByEnding(t *testing.T) {
	for ending, want := range map[string]string{".npz": "a zip file", ".root": "a ROOT file", ".gz": "gzip", ".txt": "", "": ""} {
		if got := ByEnding(ending); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%q: %q, want %q", ending, got, want)
		}
	}
}

func TestHead(t *testing.T) {
	dir := t.TempDir()
	for size, want := range map[int]int{0: 0, 10: 10, headSize: headSize, 3000: headSize} {
		path := filepath.Join(dir, "a")
		if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
		if head, err := Head(path); err != nil || len(head) != want {
			t.Errorf("%d bytes: %d, %v", size, len(head), err)
		}
	}
	if _, err := Head(dir); err == nil || !strings.Contains(err.Error(), "a folder") {
		t.Errorf("a folder: %v", err)
	}
}
