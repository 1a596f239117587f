package replay

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// rowsOf makes an incident from "team:status/sub-status" words, a minute apart.
func rowsOf(words ...string) Incident {
	incident := Incident{ID: "1-1"}
	for i, word := range words {
		team, rest, _ := strings.Cut(word, ":")
		status, sub, _ := strings.Cut(rest, "/")
		incident.Rows = append(incident.Rows, Row{
			Time: time.Unix(int64(60*i), 0).UTC(), Status: status, SubStatus: sub, Team: team, Line: lineOf(team), Impact: "Low", Product: "P1",
		})
	}
	return incident
}

// major makes the incident a major one.
func major(incident Incident) Incident {
	incident.Rows[0].Impact = "Major"
	return incident
}

func TestPlan(t *testing.T) {
	for _, c := range []struct {
		name string
		in   Incident
		want string
	}{
		{"solved on the phone", rowsOf("G1:Accepted/In Progress", "G1:Completed/In Call", "G1:Completed/Closed"),
			"create@1 start@1 resolve@1 close@1"},
		{"begins at the third line", rowsOf("V5 3rd:Queued/Awaiting Assignment", "V5 3rd:Accepted/In Progress", "V5 3rd:Completed/Resolved"),
			"create@1 escalate@1 escalate@2 assign@3 start@3 resolve@3"},
		{"up, down and the same state again", rowsOf("G1:Accepted/In Progress", "G1:Accepted/In Progress", "G2 2nd:Queued/Awaiting Assignment", "G1:Queued/Awaiting Assignment"),
			"create@1 start@1 note@1 escalate@1 assign@2 return@2 assign@1"},
		{"holds change their reason", rowsOf("G1:Accepted/Wait", "G1:Accepted/Wait", "G1:Accepted/Wait - User", "G1:Accepted/In Progress"),
			"create@1 hold@1 note@1 resume@1 hold@1 resume@1"},
		{"work after a solution", rowsOf("G2 2nd:Accepted/In Progress", "G2 2nd:Completed/Resolved", "G2 2nd:Accepted/In Progress", "G2 2nd:Completed/Closed"),
			"create@1 escalate@1 start@2 resolve@2 reopen@1 escalate@1 start@2 resolve@2 close@1"},
		{"a major incident", major(rowsOf("G1:Completed/Closed")), "create@1 resolve@1 review@1 close@1"},
		{"closed twice, and a stray word", rowsOf("G1:Completed/Closed", "G1:Completed/Closed", "G1:Unmatched/Unmatched"),
			"create@1 resolve@1 close@1 note@1 note@1"},
		{"assigned to a person", rowsOf("G1:Queued/Awaiting Assignment", "G1:Accepted/Assigned", "G1:Accepted/Assigned"),
			"create@1 assign@1 assign@1 note@1"},
	} {
		var got []string
		for _, action := range Plan(c.in) {
			got = append(got, fmt.Sprintf("%s@%d", action.Verb, action.Line))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, strings.Join(got, " "), c.want)
		}
	}
}

func TestLineOf(t *testing.T) {
	for team, want := range map[string]int{"G97": 1, "G230 2nd": 2, "V5 3rd": 3, "V13 2nd 3rd": 3, "": 1} {
		if got := lineOf(team); got != want {
			t.Errorf("lineOf(%q) = %d, want %d", team, got, want)
		}
	}
}

func TestReadNamesWhatIsWrong(t *testing.T) {
	heading := "sr_number,change_datetime,status,sub_status,involved_st,sr_latest_impact,product,country\n"
	for _, c := range []struct{ name, in, want string }{
		{"a missing column", "sr_number,status\n", "no column change_datetime"},
		{"a bad time", heading + "1,yesterday,Accepted,In Progress,G1,Low,P,se\n", `line 2: change_datetime "yesterday"`},
		{"a short row", heading + "1,2\n", "wrong number of fields"},
		{"an empty file", "", "read the heading"},
	} {
		_, err := Read(strings.NewReader(c.in))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that says %q", c.name, err, c.want)
		}
	}
}

func TestReadOrdersByTime(t *testing.T) {
	const file = "sr_number,change_datetime,status,sub_status,involved_st,sr_latest_impact,product,country\n" +
		"b,2012-05-02T10:00:00+01:00,Accepted,In Progress,G1,Low,P,se\n" +
		"a,2012-05-01T12:00:00+01:00,Completed,Closed,G1,Low,P,se\n" +
		"a,2012-05-01T10:00:00+01:00,Accepted,In Progress,G1,Low,P,se\n"
	incidents, err := Read(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, incident := range incidents {
		for _, row := range incident.Rows {
			got = append(got, incident.ID+" "+row.SubStatus)
		}
	}
	if want := []string{"a In Progress", "a Closed", "b In Progress"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
