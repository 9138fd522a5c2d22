package run

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"barrow/internal/jsonout"
	"barrow/internal/limit"
	"barrow/internal/version"
)

// encode writes v, a struct or a map, as an indented JSON object that begins
// with the fields of the struct head. Numbers that are not finite are null.
func encode(head, v any) ([]byte, error) {
	first, err := json.Marshal(head)
	if err != nil {
		return nil, err
	}
	rest, err := jsonout.Marshal(v)
	if err != nil {
		return nil, err
	}
	var names, own map[string]json.RawMessage
	if json.Unmarshal(rest, &own) != nil || json.Unmarshal(first, &names) != nil {
		return nil, fmt.Errorf("%T is no object", v)
	}
	for name := range names {
		if _, twice := own[name]; twice {
			return nil, fmt.Errorf("%T has a field %q, which every run's files have", v, name)
		}
	}
	if len(own) > 0 {
		first = append(append(first[:len(first)-1], ','), rest[1:]...)
	}
	var b bytes.Buffer
	err = json.Indent(&b, first, "", " ")
	return append(b.Bytes(), '\n'), err
}

// closing is what results begin with.
type closing struct {
	Kind
	Program version.Program `json:"program"`
}

// mostJSON is more than any run writes: a folder that a user names may hold anything.
const mostJSON = 256 << 20

// readFile reads a file of a run. A folder may hold anything by its name: a pipe would keep
// the reader waiting for somebody who writes into it.
func readFile(path, what string) ([]byte, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %s that is no regular file", path, what)
	}
	return limit.ReadFile(path, what, mostJSON)
}

// ReadJSON reads a file of the folder into v.
func ReadJSON(folder, name string, v any) error {
	path := filepath.Join(folder, name)
	b, err := readFile(path, "a run's file")
	if err != nil {
		return fmt.Errorf("run: %w", err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("run: %s: %w", path, err)
	}
	return nil
}

// Info is what a folder says of itself.
type Info struct {
	Kind
	Finished bool
	Problem  string          // why it failed, "" where it did not
	Program  version.Program // that wrote the results, where it is finished
}

// Inspect tells what run a folder holds. One that holds none is an error.
func Inspect(folder string) (Info, error) {
	info := Info{Problem: failed(folder)}
	if err := ReadJSON(folder, Config, &info.Kind); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(folder); err != nil {
			return info, fmt.Errorf("run: %w", err)
		}
		return info, fmt.Errorf("run: %s holds no run (no %s)", folder, Config)
	} else if err != nil {
		return info, err
	}
	if info.Name == "" {
		return info, fmt.Errorf("run: %s: no \"kind\": a run of a Barrow from before runs said theirs, or something else's file", filepath.Join(folder, Config))
	}
	var end closing
	switch err := ReadJSON(folder, Results, &end); {
	case errors.Is(err, fs.ErrNotExist):
		return info, nil
	case err != nil:
		return info, err
	case end.Name == info.Name && end.Version != info.Version:
		return info, fmt.Errorf("run: %s is of version %d of such runs, but %s of version %d: another Barrow wrote it, or the files are of different runs",
			filepath.Join(folder, Config), info.Version, Results, end.Version)
	case end.Kind != info.Kind:
		return info, fmt.Errorf("run: %s says %s, version %d, but %s says %s, version %d: the files are of different runs",
			filepath.Join(folder, Config), info.Name, info.Version, Results, end.Name, end.Version)
	}
	info.Finished, info.Program = true, end.Program
	return info, nil
}
