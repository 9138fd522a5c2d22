package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"barrow/internal/root"
	"barrow/internal/root/rntuple"
	"barrow/internal/root/ttree"
)

// branches are those that make wafers of an ntuple's trigger cells: peer.py's NEEDED.
func branches() []string {
	list := []string{"event", "tc_n"}
	for _, name := range strings.Fields("subdet zside layer waferu waferv wafertype cellu cellv data simenergy eta phi") {
		list = append(list, "tc_"+name)
	}
	return list
}

// ntuples measures 1,000 events of 3,000 trigger cells.
func (o *options) ntuples(dir string) ([]timing, error) {
	peer, err := startPeers(o.python, "BARROW_FILES_PYTHON")
	if err != nil {
		skipped("ntuples are", err)
		return nil, nil
	}
	defer peer.close()
	maker := peer
	if w, err := startPeers(o.rootPy, "BARROW_ROOT_PYTHON"); err != nil {
		skipped("ROOT is", err)
	} else {
		defer w.close()
		maker = w
	}
	version, err := peer.ask(request{Task: "version", Module: "uproot"})
	if err != nil {
		skipped("ntuples are", err)
		return nil, nil
	}
	barrow, err := startBarrow()
	if err != nil {
		return nil, err
	}
	defer barrow.close()
	var rows []timing
	for _, kind := range []string{"ttree", "rntuple"} {
		path, tree := filepath.Join(dir, kind+".root"), "ntuplizer/HGCalTriggerNtuple"
		if kind == "rntuple" {
			tree = "HGCalTriggerNtuple"
		}
		made, err := maker.ask(request{Task: "make", Path: path, Kind: kind})
		if err != nil {
			return nil, fmt.Errorf("making %s: %w", path, err)
		}
		r := request{Task: "uproot_arrays", Path: path, Tree: tree, Branches: branches(), How: "ak"}
		if r.How, err = best(peer, r, "ak", "np"); err != nil {
			return nil, err
		}
		read, wafers := r, r
		read.Task, wafers.Task = "columns", "images"
		a, err := race(o.rounds, side{barrow, read}, side{peer, r}, side{barrow, wafers})
		if err != nil {
			return nil, err
		}
		if a[0].Sum != a[1].Sum {
			return nil, fmt.Errorf("%s: tc_data sums to %v by Barrow and to %v by uproot", kind, a[0].Sum, a[1].Sum)
		}
		file := map[string]string{"ttree": "TTree", "rntuple": "RNTuple"}[kind] + " by " + made.By
		for i, what := range []string{"branches as they are", "", "branches to wafers"} {
			if i != 1 {
				rows = append(rows, timing{file, what, a[i].Seconds, version.By, a[1].Seconds, a[1].Seconds / a[i].Seconds, "0.67"})
			}
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// best is how a peer is fastest.
func best(w *worker, r request, ways ...string) (string, error) {
	way, least := "", 0.0
	for _, r.How = range ways {
		a, err := race(1, side{w, r})
		if err != nil {
			return "", err
		}
		if way == "" || a[0].Seconds < least {
			way, least = r.How, a[0].Seconds
		}
	}
	return way, nil
}

// columns reads columns of a tree or ntuple from front to back.
func columns(r request) (a answer, err error) {
	in, err := os.Open(r.Path)
	if err != nil {
		return a, err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return a, err
	}
	f, err := root.Open(in, info.Size())
	if err != nil {
		return a, err
	}
	key, err := f.Key(r.Tree)
	if err != nil {
		return a, err
	}
	var t root.Table
	if rntuple.Anchor(key) {
		t, err = rntuple.Open(f, key)
	} else {
		t, err = ttree.Open(f, key)
	}
	if err != nil {
		return a, err
	}
	const step = 50
	var values root.Array
	for _, name := range r.Branches {
		i, err := root.Find(t, name)
		if err != nil {
			return a, err
		}
		c, err := t.Reader(i)
		if err != nil {
			return a, err
		}
		for first := int64(0); first < t.Entries(); first += step {
			if err := c.Read(&values, first, int(min(step, t.Entries()-first))); err != nil {
				return a, err
			}
			if name == "tc_data" {
				for _, v := range values.Int {
					a.Sum += float64(v)
				}
			}
		}
	}
	return a, nil
}
