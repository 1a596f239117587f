package desk

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/retell"
)

// TestStories plays testdata/stories. A story has one tree; its directives are
//
//	<site> <verb> [as=<user>] [role=<role>] [etag=<etag>] [of=<name>]   decides the verb; the input is its body as JSON
//	<site> courier                                           dispatches what waits at the site
//	deliver [from=<site> to=<site>]                          empties one line, without its answers; all lines by default
//	drain                                                    delivers and dispatches until all is quiet
//	<site> show [of=<name>]                                  prints the ticket as the site knows it
//	<site> journal [of=<name>]                               prints its journal
//	<site> tier is=<tier>                                    gives the site another tier
//	wait minutes=<n>                                         moves the clocks and does nothing of what is due
//
// and sites are called county, neighbour, city and province. A ticket is the one that was spoken of last, unless a name says
// which: "county create name=打印" names one, "of=打印" means it, and "@打印" in a body stands for its number.
//
// A story of people begins with the local time at which it does, and is then told in their words:
//
//	begin at=2026-11-23T09:00                                what happened is printed after each directive
//	policy [of=<site>]                                       the site's layer of the policy, as YAML; the province's by default
//	pass until=<local time> | minutes=<n> [alone]            time passes, and what is due meanwhile is done; alone: lines are down
//	<site> seen-by-requester                                 prints the journal without what only staff see
//	<site> ticket [of=<name>]                                prints everything that the site knows of the ticket
//	<site> on-duty is=<users> | off-duty is=<users>          says by hand who is there
//	<site> managers are=<users>                              names the incident managers of the site
//	<site> knows                                             a requester's record, as JSON; prints the call-backs to come
//	<site> called who=<id>                                   records one of these call-backs, as JSON
//	<site> has-file                                          the content of an attachment
//	<site> inbox of=<user>                                   prints the notices of a person since the last look
func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata/stories", func(t *testing.T, path string) {
		s := newStory()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s.t = t
			out, err := s.play(d)
			if err != nil {
				d.Fatalf(t, "%v", err)
			}
			return out
		})
	})
}

type story struct {
	t      *testing.T // of the directive that is played
	tree   *tree
	number TicketNumber
	names  map[string]TicketNumber
	told   bool // in people's words

	layers  map[SiteID]*deskpb.Policy
	shown   map[string]bool // events that were printed
	inboxes inboxes
	rounds  map[roundOf]int64 // up to when each has been opened
}

func newStory() *story {
	return &story{
		tree: newWideTree(), names: map[string]TicketNumber{}, layers: map[SiteID]*deskpb.Policy{}, shown: map[string]bool{},
		inboxes: newInboxes(), rounds: map[roundOf]int64{},
	}
}

func (s *story) play(d *datadriven.TestData) (string, error) {
	if err := s.mention(d); err != nil {
		return "", err
	}
	switch d.Cmd {
	case "begin":
		return "", s.begin(d)
	case "policy":
		return "", s.policy(d)
	case "pass":
		return s.pass(d)
	case "drain":
		return s.drain()
	case "deliver":
		return s.deliver(d)
	case "wait":
		var minutes int64
		d.ScanArgs(s.t, "minutes", &minutes)
		s.tree.now += minutes * minute
		return "", nil
	}
	site, err := siteNamed(d.Cmd)
	if err != nil {
		return "", err
	}
	if len(d.CmdArgs) == 0 {
		return "", fmt.Errorf("say what %s does", d.Cmd)
	}
	return s.at(site, d)
}

// at plays a directive that a site is the subject of.
func (s *story) at(site SiteID, d *datadriven.TestData) (string, error) {
	switch d.CmdArgs[0].Key {
	case "show":
		return s.show(site)
	case "ticket":
		return s.everything(site), nil
	case "journal", "seen-by-requester":
		return s.journal(site, d.CmdArgs[0].Key == "journal")
	case "courier":
		if err := s.tree.dispatch(site); err != nil {
			return "", err
		}
		return s.after(site)
	case "tier":
		var tier string
		d.ScanArgs(s.t, "is", &tier)
		s.tree.office(site).here.Tier = deskpb.Site_Tier(deskpb.Site_Tier_value[tier])
		return "", nil
	case "knows", "called":
		return s.customer(site, d)
	case "on-duty", "off-duty", "managers", "has-file":
		return "", s.arrange(site, d)
	case "inbox":
		return s.inbox(site, d)
	}
	return s.decide(site, d)
}

