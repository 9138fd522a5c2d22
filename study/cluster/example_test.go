package cluster_test

import (
	"context"
	"fmt"
	"os"

	"barrow/study/cluster"
)

// Modules of ten kinds, few and for a short time.
func ExampleStart() {
	dir, _ := os.MkdirTemp("", "run")
	defer os.RemoveAll(dir)
	p := cluster.Default()
	p.Rows, p.Events, p.Monitored, p.Epochs = 8, 16, 0, 2
	r, _, err := cluster.Start(context.Background(), dir, p, cluster.Settings{})
	fmt.Println(len(r.Found.Label), len(r.Found.Groups), r.Classes[:3], err)
	// Output: 80 10 [electron photon pion] <nil>
}
