package web

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Limits of what is uploaded: a reader may look at a file of their own, which is kept in a
// temporary folder until the server ends or newer ones take its place.
const (
	mostUpload  = 64 << 20
	uploadTime  = 2 * time.Minute
	mostUploads = 8 // kept, and as many at most arriving
)

// uploadPrefix is before the names of uploaded files.
const uploadPrefix = "upload:"

// uploads are the files that readers brought.
type uploads struct {
	scratch scratch
	busy    atomic.Int32 // arriving

	mu   sync.Mutex
	list []uploaded
}

type uploaded struct{ id, name, path string }

// add keeps what is read under a new name.
func (u *uploads) add(name string, r io.Reader) (id string, err error) {
	dir, err := u.scratch.path()
	if err != nil {
		return "", err
	}
	b := make([]byte, 12)
	rand.Read(b)
	id = hex.EncodeToString(b)
	// The name is the reader's: of it the file has the ending alone, which tells formats apart.
	end := ""
	for base := name; ; {
		e := strings.ToLower(path.Ext(base))
		if e == "" || !ofWafers("x"+e) && e != ".gz" && e != ".zst" {
			break
		}
		base, end = base[:len(base)-len(e)], e+end
	}
	to := filepath.Join(dir, id+end)
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fmt.Errorf("web: %w", err)
	}
	_, err = io.Copy(f, r)
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(to)
		return "", err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.list = append(u.list, uploaded{id, name, to})
	if len(u.list) > mostUploads {
		os.Remove(u.list[0].path) // a reader who has it open reads on
		u.list = u.list[1:]
	}
	return id, nil
}

// find is where an uploaded file is, by its name after uploadPrefix.
func (u *uploads) find(name string) (uploaded, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, x := range u.list {
		if x.id == name {
			return x, nil
		}
	}
	return uploaded{}, notFound("this file was brought a while ago and is gone: bring it again")
}

// hide takes the paths of uploaded files out of a message.
func (u *uploads) hide(text string) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, x := range u.list {
		text = strings.ReplaceAll(text, x.path, x.name)
	}
	return u.scratch.hide(text)
}

func (u *uploads) close() error { return u.scratch.close() }

// upload takes a file that a reader brings and leads to its images.
func (s *Server) upload(w http.ResponseWriter, r *http.Request) error {
	defer s.uploads.busy.Add(-1)
	if s.uploads.busy.Add(1) > mostUploads {
		return failure{http.StatusServiceUnavailable, "too many files arrive at once: bring it again in a while"}
	}
	c := http.NewResponseController(w)
	c.SetReadDeadline(time.Now().Add(uploadTime))
	defer c.SetReadDeadline(time.Now().Add(readTime))
	r.Body = http.MaxBytesReader(w, r.Body, mostUpload+1<<16)
	parts, err := r.MultipartReader()
	if err != nil {
		return wrong("no file arrived")
	}
	for {
		part, err := parts.NextPart()
		if err != nil {
			return wrong("no file arrived")
		}
		name := part.FileName()
		if part.FormName() != "file" || name == "" {
			continue
		}
		id, err := s.uploads.add(name, part)
		var large *http.MaxBytesError
		switch {
		case errors.As(err, &large):
			return failure{http.StatusRequestEntityTooLarge, fmt.Sprintf("the file is larger than %d MB: put it into the folder", mostUpload>>20)}
		case err != nil:
			return wrong("the file did not arrive whole")
		}
		w.Header().Set("Location", "/wafers?"+url.Values{"file": {uploadPrefix + id}}.Encode())
		w.WriteHeader(http.StatusSeeOther)
		return nil
	}
}
