// Program files compares Barrow's reading of wafer files with other programs', and
// measures what memory conversions take; it prints two tables, or with --json one
// object a line:
//
//	go run ./bench/files [--json] [--python A] [--root-python B] [--only ntuples,tables,memory]
//
// The peers are uproot, pandas, NumPy, pyarrow and polars, whichever of them the
// interpreters have. Files are made first, those of ntuples by ROOT if B has it, else by
// uproot. Each side measures itself in a process of its own, one thread each, in turns:
// what it takes of the processor's time, which other processes disturb least. The
// figures are medians. The files have been read before, and are in memory.
//
// With --results FOLDER the tables are also written there, for docs/tables.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

type options struct {
	json              bool
	python, rootPy    string
	only              string
	rounds            int
	rows              int
	memoryRows, times int
	results, measured string
}

func main() {
	var o options
	worker := flag.Bool("worker", false, "measure on request (used by the program itself)")
	flag.BoolVar(&o.json, "json", false, "print one JSON object a line")
	flag.StringVar(&o.python, "python", os.Getenv("BARROW_FILES_PYTHON"), "Python interpreter with uproot, NumPy, pandas, pyarrow, polars")
	flag.StringVar(&o.rootPy, "root-python", os.Getenv("BARROW_ROOT_PYTHON"), "Python interpreter with ROOT, which makes the ntuples")
	flag.StringVar(&o.only, "only", "ntuples,tables,memory", "what to measure")
	flag.IntVar(&o.rounds, "rounds", 5, "repetitions, of which medians are taken")
	flag.IntVar(&o.rows, "rows", 200_000, "images of the tables that are read")
	flag.IntVar(&o.memoryRows, "memory-rows", 20_000, "images of the smaller conversion")
	flag.IntVar(&o.times, "memory-times", 20, "how much larger the other one is")
	flag.StringVar(&o.results, "results", "", "folder to write the tables to: bench-files.json, bench-files-memory.json")
	flag.StringVar(&o.measured, "measured", "", "when and where, for the files of --results")
	flag.Parse()
	err := error(nil)
	if *worker {
		err = serve()
	} else {
		err = o.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/files:", err)
		os.Exit(1)
	}
}

func (o *options) run() error {
	if o.rounds < 1 || o.rows < 1 || o.memoryRows < 1 || o.times < 1 {
		return fmt.Errorf("--rounds, --rows, --memory-rows and --memory-times must be at least 1")
	}
	if o.results != "" && o.measured == "" {
		return fmt.Errorf("--results needs --measured, when and where")
	}
	dir, err := os.MkdirTemp("", "barrow-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	only := strings.Split(o.only, ",")
	var times []timing
	if slices.Contains(only, "ntuples") {
		more, err := o.ntuples(dir)
		if err != nil {
			return err
		}
		times = append(times, more...)
	}
	if slices.Contains(only, "tables") {
		more, err := o.tables(dir)
		if err != nil {
			return err
		}
		times = append(times, more...)
	}
	if err := report(o, "bench-files.json", timingColumns, times); err != nil {
		return err
	}
	if slices.Contains(only, "memory") {
		peaks, err := o.memory(dir)
		if err != nil {
			return err
		}
		return report(o, "bench-files-memory.json", peakColumns, peaks)
	}
	return nil
}

// A timing is one line of the first table.
type timing struct {
	File   string  `json:"file"`
	What   string  `json:"what"`
	Barrow float64 `json:"barrow_s"`
	Peer   string  `json:"peer"`
	PeerS  float64 `json:"peer_s"`
	Ratio  float64 `json:"ratio"` // the peer's time over Barrow's
	Goal   string  `json:"goal,omitempty"`
}

var timingColumns = []column{
	{"file", "{file}"}, {"what", "{what}"}, {"Barrow, s", "{barrow_s:.3f}"}, {"beside", "{peer}"},
	{"s", "{peer_s:.3f}"}, {"ratio", "{ratio:.2f}"}, {"goal", "{goal}"},
}

// column is one of a table's, as docs/tables has them.
type column struct {
	Head string `json:"head"`
	Cell string `json:"cell"`
}

// report prints rows and writes them for docs/tables.
func report[T any](o *options, name string, columns []column, rows []T) error {
	if len(rows) == 0 {
		return nil
	}
	if o.json {
		for _, r := range rows {
			if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
				return err
			}
		}
	} else if err := printTable(columns, rows); err != nil {
		return err
	}
	if o.results == "" {
		return nil
	}
	text, err := json.MarshalIndent(map[string]any{
		"command": "go run ./bench/files", "measured": o.measured, "columns": columns, "rows": rows,
	}, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(o.results, name), append(text, '\n'), 0o644)
}

// printTable prints rows by their names in JSON.
func printTable[T any](columns []column, rows []T) error {
	var head, line strings.Builder
	for _, c := range columns {
		head.WriteString("| " + c.Head + " ")
		line.WriteString("|---")
	}
	fmt.Printf("%s|\n%s|\n", head.String(), line.String())
	for _, r := range rows {
		text, err := json.Marshal(r)
		if err != nil {
			return err
		}
		var figures map[string]any
		if err := json.Unmarshal(text, &figures); err != nil {
			return err
		}
		for _, c := range columns {
			name, verb, _ := strings.Cut(strings.Trim(c.Cell, "{}"), ":")
			switch v := figures[name].(type) {
			case nil:
				fmt.Print("| – ")
			case float64:
				fmt.Printf("| %"+verb+" ", v)
			default:
				fmt.Printf("| %v ", v)
			}
		}
		fmt.Println("|")
	}
	fmt.Println()
	return nil
}
