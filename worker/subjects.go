package worker

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A function is a handler: it fills the call's results.
type function func(ctx context.Context, c *call) error

// An open makes an object of the recipe in the call. What it keeps of the call's arrays
// it copies.
type open func(ctx context.Context, c *call) (object, error)

// An object has methods; close is called, where there is one, when the client closes it.
// self is what objects that are opened on this one get to see as their call's of.
type object struct {
	methods map[string]function
	close   func() error
	self    any
}

// A subject is part of the library as served. Names are the subject's with the thing's,
// "simulate.images", or the subject's alone.
type subject struct {
	functions map[string]function
	kinds     map[string]open
}

// subjects are all that is served.
func subjects() []subject {
	return []subject{
		program,
		transport,
		simulation,
		files,
		networks,
		losses,
		chips,
	}
}

// all are the subjects as one; a name that two have is a mistake in this program.
func all() subject {
	s := subject{functions: map[string]function{}, kinds: map[string]open{}}
	for _, one := range subjects() {
		for name, f := range one.functions {
			if s.functions[name] != nil {
				panic(fmt.Sprintf("worker: two functions %q", name))
			}
			s.functions[name] = f
		}
		for name, f := range one.kinds {
			if s.kinds[name] != nil {
				panic(fmt.Sprintf("worker: two kinds %q", name))
			}
			s.kinds[name] = f
		}
	}
	return s
}

// unknown says that there is nothing of a name, and what there is.
func unknown[V any](what, name string, there map[string]V) error {
	return fmt.Errorf("worker: no %s %q; there are: %s", what, name, strings.Join(slices.Sorted(maps.Keys(there)), ", "))
}
