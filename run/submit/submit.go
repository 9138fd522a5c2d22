// Package submit writes what a batch system needs to do a command of the program in shards: a
// folder to read, change and hand in, with job files for Slurm, HTCondor or Kubernetes, the script
// that does one shard, and the list of them; and it tells from the files that the shards leave, and
// from Slurm where it is there, how far they are.
//
// The scripts are those of a POSIX shell. The job files are as sbatch of Slurm, condor_submit and
// condor_submit_dag of HTCondor and the kind Job of Kubernetes' batch/v1 have them.
package submit

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"
	"unicode/utf8"

	"barrow/internal/limit"
	"barrow/internal/outfile"
	"barrow/run/shard"
)

//go:embed templates
var templates embed.FS

// A scheduler is a batch system that job files can be written for.
type scheduler struct {
	name   string
	script bool // shards are done by shard.sh, which keeps when they began and ended; else by the program alone
	check  func(Settings) error
	ask    func(ctx context.Context, dir, name string) (*Queue, error) // nil where it cannot be asked
}

var schedulers = []scheduler{
	{"slurm", true, noVolume, askSlurm},
	{"condor", true, noVolume, nil},
	{"k8s", false, checkK8s, nil},
}

// Schedulers are the names of those that Write knows.
func Schedulers() []string {
	var names []string
	for _, s := range schedulers {
		names = append(names, s.name)
	}
	return names
}

// Flavours are CERN's names for how long a job of HTCondor may take, the shortest first.
func Flavours() []string {
	return []string{"espresso", "microcentury", "longlunch", "workday", "tomorrow", "testmatch", "nextweek"}
}

// Settings of a job.
type Settings struct {
	Scheduler string        // of Schedulers
	Command   []string      // arguments of the program, without which shard
	Out       string        // the file or the run's folder that the command makes
	Beside    string        // a second file that it makes, "" for none
	Folder    bool          // Out is a run's folder: a shard that was stopped goes on where it was
	Force     bool          // the file is replaced
	Shards    int           // 1 to shard.Most
	AtOnce    int           // that run at a time, at least 1
	Retries   int           // of a shard that fails
	CPUs      int           // of each shard, at least 1
	Memory    int           // of each shard in MB, at least 1
	Time      time.Duration // that a shard may take, 0 for what the scheduler gives
	Flavour   string        // of HTCondor at CERN, "" for none
	Image     string        // container in which the program is called barrow; "" is the program itself
	Claim     string        // Kubernetes: the claim of the volume with the files
	Mount     string        // Kubernetes: where the volume is mounted
	Options   []string      // further lines of the job file
}

// checkK8s reports what Kubernetes' jobs lack.
func checkK8s(s Settings) error {
	switch {
	case s.Image == "" || s.Claim == "" || !filepath.IsAbs(s.Mount):
		return errors.New("for Kubernetes an image that has the program, the claim of a volume with the files, and the path at which it is mounted are needed")
	case len(s.Options) > 0:
		return errors.New("jobs of Kubernetes have no lines of options: change the file that is written")
	}
	return nil
}

// noVolume reports what is for Kubernetes alone.
func noVolume(s Settings) error {
	if s.Claim != "" || s.Mount != "" {
		return errors.New("a claim of a volume and where it is mounted are for Kubernetes")
	}
	return nil
}

// Check reports what does not fit, before anything is written, and tells which shards are done already.
func (s Settings) Check() (done []bool, err error) {
	if _, err = s.check(); err == nil {
		done, err = finished(s.Out, s.Folder, s.Shards)
	}
	if err != nil {
		return nil, fmt.Errorf("submit: %w", err)
	}
	return done, nil
}

func (s Settings) check() (scheduler, error) {
	k := slices.IndexFunc(schedulers, func(o scheduler) bool { return o.name == s.Scheduler })
	switch {
	case k < 0:
		return scheduler{}, fmt.Errorf("no scheduler %q: want %s", s.Scheduler, strings.Join(Schedulers(), ", "))
	case len(s.Command) == 0 || s.Out == "":
		return scheduler{}, errors.New("no command")
	case slices.Contains(s.Command, "--"):
		return scheduler{}, errors.New("the command has an argument --, behind which no shard can be named: leave it out, and write ./-name for a file -name")
	case s.Shards < 1 || s.Shards > shard.Most:
		return scheduler{}, fmt.Errorf("%d shards: want 1 to %d", s.Shards, shard.Most)
	case s.AtOnce < 1 || s.CPUs < 1 || s.Memory < 1 || s.Retries < 0 || s.Time < 0:
		return scheduler{}, fmt.Errorf("%d shards at once, %d processors, %d MB, %d retries, %v: want at least 1, 1, 1, 0 and 0", s.AtOnce, s.CPUs, s.Memory, s.Retries, s.Time)
	case s.Flavour != "" && s.Scheduler != "condor":
		return scheduler{}, errors.New("flavours are of HTCondor at CERN")
	case s.Flavour != "" && s.Time > 0:
		return scheduler{}, errors.New("a flavour and a time: one of them says how long a shard may take")
	case s.Flavour != "" && !slices.Contains(Flavours(), s.Flavour):
		return scheduler{}, fmt.Errorf("no flavour %q: want %s", s.Flavour, strings.Join(Flavours(), ", "))
	}
	for _, text := range append(slices.Concat(s.Command, s.Options), s.Image, s.Claim, s.Mount) {
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			return scheduler{}, fmt.Errorf("%q is no text", text)
		}
	}
	for _, line := range append(s.Options, s.Image) {
		if strings.ContainsAny(line, "\r\n") {
			return scheduler{}, fmt.Errorf("%q: want one line", line)
		}
	}
	return schedulers[k], schedulers[k].check(s)
}

