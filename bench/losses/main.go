// Command losses measures what a step of training takes with each loss, over what one with the
// MSE takes:
//
//	go run ./bench/losses
//	go run ./bench/losses -losses fss,ssim -json
//	go run ./bench/losses -batch 20 -precision asic -bits 9 -losses fss:threshold=0.5/2/8
//
// It trains the paper's encoder on one processor for an epoch, with the MSE and with the loss
// by turns, and takes the processor's time of the quickest of each. loss.Traits
// has these ratios as Cost.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"time"

	"barrow/autoencoder"
	"barrow/emd"
	"barrow/hgcal"
	"barrow/loss"
	"barrow/nn"
	"barrow/simulate"
	"barrow/surrogate"
	"barrow/wafer"
)

var (
	events = flag.Int("images", 20_000, "simulated images of an epoch")
	rounds = flag.Int("rounds", 5, "turns of each; 1 where a loss takes more than a hundred times the MSE")
	list   = flag.String("losses", strings.Join(defaults(), ","), "losses, with commas between")
	batch  = flag.Int("batch", 125, "images a step; the protocols of barrow compare have 20")
	format = flag.String("precision", "float", "the encoder's; the protocols have asic")
	bits   = flag.Int("bits", 0, "of its outputs; 0 for the precision's own")
	asJSON = flag.Bool("json", false, "a JSON object for each loss instead of a table")
)

// defaults are all losses, and those with options that change how much there is to do.
func defaults() []string {
	return append(loss.Names(), "neighbourhood:radius=2", "neighbourhood:filter=max", "neighbourhood:filter=max:radius=3",
		"neighbourhood:score=brier", "spectral:score=l1", "wavelet:score=weighted-mse", "fss:threshold=1/5", "ssim:radius=2",
		"sliced:count=4", "sliced:directions=trained", "sliced:directions=trained:count=2")
}

func main() {
	flag.Parse()
	if err := bench(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "losses:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context) error {
	set, err := simulate.Generate(*events+1000, simulate.Settings{Seed: 1})
	if err != nil {
		return err
	}
	set, _ = set.WithoutColumns().NonZero()
	share := 500 / float64(set.Len())
	parts, err := set.Split(1, 1-share, share)
	if err != nil {
		return err
	}
	metric, err := emd.Euclidean(hgcal.Benchmark())
	if err != nil {
		return err
	}
	cnn, err := surrogate.BuiltIn(nn.Settings{Threads: 1})
	if err != nil {
		return err
	}
	of := loss.Resources{Metric: metric, Threads: 1, CNN: cnn}
	mse, err := loss.Parse("mse", of)
	if err != nil {
		return err
	}
	if !*asJSON {
		fmt.Printf("%d images, one processor, kernel %s\n\n| loss | step, µs an image | of the MSE's | says |\n|---|---|---|---|\n", parts[0].Len(), nn.Kernels()[0])
	}
	for _, name := range strings.Split(*list, ",") {
		l, err := loss.Parse(name, of)
		if err != nil {
			return err
		}
		if err := row(ctx, name, parts, mse, l); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// row measures one loss beside the MSE.
func row(ctx context.Context, name string, parts []*wafer.Set, mse, l loss.Loss) error {
	own, other := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
	for range *rounds {
		for _, x := range []struct {
			loss loss.Loss
			best *time.Duration
		}{{mse, &other}, {l, &own}} {
			start := now()
			if _, _, err := autoencoder.Train(ctx, parts[0], parts[1], x.loss, autoencoder.Settings{Seed: 1, Threads: 1, Architecture: autoencoder.Architecture{Precision: *format, LatentBits: *bits}, Budget: autoencoder.Budget{Epochs: 1, Batch: *batch}}); err != nil {
				return err
			}
			*x.best = min(*x.best, now()-start)
		}
		if own > 100*other {
			break
		}
	}
	t, err := loss.Describe(name)
	if err != nil {
		return err
	}
	micro, ratio := own.Seconds()*1e6/float64(parts[0].Len()), own.Seconds()/other.Seconds()
	if *asJSON {
		b, err := json.Marshal(map[string]any{"loss": name, "step_us": math.Round(micro*100) / 100, "ratio": math.Round(ratio*100) / 100, "cost": t.Cost})
		fmt.Println(string(b))
		return err
	}
	fmt.Printf("| `%s` | %.2f | %.2f | %g |\n", name, micro, ratio, t.Cost)
	return nil
}
