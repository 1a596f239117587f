package desk

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// TestStories plays testdata/stories. A story has one tree and one ticket; its directives are
//
//	<site> <verb> [as=<user>] [role=<role>] [etag=<etag>]   decides the verb; the input is its body as JSON
//	<site> courier                                           dispatches what waits at the site
//	deliver [from=<site> to=<site>]                          empties one line, without its answers; all lines by default
//	drain                                                    delivers and dispatches until all is quiet
//	<site> show                                              prints the ticket as the site knows it
//	<site> journal                                           prints its journal
//	<site> tier is=<tier>                                    gives the site another tier
//	wait minutes=<n>                                         lets time pass
//
// and sites are called county, city and province.
func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata/stories", func(t *testing.T, path string) {
		s := &story{tree: newTree()}
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
}

func (s *story) play(d *datadriven.TestData) (string, error) {
	switch d.Cmd {
	case "drain":
		if err := s.tree.drain(); err != nil {
			return "", err
		}
		if err := s.tree.agree(s.number); err != nil {
			return "", err
		}
		return s.show(county)
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
	switch d.CmdArgs[0].Key {
	case "show":
		return s.show(site)
	case "journal":
		return s.journal(site)
	case "courier":
		if err := s.tree.dispatch(site); err != nil {
			return "", err
		}
		return s.show(site)
	case "tier":
		var tier string
		d.ScanArgs(s.t, "is", &tier)
		s.tree.office(site).here.Tier = deskpb.Site_Tier(deskpb.Site_Tier_value[tier])
		return "", nil
	}
	return s.decide(site, d)
}

// decide prints what became of the ticket or why nothing did.
func (s *story) decide(site SiteID, d *datadriven.TestData) (string, error) {
	user, role, etag := "lin", deskpb.User_AGENT.String(), ""
	d.MaybeScanArgs(s.t, "as", &user)
	d.MaybeScanArgs(s.t, "role", &role)
	d.MaybeScanArgs(s.t, "etag", &etag)
	body := d.Input
	if strings.TrimSpace(body) == "" {
		body = "{}"
	}
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
		return reason(err) + ": " + err.Error(), nil
	}
	s.number = TicketNumber(decision.Record.GetTicket().GetNumber())
	return s.show(site)
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
	return "", nil
}

// show prints the ticket in a few lines, and nothing that is not set.
func (s *story) show(site SiteID) (string, error) {
	r := s.tree.office(site).records[s.number]
	if r == nil {
		return "unknown here", nil
	}
	t := r.GetTicket()
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s at %s, %s line, term %d, open %s", t.GetNumber(), t.GetKind(), t.GetState(),
		siteName(SiteID(t.GetCustodianSite())), t.GetLine(), t.GetCustodyTerm(), instant(t.GetOpenTime()))
	if h := t.GetHandover(); h.GetState() != deskpb.Handover_NONE {
		fmt.Fprintf(&b, "\n%s to %s, %s line", h.GetState(), siteName(SiteID(h.GetToSite())), h.GetToLine())
	}
	for _, station := range r.GetRoute() {
		fmt.Fprintf(&b, "\ncame from %s, %s line", siteName(SiteID(station.GetSite())), station.GetLine())
	}
	if t.GetAssignee() != "" || t.GetGroup() != "" {
		fmt.Fprintf(&b, "\nassigned to %q of group %q", t.GetAssignee(), t.GetGroup())
	}
	for _, clock := range t.GetSla() {
		fmt.Fprintf(&b, "\n%s %s %s", clock.GetMetric(), clock.GetState(), instant(clock.GetDueTime()))
	}
	for _, wish := range t.GetWishes() {
		fmt.Fprintf(&b, "\n%s wish of %s: %s %s", wish.GetKind(), siteName(SiteID(wish.GetSite())), wish.GetState(), wish.GetAnswer())
	}
	return b.String(), nil
}

func (s *story) journal(site SiteID) (string, error) {
	entries, err := Journal(s.tree.office(site).journal(s.number))
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, entry := range entries {
		fmt.Fprintf(&b, "%s %s %s %s %s\n", instant(timestamp(entry.Event.GetTime())), siteName(SiteID(entry.Event.GetId().GetSite())),
			entry.Event.GetActor(), entry.Event.GetType(), entry.Event.GetBody().GetText())
		for _, change := range entry.Changes {
			fmt.Fprintf(&b, "  %s: %q -> %q\n", change.Field, change.Before, change.After)
		}
	}
	return b.String(), nil
}

func siteNamed(name string) (SiteID, error) {
	for _, site := range []SiteID{county, city, province} {
		if siteName(site) == name {
			return site, nil
		}
	}
	return "", fmt.Errorf("no site is called %q", name)
}

func siteName(site SiteID) string {
	switch site {
	case county:
		return "county"
	case city:
		return "city"
	case province:
		return "province"
	}
	return string(site)
}
