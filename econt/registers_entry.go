package econt

import (
	"fmt"
	"math/big"
	"strings"

	"gopkg.in/yaml.v3"
)

// entry is one key of a mapping.
type entry struct {
	key  string
	path string
	node *yaml.Node
	star bool // stands for all channels or inputs
}

// entries lists a mapping's keys in order and rejects repetitions.
func entries(n *yaml.Node, path string) ([]entry, error) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Tag == "!!null" && path != "" {
		return nil, nil // a block with nothing in it
	}
	if n.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("line %d: %s: want a mapping", n.Line, orFile(path))
	}
	var list []entry
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if k.Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("line %d: %s: a key is not a scalar", k.Line, orFile(path))
		}
		p := k.Value
		if path != "" {
			p = path + "." + k.Value
		}
		if seen[k.Value] {
			return nil, fmt.Errorf("line %d: %s is given twice; what changes registers belongs in a file of its own, read after the one that it changes", k.Line, p)
		}
		seen[k.Value] = true
		v := n.Content[i+1]
		if v.Kind == yaml.AliasNode {
			v = v.Alias
		}
		list = append(list, entry{key: k.Value, path: p, node: v})
	}
	return list, nil
}

func orFile(path string) string {
	if path == "" {
		return "the file"
	}
	return path
}

// number reads an integer in YAML's spellings, of any size.
func (e entry) number() (*big.Int, error) {
	if e.node.Kind != yaml.ScalarNode {
		return nil, fmt.Errorf("line %d: %s: want a number", e.node.Line, e.path)
	}
	if len(e.node.Value) > 4096 {
		return nil, fmt.Errorf("line %d: %s: number of %d digits", e.node.Line, e.path, len(e.node.Value))
	}
	v, ok := new(big.Int).SetString(strings.ReplaceAll(e.node.Value, "_", ""), 0)
	if !ok {
		return nil, fmt.Errorf("line %d: %s: %q is not an integer", e.node.Line, e.path, e.node.Value)
	}
	return v, nil
}

// upTo reads an integer from 0 to most.
func (e entry) upTo(most uint64) (uint64, error) {
	v, err := e.number()
	if err != nil {
		return 0, err
	}
	if v.Sign() < 0 || !v.IsUint64() || v.Uint64() > most {
		return 0, fmt.Errorf("line %d: %s is %s: want 0 to %d", e.node.Line, e.path, v, most)
	}
	return v.Uint64(), nil
}

func (e entry) unknown() error {
	return fmt.Errorf("line %d: unknown key %s", e.node.Line, e.path)
}

// indices reads a key that is a number below n, or * for all.
func (e entry) indices(n int) ([]int, error) {
	if e.key != "*" {
		i, err := e.index(n)
		return []int{i}, err
	}
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all, nil
}

// index reads a key that is a number below n.
func (e entry) index(n int) (int, error) {
	i := 0
	if e.key == "" || len(e.key) > 2 {
		return 0, e.unknown()
	}
	for _, c := range []byte(e.key) {
		if c < '0' || c > '9' {
			return 0, e.unknown()
		}
		i = 10*i + int(c-'0')
	}
	if i >= n {
		return 0, fmt.Errorf("line %d: %s: want 0 to %d", e.node.Line, e.path, n-1)
	}
	return i, nil
}
