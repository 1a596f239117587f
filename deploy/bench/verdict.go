package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// comparison is a cell's outcome: each side's median over its turns, and the ratios of the turns that belong together.
type comparison struct {
	cell
	Tierdesk *medians `json:"tierdesk,omitempty"`
	Etcd     *medians `json:"etcd,omitempty"`
	// Ratios are tierdesk's value by etcd's.
	RateRatio *spread `json:"rateRatio,omitempty"`
	P50Ratio  *spread `json:"p50Ratio,omitempty"`
	P99Ratio  *spread `json:"p99Ratio,omitempty"`
}

// medians are one side's medians over its turns. Latencies are in milliseconds.
type medians struct {
	Rate         float64 `json:"rate"`
	P50          float64 `json:"p50Ms"`
	P99          float64 `json:"p99Ms"`
	ServerMicros float64 `json:"serverMicros"`
	Errors       int64   `json:"errors"`  // sum
	Retries      int64   `json:"retries"` // sum
}

// spread is a median with the least and the greatest value.
type spread struct {
	Median float64 `json:"median"`
	Least  float64 `json:"least"`
	Most   float64 `json:"most"`
}

func spreadOf(values []float64) *spread {
	if len(values) == 0 {
		return nil
	}
	return &spread{median(values), slices.Min(values), slices.Max(values)}
}

func (s *spread) String() string {
	if s == nil {
		return "–"
	}
	return fmt.Sprintf("%.2f (%.2f–%.2f)", s.Median, s.Least, s.Most)
}

// median of values that are not empty; of two in the middle the mean.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

func each(turns []turn, value func(turn) float64) []float64 {
	var all []float64
	for _, t := range turns {
		all = append(all, value(t))
	}
	return all
}

func mediansOf(turns []turn) *medians {
	if len(turns) == 0 {
		return nil
	}
	m := &medians{
		Rate:         median(each(turns, rateOf)),
		P50:          median(each(turns, p50Of)),
		P99:          median(each(turns, p99Of)),
		ServerMicros: median(each(turns, func(t turn) float64 { return t.ServerMicros })),
	}
	for _, t := range turns {
		for _, n := range t.Row.Errors {
			m.Errors += n
		}
		for _, n := range t.Row.Retries {
			m.Retries += n
		}
	}
	return m
}

func rateOf(t turn) float64 { return t.Row.Rate }
func p50Of(t turn) float64  { return t.Row.Latency.P50 }
func p99Of(t turn) float64  { return t.Row.Latency.P99 }

// compare sums a cell up.
func compare(c cell, turns []turn) comparison {
	of := func(side string) []turn {
		return slices.DeleteFunc(slices.Clone(turns), func(t turn) bool { return t.cell != c || t.Side != side })
	}
	ours, theirs := of(tierdeskSide), of(etcdSide)
	ratio := func(value func(turn) float64) *spread {
		var ratios []float64
		for i := range min(len(ours), len(theirs)) {
			if by := value(theirs[i]); by > 0 {
				ratios = append(ratios, value(ours[i])/by)
			}
		}
		return spreadOf(ratios)
	}
	return comparison{cell: c, Tierdesk: mediansOf(ours), Etcd: mediansOf(theirs),
		RateRatio: ratio(rateOf), P50Ratio: ratio(p50Of), P99Ratio: ratio(p99Of)}
}

// setting says on what and how a benchmark was run.
type setting struct {
	Machine    string    `json:"machine"`
	Processors int       `json:"processors"`
	Go         string    `json:"go"`
	Time       time.Time `json:"time"`
	SyncP50    float64   `json:"syncP50Ms"` // of the disk: an append of 4 KiB and its sync, in milliseconds
	SyncP99    float64   `json:"syncP99Ms"`
}

func (s setting) String() string {
	return fmt.Sprintf("%s, %d processors, %s, %s; an append of 4 KiB with its sync takes %.2f ms (p50), %.2f ms (p99)",
		s.Machine, s.Processors, s.Go, s.Time.Format(time.DateOnly), s.SyncP50, s.SyncP99)
}

// print writes the result of a contest.
func (t *contest) print(w *workshop, s setting, turns []turn) error {
	var all []comparison
	for _, c := range t.cells {
		all = append(all, compare(c, turns))
	}
	if w.json {
		return printJSON(struct {
			Setting     setting      `json:"setting"`
			Comparisons []comparison `json:"comparisons"`
			Turns       []turn       `json:"turns"`
		}{s, all, turns})
	}
	rows := [][]string{{"load", "tierdesk /s", "etcd /s", "rate ratio", "p50 ms", "etcd", "ratio", "p99 ms", "etcd", "ratio",
		"µs a call", "etcd"}}
	for _, c := range all {
		rows = append(rows, c.row())
	}
	fmt.Printf("%s\n\n%s", s, table(rows))
	return nil
}

func (c comparison) row() []string {
	ours, theirs := [4]string{"–", "–", "–", "–"}, [4]string{"–", "–", "–", "–"}
	for side, cells := range map[*medians]*[4]string{c.Tierdesk: &ours, c.Etcd: &theirs} {
		if side != nil {
			*cells = [4]string{fmt.Sprintf("%.0f", side.Rate), fmt.Sprintf("%.2f", side.P50), fmt.Sprintf("%.2f", side.P99),
				fmt.Sprintf("%.0f", side.ServerMicros)}
		}
	}
	return []string{c.String(), ours[0], theirs[0], c.RateRatio.String(), ours[1], theirs[1], c.P50Ratio.String(), ours[2],
		theirs[2], c.P99Ratio.String(), ours[3], theirs[3]}
}

func printJSON(v any) error {
	e := json.NewEncoder(os.Stdout)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("print the results: %w", err)
	}
	return nil
}

// table lays rows out in Markdown; the first is the header.
func table(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	var b strings.Builder
	line := func(cells []string, fill string) {
		b.WriteByte('|')
		for i, cell := range cells {
			b.WriteString(" " + cell + strings.Repeat(fill, widths[i]-len([]rune(cell))) + " |")
		}
		b.WriteByte('\n')
	}
	line(rows[0], " ")
	line(make([]string, len(widths)), "-")
	for _, row := range rows[1:] {
		line(row, " ")
	}
	return b.String()
}
