// Command digits classifies images of digits by their nearest neighbours, by the exact EMD and
// by the straight-line distance of the pixels, and says what emd.Index saves:
//
//	go run ./bench/digits
//	go run ./bench/digits --write DIR     # the images, as tables for barrow nearest
//
// The digits are drawn, as by many hands (internal/images); tables of others, a column label and
// one for each pixel, are read by barrow nearest.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"barrow/emd"
	"barrow/internal/images"
	"barrow/internal/knn"
)

func main() {
	log.SetFlags(0)
	side := flag.Int("side", 28, "pixels along a side")
	train := flag.Int("train", 1000, "digits that are known")
	test := flag.Int("test", 500, "digits that are classified")
	seed := flag.Uint64("seed", 1, "of the first digit")
	threads := flag.Int("threads", 0, "processors to use, 0 for all")
	folder := flag.String("write", "", "write train.csv and test.csv into this folder instead")
	flag.Parse()
	known, err := draw(*train, *side, *seed)
	if err != nil {
		log.Fatal(err)
	}
	asked, err := draw(*test, *side, *seed+uint64(*train))
	if err != nil {
		log.Fatal(err)
	}
	if *folder != "" {
		err = write(*folder, *side, known, asked)
	} else {
		err = table(context.Background(), *side, *threads, known, asked)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// digits are images with what they show.
type digits struct {
	pixels []float64
	labels []string
}

// draw makes as many of each digit as of any other.
func draw(n, side int, seed uint64) (digits, error) {
	var d digits
	for k := range n {
		v, err := images.Digit(k%10, side, seed+uint64(k))
		if err != nil {
			return d, err
		}
		d.pixels, d.labels = append(d.pixels, v...), append(d.labels, fmt.Sprint(k%10))
	}
	return d, nil
}

// A finder finds the k nearest of each image.
type finder struct {
	name string
	find func(k int, near []emd.Neighbour) (emd.Search, error)
}

// table prints the accuracy by the vote of 1, 3 and 5 neighbours.
func table(ctx context.Context, side, threads int, known, asked digits) error {
	var finders []finder
	for _, n := range []struct {
		name string
		norm emd.Norm
	}{{"EMD, L1", emd.L1}, {"EMD, L2", emd.L2}} {
		grid, err := emd.NewGrid([]int{side, side}, n.norm, nil)
		if err != nil {
			return err
		}
		began := time.Now()
		index, err := emd.NewIndex(ctx, grid, known.pixels, emd.Settings{Unequal: emd.UnequalNormalise, Threads: threads})
		if err != nil {
			return err
		}
		fmt.Printf("%s: index of %d digits of %d² pixels in %.2f s\n", n.name, len(known.labels), side, time.Since(began).Seconds())
		finders = append(finders, finder{n.name, func(k int, near []emd.Neighbour) (emd.Search, error) {
			return index.Nearest(ctx, asked.pixels, k, near)
		}})
	}
	for _, n := range []struct {
		name    string
		unequal emd.Unequal
	}{{"pixels", emd.UnequalError}, {"pixels, of sum 1", emd.UnequalNormalise}} {
		finders = append(finders, finder{n.name, func(k int, near []emd.Neighbour) (emd.Search, error) {
			return emd.Search{}, knn.Euclidean(ctx, asked.pixels, known.pixels, side*side, k, emd.Settings{Unequal: n.unequal, Threads: threads}, near)
		}})
	}
	fmt.Printf("\n| distance | k | right | pairs solved | on coarser grids | ms a digit |\n|---|---|---|---|---|---|\n")
	for _, f := range finders {
		for _, k := range []int{1, 3, 5} {
			near := make([]emd.Neighbour, k*len(asked.labels))
			began := time.Now()
			count, err := f.find(k, near)
			if err != nil {
				return err
			}
			ms := time.Since(began).Seconds() * 1000 / float64(len(asked.labels))
			right := 0
			for i, name := range asked.labels {
				if knn.Vote(near[i*k:][:k], func(row int) string { return known.labels[row] }) == name {
					right++
				}
			}
			part := func(n int64) string {
				if count.Pairs == 0 {
					return "–"
				}
				return fmt.Sprintf("%.2f %%", 100*float64(n)/float64(count.Pairs))
			}
			fmt.Printf("| %s | %d | %.1f %% | %s | %s | %.2f |\n", f.name, k, 100*float64(right)/float64(len(asked.labels)), part(count.Solved), part(count.Coarse), ms)
		}
	}
	return nil
}

// write saves the images as tables.
func write(folder string, side int, known, asked digits) error {
	for name, d := range map[string]digits{"train.csv": known, "test.csv": asked} {
		f, err := os.Create(filepath.Join(folder, name))
		if err != nil {
			return err
		}
		w := bufio.NewWriter(f)
		fmt.Fprint(w, "label")
		for k := range side * side {
			fmt.Fprintf(w, ",pixel%d", k)
		}
		fmt.Fprintln(w)
		for i, label := range d.labels {
			fmt.Fprint(w, label)
			for _, x := range d.pixels[i*side*side:][:side*side] {
				fmt.Fprintf(w, ",%g", x)
			}
			fmt.Fprintln(w)
		}
		if err := w.Flush(); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}
