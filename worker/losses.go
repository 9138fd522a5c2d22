package worker

import (
	"context"
	"fmt"
	"math"

	"barrow/emd"
	"barrow/hgcal"
	"barrow/loss"
	modelfile "barrow/model/file"
	"barrow/nn"
	"barrow/surrogate"
)

// losses are what an encoder is trained on, objects of the kind "loss".
var losses = subject{
	functions: map[string]function{"loss.list": listLosses},
	kinds:     map[string]open{"loss": openLoss},
}

// listLosses says what losses there are, in lines as a help has them.
func listLosses(_ context.Context, c *call) error {
	if err := c.decode(&struct{}{}); err != nil {
		return err
	}
	help := map[string]string{}
	for _, name := range loss.Names() {
		t, err := loss.Describe(name)
		if err != nil {
			return err
		}
		help[name] = t.Help
	}
	return c.answer(map[string]any{"losses": help})
}

// A lossRecipe says which loss it is, and of what images.
type lossRecipe struct {
	Name string `json:"name"` // as loss.Parse takes it
	// Height, Width and Pitch are a grid's; 0 and 0 for wafers.
	Height int     `json:"height"`
	Width  int     `json:"width"`
	Pitch  float64 `json:"pitch"`
	// Metric is the ground metric of the distances: "benchmark" (or ""), "cmssw" or a file.
	Metric string `json:"metric"`
	// Network is an EMD network's file; "": the built-in one.
	Network string `json:"network"`
	Threads int    `json:"threads"`
}

func openLoss(_ context.Context, c *call) (object, error) {
	var p lossRecipe
	if err := c.decode(&p); err != nil {
		return object{}, err
	}
	r := loss.Resources{Threads: p.Threads}
	cells := hgcal.Cells
	if p.Height != 0 || p.Width != 0 {
		lattice, err := loss.Grid(p.Height, p.Width, p.Pitch)
		if err != nil {
			return object{}, err
		}
		r.Lattice, cells = lattice, lattice.Cells()
	}
	if err := p.fill(&r); err != nil {
		return object{}, err
	}
	l, err := loss.Parse(p.Name, r)
	if err != nil {
		return object{}, err
	}
	o := &lossObject{loss: l, cells: cells}
	return object{methods: map[string]function{"info": o.info, "evaluate": o.evaluate}}, nil
}

// fill opens what the loss needs beside the images.
func (p *lossRecipe) fill(r *loss.Resources) error {
	if _, encoder, err := loss.Stages(p.Name); err == nil && encoder != "" {
		return fmt.Errorf("worker: %s is two losses, for a decoder and an encoder: want one", p.Name)
	}
	metric := p.Metric
	if metric == "" {
		metric = "benchmark"
	}
	points, err := hgcal.Positions(metric)
	if err != nil {
		return err
	}
	if r.Metric, err = emd.Euclidean(points); err != nil {
		return err
	}
	r.Points = points
	// What is no loss of wafers may be one of a grid, of which no traits need a network.
	if t, err := loss.Describe(p.Name); err != nil || !t.CNN || r.Lattice != nil {
		return nil
	}
	if p.Network == "" {
		r.CNN, err = surrogate.BuiltIn(nn.Settings{Threads: p.Threads})
	} else {
		r.CNN, err = modelfile.Estimator(p.Network, modelfile.Settings{Threads: p.Threads})
	}
	return fileError(ofFile(err, p.Network))
}

// A lossObject is a loss of images of so many cells.
type lossObject struct {
	loss  loss.Loss
	cells int
}

// info says what the loss is.
func (o *lossObject) info(_ context.Context, c *call) error {
	if err := c.decode(&struct{}{}); err != nil {
		return err
	}
	return c.answer(map[string]any{"name": o.loss.Name(), "cells": o.cells})
}

// evaluate gives each image's value, and its gradient with respect to the decoded image
// where that is wanted.
func (o *lossObject) evaluate(ctx context.Context, c *call) error {
	target, err := in[float32](c, "target", -1, o.cells)
	if err != nil {
		return err
	}
	n := len(target) / o.cells
	predicted, err := in[float32](c, "predicted", n, o.cells)
	if err != nil {
		return err
	}
	var units []float64
	if c.has("unit") {
		if units, err = in[float64](c, "unit", n); err != nil {
			return err
		}
		for i, u := range units {
			if !(u > 0) || math.IsInf(u, 1) {
				row := c.row + i
				return &failure{Kind: kindInput, Row: &row, Message: fmt.Sprintf("worker: the unit of row %d is %v: want how many MIP_T one is, above 0", row, u)}
			}
		}
	}
	for _, side := range []struct {
		name  string
		cells []float32
	}{{"target", target}, {"predicted", predicted}} {
		if err := o.finite(c, side.name, side.cells); err != nil {
			return err
		}
	}
	value, err := out[float64](c, "value", n)
	if err != nil {
		return err
	}
	var gradient []float32
	if c.wants("gradient") {
		if gradient, err = out[float32](c, "gradient", n, o.cells); err != nil {
			return err
		}
	}
	if n == 0 {
		return nil
	}
	return loss.Each(ctx, o.loss, units, target, predicted, value, gradient)
}

// finite refuses what is no number.
func (o *lossObject) finite(c *call, name string, cells []float32) error {
	for i, v := range cells {
		if v-v != 0 {
			row, cell := c.row+i/o.cells, i%o.cells
			return &failure{Kind: kindInput, Row: &row, Cell: &cell, Message: fmt.Sprintf("worker: %s[%d] in row %d is %v as float32: want finite numbers", name, cell, row, v)}
		}
	}
	return nil
}
