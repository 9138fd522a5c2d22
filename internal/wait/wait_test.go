package wait_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"barrow/internal/wait"
)

func ExampleReader() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	silent, _ := io.Pipe()
	_, err := wait.Reader(ctx, silent).Read(make([]byte, 8))
	fmt.Println(err)
	// Output: context deadline exceeded
}

func TestReader(t *testing.T) {
	text := strings.Repeat("what is read is what was there; ", 10_000)
	ctx, cancel := context.WithCancel(context.Background())
	r := wait.Reader(ctx, strings.NewReader(text))
	if b, err := io.ReadAll(r); err != nil || string(b) != text {
		t.Errorf("%d of %d bytes, %v", len(b), len(text), err)
	}
	cancel()
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of the context: %v", err)
	}
}
