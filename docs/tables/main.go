// Program tables fills the tables of README.md and docs/*.md in from the JSON
// files of docs/results, so that a figure stands in one place:
//
//	go run ./docs/tables
//
// A table stands between two comments, the first naming its file:
//
//	<!-- table: results/short.json -->
//	<!-- end -->
//
// The file of one whose first comment ends in "(to be measured)" may be missing; once it is there the
// table is as any other.
//
// The test beside this program fails where a page and its file disagree.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

func main() {
	for _, page := range pages("docs") {
		have, want, err := fill(page, "docs")
		if err == nil && !bytes.Equal(have, want) {
			err = os.WriteFile(page, want, 0o644)
			fmt.Println(page)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "tables:", err)
			os.Exit(1)
		}
	}
}

// pages are the files that may hold tables.
func pages(docs string) []string {
	list, _ := filepath.Glob(filepath.Join(docs, "*.md"))
	return append(list, filepath.Join(docs, "..", "README.md"))
}

// A table is a file of docs/results.
type table struct {
	// Command is what measured it, Measured when and where.
	Command  string   `json:"command"`
	Measured string   `json:"measured"`
	Columns  []column `json:"columns"`
	// Rows hold the figures by name; a name that a row lacks makes its cells "–".
	Rows []map[string]any `json:"rows"`
}

// A column has a head and says how its cells are made of a row's figures: text
// in which {name} stands for a figure and {name:.3f} for a formatted one, with a true minus.
type column struct {
	Head string `json:"head"`
	Cell string `json:"cell"`
}

var (
	marked = regexp.MustCompile(`(?s)<!-- table: (\S+)( \(to be measured\))? -->\n.*?<!-- end -->`)
	field  = regexp.MustCompile(`\{(\w+)(?::([^}]*))?\}`)
)

// fill returns a page as it is and with its tables filled in.
func fill(page, docs string) (have, want []byte, err error) {
	if have, err = os.ReadFile(page); err != nil {
		return nil, nil, err
	}
	want = marked.ReplaceAllFunc(have, func(match []byte) []byte {
		parts := marked.FindSubmatch(match)
		name := string(parts[1])
		text, e := read(filepath.Join(docs, name))
		if len(parts[2]) > 0 && errors.Is(e, fs.ErrNotExist) {
			return match
		}
		if e != nil && err == nil {
			err = fmt.Errorf("%s: %w", page, e)
		}
		return []byte("<!-- table: " + name + " -->\n" + text + "<!-- end -->")
	})
	return have, want, err
}

// read makes the Markdown of a table's file.
func read(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var t table
	if err := d.Decode(&t); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	if t.Command == "" || t.Measured == "" || len(t.Rows) == 0 {
		return "", fmt.Errorf("%s: lacks command, measured or rows", path)
	}
	var out strings.Builder
	for _, c := range t.Columns {
		out.WriteString("| " + c.Head + " ")
	}
	out.WriteString("|\n" + strings.Repeat("|---", len(t.Columns)) + "|\n")
	for i, row := range t.Rows {
		for _, c := range t.Columns {
			cell, err := c.of(row)
			if err != nil {
				return "", fmt.Errorf("%s: row %d, %s: %w", path, i+1, c.Head, err)
			}
			out.WriteString("| " + cell + " ")
		}
		out.WriteString("|\n")
	}
	return out.String(), nil
}

// of makes the cell of a row.
func (c column) of(row map[string]any) (string, error) {
	var err error
	missing := false
	cell := field.ReplaceAllStringFunc(c.Cell, func(s string) string {
		m := field.FindStringSubmatch(s)
		switch v := row[m[1]].(type) {
		case nil:
			missing = true
		case string:
			return v
		case float64:
			if m[2] == "" {
				return fmt.Sprint(v)
			}
			text := fmt.Sprintf("%"+m[2], v)
			if v < 0 {
				text = strings.Replace(text, "-", "−", 1)
			}
			return text
		default:
			err = fmt.Errorf("%s is neither number nor text", m[1])
		}
		return ""
	})
	if missing {
		return "–", err
	}
	return cell, err
}
