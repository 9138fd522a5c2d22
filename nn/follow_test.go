package nn

import (
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"testing"
)

// measured is a line that also measures the sum of its weights.
type measured struct{ *line }

func (o measured) MeasureEpoch(context.Context) (map[string]float64, error) {
	sum := 0.0
	for _, v := range weightsOf(o.net) {
		sum += float64(v)
	}
	return map[string]float64{"sum": sum}, nil
}

// TestFollower: who follows a training is told of every epoch once it is kept, of those before
// when it is taken up again, and figures belong to the weights that are judged.
func TestFollower(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.ckpt")
	var told []int
	var last Following
	stop := errors.New("stop")
	end := 3
	ctx := WithFollower(context.Background(), func(f Following) error {
		told, last = append(told, len(f.History.Epochs)), f
		if n := len(f.History.Epochs); n > 0 {
			c, err := ReadCheckpoint(path)
			if err != nil || c.training.Epoch != n {
				t.Errorf("told of %d epochs, kept are %+v, %v", n, c.training, err)
			}
		}
		if len(f.History.Epochs) == end {
			return stop
		}
		return nil
	})
	o := newLine(t, 1)
	if _, err := o.fit(path).Run(ctx, measured{o}); !errors.Is(err, stop) {
		t.Fatal(err)
	}
	end = -1
	o = newLine(t, 1)
	h, err := o.fit(path).Run(ctx, measured{o})
	if err != nil {
		t.Fatal(err)
	}
	if want := []int{0, 1, 2, 3, 3, 4, 5, 6}; !reflect.DeepEqual(told, want) || last.Checkpoint != path || last.Epochs != 6 {
		t.Errorf("told of %v epochs, %+v", told, last)
	}
	o = newLine(t, 1)
	alone, err := o.fit("").Run(context.Background(), measured{o})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(losses(h), losses(alone)) {
		t.Errorf("%v\n%v", losses(h), losses(alone))
	}
	best, _ := measured{o}.MeasureEpoch(context.Background())
	if e := h.Epochs[h.BestEpoch-1]; e.Figures["sum"] != best["sum"] || e.Step != 5*h.BestEpoch {
		t.Errorf("best epoch %+v, the network's sum is %v", e, best)
	}
}
