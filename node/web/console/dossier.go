package console

import (
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"strconv"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

const (
	// journalChunk is how many entries of a journal are asked for at once, and journalMost how many are read of one ticket: what follows
	// is left to the API.
	journalChunk = 500
	journalMost  = 5000
)

// dossier is what the pages of one ticket are made of, read in one go.
type dossier struct {
	*page.Visit
	ticket  *deskpb.Ticket
	journal []*apipb.JournalEntry // oldest first
	verbs   map[string]bool       // what the visitor may do, by the API's names
	wishes  map[string]bool       // those of verbs that are recorded as wishes
	people  colleagues            // who works at this site; of them those alone who are in the journal while the site has no leader
	policy  *deskpb.Policy
	// colleagues are those who can be asked for something; nil until a form wants them.
	colleagues []staffMember
	behind     bool // the site cannot say what is latest: this is what this node has
}

// open reads a ticket. While the site has no leader it reads what this node has, and nothing can be done.
func open(v *page.Visit, number string) (*dossier, error) {
	d := &dossier{Visit: v, verbs: map[string]bool{}, wishes: map[string]bool{}, people: colleagues{names: map[string]string{}}}
	ticket, err := v.API.Tickets.GetTicket(v.Ctx(), &apipb.GetTicketRequest{Number: number})
	if err != nil && v.Problem(err).Status == http.StatusServiceUnavailable {
		d.behind = true
		ticket, err = v.API.Tickets.GetTicket(v.Ctx(), &apipb.GetTicketRequest{Number: number, Consistency: d.consistency()})
	}
	if err != nil {
		return nil, err
	}
	d.ticket = ticket
	if err := d.readJournal(); err != nil {
		return nil, err
	}
	policy, err := v.API.Policies.GetPolicy(v.Ctx(), &apipb.GetPolicyRequest{Consistency: "stale"})
	if err != nil {
		return nil, err
	}
	d.policy = policy.GetPolicy()
	if !d.behind {
		if err := d.readPeople(); err != nil {
			return nil, err
		}
	}
	d.readNames()
	return d, nil
}

// version names what the page of the ticket shows now: as long as it is the same, nothing has to be shown again.
func (d *dossier) version() string {
	ticket, err := proto.MarshalOptions{Deterministic: true}.Marshal(d.ticket)
	if err != nil {
		return "" // names nothing that was shown
	}
	sum := fnv.New64a()
	_, _ = sum.Write(ticket) // a hash takes everything
	fmt.Fprint(sum, len(d.journal), latestOf(d.journal), d.verbs, d.wishes, d.behind)
	return strconv.FormatUint(sum.Sum64(), 36)
}

func (d *dossier) consistency() string {
	if d.behind {
		return "stale"
	}
	return ""
}

// readJournal reads the journal to its end: what a page shows of it, and where the ticket was, follow from all of it.
func (d *dossier) readJournal() error {
	request := &apipb.ListJournalRequest{Number: d.ticket.GetNumber(), PageSize: journalChunk, Consistency: d.consistency()}
	for len(d.journal) < journalMost {
		answer, err := d.API.Tickets.ListJournal(d.Ctx(), request)
		if err != nil {
			return err
		}
		d.journal = append(d.journal, answer.GetEntries()...)
		if request.PageToken = answer.GetNextPageToken(); request.PageToken == "" {
			return nil
		}
	}
	return nil
}

// readPeople reads what the visitor may do, and who could be asked to do the rest.
func (d *dossier) readPeople() error {
	may, err := d.API.Tickets.ListVerbs(d.Ctx(), &apipb.ListVerbsRequest{Number: d.ticket.GetNumber()})
	if err != nil {
		return err
	}
	for _, name := range may.GetVerbs() {
		d.verbs[name] = true
	}
	for _, name := range may.GetWishes() {
		d.wishes[name] = true
	}
	d.people, err = colleaguesOf(d.Visit)
	return err
}

// readNames adds how those of this site are called whom no group has. Without a role a step is what somebody wished, maybe at another
// site.
func (d *dossier) readNames() {
	for _, entry := range d.journal {
		if name := entry.GetActorName(); name != "" && entry.GetSite() == d.SiteID && entry.GetRole() != "" {
			d.people.names[entry.GetActor()] = name
		}
	}
	if caller, err := d.Caller(); err == nil && caller.GetUser().GetDisplayName() != "" {
		d.people.names[d.Actor.GetUser()] = caller.GetUser().GetDisplayName()
	}
}

// person is how somebody is called who is of the first of the sites that knows the name: of this one its people, of another one those
// whom the ticket tells of. It is the user's name where none does.
func (d *dossier) person(user string, sites ...string) string {
	for _, site := range sites {
		if site == d.SiteID && d.people.names[user] != "" {
			return d.people.names[user]
		}
		if name := desk.NameOf(d.ticket, site, user); name != "" {
			return name
		}
	}
	return user
}

// coordinatorSite is the site whose person the coordinator is: the one that named the coordinator last.
func (d *dossier) coordinatorSite() string {
	for _, entry := range slices.Backward(d.journal) {
		if _, changed := changeOf(entry, "coordinator"); changed {
			return entry.GetSite()
		}
	}
	return d.ticket.GetHomeSite()
}

// custodian is the site that has the ticket.
func (d *dossier) custodian() string { return d.ticket.GetCustodianSite() }

// groupTitle is a group as people of this site know it.
func (d *dossier) groupTitle(name string) string {
	for _, group := range d.policy.GetGroups() {
		if group.GetName() == name {
			return d.title(group.GetTitle(), name)
		}
	}
	return name
}

// title is a name of the policy in the visitor's language.
func (d *dossier) title(words *deskpb.Words, name string) string {
	switch {
	case d.Lang == page.English && words.GetEn() != "":
		return words.GetEn()
	case d.Lang != page.English && words.GetZh() != "":
		return words.GetZh()
	}
	return name
}
