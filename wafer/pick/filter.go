package pick

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"

	"barrow/internal/setting"
	"barrow/wafer"
)

// What an image has besides its columns.
const (
	rowVariable    = "row"
	chargeVariable = "charge"
	sumVariable    = "sum"
	missing        = "missing" // a function
)

// filter is an expression that selects images.
type filter struct {
	program *vm.Program
	machine vm.VM
	values  map[string]any
	uses    map[string]string // variable to column, "" for what an image has besides
	columns map[string]column
}

// column is a variable's, of the set being read.
type column struct {
	*wafer.Column
	words bool // whose texts are no numbers, whatever they look like
}

// Columns are the metadata columns that picking takes of those that there are: the
// ones that are given, in their order, and then others that Settings.Select uses. Both
// may be called by any name of a well-known column: see [New].
func Columns(s Settings, columns []string) ([]string, error) {
	if s.Columns == nil {
		return slices.Clone(columns), nil
	}
	take, err := given(s.Columns, columns)
	if err != nil || s.Select == "" {
		return take, err
	}
	f, err := newFilter(s.Select, columns)
	if err != nil {
		return nil, err
	}
	used := slices.Collect(maps.Values(f.uses))
	for _, name := range columns {
		if contains(used, name) && !contains(take, name) {
			take = append(take, name)
		}
	}
	return take, nil
}

// given are the columns that names mean.
func given(names, columns []string) ([]string, error) {
	given := []string{}
	for _, name := range names {
		of := find(name, columns)
		if of == "" {
			of = find(strings.TrimSpace(name), columns)
		}
		if of == "" {
			return nil, fmt.Errorf("pick: %w", noColumn(name, columns))
		}
		if contains(given, of) {
			return nil, fmt.Errorf("pick: the column %q is named twice", of)
		}
		given = append(given, of)
	}
	return given, nil
}

// newFilter compiles an expression over columns of these names.
func newFilter(text string, columns []string) (*filter, error) {
	f := &filter{values: map[string]any{}, uses: map[string]string{}, columns: map[string]column{}}
	tree, err := parser.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("pick: select: %w", err)
	}
	names := variables{map[string]bool{}, map[string]bool{}}
	ast.Walk(&tree.Node, names)
	env := types.Map{}
	for name := range names.used {
		if names.own[name] {
			continue
		}
		of := find(name, columns)
		switch {
		case of != "":
			env[name] = types.Any
		case name == rowVariable:
			env[name] = types.Int
		case name == chargeVariable:
			env[name] = types.Array(types.Float64)
		case name == sumVariable:
			env[name] = types.Float64
		default:
			return nil, fmt.Errorf("pick: select: %w, and of every image %s, %s and %s", noColumn(name, columns, rowVariable, chargeVariable, sumVariable), rowVariable, chargeVariable, sumVariable)
		}
		f.uses[name] = of
	}
	isMissing := expr.Function(missing, func(args ...any) (any, error) {
		switch v := args[0].(type) {
		case float64:
			return math.IsNaN(v), nil
		case string:
			return v == "", nil
		}
		return false, nil
	}, new(func(any) bool))
	if f.program, err = expr.Compile(text, append((&equality{}).options(), expr.Env(env), isMissing)...); err != nil {
		return nil, fmt.Errorf("pick: select: %w", err)
	}
	return f, nil
}

// variables are the names that an expression uses, and those of its own: of let, and
// the function missing.
type variables struct{ used, own map[string]bool }

func (v variables) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		if n.Value != "$env" {
			v.used[n.Value] = true
		}
	case *ast.MemberNode:
		if of, ok := n.Node.(*ast.IdentifierNode); ok && of.Value == "$env" {
			if name, ok := n.Property.(*ast.StringNode); ok {
				v.used[name.Value] = true
			}
		}
	case *ast.CallNode:
		if f, ok := n.Callee.(*ast.IdentifierNode); ok && f.Value == missing {
			v.own[missing] = true
		}
	case *ast.VariableDeclaratorNode:
		v.own[n.Name] = true
	}
}

// find is the column that a variable means: of its name, or the well-known one that
// it names under another of its names. "" where there is none.
func find(name string, columns []string) string {
	if contains(columns, name) {
		return name
	}
	for _, known := range wafer.KnownColumns() {
		if names := known.Names(); slices.Contains(names, name) {
			for _, other := range names {
				if contains(columns, other) {
					return other
				}
			}
		}
	}
	return ""
}

// noColumn is the error about a name that no column has, and none of the others that
// it could have been meant for.
func noColumn(name string, columns []string, others ...string) error {
	return fmt.Errorf("no column %q%s; there are %s", name, setting.Hint(strings.TrimSpace(name), slices.Concat(columns, others)), list(columns))
}

// start takes the columns of a set.
func (f *filter) start(s *wafer.Set) {
	for variable, name := range f.uses {
		if name != "" {
			f.columns[variable] = column{s.Column(name), wafer.IsWords(name)}
		}
	}
}

// holds tells whether the expression is true for image i of the set, whose number is
// row.
func (f *filter) holds(s *wafer.Set, i, row int) (bool, error) {
	for name, of := range f.uses {
		switch {
		case of != "":
			f.values[name] = value(f.columns[name], i)
		case name == rowVariable:
			f.values[name] = row
		case name == chargeVariable:
			f.values[name] = s.Image(i)
		case name == sumVariable:
			f.values[name] = wafer.Sum(s.Image(i))
		}
	}
	v, err := f.machine.Run(f.program, f.values)
	if err != nil {
		return false, fmt.Errorf("select: %w", err)
	}
	yes, ok := v.(bool)
	if !ok {
		return false, fmt.Errorf("select: it gives %v; want true or false: a comparison", v)
	}
	return yes, nil
}

// value is value i of a column as expressions have it: a number where it is one.
func value(c column, i int) any {
	switch {
	case c.Int != nil:
		return int(c.Int[i])
	case c.Text == nil:
		return c.Float[i]
	}
	text := c.Text[i]
	if c.words {
		return text
	}
	switch kind, ok := wafer.KindOf(text); {
	case !ok:
		return math.NaN()
	case kind == wafer.Whole:
		if v, err := strconv.Atoi(text); err == nil {
			return v
		}
	case kind == wafer.Number:
		if v, err := strconv.ParseFloat(text, 64); err == nil {
			return v
		}
	}
	return text
}

func contains(names []string, name string) bool { return slices.Contains(names, name) }

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
