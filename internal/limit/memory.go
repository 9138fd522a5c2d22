package limit

import (
	"bytes"
	"math"
	"os"
	"strconv"
	"sync"
)

// assumed is the memory of a machine that does not say.
const assumed = 16e9

// Memory is how many bytes this process may use: the machine's memory, or the
// limit of the control group that it runs in. Where neither is known, as on
// systems other than Linux, 16 GB are assumed.
func Memory() float64 { return memory() }

var memory = sync.OnceValue(func() float64 {
	least := math.Inf(1)
	if b, err := os.ReadFile("/proc/meminfo"); err == nil {
		if kB, err := strconv.ParseFloat(field(b, "MemTotal:"), 64); err == nil {
			least = kB * 1024
		}
	}
	for _, name := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		if b, err := os.ReadFile(name); err == nil {
			if v, err := strconv.ParseFloat(string(bytes.TrimSpace(b)), 64); err == nil && v > 0 {
				least = math.Min(least, v)
			}
		}
	}
	if math.IsInf(least, 1) {
		return assumed
	}
	return least
})

// field returns the first word behind a key at the start of a line.
func field(text []byte, key string) string {
	for line := range bytes.Lines(text) {
		if rest, ok := bytes.CutPrefix(line, []byte(key)); ok {
			if words := bytes.Fields(rest); len(words) > 0 {
				return string(words[0])
			}
		}
	}
	return ""
}
