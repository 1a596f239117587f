package api

import (
	"slices"
	"strings"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

// queue is a list of tickets as it is kept: parts of a list of open tickets, or the call-backs that are due.
type queue struct {
	kind  apipb.Queue_Kind
	id    string
	group string
	// list and values say where the tickets stand; of call-backs there is by instead, in microseconds since 1970.
	list   store.Work
	values []string
	by     int64
}

// groupQueue begins the id of the queue of a group.
const groupQueue = "group:"

// kept tells whether the tickets of the queue are counted as they come and go.
func (q queue) kept() bool { return q.kind != apipb.Queue_CALL_BACKS }

// rows returns a page of the queue's tickets, whoever asks.
func (q queue) rows(reader *store.Reader, after []byte, limit int) (store.Rows, error) {
	if q.kept() {
		return reader.Work(store.WorkQuery{List: q.list, Values: q.values, After: after, Limit: limit})
	}
	return reader.DueTickets(q.by, after, limit)
}

// queues are those that the caller works with, in the order in which people look at them.
func (s sight) queues(now time.Time) []queue {
	site, one := string(s.site), []string{""}
	all := []queue{{kind: apipb.Queue_MINE, id: "mine", list: store.WorkOf, values: []string{s.actor.GetUser()}}}
	for _, group := range s.groups() {
		all = append(all, queueOfGroup(group))
	}
	return append(all,
		queue{kind: apipb.Queue_UNASSIGNED, id: "unassigned", list: store.WorkOfNobody, values: one},
		queue{kind: apipb.Queue_DUE_SOON, id: "due-soon", list: store.WorkDueSoon, values: []string{site}},
		queue{kind: apipb.Queue_OVERDUE, id: "overdue", list: store.WorkOverdue, values: []string{site}},
		queue{kind: apipb.Queue_ESCALATED, id: "escalated", list: store.WorkAbove, values: one},
		queue{kind: apipb.Queue_WAITING, id: "waiting", list: store.WorkOnHold, values: answered(s.policy)},
		queue{kind: apipb.Queue_IN_TRANSIT, id: "in-transit", list: store.WorkLeaving, values: []string{site}},
		queue{kind: apipb.Queue_CALL_BACKS, id: "call-backs", by: now.UnixMicro()},
		queue{kind: apipb.Queue_OPEN, id: "open", list: store.WorkOpen, values: []string{site}},
	)
}

func queueOfGroup(group string) queue {
	return queue{kind: apipb.Queue_GROUP, id: groupQueue + group, group: group, list: store.WorkOfGroup, values: []string{group}}
}

// otherGroups are the queues of those groups of the policy that are not the caller's and whose tickets the caller sees all: to count those
// that somebody sees some of would read tickets.
func (s sight) otherGroups() (others []queue) {
	own := s.groups()
	for _, team := range s.policy.GetGroups() {
		if q := queueOfGroup(team.GetName()); !slices.Contains(own, q.group) && s.whole(q) {
			others = append(others, q)
		}
	}
	return others
}

// answered are the reasons to hold a ticket that a reply of the requester ends, each once.
func answered(p *deskpb.Policy) (reasons []string) {
	for _, reason := range p.GetHoldReasons() {
		if reason.GetUntilReply() && !slices.Contains(reasons, reason.GetName()) {
			reasons = append(reasons, reason.GetName())
		}
	}
	return reasons
}

// groups are those of the caller: by the policy in its order, and behind them those that only the account names.
func (s sight) groups() (names []string) {
	for _, team := range s.policy.GetGroups() {
		user := s.actor.GetUser()
		if slices.Contains(team.GetMembers(), user) || team.GetManager() == user && user != "" || slices.Contains(s.actor.GetGroups(), team.GetName()) {
			names = append(names, team.GetName())
		}
	}
	others := slices.DeleteFunc(slices.Clone(s.actor.GetGroups()), func(name string) bool { return slices.Contains(names, name) })
	slices.Sort(others)
	return append(names, slices.Compact(others)...)
}

// queue returns the queue of an id: this site's, or that of another one which is named.
func (s sight) queue(id string, site desk.SiteID, now time.Time) (queue, error) {
	if group, named := strings.CutPrefix(id, groupQueue); named && group != "" {
		return queueOfGroup(group), ownAlone(apipb.Queue_GROUP, site)
	}
	known := s.queues(now)
	at := slices.IndexFunc(known, func(q queue) bool { return q.id == id })
	if at < 0 {
		return queue{}, desk.RefuseField("queue",
			"%.60q is unknown; use mine, group:<id>, unassigned, due-soon, overdue, escalated, waiting, in-transit, call-backs or open", id)
	}
	found := known[at]
	if err := ownAlone(found.kind, site); err != nil {
		return queue{}, err
	}
	if site != "" {
		found.values = []string{string(site)}
	}
	return found, nil
}

// ownAlone refuses to look at a queue of another site that only the site itself has.
func ownAlone(kind apipb.Queue_Kind, site desk.SiteID) error {
	others := kind == apipb.Queue_DUE_SOON || kind == apipb.Queue_OVERDUE || kind == apipb.Queue_OPEN
	if others || site == "" {
		return nil
	}
	return desk.RefuseField("site", "%.40q has no such queue here; leave it out, or ask for due-soon, overdue or open", site)
}

// whole tells whether the caller sees every ticket of a queue of this site, so that the kept count is the right one.
func (s sight) whole(q queue) bool {
	if desk.SeesAll(s.actor) {
		return true
	}
	switch q.kind {
	case apipb.Queue_MINE:
		return true
	case apipb.Queue_GROUP:
		scope := s.actor.GetScope()
		return scope == deskpb.User_SITE || scope != deskpb.User_OWN && slices.Contains(s.groups(), q.group)
	case apipb.Queue_UNASSIGNED, apipb.Queue_DUE_SOON, apipb.Queue_OVERDUE, apipb.Queue_WAITING, apipb.Queue_OPEN:
		return s.actor.GetScope() == deskpb.User_SITE
	}
	return false
}
