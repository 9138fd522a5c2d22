// Program protocols makes, of the finished run of a protocol, the table of docs/protocol.md, a file of
// docs/results:
//
//	go run ./docs/protocols -measured "2026-11-28, two cores" runs/ten > docs/results/protocol-ten.json
//	go run ./docs/protocols runs/spatial > docs/results/protocol-spatial.json
//	go run ./docs/protocols runs/spatial-ldm > docs/results/protocol-spatial-ldm.json
//	go run ./docs/tables
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"

	"barrow/run"
	"barrow/study/compare"
)

var (
	measured = flag.String("measured", "", "when and on what; the protocol's settings are added")
	command  = flag.String("command", "", "what made the run (default: the protocol and its data)")
)

func main() {
	flag.Parse()
	b, err := table(flag.Arg(0), *command, *measured)
	if err == nil {
		_, err = os.Stdout.Write(append(b, '\n'))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "protocols:", err)
		os.Exit(1)
	}
}

type column struct {
	Head string `json:"head"`
	Cell string `json:"cell"`
}

type file struct {
	Command  string           `json:"command"`
	Measured string           `json:"measured"`
	Columns  []column         `json:"columns"`
	Rows     []map[string]any `json:"rows"`
}

// table is a run's, as docs/tables reads it.
func table(folder, command, measured string) ([]byte, error) {
	var t compare.Table
	var times compare.Times
	if err := run.ReadJSON(folder, run.Results, &t); err != nil {
		return nil, err
	}
	if err := run.ReadJSON(folder, run.Times, &times); err != nil {
		return nil, err
	}
	list := t.Standings(&times)
	if list == nil {
		return nil, fmt.Errorf("%s holds no run of a protocol", folder)
	}
	if command == "" {
		command = "barrow compare --protocol " + t.Plan.Protocol.Name
		for _, name := range t.Plan.Data {
			command += " --data " + name
		}
	}
	f := file{Command: command, Measured: strings.TrimPrefix(fmt.Sprintf("%s; %d seeds, %d epochs, %d images to train on, %d held out", measured, t.Plan.Seeds, t.Plan.Epochs, t.Images[0], t.Images[2]), "; ")}
	// The columns of the page's tables that answer the questions: what is kept, what it costs, how sure it is.
	for _, want := range []struct {
		table int
		heads []string
	}{
		{0, []string{"contender", "mean EMD", "median", "95 %", "ratio to " + t.Plan.Protocol.Baseline, "lower?", "response", "resolution"}},
		{2, []string{"a step of training", "multiplications", "of the decoder", "bits of a frame", "front"}},
		{3, []string{"worst seed", "diverged", "ratio at best rates"}},
	} {
		from := list[want.table]
		for _, head := range want.heads {
			for c, col := range from.Columns {
				if col.Name != head {
					continue
				}
				key := fmt.Sprintf("c%d", len(f.Columns))
				f.Columns = append(f.Columns, column{head, "{" + key + "}"})
				for i, row := range from.Rows {
					if i == len(f.Rows) {
						f.Rows = append(f.Rows, map[string]any{})
					}
					f.Rows[i][key] = row[c]
				}
			}
		}
	}
	return json.MarshalIndent(f, "", " ")
}
