package replay

import (
	"fmt"
	"strings"
)

// Verb is what a step of a plan does; the API has a call of the same name.
type Verb string

const (
	Create   Verb = "create"
	Assign   Verb = "assign"
	Start    Verb = "start"
	Hold     Verb = "hold"
	Resume   Verb = "resume"
	Note     Verb = "note"
	Escalate Verb = "escalate"
	Return   Verb = "return"
	Resolve  Verb = "resolve"
	Review   Verb = "review"
	Close    Verb = "close"
	Reopen   Verb = "reopen"
)

// Action is one call to the desk that holds the ticket at that moment.
type Action struct {
	Verb Verb
	Line int    // 1 county, 2 city, 3 province: where the call is made
	Text string // note, reason, comment or solution
	// Assign only.
	Assignee, Group string
}

// Plan turns an incident into calls. The mapping:
//
//	support line       1 county, 2 city, 3 province; each step up is one escalation per tier, each step down one return
//	                   per tier; an incident that begins at line 2 or 3 is opened at the county and escalated at once
//	Queued             assigned to the team's group
//	Accepted           In Progress: started, or resumed from a hold; Assigned: assigned to the team's engineer;
//	                   Wait…: put on hold, the sub-status is the reason
//	Completed          Resolved, In Call: resolved; Closed: closed at home, resolved before when it was not, and looked back on when
//	                   it is a major incident
//	Unmatched          a note
//	same state again   a note
//
// Resolving takes a ticket home by itself, so the line that the file names after a solution counts from the county; a
// row of work after a solution reopens the ticket at the county.
func Plan(incident Incident) []Action {
	first := incident.Rows[0]
	p := &planner{line: 1, state: "NEW", major: first.major()}
	p.do(Create, fmt.Sprintf("%s %s", incident.ID, first.Product))
	for _, row := range incident.Rows {
		p.row(row)
	}
	return p.actions
}

// planner follows the ticket's state as the desk will have it.
type planner struct {
	actions  []Action
	major    bool
	line     int
	state    string
	reason   string // of the hold
	assignee string
	group    string
}

func (p *planner) do(verb Verb, text string) {
	p.actions = append(p.actions, Action{Verb: verb, Line: p.line, Text: text})
}

// major tells whether an incident that begins with the row is a major one.
func (r Row) major() bool { return r.Impact == "Major" }

// words is what a row says, for the journal.
func (r Row) words() string {
	return fmt.Sprintf("%s %s/%s %s", r.Time.Format("2006-01-02 15:04:05"), r.Status, r.SubStatus, r.Team)
}

func (p *planner) row(row Row) {
	ended := p.state == "RESOLVED" || p.state == "CLOSED"
	switch {
	case row.Status == "Completed" && row.SubStatus == "Closed":
		p.completeAndClose(row)
	case row.Status == "Completed" && ended, row.Status == "Unmatched":
		p.do(Note, row.words())
	case row.Status == "Completed":
		p.move(row)
		p.resolve(row)
	default:
		if ended {
			p.reopen(row)
		}
		p.move(row)
		p.work(row)
	}
}

func (p *planner) completeAndClose(row Row) {
	if p.state == "CLOSED" {
		p.do(Note, row.words())
		return
	}
	if p.state != "RESOLVED" {
		p.move(row)
		p.resolve(row)
	}
	if p.major {
		p.do(Review, row.words())
	}
	p.do(Close, row.words())
	p.state = "CLOSED"
}

func (p *planner) resolve(row Row) {
	p.do(Resolve, row.words())
	if p.line > 1 {
		p.assignee, p.group = "", "" // a hand-over clears both
	}
	p.line, p.state = 1, "RESOLVED"
}

func (p *planner) reopen(row Row) {
	p.do(Reopen, row.words())
	p.state = "NEW"
	if p.assignee != "" {
		p.state = "IN_PROGRESS"
	}
}

// move escalates or returns the ticket, tier by tier, to the row's line.
func (p *planner) move(row Row) {
	for p.line != row.Line {
		verb, step := Escalate, 1
		if row.Line < p.line {
			verb, step = Return, -1
		}
		p.do(verb, row.words())
		p.line += step
		p.state, p.assignee, p.group = "NEW", "", ""
	}
}

// work maps a row that is not an end.
func (p *planner) work(row Row) {
	switch {
	case row.Status == "Queued":
		p.assign(row, "", row.Team)
	case row.SubStatus == "Assigned":
		p.assign(row, engineer(row.Team), p.group)
	case strings.HasPrefix(row.SubStatus, "Wait"):
		p.hold(row)
	case p.state == "ON_HOLD":
		p.resume(row)
	case p.state == "IN_PROGRESS":
		p.do(Note, row.words())
	default:
		p.do(Start, "")
		p.state = "IN_PROGRESS"
		if p.assignee == "" {
			p.assignee = "replay"
		}
	}
}

func (p *planner) assign(row Row, assignee, group string) {
	if p.state == "ASSIGNED" && p.assignee == assignee && p.group == group {
		p.do(Note, row.words())
		return
	}
	if p.state == "ON_HOLD" {
		p.resume(row)
	}
	p.actions = append(p.actions, Action{Verb: Assign, Line: p.line, Text: row.words(), Assignee: assignee, Group: group})
	p.state, p.assignee, p.group = "ASSIGNED", assignee, group
}

func (p *planner) hold(row Row) {
	reason := strings.ToUpper(strings.ReplaceAll(row.SubStatus, " - ", "_"))
	if p.state == "ON_HOLD" && p.reason == reason {
		p.do(Note, row.words())
		return
	}
	if p.state == "ON_HOLD" {
		p.resume(row)
	}
	p.do(Hold, reason)
	p.state, p.reason = "ON_HOLD", reason
}

func (p *planner) resume(row Row) {
	p.do(Resume, row.words())
	p.state, p.reason = "IN_PROGRESS", ""
	if p.assignee == "" {
		p.assignee = "replay"
	}
}

// engineer names the person of a team that a row assigns to; the file has teams only.
func engineer(team string) string {
	name, _, _ := strings.Cut(team, " ")
	return strings.ToLower(name)
}
