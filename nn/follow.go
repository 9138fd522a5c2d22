package nn

import (
	"context"
	"fmt"
)

// A Following is what who follows trainings is told of one of them.
type Following struct {
	Checkpoint string // the training's file; "" where it has none
	Epochs     int    // that it has at most
	History    *History
}

// An EpochMeasurer is an Objective that measures more than its loss after an epoch. What
// it measures is in the history and changes nothing else.
type EpochMeasurer interface {
	// MeasureEpoch gives figures by name, which must be finite, or none.
	MeasureEpoch(ctx context.Context) (map[string]float64, error)
}

type followerKey struct{}

// WithFollower returns a context in which every [Fit] tells follow of its history: when it
// begins or goes on, with the epochs done before, and after every epoch, once that is in its
// checkpoint. An error of follow ends the training. Trainings at one time call it at one time.
//
// What is followed must not depend on what a training returns, nor change it: it is for records
// and pages, as net/http/httptrace is for requests.
func WithFollower(ctx context.Context, follow func(Following) error) context.Context {
	return context.WithValue(ctx, followerKey{}, follow)
}

// tell tells the follower, if there is one, how far the training is.
func (t *trainer) tell(ctx context.Context) error {
	follow, ok := ctx.Value(followerKey{}).(func(Following) error)
	if !ok {
		return nil
	}
	return follow(Following{t.Checkpoint, t.Epochs, &t.state.History})
}

// measure asks the objective for further figures of the weights to be judged.
func (t *trainer) measure(ctx context.Context) (map[string]float64, error) {
	o, ok := t.obj.(EpochMeasurer)
	if !ok {
		return nil, nil
	}
	t.exchange()
	figures, err := o.MeasureEpoch(ctx)
	t.exchange()
	if err != nil {
		return nil, fmt.Errorf("nn: figures after epoch %d: %w", t.state.Epoch+1, err)
	}
	for name, v := range figures {
		if !finite(v) {
			return nil, t.diverged(name)
		}
	}
	return figures, nil
}
