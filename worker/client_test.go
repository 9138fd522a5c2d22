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
	"math"
	"os"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A client is the other side, in Go: what docs/worker.md says a client does and no more.
type client struct {
	to   io.WriteCloser
	from io.Reader
	file *os.File
	ends chan error // what Serve returns

	id uint64
}

// dial starts a server on pipes and greets it.
func dial(tb testing.TB, s *server) *client {
	tb.Helper()
	c := raw(tb, s)
	if _, err := c.ask(typeHello, 0, "", nil, nil, c.greeting(tb)); err != nil {
		tb.Fatal(err)
	}
	return c
}

func (c *client) greeting(tb testing.TB) string {
	tb.Helper()
	// The server has the file for itself, as a process that inherits it has.
	fd, err := unix.Dup(int(c.file.Fd()))
	if err != nil {
		tb.Fatal(err)
	}
	return fmt.Sprintf(`{"client":"test","descriptor":%d}`, fd)
}

// raw starts a server and says nothing yet.
func raw(tb testing.TB, s *server) *client { return rawContext(context.Background(), tb, s) }

func rawContext(ctx context.Context, tb testing.TB, s *server) *client {
	tb.Helper()
	file, err := os.CreateTemp(tb.TempDir(), "mapped")
	if err != nil {
		tb.Fatal(err)
	}
	if err := file.Truncate(4096); err != nil {
		tb.Fatal(err)
	}
	there, to := io.Pipe()
	from, back := io.Pipe()
	c := &client{to: to, from: from, file: file, ends: make(chan error, 1)}
	go func() {
		err := s.run(ctx, there, back)
		back.Close()
		there.Close()
		c.ends <- err
	}()
	tb.Cleanup(func() { to.Close(); file.Close() })
	return c
}

func fresh() *server { return newServer(all()) }

// An answer is a reply as the client has it.
type answer struct {
	handle uint64
	size   uint64
	arrays []array
	params []byte
}

// ask sends a request and takes its reply; the error is the worker's *failure.
func (c *client) ask(kind uint16, handle uint64, name string, in, out []array, params string) (answer, error) {
	c.id++
	if err := c.send(frame(kind, c.id, handle, name, in, out, params)); err != nil {
		return answer{}, err
	}
	return c.hear()
}

func (c *client) send(frame []byte) error {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(frame)))
	_, err := c.to.Write(append(b, frame...))
	return err
}

func (c *client) hear() (answer, error) {
	le := binary.LittleEndian
	var head [4]byte
	if _, err := io.ReadFull(c.from, head[:]); err != nil {
		return answer{}, err
	}
	b := make([]byte, le.Uint32(head[:]))
	if _, err := io.ReadFull(c.from, b); err != nil {
		return answer{}, err
	}
	status, version, id := le.Uint16(b), le.Uint16(b[2:]), le.Uint64(b[4:])
	if version != Protocol {
		return answer{}, fmt.Errorf("a reply of version %d", version)
	}
	a := answer{size: le.Uint64(b[12:]), handle: le.Uint64(b[20:])}
	params, arrays := int(le.Uint32(b[28:])), int(le.Uint16(b[32:]))
	rest := b[replyHead:]
	for range arrays {
		x, more, err := parseArray(rest)
		if err != nil {
			return a, err
		}
		a.arrays, rest = append(a.arrays, x), more
	}
	if len(rest) != params {
		return a, fmt.Errorf("%d bytes of parameters, the head says %d", len(rest), params)
	}
	a.params = rest
	if status != 0 {
		f := &failure{}
		if err := json.Unmarshal(rest, f); err != nil {
			return a, err
		}
		return a, f
	}
	if id != c.id {
		return a, fmt.Errorf("the reply to request %d, not %d", id, c.id)
	}
	return a, nil
}

// frame is a request without its length.
func frame(kind uint16, id, handle uint64, name string, in, out []array, params string) []byte {
	le := binary.LittleEndian
	b := le.AppendUint16(nil, kind)
	b = le.AppendUint16(b, Protocol)
	b = le.AppendUint64(b, id)
	b = le.AppendUint64(b, handle)
	b = le.AppendUint64(b, 0)
	b = le.AppendUint32(b, uint32(len(params)))
	b = le.AppendUint16(b, uint16(len(name)))
	b = append(b, byte(len(in)), byte(len(out)))
	b = append(b, name...)
	for _, a := range in {
		b = a.appendTo(b)
	}
	for _, a := range out {
		b = a.appendTo(b)
	}
	return append(b, params...)
}