// mention makes the ticket that a directive names the one that is spoken of.
func (s *story) mention(d *datadriven.TestData) error {
	var name string
	if d.MaybeScanArgs(s.t, "of", &name); name == "" || d.Cmd == "policy" || len(d.CmdArgs) > 0 && d.CmdArgs[0].Key == "inbox" {
		return nil
	}
	number, known := s.names[name]
	if !known {
		return fmt.Errorf("no ticket is called %q", name)
	}
	s.number = number
	return nil
}

// decide prints what became of the ticket or why nothing did.
func (s *story) decide(site SiteID, d *datadriven.TestData) (string, error) {
	user, role, etag, name := "lin", deskpb.User_AGENT.String(), "", ""
	d.MaybeScanArgs(s.t, "as", &user)
	d.MaybeScanArgs(s.t, "role", &role)
	d.MaybeScanArgs(s.t, "etag", &etag)
	d.MaybeScanArgs(s.t, "name", &name)
	body := cmp.Or(strings.TrimSpace(s.numbered(d.Input)), "{}")
	command := &deskpb.TicketCommand{}
	if err := protojson.Unmarshal(fmt.Appendf(nil, `{%q: %s}`, d.CmdArgs[0].Key, body), command); err != nil {
		return "", err
	}
	command.Actor = &deskpb.Actor{User: user, Role: deskpb.User_Role(deskpb.User_Role_value[role])}
	command.Etag = etag
	if command.GetCreate() == nil {
		command.Number = string(s.number)
	}
	decision, err := s.tree.do(site, command)
	if err != nil {
		return reason(err) + ": " + s.named(err.Error()), nil
	}
	s.number = TicketNumber(decision.Record.GetTicket().GetNumber())
	if name != "" {
		s.names[name] = s.number
	}
	return s.after(site)
}

// after prints what a directive did.
func (s *story) after(site SiteID) (string, error) {
	if !s.told {
		return s.show(site)
	}
	return s.happened(site)
}

func (s *story) drain() (string, error) {
	if err := s.tree.drain(); err != nil {
		return "", err
	}
	if !s.told {
		if err := s.tree.agree(s.number); err != nil {
			return "", err
		}
		return s.show(county)
	}
	for _, o := range s.tree.offices {
		for _, number := range o.numbers() {
			if err := s.tree.agree(number); err != nil {
				return "", err
			}
		}
	}
	return s.happened("")
}

func (s *story) deliver(d *datadriven.TestData) (string, error) {
	from, to := "", ""
	d.MaybeScanArgs(s.t, "from", &from)
	d.MaybeScanArgs(s.t, "to", &to)
	for line := range s.tree.lines {
		named := from == "" || siteName(lineEnd(line^1)) == from && siteName(lineEnd(line)) == to
		for n := len(s.tree.lines[line]); named && n > 0; n-- {
			if err := s.tree.deliver(line); err != nil {
				return "", err
			}
		}
	}
	if s.told {
		return s.happened("")
	}
	return "", nil
}

// numbered puts the numbers of tickets in the place of their names.
func (s *story) numbered(text string) string {
	for _, name := range s.longestFirst() {
		text = strings.ReplaceAll(text, "@"+name, string(s.names[name]))
	}
	return text
}

// named puts the names of tickets in the place of their numbers.
func (s *story) named(text string) string {
	for _, name := range s.longestFirst() {
		text = strings.ReplaceAll(text, string(s.names[name]), "@"+name)
	}
	return text
}

func (s *story) longestFirst() []string {
	var names []string
	for name := range s.names {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return names
}

func siteNamed(name string) (SiteID, error) {
	for _, site := range []SiteID{county, neighbour, city, province} {
		if siteName(site) == name {
			return site, nil
		}
	}
	return "", fmt.Errorf("no site is called %q", name)
}

func siteName(site SiteID) string { return retell.Site(string(site)) }
