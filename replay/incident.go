package replay

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Row is one status change of an incident, as the file has it.
type Row struct {
	Time      time.Time
	Status    string // Accepted, Queued, Completed, Unmatched
	SubStatus string
	Team      string // support team; its suffix tells the line
	Line      int    // 1, 2 or 3: county, city, province
	Impact    string
	Product   string
	Country   string
}

// Incident is one incident with all its rows, oldest first.
type Incident struct {
	ID   string
	Rows []Row
}

// columns that the file must have.
var columns = []string{"sr_number", "change_datetime", "status", "sub_status", "involved_st", "sr_latest_impact", "product", "country"}

// Read reads all incidents in the order of their first row. A row that cannot be understood is an error naming its line.
func Read(r io.Reader) ([]Incident, error) {
	file := csv.NewReader(r)
	header, err := file.Read()
	if err != nil {
		return nil, fmt.Errorf("read the heading: %w", err)
	}
	at := make(map[string]int)
	for _, name := range columns {
		if at[name] = slices.Index(header, name); at[name] < 0 {
			return nil, fmt.Errorf("the heading has no column %s; it has %s", name, strings.Join(header, ", "))
		}
	}
	var incidents []Incident
	known := make(map[string]int)
	for {
		record, err := file.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read a row: %w", err)
		}
		cell := func(name string) string { return strings.TrimSpace(record[at[name]]) }
		moment, err := time.Parse(time.RFC3339, cell("change_datetime"))
		if err != nil {
			line, _ := file.FieldPos(at["change_datetime"])
			return nil, fmt.Errorf("line %d: change_datetime %q is not a time such as 2012-05-11T00:26:15+01:00", line, cell("change_datetime"))
		}
		row := Row{
			Time: moment, Status: cell("status"), SubStatus: cell("sub_status"),
			Team: cell("involved_st"), Line: lineOf(cell("involved_st")),
			Impact: cell("sr_latest_impact"), Product: cell("product"), Country: cell("country"),
		}
		i, seen := known[cell("sr_number")]
		if !seen {
			i = len(incidents)
			known[cell("sr_number")] = i
			incidents = append(incidents, Incident{ID: cell("sr_number")})
		}
		incidents[i].Rows = append(incidents[i].Rows, row)
	}
	for _, incident := range incidents {
		slices.SortStableFunc(incident.Rows, func(a, b Row) int { return a.Time.Compare(b.Time) })
	}
	slices.SortStableFunc(incidents, func(a, b Incident) int { return a.Rows[0].Time.Compare(b.Rows[0].Time) })
	return incidents, nil
}

// lineOf tells a team's support line from its name: "V5 3rd" and "V13 2nd 3rd" are third, "G230 2nd" second, "G97" first.
func lineOf(team string) int {
	switch {
	case strings.HasSuffix(team, " 3rd"):
		return 3
	case strings.HasSuffix(team, " 2nd"):
		return 2
	}
	return 1
}
