package shard

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzManifest: whatever a file of a folder of shards holds, it is read or refused, and no record
// leads out of the folder.
func FuzzManifest(f *testing.F) {
	m := manifest{Form: form, Shards: 3, Program: "devel", Work: Work{Command: "emd", Join: map[string]string{How: Lines, Header: "0"}}}
	m.Sum = m.sum()
	r := record{Of: m.Sum, Shard: 1, File: "00001-of-00003-a.csv", Rows: 3}
	r.Sum = r.sum()
	for _, v := range []any{m, r} {
		b, err := json.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"of":"","shard":0,"file":"../x","bytes":0,"crc32c":0,"rows":1,"kernel":"","sum":""}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := parseManifest(b); err == nil && (m.Shards < 1 || m.Sum != m.sum()) {
			t.Errorf("%+v", m)
		}
		if r, err := parseRecord(b); err == nil && r.File != "" && filepath.Dir(filepath.Join("d", r.File)) != "d" || err == nil && strings.ContainsRune(r.File, filepath.Separator) {
			t.Errorf("%+v", r)
		}
	})
}
