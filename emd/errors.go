package emd

import "fmt"

// A MassError names an entry that is no mass: negative, NaN or infinite.
type MassError struct {
	Image string // "p" or "q"
	Cell  int    // counting from 0
	Mass  float64
}

func (e *MassError) Error() string {
	return fmt.Sprintf("emd: %s[%d] = %v: a mass must be finite and not negative", e.Image, e.Cell, e.Mass)
}

// A TotalError reports totals that differ where Settings.Unequal is
// UnequalError.
type TotalError struct{ P, Q float64 }

func (e *TotalError) Error() string {
	return fmt.Sprintf("emd: the totals of p, %g, and q, %g, differ; normalise them, or have unequal totals normalised or penalised", e.P, e.Q)
}

// A RowError names the row that an error is about: a pair of a Batch, an image of an Index, or one
// that neighbours are searched for.
type RowError struct {
	Row int // counting from 0
	Err error
}

func (e *RowError) Error() string { return fmt.Sprintf("emd: row %d: %s", e.Row, trimPrefix(e.Err)) }

// Unwrap is the error of that pair.
func (e *RowError) Unwrap() error { return e.Err }

// An ImageError says which image of an [Index] another one could not be compared with.
type ImageError struct {
	Row int // counting from 0
	Err error
}

func (e *ImageError) Error() string {
	return fmt.Sprintf("emd: image %d of the index: %s", e.Row, trimPrefix(e.Err))
}

// Unwrap is the error of the pair.
func (e *ImageError) Unwrap() error { return e.Err }

// trimPrefix is the message without the package's name, which the wrapping
// error already bears.
func trimPrefix(err error) string {
	s := err.Error()
	const prefix = "emd: "
	if len(s) > len(prefix) && s[:len(prefix)] == prefix {
		return s[len(prefix):]
	}
	return s
}

// A PivotError reports a solve that reached the bound on simplex steps. The
// flow and potentials it had reached are feasible, so the distance lies
// between Certificate.Dual and Certificate.Primal, up to rounding. Plan, F and H are as
// [Solver.Solve] would return them.
type PivotError struct {
	Pivots      int
	Certificate Certificate
	Plan        []Arc
	F, H        []float64
}

func (e *PivotError) Error() string {
	return fmt.Sprintf("emd: no optimum after %d pivots: the distance is between %.17g and %.17g (%s)",
		e.Pivots, e.Certificate.Dual, e.Certificate.Primal, e.Certificate)
}
