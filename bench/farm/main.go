// Program farm measures and tries work in shards.
//
//	go build -o /tmp/barrow ./cmd/barrow
//	go run ./bench/farm kill --barrow /tmp/barrow [--kills 200] [--only plan]
//	go run ./bench/farm shards --barrow /tmp/barrow [--shards 1000] [--events 1000000]
//	go run ./bench/farm inputs --barrow /tmp/barrow [--shards 100] [--events 1000000] [--only emd]
//	go run ./bench/farm start --barrow /tmp/barrow[,/tmp/other]
//	go run ./bench/farm merge [--bytes 4e9] [--shards 1000]
//	go run ./bench/farm status [--shards 10000]
//
// kill does every command that can be done in shards whole, and then in shards that are killed at
// random times and begun again until all kills are used up; what is merged must have the same
// bytes, and no shard may be done again that is done. shards says what many shards cost over one
// run, inputs what they cost and read where commands have large inputs, start what commands take that
// do next to nothing, merge how fast shards are put together and in which memory, status how long it
// takes to find out how far a job of many shards is. All work in a temporary folder, which is removed.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

// settings of all that the program does.
type settings struct {
	barrow, only string
	kills        int
	shards       int
	events       int
	bytes        float64
	seed         uint64
}

func main() {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("want kill, shards, inputs, start, merge or status"))
	}
	do, ok := map[string]func(context.Context, settings, string) error{"kill": kill, "shards": overhead, "inputs": inputs, "start": start, "merge": merge, "status": status}[os.Args[1]]
	if !ok {
		fail(fmt.Errorf("%q: want kill, shards, inputs, start, merge or status", os.Args[1]))
	}
	var s settings
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	flags.StringVar(&s.barrow, "barrow", "", "the program, built; of start, several with commas between")
	flags.StringVar(&s.only, "only", "", "of kill and inputs, this command alone")
	flags.IntVar(&s.kills, "kills", 200, "of kill, over all commands")
	flags.IntVar(&s.shards, "shards", 0, "number of shards; 0 is 1000, 10000 of status, and 100 of inputs")
	flags.IntVar(&s.events, "events", 1_000_000, "of shards and inputs, images that are drawn")
	flags.Float64Var(&s.bytes, "bytes", 4e9, "of merge, bytes of all shards")
	flags.Uint64Var(&s.seed, "seed", uint64(time.Now().UnixNano()), "of when processes are killed")
	_ = flags.Parse(os.Args[2:]) // it ends the program
	dir, err := os.MkdirTemp("", "farm-")
	if err != nil {
		fail(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err = do(ctx, s, dir)
	stop()
	if e := os.RemoveAll(dir); err == nil {
		err = e
	}
	if err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "farm:", err)
	os.Exit(1)
}
