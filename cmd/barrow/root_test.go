package main

import "testing"

// TestCommands: a command is found under its own name, alone as among all.
func TestCommands(t *testing.T) {
	for name := range commands() {
		for _, args := range [][]string{nil, {name}} {
			if cmd, _, err := newRoot(args...).Find([]string{name}); err != nil || cmd.Name() != name {
				t.Errorf("%s of newRoot(%q): %s, %v", name, args, cmd.Name(), err)
			}
		}
	}
}
