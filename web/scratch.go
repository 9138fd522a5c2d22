package web

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
)

// A scratch is a temporary folder for this user alone, made when it is first needed.
type scratch struct {
	mu   sync.Mutex
	dir  string // "" until there is one
	shut bool
}

// path is where it is.
func (s *scratch) path() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut {
		return "", errors.New("web: the server ends")
	}
	if s.dir != "" {
		return s.dir, nil
	}
	dir, err := os.MkdirTemp("", "barrow-serve-")
	if err != nil {
		return "", fmt.Errorf("web: %w", err)
	}
	s.dir = dir
	return dir, nil
}

// make makes a folder in it.
func (s *scratch) make() (string, error) {
	at, err := s.path()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(at, "")
	if err != nil {
		return "", fmt.Errorf("web: %w", err)
	}
	return dir, nil
}

// hide takes its path out of a message.
func (s *scratch) hide(text string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dir == "" {
		return text
	}
	return strings.ReplaceAll(text, s.dir, "")
}

func (s *scratch) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shut = true
	if s.dir == "" {
		return nil
	}
	return os.RemoveAll(s.dir)
}
