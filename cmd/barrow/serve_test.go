package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestServe: the address that is printed answers until the command is interrupted, which is
// how it ends well.
func TestServe(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "mine"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "mine", "config.json"), []byte(`{"kind": "encoder", "version": 1}`), 0o666); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(secret, []byte("0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"serve", dir}, {"serve", dir, "--token", "0123456789abcdef", "--addr", "0.0.0.0:0"},
		{"serve", dir, "--token-file", secret, "--addr", "0.0.0.0:0"}, {"serve", dir, "--addr", "0.0.0.0:0"}} {
		if len(args) == 4 {
			t.Setenv(tokenVariable, "0123456789abcdef")
		}
		ctx, cancel := context.WithCancel(t.Context())
		r, w := io.Pipe()
		root := newRoot()
		root.SetArgs(args)
		root.SetOut(w)
		root.SetErr(io.Discard)
		ended := make(chan error, 1)
		go func() {
			ended <- root.ExecuteContext(ctx)
			w.Close()
		}()
		line, err := bufio.NewReader(r).ReadString('\n')
		if err != nil {
			t.Fatal(err, <-ended)
		}
		jar := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		answer, err := jar.Get(strings.Replace(strings.TrimSpace(line), "[::]", "127.0.0.1", 1))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if len(args) == 2 && !strings.Contains(string(body), "mine") || len(args) > 2 && (answer.StatusCode != http.StatusSeeOther || !strings.Contains(line, "token=0123456789abcdef")) {
			t.Errorf("%v: %d %s", args, answer.StatusCode, body)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("%v: %v", args, err)
		}
	}
}
