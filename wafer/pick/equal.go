package pick

import (
	"fmt"
	"math"
	"reflect"
	"strconv"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm/runtime"
)

// The expression language says of values of different kinds that they are not equal.
// Of columns that is a slip nearly always, a number in quotation marks, which would
// select no image or all; so ==, != and in become functions that report it.

// What those functions are called: nothing that can be written in an expression.
const (
	equalFunction = "=="
	alikeFunction = "~="
)

// equality rewrites comparisons of what may be of any kind.
type equality struct {
	sides [][2]string // of each comparison, as written
}

// options make an expression use the functions.
func (e *equality) options() []expr.Option {
	return []expr.Option{
		expr.Patch(e),
		expr.Function(equalFunction, func(args ...any) (any, error) {
			a, b := args[0], args[1]
			if err := e.alike(a, b, args[2].(int)); err != nil {
				return false, err
			}
			return runtime.Equal(a, b), nil
		}, new(func(any, any, int) bool)),
		expr.Function(alikeFunction, func(args ...any) (any, error) {
			return args[0], e.alike(args[0], args[1], args[2].(int))
		}, new(func(any, any, int) any)),
	}
}

// alike reports values of different kinds. A missing number is like any.
func (e *equality) alike(a, b any, comparison int) error {
	x, y := sort(a), sort(b)
	if x == "" || y == "" || x == y {
		return nil
	}
	left, right := e.sides[comparison][0], e.sides[comparison][1]
	return fmt.Errorf("%s, %s, is compared with %s, %s: write numbers without quotation marks and texts in them; string(%s) is a text, whatever it looks like", side(left, a), x, side(right, b), y, left)
}

// side is an operand as written, with its value where that is another.
func side(written string, v any) string {
	value := fmt.Sprint(v)
	if text, ok := v.(string); ok {
		value = strconv.Quote(text)
	}
	if value == written {
		return value
	}
	return written + " = " + value
}

// sort is the kind of a value; "" for what is compared with any, or is checked by the
// expression language.
func sort(v any) string {
	switch v := v.(type) {
	case string:
		return "a text"
	case bool:
		return "a truth value"
	case int:
		return "a number"
	case float64:
		if !math.IsNaN(v) {
			return "a number"
		}
	}
	return ""
}

// Visit rewrites a == b, a != b, and a in [b, …] where all of these are of one kind.
func (e *equality) Visit(node *ast.Node) {
	n, ok := (*node).(*ast.BinaryNode)
	if !ok || n.Left.Type().Kind() != reflect.Interface && n.Right.Type().Kind() != reflect.Interface {
		return
	}
	switch n.Operator {
	case "==":
		ast.Patch(node, e.call(equalFunction, n, n.Right))
	case "!=":
		ast.Patch(node, &ast.UnaryNode{Operator: "!", Node: e.call(equalFunction, n, n.Right)})
	case "in":
		list, ok := n.Right.(*ast.ArrayNode)
		if !ok || len(list.Nodes) == 0 {
			return
		}
		first := list.Nodes[0]
		for _, item := range list.Nodes {
			if kind := literal(item); kind == "" || kind != literal(first) {
				return
			}
		}
		n.Left = e.call(alikeFunction, n, first)
	}
}

// call is a call of one of the functions for what stands in a comparison on the left,
// and right.
func (e *equality) call(function string, n *ast.BinaryNode, right ast.Node) ast.Node {
	e.sides = append(e.sides, [2]string{n.Left.String(), right.String()})
	call := &ast.CallNode{Callee: &ast.IdentifierNode{Value: function},
		Arguments: []ast.Node{n.Left, right, &ast.IntegerNode{Value: len(e.sides) - 1}}}
	call.SetLocation(n.Location())
	return call
}

// literal is the kind of what is written out; "" for anything else.
func literal(node ast.Node) string {
	switch n := node.(type) {
	case *ast.StringNode:
		return sort(n.Value)
	case *ast.IntegerNode, *ast.FloatNode:
		return sort(0)
	case *ast.UnaryNode:
		return literal(n.Node)
	}
	return ""
}
