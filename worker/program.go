package worker

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"barrow/internal/version"
)

// program is what the worker says of itself, and what a client can be tried with.
var program = subject{
	functions: map[string]function{
		"version": func(_ context.Context, c *call) error {
			if err := c.decode(&struct{}{}); err != nil {
				return err
			}
			return c.answer(version.Current())
		},
		"echo": echo,
		"wait": wait,
	},
	kinds: map[string]open{"echo": openEcho},
}

// echo gives the arrays of the request and its params back.
func echo(_ context.Context, c *call) error {
	if err := c.decode(&map[string]any{}); err != nil {
		return err
	}
	for i := range c.in {
		if err := returns(c, &c.in[i], c.arena.bytes(&c.in[i])); err != nil {
			return err
		}
	}
	c.reply = c.params
	return nil
}

// returns gives an array back that has the name, type and shape of one of a request.
func returns(c *call, a *array, b []byte) error {
	place, err := c.place(a.name, a.dtype, a.shape)
	if err != nil {
		return err
	}
	copy(c.arena.bytes(place), b)
	return nil
}

// openEcho makes an object that keeps the arrays and params of its recipe.
func openEcho(_ context.Context, c *call) (object, error) {
	if err := c.decode(&map[string]any{}); err != nil {
		return object{}, err
	}
	arrays, params := slices.Clone(c.in), bytes.Clone(c.params)
	kept := make([][]byte, len(arrays))
	for i := range arrays {
		kept[i] = bytes.Clone(c.arena.bytes(&arrays[i]))
	}
	recipe := func(_ context.Context, c *call) error {
		for i := range arrays {
			if err := returns(c, &arrays[i], kept[i]); err != nil {
				return err
			}
		}
		c.reply = params
		return nil
	}
	return object{methods: map[string]function{"echo": echo, "recipe": recipe}}, nil
}

// wait does nothing for some seconds: what a client does meanwhile can be tried.
func wait(ctx context.Context, c *call) error {
	var p struct {
		Seconds float64 `json:"seconds"`
	}
	if err := c.decode(&p); err != nil {
		return err
	}
	if !(p.Seconds >= 0 && p.Seconds <= 3600) {
		return fmt.Errorf("worker: wait for %v seconds: want 0 to 3600", p.Seconds)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Duration(p.Seconds * float64(time.Second))):
		return nil
	}
}
