//go:build unix

package worker

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"barrow/emd"
)

// TestRefusals has requests that are wrong: an error each, and the conversation goes on.
func TestRefusals(t *testing.T) {
	c := dial(t, fresh())
	a := func(name string, offset int64, d dtype, shape ...int) array {
		return array{name: name, offset: offset, dtype: d, shape: shape}
	}
	p := a("p", 0, tFloat64, 3)
	call := func(in, out []array) []byte { return frame(typeCall, 1, 0, "echo", in, out, "") }
	cases := map[string]struct {
		frame []byte
		want  string
	}{
		"nothing":         {nil, "a frame of 0 bytes"},
		"short":           {make([]byte, requestHead-1), "a frame of 35 bytes"},
		"type":            {frame(9, 1, 0, "echo", nil, nil, ""), "request of type 9"},
		"function":        {frame(typeCall, 1, 0, "echo.echo", nil, nil, ""), `no function "echo.echo"; there are: echo`},
		"kind":            {frame(typeOpen, 1, 0, "ech", nil, nil, ""), `no kind of object "ech"`},
		"object":          {frame(typeCall, 1, 7, "echo", nil, nil, ""), "no object 7 is open"},
		"params":          {frame(typeCall, 1, 0, "version", nil, nil, `{"a":1}`), `unknown field "a"`},
		"more params":     {frame(typeCall, 1, 0, "version", nil, nil, `{} {}`), "something follows"},
		"bracket":         {frame(typeCall, 1, 0, "version", nil, nil, `{} }`), "something follows"},
		"square bracket":  {frame(typeCall, 1, 0, "version", nil, nil, `{}]`), "something follows"},
		"null":            {frame(typeCall, 1, 0, "version", nil, nil, ` null`), "parameters: null: want an object"},
		"no params":       {frame(typeCall, 1, 0, "version", nil, nil, `{`), "parameters: unexpected EOF"},
		"behind the file": {call([]array{a("p", 4000, tFloat64, 13)}, nil), "ends at byte 4104, the mapped file at 4096"},
		"far behind":      {call([]array{a("p", 1<<59, tFloat64, 13)}, nil), "the mapped file at 4096"},
		"offset":          {call([]array{a("p", math.MinInt64, tFloat64, 3)}, nil), `"p" lies at offset 9223372036854775808`},
		"between":         {call([]array{a("p", 4, tFloat64, 3)}, nil), `"p" lies at offset 4: want a multiple of 8`},
		"element":         {call([]array{a("p", 0, 77, 3)}, nil), `"p" has elements of type 77`},
		"no element":      {call([]array{a("p", 0, 0, 3)}, nil), `"p" has elements of type 0`},
		"immense":         {call([]array{a("p", 0, tFloat64, 1<<31, 1<<31, 1<<31)}, nil), "more than memory can hold"},
		"immense, empty":  {call([]array{a("p", 0, tFloat64, 1<<62, 0, 1<<62)}, nil), "more than memory can hold"},
		"negative":        {call([]array{a("p", 0, tFloat64, -3)}, nil), "more than memory can hold"},
		"dimensions":      {call([]array{a("p", 0, tFloat64, make([]int, 33)...)}, nil), "33 dimensions; there may be 32"},
		"twice":           {call([]array{p, p}, nil), `two arrays have the name "p"`},
		"result on array": {call([]array{p}, []array{a("p", 16, tFloat64, 3)}), `the result "p" lies on the array "p"`},
		"result twice":    {call(nil, []array{p, p}), `the result "p" lies on the result "p"`},
		"other result":    {call([]array{p}, []array{a("p", 64, tFloat64, 4)}), "has the shape [4], want [3]"},
		"other element":   {call([]array{p}, []array{a("p", 64, tFloat32, 3)}), "elements of float32, want float64"},
		"no result":       {call([]array{p}, []array{a("q", 64, tFloat64, 3)}), `no result "q"`},
		"greeting":        {frame(typeHello, 1, 0, "", nil, nil, `{"descriptor":0}`), "a second greeting"},
		"name":            {func() []byte { b := call(nil, nil); b[32] = 200; return b }(), "ends within the request's name"},
		"table":           {func() []byte { b := call(nil, nil); b[34] = 2; return b }(), "ends within the table"},
		"text":            {func() []byte { b := call(nil, nil); b[28] = 2; return b }(), "2 bytes of parameters are announced, the frame has 0"},
		"row":             {func() []byte { b := call(nil, nil); b[27] = 0x80; return b }(), "the first row is said to be number 9223372036854775808"},
	}
	for name, test := range cases {
		if err := c.send(test.frame); err != nil {
			t.Fatal(name, err)
		}
		_, err := c.hear()
		var f *failure
		if !errors.As(err, &f) || f.Kind != kindInput || !strings.HasPrefix(f.Message, "worker: ") || !strings.Contains(f.Message, test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
		if _, err := c.ask(typeCall, 0, "version", nil, nil, ""); err != nil {
			t.Fatalf("%s: then: %v", name, err)
		}
	}
}

// TestNoConversation has beginnings after which there is nothing more to say.
func TestNoConversation(t *testing.T) {
	version := frame(typeHello, 1, 0, "", nil, nil, `{"descriptor":0}`)
	version[2] = 9
	folder, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	theirs, err := unix.Dup(int(folder.Fd())) // the server closes it, some time
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		frame []byte
		want  string
	}{
		"version":       {version, "the client speaks version 9 of the protocol, this program version 1"},
		"no greeting":   {frame(typeCall, 1, 0, "version", nil, nil, ""), `request "version" before the greeting`},
		"no descriptor": {frame(typeHello, 1, 0, "", nil, nil, `{"client":"x"}`), "names no descriptor"},
		"descriptor":    {frame(typeHello, 1, 0, "", nil, nil, `{"descriptor":987654}`), "descriptor 987654 of the mapped file"},
		"folder":        {frame(typeHello, 1, 0, "", nil, nil, fmt.Sprintf(`{"descriptor":%d}`, theirs)), "no file that can be mapped"},
		"no object":     {frame(typeHello, 1, 0, "", nil, nil, `[]`), "the greeting: json"},
	}
	for name, test := range cases {
		c := raw(t, fresh())
		if err := c.send(test.frame); err != nil {
			t.Fatal(name, err)
		}
		if _, err := c.hear(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: the reply is %v, want %q", name, err, test.want)
		}
		if err := <-c.ends; err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: the end is %v, want %q", name, err, test.want)
		}
	}
}

