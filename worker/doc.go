// Package worker serves the library to programs of other languages: requests come
// as frames on one pipe, replies go back on another, and arrays lie in one file that
// both sides have mapped into memory, so that no row is ever written as text or sent
// through a pipe. "barrow worker" is this package on standard input and output; the
// Python package is its first client. The protocol is Barrow's own, docs/worker.md has
// it byte by byte.
//
// # What it serves
//
// Functions are called by name. Objects are opened from a recipe (params and arrays)
// under a handle, and their methods called until they are closed; opening prepares what
// many calls share, as a ground metric does. Each subject has a file here with its
// handlers and a line in the list in subjects.go:
//
//	var metric = subject{
//		functions: map[string]function{"metric.kernels": kernels},
//		kinds:     map[string]open{"metric": openMetric},
//	}
//
//	func openMetric(ctx context.Context, c *call) (object, error) {
//		var p struct{ Name string }            // params: unknown names are refused
//		if err := c.decode(&p); err != nil {
//			return object{}, err
//		}
//		d, err := in[float64](c, "distances", -1, -1) // any n×m; views end with the call
//		if err != nil {
//			return object{}, err
//		}
//		m := &solver{…slices.Clone(d)…}
//		return object{methods: map[string]function{"distance": m.distance}}, nil
//	}
//
//	func (m *solver) distance(ctx context.Context, c *call) error {
//		p, err := in[float64](c, "p", -1, m.n)
//		…
//		rows := c.shape("p")[0]
//		value, err := out[float64](c, "value", rows) // where the client wants it, or new
//		…
//		return c.answer(map[string]any{"kernel": "avx2"}) // params of the reply, if any
//	}
//
// An error that a handler returns is the client's mistake unless its type says
// otherwise (errors.go). Rows of errors are counted from call.row, the number of the
// call's first row in what the client's user handed over.
package worker
