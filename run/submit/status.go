package submit

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"barrow/run"
	"barrow/run/shard"
)

// Status is how far a job is.
type Status struct {
	Scheduler string    `json:"scheduler"`
	Shards    int       `json:"shards"`
	Done      int       `json:"done"`
	Running   int       `json:"running"`   // that began and have not ended, as far as files or the scheduler say
	Waiting   int       `json:"waiting"`   // that have not begun, or were stopped and go on
	Failed    []Failure `json:"failed"`    // last time they were tried
	Seconds   float64   `json:"left"`      // that the rest takes with as many at work as now, 0 where that is not known
	Known     bool      `json:"known"`     // whether shards say that they began: those of Kubernetes do not, and count as waiting
	Seen      time.Time `json:"last_sign"` // when a shard last began or ended, zero if none did
	Queued    *Queued   `json:"queued"`    // nil where no scheduler was asked
	Out       string    `json:"out"`       // what the shards make, as the command has it
	Made      bool      `json:"made"`      // whether that is there
}

// Queued is what a scheduler says of the shards that wait.
type Queued struct {
	Reasons map[string]int `json:"reasons"` // how many wait why, in the scheduler's words
	Absent  int            `json:"absent"`  // of those that wait, how many the scheduler does not have: they are not handed in
	Whole   string         `json:"whole"`   // what the step that makes the whole does, "" where the scheduler has none
}

// A Failure is a shard that ended without being done.
type Failure struct {
	Shard int    `json:"shard"`
	Why   string `json:"why"`
}

// stopped is the program's exit code for work that was stopped and is saved.
const stopped = 85

// grace is how long after its time a shard may take to end.
const grace = 5 * time.Minute

// ReadStatus finds out how far the job of the folder dir is at the time now: from files alone, or,
// where q is not nil, by what the scheduler said before they are read.
func ReadStatus(dir string, now time.Time, q *Queue) (*Status, error) {
	j, err := readJob(dir)
	if err != nil {
		return nil, fmt.Errorf("submit: %w", err)
	}
	done, err := j.done()
	if err != nil {
		return nil, fmt.Errorf("submit: %w", err)
	}
	s := &Status{Scheduler: j.Scheduler, Shards: j.Shards, Failed: []Failure{}, Out: j.Out, Made: j.made()}
	for _, o := range schedulers {
		s.Known = s.Known || o.name == j.Scheduler && o.script
	}
	if q != nil {
		s.Queued = &Queued{Reasons: map[string]int{}, Whole: q.whole}
	}
	var took time.Duration
	var measured int
	for i := range j.Shards {
		h, err := readHistory(filepath.Join(dir, logs, strconv.Itoa(i)+".state"))
		if err != nil {
			return nil, fmt.Errorf("submit: shard %d: %w", i, err)
		}
		if h.last.After(s.Seen) {
			s.Seen = h.last
		}
		if h.ended && h.code == 0 {
			took, measured = took+h.took, measured+1
		}
		if done[i] {
			s.Done++
			continue
		}
		s.count(i, &h, h.failure(&j, now), q)
	}
	if measured > 0 && s.Running > 0 {
		s.Seconds = took.Seconds() / float64(measured) * float64(s.Running+s.Waiting) / float64(s.Running)
	}
	return s, nil
}

// count counts a shard that is not done. Files say of one whose machine went down that it is at
// work, and of one that is tried again that it failed: the scheduler knows better.
func (s *Status) count(i int, h *history, why string, q *Queue) {
	if q != nil {
		t, ok := q.shards[i]
		switch {
		case ok && t.waiting:
			s.Waiting++
			s.Queued.Reasons[t.reason]++
			return
		case ok:
			s.Running++
			return
		case h.began && !h.ended:
			why = fmt.Sprintf("began on %s and has not said that it ended, and %s does not have it any more", h.host, s.Scheduler)
		case why == "":
			s.Queued.Absent++
		}
	}
	switch {
	case why != "":
		s.Failed = append(s.Failed, Failure{i, why})
	case h.began && !h.ended:
		s.Running++
	default:
		s.Waiting++
	}
}

// out is the path of what the shards make.
func (j *job) out() string {
	if filepath.IsAbs(j.Out) {
		return j.Out
	}
	return filepath.Join(j.At, j.Out)
}

// done tells of every shard whether it is.
func (j *job) done() ([]bool, error) { return finished(j.out(), j.Folder, j.Shards) }

// made tells whether what the shards make is there.
func (j *job) made() bool {
	path := j.out()
	if j.Folder {
		path = filepath.Join(path, run.Results)
	}
	_, err := os.Stat(path)
	return err == nil
}

// finished tells which shards of out, a run's folder or a file, are done.
func finished(out string, folder bool, shards int) ([]bool, error) {
	if folder {
		return shard.Finished(filepath.Join(out, run.Shards), shards)
	}
	return shard.Finished(out+shard.Ending, shards)
}

// A history is what a shard has left in its file: "begin SECONDS HOST" and "end SECONDS CODE JOB",
// a line each time.
type history struct {
	began, ended bool // the last time
	host         string
	code         int
	took         time.Duration // all its times together, as far as they ended
	last         time.Time     // of the last line
}

func readHistory(path string) (h history, err error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return h, nil
	}
	if err != nil {
		return h, err
	}
	for line := range bytes.Lines(b) {
		// A line that a machine was writing as it went down is none.
		words := strings.Fields(string(line))
		if len(words) < 2 {
			continue
		}
		seconds, err := strconv.ParseInt(words[1], 10, 64)
		if err != nil {
			continue
		}
		at := time.Unix(seconds, 0)
		switch {
		case words[0] == "begin":
			h.began, h.ended, h.host = true, false, strings.Join(words[2:], " ")
		case words[0] == "end" && len(words) > 2:
			if h.code, err = strconv.Atoi(words[2]); err != nil {
				continue
			}
			if h.began && !h.ended {
				h.took += at.Sub(h.last)
			}
			h.ended = true
		default:
			continue
		}
		h.last = at
	}
	return h, nil
}

// failure says why a shard that is not done failed, "" if it did not.
func (h *history) failure(j *job, now time.Time) string {
	limit := time.Duration(j.Seconds) * time.Second
	switch {
	case !h.began:
		return ""
	case h.ended && h.code == stopped && j.Folder:
		return ""
	case h.ended && h.code == 0:
		return "ended well, and what it made is gone or is of other work"
	case h.ended:
		return fmt.Sprintf("ended with the code %d on %s", h.code, h.host)
	case limit > 0 && now.Sub(h.last) > limit+grace:
		return fmt.Sprintf("began %v ago on %s and has not said that it ended", now.Sub(h.last).Round(time.Minute), h.host)
	}
	return ""
}
