package rootio

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barrow/internal/shared"
	"barrow/wafer"
)

// TestPublicFiles holds what Inspect says of public files to what uproot reads of them,
// branch by branch.
func TestPublicFiles(t *testing.T) {
	dir := shared.Data(t, "root")
	b, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var files map[string]map[string]struct {
		Branches map[string]struct {
			Type      string
			Values    int64
			NonFinite int64
			Min, Max  *float64
			Sum       float64
		}
	}
	if err := json.Unmarshal(b, &files); err != nil {
		t.Fatal(err)
	}
	right, all := 0, 0
	for file, trees := range files {
		objects, err := Format{}.Inspect(context.Background(), source(t, filepath.Join(dir, file)), wafer.InspectSettings{Stats: true})
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
		found := map[string]map[string]wafer.Summary{}
		for _, o := range objects {
			found[o.Name] = map[string]wafer.Summary{}
			for _, c := range o.Columns {
				found[o.Name][c.Name] = c
			}
		}
		for tree, want := range trees {
			for name, b := range want.Branches {
				all++
				columns := found[strings.Trim(tree, "/")]
				c, ok := columns[name]
				if !ok {
					c = columns[name[strings.LastIndex(name, "/")+1:]]
				}
				near := func(x, y float64, share float64) bool {
					return math.Abs(x-y) <= share*max(math.Abs(x), math.Abs(y)) || math.Abs(x-y) <= 1e-9*max(1, math.Abs(y))
				}
				switch st := c.Stats; {
				case st == nil:
					t.Logf("%s, %s, %s: not read: %s", file, tree, name, c.Unread)
				case st.Values != b.Values || b.Min != nil && !(near(st.Min, *b.Min, 1e-6) && near(st.Max, *b.Max, 1e-6) && (math.Abs(b.Sum) > 1e300 || near(st.Sum, b.Sum, 1e-5))):
					t.Errorf("%s, %s, %s: %+v, want %+v", file, tree, name, *st, b)
				default:
					right++
				}
			}
		}
	}
	t.Logf("%d of %d branches", right, all)
	if right < all*98/100 {
		t.Errorf("%d of %d branches are read", right, all)
	}
}
