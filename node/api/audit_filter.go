package api

import (
	"time"

	"go.einride.tech/aip/filtering"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// auditFilter is what an entry of the audit log must meet to be listed: every condition.
type auditFilter []func(*deskpb.AuditEntry) bool

func (f auditFilter) matches(e *deskpb.AuditEntry) bool {
	for _, matches := range f {
		if !matches(e) {
			return false
		}
	}
	return true
}

// compileAuditFilter reads a filter in the language of that of tickets, of which it takes less: = for texts, >= and < for time.
func compileAuditFilter(text string) (auditFilter, error) {
	if len(text) > maxFilter {
		return nil, refuseFilter("is longer than %d bytes", maxFilter)
	}
	tokens, err := lexFilter(text)
	if err != nil {
		return nil, err
	}
	p := filterParser{tokens: tokens}
	if p.skipSpace(); p.done() {
		return nil, nil
	}
	var compiled auditFilter
	for {
		matches, err := auditCondition(&p)
		if err != nil {
			return nil, err
		}
		if compiled = append(compiled, matches); len(compiled) > maxConditions {
			return nil, refuseFilter("has more than %d conditions", maxConditions)
		}
		if p.skipSpace(); p.done() {
			return compiled, nil
		}
		if err := p.and(); err != nil {
			return nil, err
		}
	}
}

// auditCondition reads: field operator value.
func auditCondition(p *filterParser) (func(*deskpb.AuditEntry) bool, error) {
	p.skipSpace()
	name, err := p.name()
	if err != nil {
		return nil, err
	}
	p.skipSpace()
	op := p.peek()
	if !op.IsComparator() {
		return nil, refuseFilter("%s is not followed by an operator; write %s = value", name, name)
	}
	p.next++
	p.skipSpace()
	value, err := p.value()
	if err != nil {
		return nil, err
	}
	if name == "time" {
		return auditTime(op, value)
	}
	get := auditText(name)
	switch {
	case get == nil:
		return nil, refuseFilter("unknown field %.60q; known are action, actor, actorName, address, object, outcome, time", name)
	case op != filtering.TokenTypeEquals:
		return nil, refuseOperator(name, op, "=")
	case name == "outcome" && deskpb.AuditEntry_Outcome_value[value] == 0:
		return nil, refuseFilter("outcome %.40q is unknown; use DONE or REFUSED", value)
	}
	return func(e *deskpb.AuditEntry) bool { return get(e) == value }, nil
}

// auditText reads the field of a name, nil for an unknown one.
func auditText(name string) func(*deskpb.AuditEntry) string {
	switch name {
	case "actor":
		return (*deskpb.AuditEntry).GetActor
	case "actorName":
		return (*deskpb.AuditEntry).GetActorName
	case "action":
		return (*deskpb.AuditEntry).GetAction
	case "object":
		return (*deskpb.AuditEntry).GetObject
	case "address":
		return (*deskpb.AuditEntry).GetAddress
	case "outcome":
		return func(e *deskpb.AuditEntry) string { return e.GetOutcome().String() }
	default:
		return nil
	}
}

func auditTime(op filtering.TokenType, value string) (func(*deskpb.AuditEntry) bool, error) {
	at, err := time.Parse(time.RFC3339, value)
	if err != nil {
		return nil, refuseFilter("time %.40q is not of the form 2026-11-21T08:00:00Z", value)
	}
	micros := at.UnixMicro()
	switch op {
	case filtering.TokenTypeGreaterEquals:
		return func(e *deskpb.AuditEntry) bool { return e.GetTime() >= micros }, nil
	case filtering.TokenTypeLessThan:
		return func(e *deskpb.AuditEntry) bool { return e.GetTime() < micros }, nil
	default:
		return nil, refuseOperator("time", op, ">= or <")
	}
}