// put writes an array into the mapped file.
func put[T element](tb testing.TB, c *client, name string, offset int64, x []T, shape ...int) array {
	tb.Helper()
	a := array{name: name, offset: offset, dtype: dtypeOf[T](), shape: shape}
	if len(x) > 0 {
		b := unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), len(x)*int(unsafe.Sizeof(x[0])))
		if _, err := c.file.WriteAt(b, offset); err != nil {
			tb.Fatal(err)
		}
	}
	return a
}

// get reads an array of the mapped file.
func get[T element](tb testing.TB, c *client, a array) []T {
	tb.Helper()
	n := 1
	for _, d := range a.shape {
		n *= d
	}
	x := make([]T, n)
	if n > 0 {
		b := unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), n*int(unsafe.Sizeof(x[0])))
		if _, err := c.file.ReadAt(b, a.offset); err != nil {
			tb.Fatal(err)
		}
	}
	return x
}

func TestEcho(t *testing.T) {
	c := dial(t, fresh())
	p := put(t, c, "p", 0, []float64{1, 2.5, math.Pi, 4, 5, 6}, 2, 3)
	q := put(t, c, "q", 64, []uint16{7, 65535}, 2)
	e := put[int64](t, c, "e", 128, nil, 0, 9)
	for range 3 { // again and again: the same bytes
		a, err := c.ask(typeCall, 0, "echo", []array{p, q, e}, nil, `{"x": [1, 2]}`)
		if err != nil {
			t.Fatal(err)
		}
		if string(a.params) != `{"x": [1, 2]}` || len(a.arrays) != 3 || a.size < 4096 {
			t.Fatalf("reply %+v", a)
		}
		if x := get[float64](t, c, a.arrays[0]); a.arrays[0].name != "p" || x[2] != math.Pi || a.arrays[0].shape[1] != 3 {
			t.Errorf("p came back as %v %v", a.arrays[0], x)
		}
		if x := get[uint16](t, c, a.arrays[1]); x[1] != 65535 {
			t.Errorf("q came back as %v", x)
		}
		if s := a.arrays[2].shape; s[0] != 0 || s[1] != 9 {
			t.Errorf("e came back with the shape %v", s)
		}
		put(t, c, "p", 0, []float64{9}) // other numbers: the next reply has them
		p.shape = []int{2, 3}
		put(t, c, "q", 64, []uint16{7, 65535})
		if a, err = c.ask(typeCall, 0, "echo", []array{p, q}, nil, ""); err != nil || get[float64](t, c, a.arrays[0])[0] != 9 {
			t.Fatalf("p came back as %v, %v", a, err)
		}
	}
	// Where the client wants it.
	out := array{name: "p", offset: 1024, dtype: tFloat64, shape: []int{2, 3}}
	if a, err := c.ask(typeCall, 0, "echo", []array{p}, []array{out}, ""); err != nil || len(a.arrays) != 0 {
		t.Fatalf("reply %v, %v", a, err)
	}
	if x := get[float64](t, c, out); x[2] != math.Pi {
		t.Errorf("p came back as %v", x)
	}
	c.to.Close()
	if err := <-c.ends; err != nil {
		t.Errorf("the end of the input is an error: %v", err)
	}
}

// TestObjects holds recipes to what they opened.
func TestObjects(t *testing.T) {
	c := dial(t, fresh())
	p := put(t, c, "p", 0, []float32{1, 2, 3}, 3)
	o, err := c.ask(typeOpen, 0, "echo", []array{p}, nil, `{"k":1}`)
	if err != nil || o.handle == 0 {
		t.Fatal(o, err)
	}
	other, err := c.ask(typeOpen, 0, "echo", nil, nil, "")
	if err != nil || other.handle == o.handle {
		t.Fatal(other, err)
	}
	put(t, c, "", 0, []float32{7, 7, 7}, 3)
	a, err := c.ask(typeCall, o.handle, "recipe", nil, nil, "")
	if err != nil || string(a.params) != `{"k":1}` || get[float32](t, c, a.arrays[0])[1] != 2 {
		t.Fatal(a, err)
	}
	if _, err := c.ask(typeClose, o.handle, "", nil, nil, ""); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []uint16{typeCall, typeClose} {
		if _, err := c.ask(kind, o.handle, "recipe", nil, nil, ""); err == nil {
			t.Errorf("a closed object answers a request of type %d", kind)
		}
	}
	if _, err := c.ask(typeCall, other.handle, "recipe", nil, nil, ""); err != nil {
		t.Error(err)
	}
}