// TestEnds has inputs that end early or are no frames.
func TestEnds(t *testing.T) {
	whole := frame(typeCall, 1, 0, "version", nil, nil, "")
	whole = append(binary.LittleEndian.AppendUint32(nil, uint32(len(whole))), whole...)
	for n := range whole {
		if err := Serve(context.Background(), bytes.NewReader(whole[:n]), io.Discard); err != nil {
			t.Errorf("a client that ended after %d bytes: %v", n, err)
		}
	}
	err := Serve(context.Background(), strings.NewReader("GET / HTTP/1.1\r\n\r\n"), io.Discard)
	if err == nil || !strings.Contains(err.Error(), "this is not the protocol of docs/worker.md") {
		t.Errorf("a browser: %v", err)
	}
	if err := Serve(context.Background(), bytes.NewReader(whole), closed{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a client that does not listen: %v", err)
	}
}

type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// TestErrors has the library's errors as the client gets them.
func TestErrors(t *testing.T) {
	row := func(err error) error { return &emd.RowError{Row: 2, Err: err} }
	number := func(p *int) int {
		if p == nil {
			return -1
		}
		return *p
	}
	_, missing := os.Open("/no/such/file")
	for _, test := range []struct {
		err       error
		kind      string
		row, cell int
		message   string
	}{
		{errors.New("x: wrong"), kindInput, -1, -1, "x: wrong"},
		{row(&emd.MassError{Image: "p", Cell: 7, Mass: -1}), kindEMD, 102, 7, "emd: row 102: p[7] = -1: a mass must be finite and not negative"},
		{row(emd.ErrEmpty), kindEMD, 102, -1, "emd: row 102: no mass"},
		{&emd.MassError{Image: "q", Cell: 0, Mass: math.NaN()}, kindEMD, -1, 0, "emd: q[0] = NaN: a mass must be finite and not negative"},
		{&emd.TotalError{P: 1, Q: 2}, kindEMD, -1, -1, "emd: the totals"},
		{missing, kindFile, -1, -1, "open /no/such/file: no such file or directory"},
		{fileError(errors.New("f: what is in it")), kindFile, -1, -1, "f: what is in it"},
		{&failure{Kind: kindFile, Code: "EEXIST", Message: "f: as it is"}, kindFile, -1, -1, "f: as it is"},
		{&versionError{2}, kindProtocol, -1, -1, "worker: the client speaks version 2"},
	} {
		f := describe(test.err, 100, kindInput)
		if f.Kind != test.kind || number(f.Row) != test.row || number(f.Cell) != test.cell || !strings.HasPrefix(f.Message, test.message) {
			t.Errorf("%v: %s %d %d %q", test.err, f.Kind, number(f.Row), number(f.Cell), f.Message)
		}
		if again := describe(test.err, 100, kindInput); again.Message != f.Message || number(again.Row) != number(f.Row) {
			t.Errorf("%v: told again: row %d, %q", test.err, number(again.Row), again.Message)
		}
		if errors.Is(test.err, fs.ErrNotExist) && (f.Code != "ENOENT" || f.File != "/no/such/file") {
			t.Errorf("%v: code %q, file %q", test.err, f.Code, f.File)
		}
	}
}

// TestOpenFails has an object that is made, of which the client then wants a result that
// there is none of: it is closed again.
func TestOpenFails(t *testing.T) {
	s := fresh()
	closed := 0
	s.subject.kinds["closer"] = func(context.Context, *call) (object, error) {
		return object{close: func() error { closed++; return nil }}, nil
	}
	c := dial(t, s)
	room := array{name: "p", dtype: tFloat64, shape: []int{3}}
	if _, err := c.ask(typeOpen, 0, "closer", nil, []array{room}, ""); err == nil || !strings.Contains(err.Error(), `no result "p"`) {
		t.Error(err)
	}
	if closed != 1 {
		t.Errorf("closed %d times", closed)
	}
	if a, err := c.ask(typeOpen, 0, "closer", nil, nil, ""); err != nil || a.handle != 1 {
		t.Errorf("handle %d, %v: want the first", a.handle, err)
	}
}

// TestResultTwice has a handler that gives two results of one name.
func TestResultTwice(t *testing.T) {
	s := fresh()
	s.subject.functions["twice"] = func(_ context.Context, c *call) error {
		if _, err := out[float64](c, "p", 3); err != nil {
			return err
		}
		_, err := out[float64](c, "p", 3)
		return err
	}
	_, err := dial(t, s).ask(typeCall, 0, "twice", nil, nil, "")
	var f *failure
	if !errors.As(err, &f) || f.Kind != kindInternal || !strings.Contains(f.Message, `two results "p"`) {
		t.Error(err)
	}
}

// TestSettle has a mapping that cannot be dropped between two that can: none is tried again.
func TestSettle(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "mapped")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := file.Truncate(4096); err != nil {
		t.Fatal(err)
	}
	a := arena{}
	for i := range 3 {
		m, err := mapFile(file, 4096)
		if err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			if err := unmapFile(m); err != nil {
				t.Fatal(err)
			}
		}
		a.old = append(a.old, m)
	}
	last := a.old[2]
	if err := a.settle(); err == nil || len(a.old) != 0 {
		t.Errorf("%v; %d mappings are left", err, len(a.old))
	}
	if unmapFile(last) == nil {
		t.Error("the mapping behind the one that failed was left")
	}
	if err := a.settle(); err != nil {
		t.Error(err)
	}
}

