package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"barrow/evaluate"
	"barrow/run"
	"barrow/study/compare"
	"barrow/study/reproduce"
	"barrow/wafer"
)

// runFull carries out the paper's comparison in full: five losses, three
// precisions, five seeds.
func (f *reproduceFlags) runFull(cmd *cobra.Command, c *common) error {
	ctx, start := cmd.Context(), time.Now()
	if !cmd.Flags().Changed("events") {
		f.training.events = fullEvents
	}
	if _, err := groundMetric(f.training.metric); err != nil {
		return err
	}
	images, source, err := f.training.labelled(ctx, c)
	if err != nil {
		return err
	}
	config := reproduce.NewFullConfig(images, source, f.training.metric, f.decoder, c.seed)
	if cmd.Flags().Changed("epochs") {
		if err := positive(cmd, "epochs"); err != nil {
			return err
		}
		config.Plan.Epochs, config.Decoders = f.epochs, max(1, f.epochs/3)
	}
	if cmd.Flags().Changed("pairs") {
		if err := positive(cmd, "pairs"); err != nil {
			return err
		}
		config.Pairs = max(1, f.pairs/config.CNNEpochs)
	}
	if cmd.Flags().Changed("losses") {
		config.Plan.Losses = f.losses
	}
	if cmd.Flags().Changed("precisions") {
		config.Plan.Precisions = f.precisions
	}
	config.Plan.Schedule = f.schedule
	if cmd.Flags().Changed("output") {
		config.Plan.Output = f.output
	}
	config.Plan.Sum = f.sum
	if cmd.Flags().Changed("range") {
		config.Plan.Range = f.size
	}
	var pretraining *wafer.Set
	if len(f.pretrain) > 0 {
		if pretraining, err = f.training.readLabelled(f.pretrain); err != nil {
			return err
		}
		config.Plan.Pretrain, config.Plan.PretrainEpochs, config.Plan.PretrainDigest = f.pretrain, f.pretrainEpochs, pretraining.Digest()
	}
	if cmd.Flags().Changed("mip") {
		config.Plan.Threshold = f.threshold
	}
	config.Density = f.density
	if _, _, err := evaluate.Densities(images, f.density); err != nil {
		return err
	}
	if err := config.Plan.Check(true); err != nil {
		return err
	}
	id, err := config.Identity()
	if err != nil {
		return err
	}
	folder, err := f.training.open(cmd, c, id)
	if err != nil {
		return err
	}
	defer folder.Close()
	bar := newProgress(cmd.ErrOrStderr(), c)
	results, times, err := reproduce.Full(ctx, folder, config, images, pretraining, reproduce.Settings{Threads: c.threads, Progress: bar.set})
	bar.close()
	if err != nil {
		return f.training.explain(err)
	}
	if c.json {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(struct {
			*reproduce.FullResults
			Times *compare.Times `json:"times"`
		}{results, times})
	}
	if err := printTable(cmd, c, results.Table, times); err != nil {
		return err
	}
	if b := results.Bandwidth; b.Missing == "" {
		fmt.Fprintf(cmd.OutOrStdout(), "\nthe chip's other algorithms on up to %d links, wafer density %s:\n", b.EncoderLinks, b.Density)
		if err := printBaselines(cmd.OutOrStdout(), b.EncoderLinks, b.List()); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "\n%s in all; beside the paper's figures in %s\n", time.Since(start).Round(time.Second), folder.Path(run.Tables))
	return err
}

// fullEvents are the simulated images of a full run.
const fullEvents = 20_000
