package main

import (
	"fmt"
	"slices"
	"time"
)

// spans is a distribution of times, in milliseconds.
type spans struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50Ms"`
	P95   float64 `json:"p95Ms"`
	P99   float64 `json:"p99Ms"`
	Max   float64 `json:"maxMs"`
}

// spansOf sums times up, of which there must be one at least.
func spansOf(times []time.Duration) spans {
	const half, most, nearly = 50, 95, 99
	var all []float64
	for _, t := range times {
		all = append(all, milliseconds(t))
	}
	slices.Sort(all)
	return spans{len(all), percentile(all, half), percentile(all, most), percentile(all, nearly), all[len(all)-1]}
}

// row is a line of a table, in milliseconds.
func (s spans) row(name string) []string {
	return []string{name, fmt.Sprint(s.Count), fmt.Sprintf("%.1f", s.P50), fmt.Sprintf("%.1f", s.P95), fmt.Sprintf("%.1f", s.P99),
		fmt.Sprintf("%.1f", s.Max)}
}