// FuzzServe has frames of any bytes after the greeting and the opening of an object of each
// kind below: an error or an answer, and the conversation goes on.
func FuzzServe(f *testing.F) {
	at := func(name string, offset int64, d dtype, shape ...int) array {
		return array{name: name, offset: offset, dtype: d, shape: shape}
	}
	p, q := at("p", 64, tFloat32, 2, 3), at("p", 128, tFloat32, 2, 3)
	f.Add(frame(typeCall, 1, 0, "echo", []array{p}, nil, `{"x":1}`))
	f.Add(frame(typeCall, 1, 0, "echo", []array{p}, []array{q}, ""))
	f.Add(frame(typeOpen, 1, 0, "echo", []array{p, at("e", 0, tUint8, 0, 5)}, nil, "{}"))
	f.Add(frame(typeClose, 1, 1, "", nil, nil, ""))
	f.Add(frame(typeHello, 1, 0, "", nil, nil, `{"descriptor":0}`))
	f.Add(frame(typeCall, 1, 0, "echo", []array{at("p", 4096, tUint64, 1<<40, 1<<20)}, nil, ""))
	f.Add([]byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n........"))
	masses := []array{at("p", 0, tFloat64, 2, 3), at("q", 128, tFloat64, 2, 3)}
	f.Add(frame(typeCall, 1, 2, "gradient", masses, []array{at("value", 512, tFloat64, 2), at("dp", 576, tFloat64, 2, 3)}, ""))
	f.Add(frame(typeCall, 1, 2, "potentials", masses, []array{at("value", 512, tFloat64, 2), at("h", 576, tFloat64, 2, 3)}, ""))
	for _, method := range []string{"flow", "certificate"} {
		f.Add(frame(typeCall, 1, 2, method, masses, nil, ""))
	}
	single := []array{at("p", 0, tFloat64, 3), at("q", 128, tFloat64, 3)}
	f.Add(frame(typeCall, 1, 2, "solve", append(single, at("f0", 512, tFloat64, 3), at("h0", 512, tFloat64, 3)), nil, ""))
	f.Add(frame(typeCall, 1, 3, "rows", nil, nil, `{"from":0,"to":2}`))
	f.Add(frame(typeCall, 1, 4, "encode", []array{at("charge", 0, tFloat64, 2, 48)}, nil, ""))
	f.Add(frame(typeCall, 1, 4, "decode", []array{at("frames", 0, tUint16, 2, 26)}, nil, ""))
	for _, r := range fuzzRecipes {
		f.Add(frame(typeOpen, 1, r.of, r.kind, r.in, nil, r.params))
	}
	f.Add(frame(typeCall, 1, 1, "costs", nil, nil, ""))
	f.Add(frame(typeOpen, 1, 1, "emd", nil, nil, `{"unequal":"penalty","penalty":3,"empty":"skip"}`))
	f.Add(frame(typeOpen, 1, 0, "metric", []array{at("costs", 0, tFloat64, 3, 3)}, nil, `{"ground":"matrix","dtype":"float32"}`))
	f.Add(frame(typeOpen, 1, 0, "metric", []array{at("points", 0, tFloat64, 4, 3)}, nil, `{"ground":"points","periods":[0,1,2]}`))
	f.Add(frame(typeOpen, 1, 0, "metric", nil, nil, `{"ground":"grid","height":2,"width":3,"norm":"l1"}`))
	f.Add(frame(typeOpen, 1, 0, "emd.once", nil, nil, `{"max_pivots":3}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > maxFrame {
			return
		}
		c := dial(t, fuzzed())
		for _, r := range fuzzRecipes {
			put(t, c, "", 0, []float64{1, 0, 2, 2, 2, 0.5, 0.5, 0, 0, 1, 2, 3})
			put(t, c, "", 256, []int64{0, 2, 3})
			if _, err := c.ask(typeOpen, r.of, r.kind, r.in, nil, r.params); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.send(b); err != nil {
			t.Fatal(err)
		}
		var told *failure
		_, err := c.hear()
		if err != nil && errors.As(err, &told) && told.Kind == kindInternal && !strings.Contains(told.Message, "cannot be gone on with") {
			t.Fatal(told.Message, told.Stack)
		}
		if told != nil && told.Kind == kindProtocol {
			return
		}
		if _, err := c.ask(typeCall, 0, "version", nil, nil, ""); err != nil {
			t.Fatalf("after %q (%v): %v", b, told, err)
		}
	})
}

// fuzzRecipes are the objects that are open when a frame of any bytes comes, 1 to 4.
var fuzzRecipes = []struct {
	kind   string
	of     uint64
	in     []array
	params string
}{
	{"metric", 0, []array{{name: "points", dtype: tFloat64, shape: []int{3, 2}}}, `{"ground":"points"}`},
	{"emd", 1, nil, `{"unequal":"normalise","threads":1}`},
	{"emd.events", 0, []array{
		{name: "particles0", dtype: tFloat64, shape: []int{3, 2}}, {name: "starts0", offset: 256, dtype: tInt64, shape: []int{3}},
	}, `{"r":2,"beta":1,"threads":1}`},
	{"econt.baseline", 0, nil, `{"algorithm":"BC","links":5}`},
}

// fuzzed serves what neither works long nor with files, whatever it is asked for.
func fuzzed() *server {
	s := fresh()
	for name := range s.subject.functions {
		if name != "echo" && name != "version" {
			delete(s.subject.functions, name)
		}
	}
	kinds := map[string]open{"echo": openEcho, "emd.once": openOnce}
	for _, r := range fuzzRecipes {
		opening := s.subject.kinds[r.kind]
		kinds[r.kind] = func(ctx context.Context, c *call) (object, error) {
			var p struct {
				Height, Width, Threads int
				Name, Model            string
			}
			if json.Unmarshal(c.params, &p) == nil && (max(p.Height, p.Width, p.Threads) > 16 || p.Model != "" || p.Name != "" && p.Name != "cmssw") {
				return object{}, errors.New("worker: not while fuzzing")
			}
			return opening(ctx, c)
		}
	}
	s.subject.kinds = kinds
	return s
}

// TestDecode has params of other types than are wanted: what is wrong in the client's words.
func TestDecode(t *testing.T) {
	var p struct {
		Text   string     `json:"text"`
		Flag   bool       `json:"flag"`
		Number float64    `json:"number"`
		Whole  *int       `json:"whole"`
		Count  uint8      `json:"count"`
		Pair   [2]float64 `json:"pair"`
		List   []struct {
			Inner string `json:"inner"`
		} `json:"list"`
	}
	for params, want := range map[string]string{
		`{"text":3}`:             "text: want a string",
		`{"flag":"no"}`:          "flag: want true or false",
		`{"number":[]}`:          "number: want a number",
		`{"whole":1.5}`:          "whole: want a whole number",
		`{"count":-1}`:           "count: want a whole number from 0 to 255",
		`{"count":256}`:          "count: want a whole number from 0 to 255",
		`{"pair":1}`:             "pair: want a list",
		`{"pair":["a"]}`:         "pair: want a number",
		`{"list":{}}`:            "list: want a list",
		`{"list":[3]}`:           "list: want an object",
		`{"list":[{"inner":3}]}`: "list.inner: want a string",
		`[]`:                     "parameters: want an object",
	} {
		if err := decode([]byte(params), &p); err == nil || err.Error() != "worker: "+want {
			t.Errorf("%s: error %v, want %q", params, err, want)
		}
	}
}
