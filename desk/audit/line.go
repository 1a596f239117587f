package audit

import (
	"encoding/hex"
	"reflect"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// Line is an entry in an exported log: its bytes, and what they say, for whoever reads it without a program.
type Line struct {
	Sequence uint64   `json:"sequence"`
	Time     string   `json:"time,omitempty"`
	Actor    string   `json:"actor,omitempty"`
	Name     string   `json:"actorName,omitempty"` // how the actor was called then
	Role     string   `json:"role,omitempty"`
	Address  string   `json:"address,omitempty"`
	Node     string   `json:"node,omitempty"`
	Session  string   `json:"session,omitempty"`
	Action   string   `json:"action,omitempty"`
	Object   string   `json:"object,omitempty"`
	Outcome  string   `json:"outcome,omitempty"`
	Reason   string   `json:"reason,omitempty"`
	Changes  []Change `json:"changes,omitempty"`
	Count    uint32   `json:"count,omitempty"`
	Hash     string   `json:"hash"`
	Raw      []byte   `json:"raw"`
}

// Change is one field before and after.
type Change struct {
	Field  string `json:"field"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// LineOf tells an entry that stands under a sequence. Of bytes that cannot be decoded it says nothing but their hash.
func LineOf(sequence uint64, raw []byte) Line {
	l := Line{Sequence: sequence, Hash: hex.EncodeToString(Hash(raw)), Raw: raw}
	e, err := Decode(raw)
	if err != nil {
		return l
	}
	l.Time = time.UnixMicro(e.Time).UTC().Format(time.RFC3339Nano)
	l.Actor, l.Name, l.Address, l.Node, l.Session = e.Actor, e.ActorName, e.Address, e.Node, e.Session
	l.Action, l.Object, l.Outcome, l.Reason, l.Count = e.Action, e.Object, e.Outcome.String(), e.Reason, e.Count
	if e.Role != deskpb.User_ROLE_UNSPECIFIED {
		l.Role = e.Role.String()
	}
	for _, c := range e.Changes {
		l.Changes = append(l.Changes, Change{Field: c.Field, Before: c.Before, After: c.After})
	}
	return l
}

// Honest tells whether a line says what its bytes say.
func (l Line) Honest() bool { return reflect.DeepEqual(l, LineOf(l.Sequence, l.Raw)) }
