// Program serve measures the page of barrow serve: a folder of so many runs, asked for on
// loopback at a steady rate, whether or not earlier requests are answered, by clients in the
// same process, while streams are open and a run goes on.
//
//	go run ./bench/serve [--runs 500] [--rate 200] [--time 1m] [--streams 1000]
//
// It prints how long answers took, from when each was due, and the server's memory before
// and after.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"barrow/study/compare"
	"barrow/web"
)

func main() {
	runs := flag.Int("runs", 500, "runs in the folder")
	rate := flag.Int("rate", 200, "requests a second")
	length := flag.Duration("time", time.Minute, "how long")
	streams := flag.Int("streams", 1000, "streams of events that are open")
	flag.Parse()
	if err := measure(*runs, *rate, *length, *streams); err != nil {
		fmt.Fprintln(os.Stderr, "serve:", err)
		os.Exit(1)
	}
}

// fill writes runs as they lie in folders.
func fill(dir string, runs int) error {
	k := compare.Kind()
	for i := range runs {
		run := filepath.Join(dir, fmt.Sprintf("group-%d", i%10), fmt.Sprintf("run-%03d", i))
		if err := os.MkdirAll(run, 0o777); err != nil {
			return err
		}
		head := fmt.Sprintf(`{"kind": %q, "version": %d`, k.Name, k.Version)
		files := map[string]string{
			"config.json":   head + fmt.Sprintf(`, "seed": %d, "epochs": 30, "losses": ["emd", "telescope"]}`, i),
			"results.json":  head + fmt.Sprintf(`, "rows": [{"loss": "emd", "mean_emd": {"mean": %g}}, {"loss": "telescope", "mean_emd": {"mean": 1.5}}]}`, 0.5+float64(i)/1000),
			"metrics.jsonl": strings.Repeat(fmt.Sprintf(`{"part":"encoder-emd","epoch":1,"of":30,"loss":%d,"validation":1.5,"rate":0.001}`+"\n", i), 30),
		}
		if i == 0 {
			delete(files, "results.json")
		}
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(run, name), []byte(text), 0o666); err != nil {
				return err
			}
		}
	}
	return nil
}

func measure(runs, rate int, length time.Duration, streams int) error {
	dir, err := os.MkdirTemp("", "barrow-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := fill(dir, runs); err != nil {
		return err
	}
	s, err := web.New(web.Settings{Dir: dir})
	if err != nil {
		return err
	}
	defer s.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	at := "http://" + l.Addr().String()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: rate, MaxConnsPerHost: 0}}
	if _, err := ask(client, at+"/"); err != nil {
		cancel()
		return err
	}
	for range streams {
		go func() {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, at+"/events", nil)
			if err != nil {
				return
			}
			if answer, err := client.Do(r); err == nil {
				io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
			}
		}()
	}
	time.Sleep(2 * time.Second)
	before := memory()
	took, bytes, failed := load(client, at, dir, rate, length)
	after := memory()
	cancel()
	if err := <-ended; err != nil {
		return err
	}
	slices.Sort(took)
	q := func(share float64) time.Duration {
		return took[int(share*float64(len(took)-1))].Round(10 * time.Microsecond)
	}
	fmt.Printf("%d runs, %d streams, %d requests a second for %v: %d answers of %.0f kB, %d failed\n", runs, streams, rate, length, len(took), float64(bytes)/1000, failed)
	fmt.Printf("median %v, 90 %% below %v, 99 %% below %v, longest %v\n", q(0.5), q(0.9), q(0.99), q(1))
	fmt.Printf("memory of server and clients: %.0f MB before, %.0f MB after; %d goroutines\n", before/1e6, after/1e6, runtime.NumGoroutine())
	return nil
}

// load asks at a steady rate, while a run writes an epoch a second.
func load(client *http.Client, at, dir string, rate int, length time.Duration) (took []time.Duration, bytes, failed int) {
	paths := []string{"/", "/?sort=emd", "/?sort=changed", "/?sort=loss&down=1"}
	file, err := os.OpenFile(filepath.Join(dir, "group-0", "run-000", "metrics.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return nil, 0, 1
	}
	defer file.Close()
	var mu sync.Mutex
	var all sync.WaitGroup
	begin, n := time.Now(), int(float64(rate)*length.Seconds())
	for i := range n {
		due := begin.Add(time.Duration(float64(i) / float64(rate) * 1e9))
		time.Sleep(time.Until(due))
		if i%rate == 0 {
			fmt.Fprintf(file, `{"part":"encoder-emd","epoch":%d,"of":9999,"loss":1,"validation":%g,"rate":0.001}`+"\n", 31+i/rate, 1/float64(i+1))
		}
		all.Go(func() {
			size, err := ask(client, at+paths[i%len(paths)])
			d := time.Since(due)
			mu.Lock()
			defer mu.Unlock()
			if took = append(took, d); err != nil {
				failed++
			}
			bytes = max(bytes, size)
		})
	}
	all.Wait()
	return took, bytes, failed
}

// ask reads a page.
func ask(client *http.Client, address string) (int, error) {
	answer, err := client.Get(address)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	n, err := io.Copy(io.Discard, answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s", answer.Status)
	}
	return int(n), err
}

// memory is what is in use after a collection.
func memory() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
