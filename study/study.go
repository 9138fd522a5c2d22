// Package study knows the kinds of runs that there are: what a folder holds can be
// told, and drawn, without knowing who made it. A kind is one package below this
// one and one line in [Kinds].
package study

import (
	"fmt"

	"barrow/report"
	"barrow/run"
	"barrow/study/cluster"
	"barrow/study/compare"
	"barrow/study/decode"
	"barrow/study/decoders"
	"barrow/study/drift"
	"barrow/study/estimate"
	"barrow/study/fewshot"
	"barrow/study/internal/page"
	"barrow/study/masks"
	"barrow/study/physics"
	"barrow/study/plan"
	"barrow/study/reproduce"
)

// A Kind of run.
type Kind struct {
	run.Kind
	// Page lays out the page of a finished run of this kind and version, but for the
	// program at its foot.
	Page func(folder string) (*report.Page, error)

	figures []figure // that lists of runs show of it
}

// Kinds are all that this program can make.
func Kinds() []Kind {
	return []Kind{
		{reproduce.Kind(), reproduce.Page, []figure{{"emd", "encoders.*.emd.mean"}}},
		{reproduce.FullKind(), reproduce.FullPage, ofRows},
		{compare.Kind(), compare.Page, ofRows},
		{compare.EncoderKind(), compare.Page, ofRows},
		{decode.Kind(), decode.Page, []figure{{"emd", "learned.emd.mean"}}},
		{estimate.Kind(), estimate.Page, ofEstimates},
		{estimate.ScanKind(), estimate.ScanPage, ofTrials},
		{physics.Kind(), physics.Page, []figure{{"emd", "encoders.rows.*.mean_emd.mean"}}},
		{decoders.Kind(), decoders.Page, ofRows},
		{plan.Kind(), plan.Page, []figure{{"emd", "mean_emd"}}},
		{fewshot.Kind(), fewshot.Page, []figure{{"emd", "rows.*.emd"}}},
		{drift.Kind(), drift.Page, []figure{{"emd", "courses.*.rows.*.emd_last"}}},
		{masks.Kind(), masks.Page, []figure{{"emd", "encoder.rows.*.mean_emd.mean"}}},
		{cluster.Kind(), cluster.Page, []figure{{"silhouette", "seeds.*.silhouette"}}},
	}
}

// Page lays out the page of the finished run in a folder, whatever its kind.
// Folders without a run, with one that is not finished, and with one that this
// program does not know are errors that say so.
func Page(folder string) (*report.Page, error) {
	info, err := run.Inspect(folder)
	if err != nil {
		return nil, err
	}
	for _, k := range Kinds() {
		if k.Name != info.Name {
			continue
		}
		if k.Version < info.Version {
			return nil, fmt.Errorf("study: %s was made by a newer Barrow (%s version %d, this one knows %d): draw it with that one", folder, k.Name, info.Version, k.Version)
		}
		if k.Version > info.Version {
			return nil, fmt.Errorf("study: %s was made by an older Barrow (%s version %d, this one knows %d): draw it with that one, or run it again", folder, k.Name, info.Version, k.Version)
		}
		if !info.Finished {
			return nil, unfinished(folder, info)
		}
		p, err := k.Page(folder)
		if err == nil {
			page.Sign(p, info.Program)
		}
		return p, err
	}
	return nil, fmt.Errorf("study: %s holds a run of the kind %q, which this Barrow does not know: a newer one may", folder, info.Name)
}

func unfinished(folder string, info run.Info) error {
	if h, ok := run.Running(folder); ok {
		return fmt.Errorf("study: the run in %s (%s) is not finished: process %d on %s is at work on it", folder, info.Name, h.PID, h.Host)
	}
	if info.Problem != "" {
		return fmt.Errorf("study: the run in %s (%s) failed: %s", folder, info.Name, info.Problem)
	}
	return fmt.Errorf("study: the run in %s (%s) is not finished: the command that began it goes on with it", folder, info.Name)
}
