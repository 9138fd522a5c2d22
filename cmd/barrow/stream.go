package main

import "barrow/wafer"

// watchedReader says after every batch how many images it had.
type watchedReader struct {
	wafer.Reader
	after func(n int)
}

func (w watchedReader) Read(s *wafer.Set, n int) (int, error) {
	got, err := w.Reader.Read(s, n)
	if err == nil {
		w.after(got)
	}
	return got, err
}
