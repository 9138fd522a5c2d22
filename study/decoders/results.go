package decoders

import (
	"io"

	"barrow/evaluate"
	"barrow/run"
	"barrow/study/internal/page"
)

// Results are everything that a run found, without times: the same plan gives the same bytes.
type Results struct {
	Plan Plan  `json:"config"`
	Sets []Set `json:"sets"`
	Rows []Row `json:"rows"`
	// Winners leave least of a set on a number of links.
	Winners []Winner `json:"winners"`
	// Remarks are what makes the figures less than they seem.
	Remarks []string `json:"remarks,omitempty"`
}

// A Set says which images there were.
type Set struct {
	Name       string `json:"name"`
	Train      int    `json:"train"` // of a file's images; of simulated ones see the plan
	Validation int    `json:"validation"`
	HeldOut    int    `json:"held_out"`
}

// A Winner is the algorithm with the decoding that leaves least.
type Winner struct {
	Set       string            `json:"set"`
	Density   string            `json:"density"`
	Links     int               `json:"links"`
	Algorithm string            `json:"algorithm"`
	Decoding  evaluate.Decoding `json:"decoding"`
	EMD       float64           `json:"mean_emd"`
}

// results puts the table together.
func (w *work) results(list [][]Row) *Results {
	r := &Results{Plan: w.plan, Remarks: w.remarks}
	for _, x := range w.sets {
		s := Set{Name: x.name, Validation: x.validation.Len(), HeldOut: x.held.Len()}
		if x.train != nil {
			s.Train, s.Validation = x.train.Len(), x.stop.Len()+x.validation.Len()
		}
		r.Sets = append(r.Sets, s)
	}
	for _, rows := range list {
		r.Rows = append(r.Rows, rows...)
	}
	for i := range r.Rows {
		row := &r.Rows[i]
		now := Winner{row.Set, row.Density, row.Links, row.Algorithm, row.Best, row.emd(row.Best)}
		before := r.winner(row.Set, row.Density, row.Links)
		switch {
		case before == nil:
			r.Winners = append(r.Winners, now)
		case now.EMD < before.EMD:
			*before = now
		}
	}
	return r
}

// winner is that of a set's images on a number of links, nil if there is none.
func (r *Results) winner(set, density string, links int) *Winner {
	for k := range r.Winners {
		if w := &r.Winners[k]; w.Set == set && w.Density == density && w.Links == links {
			return w
		}
	}
	return nil
}

// finish writes what closes a run, the results last.
func (w *work) finish(r *Results, times *Times) error {
	if err := w.folder.WriteJSON(run.Times, times); err != nil {
		return err
	}
	if err := w.folder.Write(run.Tables, func(out io.Writer) error { return r.write(out) }); err != nil {
		return err
	}
	if err := page.Write(w.folder, lay(r)); err != nil {
		return err
	}
	return w.folder.WriteJSON(run.Results, r)
}