// A job is what is kept of a folder for its status.
type job struct {
	Form      int      `json:"submit_version"`
	Scheduler string   `json:"scheduler"`
	Name      string   `json:"name"` // at the scheduler
	Shards    int      `json:"shards"`
	At        string   `json:"at"` // the folder in which the command is called
	Command   []string `json:"command"`
	Out       string   `json:"out"`
	Folder    bool     `json:"folder"`
	Seconds   int      `json:"seconds"` // that a shard may take, 0 for any
}

const (
	form    = 1
	jobName = "job.json"
	logs    = "logs"
	program = "barrow" // the program's copy
)

// Write makes the folder dir, which must not be there, with all that hands the command in to be
// done in shards. path is that of the program's file, of which the folder gets a copy unless
// an image has it: work is ended by the version that began it. Command and paths are as of the
// present folder. It returns the path of the script that hands the job in.
func Write(dir string, s Settings, path string) (script string, err error) {
	o, err := s.check()
	if err == nil {
		_, err = finished(s.Out, s.Folder, s.Shards) // shards of another number would all be refused
	}
	if err != nil {
		return "", fmt.Errorf("submit: %w", err)
	}
	d := data{Settings: s, scheduler: o}
	if d.At, err = os.Getwd(); err == nil {
		d.Dir, err = filepath.Abs(dir)
	}
	if err == nil && s.Mount != "" && !within(d.At, s.Mount) {
		err = fmt.Errorf("the command is called in %s, which is not in the volume mounted at %s: call it in a folder of the volume", d.At, s.Mount)
	}
	if err != nil {
		return "", fmt.Errorf("submit: %w", err)
	}
	if _, err := os.Lstat(dir); err == nil {
		return "", fmt.Errorf("submit: %s is there already: choose another name, or remove it", dir)
	}
	if err := os.MkdirAll(filepath.Dir(d.Dir), 0o777); err != nil {
		return "", fmt.Errorf("submit: %w", err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(d.Dir), ".barrow-*.tmp")
	if err != nil {
		return "", fmt.Errorf("submit: %w", err)
	}
	defer os.RemoveAll(tmp)
	if err = d.fill(tmp, path); err == nil {
		err = os.Rename(tmp, d.Dir)
	}
	if err != nil {
		return "", fmt.Errorf("submit: %s: %w", dir, err)
	}
	return filepath.Join(dir, "submit.sh"), nil
}

// within tells whether a folder is another or lies in it.
func within(folder, other string) bool {
	rel, err := filepath.Rel(other, folder)
	return err == nil && filepath.IsLocal(rel)
}

// fill writes all files of the folder.
func (d *data) fill(dir, path string) error {
	if err := errors.Join(os.Chmod(dir, 0o755), os.Mkdir(filepath.Join(dir, logs), 0o777)); err != nil {
		return err
	}
	kinds := []string{"common", d.scheduler.name}
	if d.script {
		kinds = append(kinds, "script")
	}
	for _, kind := range kinds {
		if err := d.render(dir, kind); err != nil {
			return err
		}
	}
	list := func(w io.Writer) error {
		for i := range d.Shards {
			if _, err := fmt.Fprintln(w, shard.Shard{I: i, N: d.Shards}); err != nil {
				return err
			}
		}
		return nil
	}
	if err := outfile.Write(filepath.Join(dir, "shards.txt"), false, list); err != nil {
		return err
	}
	if d.Image == "" {
		if err := copyProgram(path, filepath.Join(dir, program)); err != nil {
			return err
		}
	}
	b, err := json.MarshalIndent(job{form, d.Scheduler, d.Name(), d.Shards, d.At, d.Command, d.Out, d.Folder, int(d.Time.Seconds())}, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, jobName), append(b, '\n'), 0o666)
}

