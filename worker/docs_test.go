//go:build unix

package worker

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestDocs holds docs/worker.md to the code: the bytes of its example, and a line for all
// that is served, with the names of methods, params and arrays.
func TestDocs(t *testing.T) {
	b, err := os.ReadFile("../docs/worker.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	said := ""
	for _, m := range regexp.MustCompile(`(?m)^((?:[0-9a-f]{2} ?){1,16})(?:  .*)$`).FindAllStringSubmatch(text, -1) {
		said += strings.ReplaceAll(m[1], " ", "")
	}
	var want []byte
	p := array{name: "p", dtype: tFloat64, shape: []int{3}}
	for _, f := range [][]byte{
		frame(typeHello, 1, 0, "", nil, nil, `{"client":"example","descriptor":3}`),
		frame(typeCall, 2, 0, "echo", []array{p}, nil, `{"n":3}`),
	} {
		want = append(binary.LittleEndian.AppendUint32(want, uint32(len(f))), f...)
	}
	p.offset = alignment
	r := reply{id: 2, size: 1 << 20, arrays: []array{p}, params: []byte(`{"n":3}`)}
	want = r.appendTo(want)
	if said != hex.EncodeToString(want) {
		t.Errorf("the example has the bytes\n%s\nwant\n%x", said, want)
	}
	s := all()
	for _, name := range slices.Sorted(maps.Keys(s.functions)) {
		if !strings.Contains(text, "| `"+name+"(") {
			t.Errorf("the function %q is not in docs/worker.md", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.kinds)) {
		if !strings.Contains(text, "| kind `"+name+"` |") {
			t.Errorf("the kind %q is not in docs/worker.md", name)
		}
	}
	methods, words := served(t)
	for _, name := range methods {
		if _, function := s.functions[name]; !function && !strings.Contains(text, "·`"+name+"(") {
			t.Errorf("the method %q is not in docs/worker.md", name)
		}
	}
	if len(methods) < 20 || len(words) < 100 {
		t.Fatalf("%d methods and %d names of params and arrays found in the package", len(methods), len(words))
	}
	quoted := map[string]bool{}
	for _, code := range regexp.MustCompile("`[^`\n]+`").FindAllString(text, -1) {
		for _, word := range regexp.MustCompile(`[a-z_0-9]+`).FindAllString(code, -1) {
			quoted[word] = true
		}
	}
	for _, name := range words {
		if !quoted[name] {
			t.Errorf("the param or array %q is not in docs/worker.md", name)
		}
	}
}

// served are the names in the package's source of objects' methods, and of params and
// arrays: keys of maps of functions; fields' names in JSON, keys of answers, and what in,
// out and their like are asked for.
func served(t *testing.T) (methods, words []string) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	add := func(to *[]string, e ast.Expr) {
		if s, ok := e.(*ast.BasicLit); ok && s.Kind == token.STRING {
			if name, err := strconv.Unquote(s.Value); err == nil && !slices.Contains(*to, name) {
				*to = append(*to, name)
			}
		}
	}
	of := map[string]int{"in": 1, "out": 1, "rows": 1, "side": 1, "has": 0, "wants": 0}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || file == "protocol.go" {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Field:
				if n.Tag != nil {
					tag, _ := strconv.Unquote(n.Tag.Value)
					name, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
					add(&words, &ast.BasicLit{Kind: token.STRING, Value: strconv.Quote(name)})
				}
			case *ast.CompositeLit:
				m, ok := n.Type.(*ast.MapType)
				if !ok {
					break
				}
				to, value := &methods, fmt.Sprint(m.Value)
				switch {
				case value == "any":
					to = &words
				case value != "function":
					return true
				}
				for _, e := range n.Elts {
					add(to, e.(*ast.KeyValueExpr).Key)
				}
			case *ast.IndexExpr: // answer["end"] = …
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "answer" {
					add(&words, n.Index)
				}
			case *ast.CallExpr:
				f := n.Fun
				if x, ok := f.(*ast.IndexExpr); ok {
					f = x.X
				}
				if x, ok := f.(*ast.SelectorExpr); ok {
					f = x.Sel
				}
				if name, ok := f.(*ast.Ident); ok {
					if k, ok := of[name.Name]; ok && k < len(n.Args) {
						add(&words, n.Args[k])
					}
				}
			}
			return true
		})
	}
	return methods, words
}
