package web

import (
	"slices"
	"sync"
)

// A cache keeps the values that were asked for last. One value is made at a time for a
// key; values of other keys need not wait for it.
type cache[K comparable, V any] struct {
	mu    sync.Mutex
	most  int
	slots []*slot[K, V] // asked for last at the end
}

type slot[K comparable, V any] struct {
	key   K
	mu    sync.Mutex
	made  bool
	value V
}

func newCache[K comparable, V any](most int) *cache[K, V] { return &cache[K, V]{most: most} }

// get is the value of a key, made if need be. Errors are not kept.
func (c *cache[K, V]) get(key K, make func() (V, error)) (V, error) {
	c.mu.Lock()
	i := slices.IndexFunc(c.slots, func(s *slot[K, V]) bool { return s.key == key })
	var s *slot[K, V]
	if i >= 0 {
		s = c.slots[i]
		c.slots = append(slices.Delete(c.slots, i, i+1), s)
	} else {
		s = &slot[K, V]{key: key}
		c.slots = append(c.slots, s)
		if len(c.slots) > c.most {
			c.slots = slices.Delete(c.slots, 0, 1)
		}
	}
	c.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made {
		return s.value, nil
	}
	v, err := make()
	if err == nil {
		s.value, s.made = v, true
	}
	return v, err
}