// render fills the templates of a folder in.
func (d *data) render(dir, kind string) error {
	all, err := template.New("").Funcs(template.FuncMap{"sh": shell, "json": jsonText}).ParseFS(templates, "templates/"+kind+"/*")
	if err != nil {
		return err
	}
	entries, err := fs.ReadDir(templates, "templates/"+kind)
	if err != nil {
		return err
	}
	for _, e := range entries {
		mode := os.FileMode(0o666)
		if filepath.Ext(e.Name()) == ".sh" {
			mode = 0o777
		}
		f, err := os.OpenFile(filepath.Join(dir, e.Name()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if err != nil {
			return err
		}
		if err := errors.Join(all.ExecuteTemplate(f, e.Name(), d), f.Close()); err != nil {
			return err
		}
	}
	return nil
}

func copyProgram(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o777)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// data is what templates see.
type data struct {
	Settings
	scheduler
	Dir, At string // absolute
}

// Name is what the job is called: that of the folder, of letters, digits and hyphens.
func (d *data) Name() string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(filepath.Base(d.Dir)))
	name = strings.Trim(name[:min(len(name), 40)], "-")
	return strings.Trim("barrow-"+name, "-")
}

// Last is the last shard's number.
func (d *data) Last() int { return d.Shards - 1 }

// Minutes that a shard may take.
func (d *data) Minutes() int { return int((d.Time + time.Minute - 1) / time.Minute) }

// Seconds that a shard may take.
func (d *data) Seconds() int { return int((d.Time + time.Second - 1) / time.Second) }

// Warn is how many seconds before its time is over a shard is told: enough to save, and less than
// what it needs to come further.
func (d *data) Warn() int {
	if d.Time == 0 {
		return warn
	}
	return min(warn, d.Minutes()*60/4)
}

const warn = 120

// given tells whether the command has a flag already.
func (s Settings) given(name string) bool {
	return slices.ContainsFunc(s.Command, func(a string) bool { return a == "--"+name || strings.HasPrefix(a, "--"+name+"=") })
}

// Args are the program's arguments that do a shard, but for which.
func (s Settings) Args() []string {
	args := slices.Clone(s.Command)
	if !s.given("threads") {
		args = append(args, "--threads", strconv.Itoa(s.CPUs))
	}
	// A run is saved and gone on with; a piece of a file would only be begun anew.
	if s.Folder && s.Time > 0 && !s.given("max-runtime") {
		args = append(args, "--max-runtime", (s.Time - s.Time/20).Truncate(time.Second).String())
	}
	return args
}

// ShardArgs are those of the shard that the environment names.
func (d *data) ShardArgs() []string { return append(d.Args(), "--shard", shard.Auto) }

// Parallel is how many shards run at a time.
func (d *data) Parallel() int { return min(d.AtOnce, d.Shards) }

// MergeArgs are those that make the whole of all shards.
func (d *data) MergeArgs() []string {
	args := []string{"merge", "--threads", strconv.Itoa(d.CPUs)}
	if d.Force && !d.Folder {
		args = append(args, "--force")
	}
	args = append(args, "--", d.pieces())
	if d.Beside != "" {
		args = append(args, d.Beside+shard.Ending)
	}
	return args
}

func (d *data) pieces() string {
	if d.Folder {
		return d.Out
	}
	return d.Out + shard.Ending
}

// K8s are arguments in a list in which Kubernetes puts no variable in: $$ is a dollar.
func (d *data) K8s(args []string) []string {
	var out []string
	for _, a := range args {
		out = append(out, strings.ReplaceAll(a, "$", "$$"))
	}
	return out
}

// plain are the characters that mean themselves to a shell.
const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:=,+-@%"

// ShellWords writes words so that a POSIX shell reads them as they are.
func ShellWords(words ...string) string {
	var out []string
	for _, w := range words {
		if w == "" || strings.Trim(w, plain) != "" {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		out = append(out, w)
	}
	return strings.Join(out, " ")
}

// shell is ShellWords for templates: of one word or several.
func shell(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return ShellWords(v), nil
	case []string:
		return ShellWords(v...), nil
	}
	return "", fmt.Errorf("%T is no shell word", v)
}

// jsonText writes a value in JSON, which YAML can read.
func jsonText(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// readJob reads what is kept of a folder.
func readJob(dir string) (job, error) {
	path := filepath.Join(dir, jobName)
	b, err := limit.ReadFile(path, "a job's description", 16<<20)
	if errors.Is(err, fs.ErrNotExist) {
		return job{}, fmt.Errorf("%s holds no job (no %s)", dir, jobName)
	}
	if err != nil {
		return job{}, err
	}
	var j job
	switch err := json.Unmarshal(b, &j); {
	case err != nil:
		return j, fmt.Errorf("%s: cannot be read as a job's description: %w", path, err)
	case j.Form != form:
		return j, fmt.Errorf("%s: is of form %d, this Barrow knows %d", path, j.Form, form)
	case j.Shards < 1 || j.Shards > shard.Most || j.Out == "" || j.Seconds < 0:
		return j, fmt.Errorf("%s: is of %d shards of %q, %d s each: want 1 to %d of a file", path, j.Shards, j.Out, j.Seconds, shard.Most)
	}
	return j, nil
}
