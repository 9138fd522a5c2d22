package tensorflow

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"barrow/model/tensorflow/internal/graphpb"
)

// maxFile is the size of the largest graph that TensorFlow itself can write.
const maxFile = 2 << 30

// maxNodes bounds the nodes of a graph; the largest of CMS's has some 200.
const maxNodes = 1 << 16

// A frozen is a graph that was read and checked: its nodes in an order in which they
// can be computed.
type frozen struct {
	nodes  []*node
	inputs []*node // placeholders, in the file's order
	output *node
}

// A node is an operation with those that it takes values from.
type node struct {
	*graphpb.NodeDef
	in    []*node
	state int  // 0 not seen, 1 being looked at, 2 in order
	fixed bool // whether its value is the same whatever the input
	used  int  // how many nodes take its value
}

// textual is how a graph in text begins, comments apart.
var textual = regexp.MustCompile(`^(\s|#[^\n]*\n)*(node|library|versions)\s*:?\s*[{<]`)

// recognise: a binary graph begins with the first node (field 1) and in it with
// the name (field 1) of the node.
func recognise(head []byte) bool {
	if textual.Match(head) {
		return true
	}
	if len(head) < 4 || head[0] != 0x0a {
		return false
	}
	at := 1
	for at < len(head) && at < 6 && head[at]&0x80 != 0 {
		at++
	}
	at++
	if at+2 >= len(head) || head[at] != 0x0a {
		return false
	}
	n := int(head[at+1])
	if n == 0 || n >= 0x80 || at+2+n+1 >= len(head) {
		return false
	}
	// Then its operation (field 2), a word.
	rest := head[at+2+n:]
	return nodeName.Match(head[at+2:at+2+n]) && rest[0] == 0x12 && rest[1] > 0 && len(rest) > 2 && 'A' <= rest[2] && rest[2] <= 'Z'
}

var nodeName = regexp.MustCompile(`^[A-Za-z0-9.][A-Za-z0-9_>./\\-]*$`)

func readFile(path string) (*frozen, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("tensorflow: %w", err)
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("tensorflow: %s: %d bytes; a graph has at most %d", path, info.Size(), int64(maxFile))
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("tensorflow: %w", err)
	}
	g, err := parse(raw)
	if err != nil {
		return nil, fmt.Errorf("tensorflow: %s: %w", path, err)
	}
	return g, nil
}

// parse reads a graph, binary or text.
func parse(raw []byte) (*frozen, error) {
	def := &graphpb.GraphDef{}
	var err error
	if textual.Match(raw[:min(len(raw), 1<<16)]) {
		err = prototext.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(raw, def)
	} else {
		err = proto.Unmarshal(raw, def)
	}
	if err != nil {
		return nil, fmt.Errorf("no frozen graph: %s", strings.ReplaceAll(err.Error(), "\u00a0", " "))
	}
	return newFrozen(def)
}

func newFrozen(def *graphpb.GraphDef) (*frozen, error) {
	switch {
	case len(def.GetNode()) == 0:
		return nil, errors.New("a graph without nodes")
	case len(def.Node) > maxNodes:
		return nil, fmt.Errorf("a graph of %d nodes; at most %d are read", len(def.Node), maxNodes)
	case len(def.GetLibrary().GetFunction()) > 0:
		return nil, errors.New("a graph with functions: freeze it with convert_variables_to_constants_v2, which puts them in place")
	}
	byName := make(map[string]*node, len(def.Node))
	var all []*node
	g := &frozen{}
	for k, d := range def.Node {
		switch {
		case d.GetName() == "" || d.GetOp() == "":
			return nil, fmt.Errorf("node %d has no name or no operation", k)
		case byName[d.Name] != nil:
			return nil, fmt.Errorf("two nodes of the name %q", d.Name)
		}
		n := &node{NodeDef: d}
		byName[d.Name] = n
		all = append(all, n)
		if d.Op == "Placeholder" {
			g.inputs = append(g.inputs, n)
		}
		if d.Op != "NoOp" && d.Op != "Assert" {
			g.output = n
		}
	}
	for _, n := range all {
		if err := n.connect(byName); err != nil {
			return nil, err
		}
	}
	switch {
	case g.output == nil || g.output.Op == "Const" || g.output.Op == "Placeholder":
		return nil, errors.New("its last node, which is the output, computes nothing")
	case len(g.inputs) == 0:
		return nil, errors.New("a graph without an input (a node Placeholder)")
	}
	return g, g.order(g.output)
}

func (n *node) connect(byName map[string]*node) error {
	for _, name := range n.Input {
		control := strings.HasPrefix(name, "^")
		name, port, _ := strings.Cut(strings.TrimPrefix(name, "^"), ":")
		from := byName[name]
		switch {
		case from == nil:
			return fmt.Errorf("node %q (%s): its input %q is not in the graph", n.Name, n.Op, name)
		case port != "" && port != "0":
			return fmt.Errorf("node %q (%s): it takes output %s of node %q (%s), of which the first alone is computed", n.Name, n.Op, port, name, from.Op)
		case !control:
			n.in = append(n.in, from)
			from.used++
		}
	}
	return nil
}

// order lists all that the output needs, each node behind those that it takes
// values from, without recursion: graphs may be deep.
func (g *frozen) order(output *node) error {
	stack := []*node{output}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		if n.state == 2 {
			stack = stack[:len(stack)-1]
			continue
		}
		waits := false
		for _, from := range n.in {
			switch from.state {
			case 0:
				stack = append(stack, from)
				waits = true
			case 1:
				if !waits {
					return fmt.Errorf("node %q (%s): its value depends on itself, through node %q", n.Name, n.Op, from.Name)
				}
			}
		}
		n.state = 1
		if waits {
			continue
		}
		n.state = 2
		n.fixed = n.Op != "Placeholder"
		for _, from := range n.in {
			n.fixed = n.fixed && from.fixed
		}
		g.nodes = append(g.nodes, n)
		stack = stack[:len(stack)-1]
	}
	return nil
}

// failed says where an error is.
func (n *node) failed(err error) error {
	return fmt.Errorf("node %q (%s): %w", n.Name, n.Op, err)
}

// attr is the attribute of the name, with nil for none: its getters give zeros.
func (n *node) attr(name string) *graphpb.AttrValue { return n.GetAttr()[name] }

// texts tells whether the attribute is one of the words; an absent one is.
func (n *node) expect(name string, words ...string) error {
	a := n.attr(name)
	if a == nil {
		return nil
	}
	for _, w := range words {
		if bytes.Equal(a.GetS(), []byte(w)) {
			return nil
		}
	}
	return fmt.Errorf("its %s is %q; read is %s", name, a.GetS(), strings.Join(words, ", "))
}
