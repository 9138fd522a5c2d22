package fewshot

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"testing"
)

// TestBits: tasks, new and aged, have the charges that they had when docs/meta.md's figures were made.
func TestBits(t *testing.T) {
	for k, want := range []uint64{0xd8e86eecbdf461a4, 0x4101f24676a84780, 0x30b4f9db31cf8d96, 0x5b8a12649393f26f, 0x3bc6b73613dd6b32, 0xb1423b119915456c} {
		task, set, err := findTask(t.Context(), 1, taskTrain, k, 40)
		if err != nil {
			t.Fatal(err)
		}
		h := fnv.New64a()
		for _, q := range set.Charge {
			h.Write(binary.LittleEndian.AppendUint64(nil, math.Float64bits(q)))
		}
		if got := h.Sum64(); got != want {
			t.Errorf("task %d, %s (%d hot): %#x, not %#x", k, task.Name(), task.Hot, got, want)
		}
	}
}
