package desk

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

const (
	// maxNames bounds how many people one event tells the names of, and maxPeople of how many a ticket keeps them.
	maxNames  = 16
	maxPeople = 64
	// MaxDisplayName bounds how somebody is called, in characters.
	MaxDisplayName = 200
)

// tellNames completes an own event with how the people of this site are called whom it names: who asked for it, and whom its body
// names. The author of what a wish brings about may be of another site.
func (w *writer) tellNames(draft *deskpb.Event) error {
	for _, user := range append([]string{w.actor}, w.namedBy(draft.GetBody())...) {
		told := func(n *deskpb.PersonName) bool { return n.GetUser() == user }
		if user == "" || len(draft.GetNames()) == maxNames || slices.ContainsFunc(draft.GetNames(), told) {
			continue
		}
		name, err := w.view.DisplayName(UserID(user))
		if err != nil {
			return fmt.Errorf("look how %s of %s is called: %w", user, w.here.Site, err)
		}
		if name != user && tellable(name) {
			draft.Names = append(draft.Names, &deskpb.PersonName{User: user, Name: name})
		}
	}
	return nil
}

// namedBy lists the people of this site whom the body of an own event names, some of them more than once. Those of a task are of the
// site that added it.
func (w *writer) namedBy(b *deskpb.Body) []string {
	users := []string{b.GetAssignee(), b.GetClassification().GetTicket().GetCoordinator()}
	if t := b.GetOpened().GetTicket(); t != nil {
		users = append(users, t.GetAssignee(), t.GetCoordinator())
		users = append(users, t.GetCollaborators()...)
	}
	if task := b.GetTask(); task.GetSite() == string(w.here.Site) {
		users = append(users, task.GetActor(), task.GetAssignee())
		for _, signer := range task.GetSigners() {
			users = append(users, signer.GetUser())
		}
	}
	return append(users, b.GetTold()...)
}

// tellable tells whether a name can be shown: it is one line within its bound.
func tellable(name string) bool { return name != "" && oneLine("name", name, MaxDisplayName) == nil }

// foldNames keeps how people are called, the latest name of each. Of too many people those are kept who are first by (site, user), so
// that events come to the same in any order.
func foldNames(r *deskpb.Record, e *deskpb.Event) {
	for _, said := range e.GetNames() {
		if said.GetUser() == "" || oneLine("user", said.GetUser(), MaxUser) != nil || !tellable(said.GetName()) {
			continue
		}
		person := &deskpb.Person{
			Site: e.GetId().GetSite(), User: said.GetUser(), DisplayName: said.GetName(), Time: timestamp(e.GetTime()),
		}
		place, known := personOn(r.GetTicket(), person.Site, person.User)
		switch {
		case !known:
			r.Ticket.People = slices.Insert(r.Ticket.People, place, person)
		case comparePeople(person, r.Ticket.People[place]) > 0:
			r.Ticket.People[place] = person
		}
	}
	r.Ticket.People = r.Ticket.People[:min(len(r.Ticket.People), maxPeople)]
}

// comparePeople orders what was said of one person: the greater one is right. Of two names said at one time it is the greater name.
func comparePeople(a, b *deskpb.Person) int {
	return cmp.Or(cmp.Compare(micros(a.GetTime()), micros(b.GetTime())), cmp.Compare(a.GetDisplayName(), b.GetDisplayName()))
}

// personOn returns where a person stands among the people of a ticket, or would stand.
func personOn(t *deskpb.Ticket, site, user string) (place int, known bool) {
	return slices.BinarySearchFunc(t.GetPeople(), user, func(p *deskpb.Person, user string) int {
		return cmp.Or(cmp.Compare(p.GetSite(), site), cmp.Compare(p.GetUser(), user))
	})
}

// NameOf returns how a person of a site is called whom a ticket names, empty where the ticket does not tell. The ticket's requester is
// called as the ticket says.
func NameOf(t *deskpb.Ticket, site, user string) string {
	if place, known := personOn(t, site, user); known {
		return t.GetPeople()[place].GetDisplayName()
	}
	if user != "" && user == t.GetRequester().GetUser() && site == t.GetHomeSite() {
		return t.GetRequester().GetName()
	}
	return ""
}

// AssigneeSite returns the site whose person has the ticket, empty where the ticket does not tell. While it is on its way that is a
// person of the site that sent it.
func AssigneeSite(t *deskpb.Ticket) string {
	if t.GetHandover().GetState() != deskpb.Handover_IN_TRANSIT {
		return t.GetCustodianSite()
	}
	site := ""
	for _, person := range t.GetPeople() {
		if person.GetUser() != t.GetAssignee() || person.GetSite() == t.GetCustodianSite() {
			continue
		}
		if site != "" {
			return ""
		}
		site = person.GetSite()
	}
	return site
}

// AuthorSite returns the site whose person the author of an event is: that of the event, but for what a granted wish brought about that
// of the wish.
func AuthorSite(t *deskpb.Ticket, e *deskpb.Event) string {
	if e.GetRole() == deskpb.User_ROLE_UNSPECIFIED {
		for _, wish := range t.GetWishes() {
			if wish.GetState() == deskpb.Wish_GRANTED && wish.GetActor() == e.GetActor() {
				return wish.GetSite()
			}
		}
	}
	return e.GetId().GetSite()
}

// AuthorName returns how the author of an event of a ticket was called then, as far as the event or the ticket tells.
func AuthorName(t *deskpb.Ticket, e *deskpb.Event) string {
	for _, said := range e.GetNames() {
		if said.GetUser() == e.GetActor() && tellable(said.GetName()) {
			return said.GetName()
		}
	}
	return NameOf(t, AuthorSite(t, e), e.GetActor())
}
