package desk

import (
	"fmt"
	"slices"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

// hearers finds the people of a site who are to hear of a ticket.
type hearers struct {
	here   Here
	view   View
	ticket *deskpb.Ticket
	at     int64 // microseconds since 1970
}

// audience is people of this site, and the site whose incident managers are told too, empty for none.
type audience struct {
	people []string
	site   string
}

func (a audience) none() bool { return len(a.people) == 0 && a.site == "" }

func (w *writer) hearers() hearers {
	return hearers{here: w.here, view: w.view, ticket: w.ticket(), at: w.at.Time}
}

// present returns those of the names that are people of this site, each once.
func (h hearers) present(names ...string) (people []string, err error) {
	for _, name := range names {
		if name == "" || slices.Contains(people, name) {
			continue
		}
		known, err := h.view.Person(UserID(name))
		if err != nil {
			return nil, fmt.Errorf("look for %s among the people of %s: %w", name, h.here.Site, err)
		}
		if known {
			people = append(people, name)
		}
	}
	return people, nil
}

// team returns the members of a group who are on duty, all of them when nobody is.
func (h hearers) team(group string) ([]string, error) {
	if group == "" {
		return nil, nil
	}
	p, err := h.policy()
	if err != nil {
		return nil, err
	}
	presences, err := Presences(p, policy.Group(p, group), h.at, h.view)
	if err != nil {
		return nil, err
	}
	var all, ready []string
	for _, presence := range presences {
		all = append(all, string(presence.User))
		if presence.On {
			ready = append(ready, string(presence.User))
		}
	}
	if len(ready) == 0 {
		return all, nil
	}
	return ready, nil
}

// workers returns the assignee, or the group of a ticket without one.
func (h hearers) workers() ([]string, error) {
	if assignee := h.ticket.GetAssignee(); assignee != "" {
		return h.present(assignee)
	}
	return h.team(h.ticket.GetGroup())
}

// managers returns the incident managers of this site.
func (h hearers) managers() (people []string, err error) {
	managers, err := h.view.Managers()
	if err != nil {
		return nil, fmt.Errorf("list the incident managers of %s: %w", h.here.Site, err)
	}
	for _, manager := range managers {
		people = append(people, string(manager))
	}
	return people, nil
}

// rung returns whom a rung of the ladder names.
func (h hearers) rung(rung *deskpb.Rung) (told audience, err error) {
	switch rung.GetWho() {
	case deskpb.Rung_ASSIGNEE:
		told.people, err = h.present(h.ticket.GetAssignee())
	case deskpb.Rung_GROUP:
		told.people, err = h.team(h.ticket.GetGroup())
	case deskpb.Rung_GROUP_MANAGER:
		var p *deskpb.Policy
		if p, err = h.policy(); err == nil {
			told.people, err = h.present(policy.Group(p, h.ticket.GetGroup()).GetManager())
		}
	case deskpb.Rung_INCIDENT_MANAGER:
		told.people, err = h.managers()
	case deskpb.Rung_PERSON:
		told.people, err = h.present(rung.GetPerson())
	case deskpb.Rung_PARENT_MANAGER:
		if len(h.here.Path) > 1 {
			told.site = string(h.here.Path[1])
		}
	}
	return told, err
}

// hurried returns who hears an urge: who works on the ticket, and the rung of a level of the ladder, 0 for none. A level
// above the ladder is its highest rung.
func (h hearers) hurried(level uint32) (told audience, err error) {
	if told.people, err = h.workers(); err != nil || level == 0 {
		return told, err
	}
	p, err := h.policy()
	if err != nil {
		return audience{}, err
	}
	rungs := policy.Ladder(p, h.ticket).GetRungs()
	if len(rungs) == 0 {
		return told, nil
	}
	above, err := h.rung(rungs[min(int(level), len(rungs))-1])
	if err != nil {
		return audience{}, err
	}
	for _, name := range above.people {
		if !slices.Contains(told.people, name) {
			told.people = append(told.people, name)
		}
	}
	return told, nil
}

func (h hearers) policy() (*deskpb.Policy, error) {
	p, err := h.view.Policy()
	if err != nil {
		return nil, fmt.Errorf("read the policy: %w", err)
	}
	return p, nil
}
