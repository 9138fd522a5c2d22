package submit

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"barrow/internal/shared"
)

// TestCondor: HTCondor's own bindings read what is written as it is meant.
func TestCondor(t *testing.T) {
	script, err := filepath.Abs(filepath.Join("testdata", "condor.py"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for name, c := range map[string]struct {
		change func(*Settings)
		want   map[string]string // of a shard, beside what all have
	}{
		"plain":   {func(*Settings) {}, map[string]string{"universe": "vanilla", "transfer_input_files": "barrow"}},
		"a run":   {func(s *Settings) { s.Folder, s.Time = true, 2*time.Hour }, map[string]string{"checkpoint_exit_code": "85", "my.maxruntime": "7200"}},
		"flavour": {func(s *Settings) { s.Flavour = "workday" }, map[string]string{"my.jobflavour": `"workday"`}},
		"image": {func(s *Settings) {
			s.Image, s.Options = "docker://a/b:1", []string{`+AccountingGroup = "group_u_CMS.u_zh.users"`, `requirements = (OpSysAndVer =?= "AlmaLinux9")`}
		}, map[string]string{"universe": "container", "container_image": "docker://a/b:1", "my.accountinggroup": `"group_u_CMS.u_zh.users"`, "requirements": `(OpSysAndVer =?= "AlmaLinux9")`}},
	} {
		s := settings("condor")
		c.change(&s)
		if _, err := Write(name, s, fake(t, 0)); err != nil {
			t.Fatal(err)
		}
		var said struct {
			Nodes   map[string]map[string]string
			Parents [][2]string
		}
		if err := json.Unmarshal(shared.Python(t, "condor", script, name), &said); err != nil {
			t.Fatal(err)
		}
		if len(said.Nodes) != s.Shards+1 || len(said.Parents) != s.Shards {
			t.Errorf("%s: %d nodes, %d behind others, want %d and %d", name, len(said.Nodes), len(said.Parents), s.Shards+1, s.Shards)
		}
		for i := range s.Shards {
			node := fmt.Sprint("shard", i)
			want := map[string]string{"executable": "shard.sh", "arguments": fmt.Sprintf("%d/%d", i, s.Shards), "request_cpus": "3", "request_memory": "1500MB", "max_retries": "2"}
			maps.Copy(want, c.want)
			for key, value := range want {
				if got := said.Nodes[node][key]; got != value {
					t.Errorf("%s: %s of %s is %q, want %q", name, key, node, got, value)
				}
			}
			if said.Parents[i] != [2]string{node, "merge"} {
				t.Errorf("%s: %v", name, said.Parents[i])
			}
			delete(said.Nodes, node)
		}
		for node, keys := range said.Nodes {
			if _, err := os.Stat(filepath.Join(name, keys["executable"])); node != "merge" || keys["executable"] != "merge.sh" || err != nil {
				t.Errorf("%s: %s is %v", name, node, keys)
			}
		}
	}
}
