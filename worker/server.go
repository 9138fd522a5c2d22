package worker

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"barrow/internal/version"
)

// Serve answers requests until the input ends, which is how a client says goodbye: then
// the error is nil. It is an error if the two sides cannot understand each other: no
// greeting, another version of the protocol, something that is no frame. All other
// errors are the client's to know and are sent to it. The descriptor of the mapped file
// comes with the greeting, and the number of the client's process, with which Serve ends,
// too: a child of the client's may live on and hold the pipe open.
//
// When ctx ends, a request that is being carried out has a second to end, too; Serve
// returns ctx's error, though the input may still be read from. Whatever the end,
// objects are closed, so that no half of a file stays.
func Serve(ctx context.Context, r io.Reader, w io.Writer) error {
	return newServer(all()).run(ctx, r, w)
}

func newServer(s subject) *server {
	return &server{subject: s, objects: map[uint64]object{}, turn: make(chan struct{}, 1), patience: time.Minute}
}

// What ends a conversation that its input does not end.
var (
	errSilent = errors.New("worker: nobody has greeted: this is nothing to type at, docs/worker.md has the protocol")
	errGone   = errors.New("worker: the client's process has ended")
)

func (s *server) run(ctx context.Context, r io.Reader, w io.Writer) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s.cancel, s.silence = cancel, time.AfterFunc(s.patience, func() { cancel(errSilent) })
	defer s.silence.Stop()
	ended := make(chan error, 1)
	go func() { ended <- s.converse(ctx, r, w) }()
	select {
	case err := <-ended:
		return errors.Join(err, s.end())
	case <-ctx.Done():
	}
	why := context.Cause(ctx)
	if why == errGone {
		why = nil // as at the end of the input
	}
	select {
	case s.turn <- struct{}{}: // and never let go
		return errors.Join(why, s.end())
	case <-time.After(time.Second):
		return why
	}
}

// end closes what is open.
func (s *server) end() error {
	var errs []error
	for handle := range s.objects {
		errs = append(errs, s.close(handle))
	}
	return errors.Join(append(errs, s.arena.close())...)
}

// converse answers until the input ends.
func (s *server) converse(ctx context.Context, r io.Reader, w io.Writer) error {
	// A thread of its own: waking it up again is all that a request costs.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	in := bufio.NewReaderSize(attentive(r), 64<<10)
	for {
		frame, err := s.read(in)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		s.turn <- struct{}{}
		fatal := s.serve(ctx, frame)
		s.buffer = s.reply.appendTo(s.buffer[:0])
		<-s.turn
		if _, err := w.Write(s.buffer); err != nil {
			return fmt.Errorf("worker: the reply: %w", err)
		}
		if fatal != nil {
			return fatal
		}
	}
}

// A server is the state of a conversation.
type server struct {
	subject subject
	arena   arena
	objects map[uint64]object
	handle  uint64        // the last one given
	turn    chan struct{} // held while a request is carried out

	cancel   context.CancelCauseFunc // ends the conversation
	silence  *time.Timer             // until the greeting,
	patience time.Duration           // for so long

	request request
	last    []byte // the frame that request is of, where it is worth comparing
	call    call
	reply   reply
	frame   []byte
	buffer  []byte
}

// read takes a frame off the input, without its length. io.EOF is the end between two
// frames; a frame that ends early is the end of a client, too: of one that was killed.
func (s *server) read(r *bufio.Reader) ([]byte, error) {
	head, err := r.Peek(4)
	if err != nil {
		if errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		return nil, fmt.Errorf("worker: the next request: %w", err)
	}
	n := int(binary.LittleEndian.Uint32(head))
	if n > maxFrame {
		return nil, fmt.Errorf("worker: a frame of %d bytes: there may be %d: this is not the protocol of docs/worker.md", n, maxFrame)
	}
	if _, err := r.Discard(4); err != nil {
		return nil, err
	}
	if n > cap(s.frame) || cap(s.frame) > 1<<20 {
		s.frame = make([]byte, n)
	}
	s.frame = s.frame[:n]
	if _, err := io.ReadFull(r, s.frame); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = io.EOF
		}
		return nil, err
	}
	return s.frame, nil
}