// TestGrowth has results and arrays that the file has no room for yet.
func TestGrowth(t *testing.T) {
	c := dial(t, fresh())
	n := 1 << 20
	if err := c.file.Truncate(int64(8 * n)); err != nil { // by the client's hand
		t.Fatal(err)
	}
	x := make([]float64, n)
	x[n-1] = 3
	p := put(t, c, "p", 0, x, n)
	a, err := c.ask(typeCall, 0, "echo", []array{p}, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	if y := get[float64](t, c, a.arrays[0]); y[n-1] != 3 || a.size < uint64(16*n) {
		t.Errorf("%v at the end, the file has %d bytes", y[n-1], a.size)
	}
}

// TestPanic says that a mistake in a handler is the end of one request only.
func TestPanic(t *testing.T) {
	s := fresh()
	s.subject.functions["fall"] = func(context.Context, *call) error { panic("over") }
	s.subject.functions["immense"] = func(_ context.Context, c *call) error {
		_, err := out[float64](c, "x", 1<<20, 1<<20, 1<<10)
		return err
	}
	c := dial(t, s)
	var f *failure
	if _, err := c.ask(typeCall, 0, "fall", nil, nil, ""); !errors.As(err, &f) || f.Kind != kindInternal || f.Message != `worker: request "fall": over` || f.Stack == "" {
		t.Errorf("a panic is told as %#v", err)
	}
	if _, err := c.ask(typeCall, 0, "immense", nil, nil, ""); !errors.As(err, &f) || f.Kind != kindInput {
		t.Errorf("8 PB of results: %v", err)
	}
	if _, err := c.ask(typeCall, 0, "version", nil, nil, ""); err != nil {
		t.Error(err)
	}
}

// TestClosed says that objects are closed whatever ends the conversation.
func TestClosed(t *testing.T) {
	for name, end := range map[string]func(c *client, cancel func()){
		"input":    func(c *client, _ func()) { c.to.Close() },
		"no frame": func(c *client, _ func()) { c.to.Write([]byte("no frame")) },
		"context":  func(_ *client, cancel func()) { cancel() },
		"context, at work": func(c *client, cancel func()) {
			c.send(frame(typeCall, 9, 0, "wait", nil, nil, `{"seconds":3600}`))
			cancel()
			c.hear()
		},
	} {
		s, closed := fresh(), make(chan bool, 1)
		s.subject.kinds["door"] = func(context.Context, *call) (object, error) {
			return object{close: func() error { closed <- true; return nil }}, nil
		}
		ctx, cancel := context.WithCancel(context.Background())
		c := rawContext(ctx, t, s)
		if _, err := c.ask(typeHello, 0, "", nil, nil, c.greeting(t)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.ask(typeOpen, 0, "door", nil, nil, ""); err != nil {
			t.Fatal(err)
		}
		end(c, cancel)
		err := <-c.ends
		select {
		case <-closed:
		default:
			t.Errorf("%s: the object is still open, the end was %v", name, err)
		}
		cancel()
	}
}

// TestSealed says that nobody can cut the file off under the worker's feet.
func TestSealed(t *testing.T) {
	fd, err := memory()
	if err != nil {
		t.Skip("files in memory that can be sealed: ", err)
	}
	c := raw(t, fresh())
	c.file = os.NewFile(uintptr(fd), "memory")
	if err := c.file.Truncate(1 << 16); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ask(typeHello, 0, "", nil, nil, c.greeting(t)); err != nil {
		t.Fatal(err)
	}
	if err := c.file.Truncate(0); err == nil {
		t.Error("the mapped file can be cut off")
	}
	if err := c.file.Truncate(1 << 17); err != nil {
		t.Errorf("the mapped file cannot grow: %v", err)
	}
}

// Example is a conversation: the greeting, and one call with an array.
func Example() {
	file, _ := os.CreateTemp("", "mapped")
	defer os.Remove(file.Name())
	file.Write(bytes.Repeat([]byte{0, 0, 0, 0, 0, 0, 0xf8, 0x3f}, 3)) // 1.5, three times
	there, to := io.Pipe()
	from, back := io.Pipe()
	go Serve(context.Background(), there, back)

	c := &client{to: to, from: from, file: file}
	c.ask(typeHello, 0, "", nil, nil, fmt.Sprintf(`{"client":"example","descriptor":%d}`, file.Fd()))
	p := array{name: "p", offset: 0, dtype: tFloat64, shape: []int{3}}
	a, err := c.ask(typeCall, 0, "echo", []array{p}, nil, `{"n":3}`)
	fmt.Println(string(a.params), a.arrays[0].name, a.arrays[0].shape, err)
	_, err = c.ask(typeCall, 7, "echo", nil, nil, "")
	fmt.Println(err)
	// Output:
	// {"n":3} p [3] <nil>
	// worker: no object 7 is open
}
