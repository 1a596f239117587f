package policyfile

import (
	"errors"
	"os"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

// nextYear is a table of public holidays as offices pass them on.
const nextYear = "date,type,name,is_in_lieu\n2027-01-02,makeup_workday,元旦,0\n2027-01-01,holiday,元旦,0\n"

// folder serves tables under the names that a policy file gives.
func folder(tables map[string]string) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		table, known := tables[name]
		if !known {
			return nil, os.ErrNotExist
		}
		return []byte(table), nil
	}
}

// A table of public holidays becomes the dates of the calendar, and every problem behind it keeps its line.
func TestATableOfPublicHolidaysBecomesDates(t *testing.T) {
	for name, entry := range map[string]string{
		"of its own line": "  - name: office\n    dates_file: 2027.csv # announced in November\n",
		"in quotes":       "  - name: office\n    dates_file: '2027.csv'\n",
		"among others":    "  - {name: office, dates_file: \"2027.csv\"}\n\n",
		"first":           "  - dates_file: 2027.csv\n    name: office\n",
	} {
		t.Run(name, func(t *testing.T) {
			source := "calendars: # 节假日\n" + entry + "urging: {cool_down: 15}\n"
			inlined, err := Inline([]byte(source), folder(map[string]string{"2027.csv": nextYear}))
			if err != nil {
				t.Fatal(err)
			}
			_, problems := Check(inlined, []*deskpb.Policy{policy.Default()})
			if len(problems) != 1 || problems[0].Line != 4 {
				t.Fatalf("the problems are %v, want the one of line 4", problems)
			}
			mended := strings.Replace(string(inlined), "15}", "15m}", 1)
			layer, problems := Check([]byte(mended), []*deskpb.Policy{policy.Default()})
			if len(problems) > 0 {
				t.Fatalf("the problems are %v", problems)
			}
			want := []*deskpb.DateRule{{Date: 20270101, Name: "元旦"}, {Date: 20270102, Name: "元旦", Working: true}}
			dates := policy.Calendar(policy.Merge(policy.Default(), layer), "office").GetDates()
			for i, rule := range dates[len(dates)-2:] {
				if !proto.Equal(rule, want[i]) {
					t.Errorf("the office's dates end with %v, want %v", dates[len(dates)-2:], want)
				}
			}
		})
	}
}

func TestTablesThatCannotBeRead(t *testing.T) {
	for _, test := range []struct{ name, source, table, want string }{
		{"no file", "dates_file: other.csv", "", "line 2: read dates_file: file does not exist"},
		{"on two lines", "dates_file:\n      a.csv", nextYear, "line 2: write dates_file and the name of the file on one line, without escapes"},
		{"with escapes", `dates_file: "\x61.csv"`, nextYear, "line 2: write dates_file and the name of the file on one line, without escapes"},
		{"empty", "dates_file: a.csv", "", "a.csv: it has no line with the names of its columns; begin with date,type,name: EOF"},
		{"no columns", "dates_file: a.csv", "day,what\n", `a.csv: its columns are ["day" "what"]; date, type and name are needed`},
		{"no date", "dates_file: a.csv", "date,type,name\n\n1.1.27,holiday,元旦\n", `a.csv: line 3: "1.1.27" is no date; write one such as 2026-01-31`},
		{"no type", "dates_file: a.csv", "date,type,name\n2027-01-01,off,元旦\n", `a.csv: line 2: "off" is unknown; use holiday or makeup_workday`},
		{"twice", "dates_file: a.csv", nextYear + "2027-01-01,makeup_workday,元旦,0\n", "a.csv: 2027-01-01 is there twice"},
		{"no CSV", "dates_file: a.csv", nextYear + "2027-01-03\n", "a.csv: it is no CSV: record on line 4: wrong number of fields"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Inline([]byte("calendars:\n  - "+test.source+"\n    name: office\n"), folder(map[string]string{"a.csv": test.table}))
			if err == nil || err.Error() != test.want {
				t.Errorf("the error is %v, want %s", err, test.want)
			}
		})
	}
}

// What names no table, or is none of a calendar, is left to the check.
func TestAPolicyWithoutTablesStaysAsItIs(t *testing.T) {
	refuse := func(string) ([]byte, error) { return nil, errors.New("nothing is to be read") }
	for _, source := range []string{"", "# dates_file\n", "dates_file: a.csv\n", "calendars: [", "calendars: dates_file\n", "calendars: [{dates_file: [a]}]", "- dates_file: a\n"} {
		if got, err := Inline([]byte(source), refuse); err != nil || string(got) != source {
			t.Errorf("%q becomes %q with %v", source, got, err)
		}
	}
}

func FuzzInline(f *testing.F) {
	f.Add("calendars: [{name: office, dates_file: a}]", nextYear)
	f.Add("calendars:\n  - name: a\n    dates_file: \"b\" # c\n", "date,type,name\n2027-01-01,holiday,\"a: \"\"b\"\"\"\n")
	f.Fuzz(func(t *testing.T, source, table string) {
		inlined, err := Inline([]byte(source), func(string) ([]byte, error) { return []byte(table), nil })
		if err != nil {
			return
		}
		if got, want := strings.Count(string(inlined), "\n"), strings.Count(source, "\n"); got != want {
			t.Errorf("%q has %d lines more or less than before: %q", source, got-want, inlined)
		}
	})
}