// serve carries one request out and leaves the reply; the error is one after which the
// conversation cannot go on.
func (s *server) serve(ctx context.Context, frame []byte) error {
	var err error
	if !s.request.again(frame, s.last) {
		s.last = s.last[:0]
		if err = parse(frame, &s.request); err == nil && len(frame) <= 4096 {
			s.last = append(s.last, frame...)
		}
	}
	s.reply = reply{id: s.request.id}
	if err == nil {
		err = s.carryOut(ctx)
	}
	s.reply.size = s.arena.size()
	if err == nil {
		return nil
	}
	f := describe(err, int(s.request.row), kindInput)
	s.reply = reply{id: s.request.id, failed: true, size: s.arena.size()}
	s.reply.params, err = json.Marshal(f)
	if err == nil && (f.Kind == kindProtocol || s.arena.file == nil) {
		return f
	}
	return err
}

// carryOut does what the request asks for. A panic of the library is an error of this
// request alone.
func (s *server) carryOut(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &failure{Kind: kindInternal, Message: fmt.Sprintf("worker: request %q: %v", s.request.name, p), Stack: string(debug.Stack())}
		}
	}()
	r, c := &s.request, &s.call
	if err := s.arena.settle(); err != nil {
		return err
	}
	if s.arena.file == nil && r.kind != typeHello {
		return fmt.Errorf("worker: request %q before the greeting", r.name)
	}
	if err := c.begin(r, &s.arena); err != nil {
		return err
	}
	switch r.kind {
	case typeHello:
		err = s.hello(ctx, c)
	case typeOpen:
		err = s.open(ctx, c)
	case typeClose:
		err = s.close(r.handle)
	case typeCall:
		var f function
		if f, err = s.function(r); err == nil {
			err = f(ctx, c)
		}
	}
	if err == nil {
		err = c.finish()
	}
	s.reply.arrays, s.reply.params = c.fresh, c.reply
	return err
}

// function is what a request calls.
func (s *server) function(r *request) (function, error) {
	there, what := s.subject.functions, "function"
	if r.handle != 0 {
		o, ok := s.objects[r.handle]
		if !ok {
			return nil, fmt.Errorf("worker: no object %d is open", r.handle)
		}
		there, what = o.methods, "method"
	}
	if f := there[r.name]; f != nil {
		return f, nil
	}
	return nil, unknown(what, r.name, there)
}

// hello begins the conversation.
func (s *server) hello(ctx context.Context, c *call) error {
	var p struct {
		Client     string  `json:"client"`
		Descriptor *uint64 `json:"descriptor"`
		PID        *int64  `json:"pid"`
	}
	// Later clients may say more in their greeting.
	if err := json.Unmarshal(c.params, &p); err != nil {
		return fmt.Errorf("worker: the greeting: %w", err)
	}
	if p.Descriptor == nil {
		return fmt.Errorf("worker: the greeting names no descriptor of the mapped file")
	}
	if p.PID != nil && (*p.PID < 1 || *p.PID > math.MaxInt32) {
		return fmt.Errorf("worker: the greeting's pid, %d, is the number of no process", *p.PID)
	}
	if err := s.arena.open(uintptr(*p.Descriptor)); err != nil {
		return err
	}
	s.silence.Stop()
	if p.PID != nil {
		go func() {
			if processEnds(ctx, int(*p.PID)) {
				s.cancel(errGone)
			}
		}()
	}
	return c.answer(map[string]any{
		"protocol": Protocol, "program": version.Current(),
		"functions": slices.Sorted(maps.Keys(s.subject.functions)), "kinds": slices.Sorted(maps.Keys(s.subject.kinds)),
	})
}

// open makes an object and gives it a handle.
func (s *server) open(ctx context.Context, c *call) error {
	f := s.subject.kinds[s.request.name]
	if f == nil {
		return unknown("kind of object", s.request.name, s.subject.kinds)
	}
	if handle := s.request.handle; handle != 0 {
		on, ok := s.objects[handle]
		if !ok {
			return fmt.Errorf("worker: no object %d is open", handle)
		}
		c.of = on.self
	}
	o, err := f(ctx, c)
	if err == nil {
		// An object whose opening fails has no handle that it could be closed by.
		if err = c.finish(); err != nil && o.close != nil {
			err = errors.Join(err, o.close())
		}
	}
	if err != nil {
		return err
	}
	s.handle++
	s.objects[s.handle], s.reply.handle = o, s.handle
	return nil
}

func (s *server) close(handle uint64) error {
	o, ok := s.objects[handle]
	if !ok {
		return fmt.Errorf("worker: no object %d is open", handle)
	}
	delete(s.objects, handle)
	if o.close == nil {
		return nil
	}
	return o.close()
}
