package policyfile

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// datesFile is the key of a calendar that names a table of public holidays.
const datesFile = "dates_file"

// Inline puts the public holidays that the calendars of a policy file name by dates_file into its text, as their dates.
// A table is CSV with the columns date, type and name; the type is holiday or makeup_workday. open reads one under the name that
// stands in the file. Every line of the file keeps its number. What is no YAML stays as it is: Check says why.
func Inline(source []byte, open func(name string) ([]byte, error)) ([]byte, error) {
	var document yaml.Node
	if !bytes.Contains(source, []byte(datesFile)) || yaml.Unmarshal(source, &document) != nil {
		return source, nil
	}
	lines := strings.SplitAfter(string(source), "\n")
	// From behind, so that what is replaced moves nothing that is still to be found.
	for _, found := range slices.Backward(dateFiles(&document)) {
		table, err := open(found.value.Value)
		if err != nil {
			return nil, fmt.Errorf("line %d: read %s: %w", found.key.Line, datesFile, err)
		}
		dates, err := readDates(table)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", found.value.Value, err)
		}
		line := &lines[found.key.Line-1]
		if *line, err = found.replaced(*line, dates); err != nil {
			return nil, err
		}
	}
	return []byte(strings.Join(lines, "")), nil
}

// dateFile is a place of a policy file that names a table of dates.
type dateFile struct{ key, value *yaml.Node }

// dateFiles lists the places in the order of the text.
func dateFiles(document *yaml.Node) (found []dateFile) {
	for _, root := range document.Content {
		calendars := entry(root, "calendars")
		if calendars == nil {
			continue
		}
		for _, calendar := range calendars.Content {
			for i := 0; calendar.Kind == yaml.MappingNode && i+1 < len(calendar.Content); i += 2 {
				if key, value := calendar.Content[i], calendar.Content[i+1]; key.Value == datesFile && value.Kind == yaml.ScalarNode {
					found = append(found, dateFile{key, value})
				}
			}
		}
	}
	return found
}

// entry returns the value of a key of a mapping, nil when there is none.
func entry(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; mapping.Kind == yaml.MappingNode && i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

// replaced returns the line of the place with the dates instead of the name. Key and name stand on one line, the name as it is or
// in quotes.
func (f dateFile) replaced(line, dates string) (string, error) {
	runes := []rune(line)
	from, to := f.key.Column-1, f.value.Column-1+len([]rune(f.value.Value))
	quoted := f.value.Style == yaml.SingleQuotedStyle || f.value.Style == yaml.DoubleQuotedStyle
	if quoted {
		to += 2
	}
	if f.key.Line != f.value.Line || to > len(runes) || !strings.Contains(string(runes[f.value.Column-1:to]), f.value.Value) {
		return "", fmt.Errorf("line %d: write %s and the name of the file on one line, without escapes", f.key.Line, datesFile)
	}
	return string(runes[:from]) + "dates: " + dates + string(runes[to:]), nil
}

// readDates turns a table of public holidays into the YAML of dates, on one line and in their order.
func readDates(table []byte) (string, error) {
	rows := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(table, []byte("\ufeff"))))
	head, err := rows.Read()
	if err != nil {
		return "", fmt.Errorf("it has no line with the names of its columns; begin with date,type,name: %w", err)
	}
	date, kind, name := slices.Index(head, "date"), slices.Index(head, "type"), slices.Index(head, "name")
	if min(date, kind, name) < 0 {
		return "", fmt.Errorf("its columns are %q; date, type and name are needed", head)
	}
	type day struct{ date, yaml string }
	var days []day
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", fmt.Errorf("it is no CSV: %w", err)
		}
		line, _ := rows.FieldPos(0)
		if _, err := time.Parse(time.DateOnly, row[date]); err != nil {
			return "", fmt.Errorf("line %d: %.40q is no date; write one such as 2026-01-31", line, row[date])
		}
		working := ""
		switch row[kind] {
		case "makeup_workday":
			working = "working: true, "
		case "holiday":
		default:
			return "", fmt.Errorf("line %d: %.40q is unknown; use holiday or makeup_workday", line, row[kind])
		}
		days = append(days, day{row[date], fmt.Sprintf("{date: %s, %sname: %s}", row[date], working, strconv.Quote(row[name]))})
	}
	slices.SortFunc(days, func(a, b day) int { return cmp.Compare(a.date, b.date) })
	written := make([]string, len(days))
	for i, day := range days {
		if i > 0 && day.date == days[i-1].date {
			return "", fmt.Errorf("%s is there twice", day.date)
		}
		written[i] = day.yaml
	}
	return "[" + strings.Join(written, ", ") + "]", nil
}
