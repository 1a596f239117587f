package node

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/retell"
)

// retold are stories of the desk's people that real sites play too: all but those about requesters' records and attachments.
func retold() []string {
	return []string{
		"1-finance/application-names-its-maintainers",
		"1-finance/call-becomes-incident",
		"1-finance/knowledge",
		"1-finance/three-tiers",
		"1-finance/where-it-stuck",
		"2-city/approval",
		"2-city/co-signing",
		"2-city/dispatch-by-category",
		"2-city/reminders",
		"2-city/urging",
		"2-city/what-the-requester-sees",
		"2-city/working-together",
		"3-county/emergency-plan",
		"3-county/level-1-at-night",
		"3-county/level-1-in-working-hours",
		"3-county/level-2",
		"3-county/level-3",
		"3-county/priority",
		"3-county/satisfaction",
		"3-county/three-entries",
		"4-desk/auto-close-and-reopen",
		"4-desk/claim-decline-transfer",
		"4-desk/duplicates",
		"4-desk/goes-home",
		"4-desk/major-incident",
		"4-desk/not-accepted-in-time",
		"4-desk/parent-and-children",
		"4-desk/the-desks-day",
		"4-desk/vendor",
		"4-desk/waiting-for-the-requester",
		"5-power/call-back",
		"5-power/dissatisfied",
		"5-power/seven-categories",
		"7-cloud/inspection",
		"7-cloud/measured-by-line",
		"7-cloud/one-voice",
		"7-cloud/progress-messages",
	}
}

// TestStoriesOnRealSites plays stories that are written for the rules alone over a province, a city and its counties: real
// nodes with their logs, links and timekeepers, used through their HTTP API. What is read must be what the story expects, and
// after each exchange between the sites all of them must tell the same of every ticket.
//
// The files are those of desk, whose runner says what their directives mean. Only this differs:
//
//   - The machines' clock stands still but for a second before each call, and is set to what is due next while time passes. The
//     rules alone also take time to react, so that a time may differ by a minute.
//   - Lines are cut except while the story exchanges what waits, because a site sends it at once. Sites work side by side then, so
//     that the events of different tickets may be mixed otherwise; those of each ticket come in their order.
//   - The policy is published without an administrator: a site would keep its last one, and tell him where nobody is left.
//   - People's sessions are opened without their passwords, which takes no hash of each.
//   - The API's journal leaves out who was told and which clock passed which mark, so events are read from the sites' stores.
func TestStoriesOnRealSites(t *testing.T) {
	for _, name := range retold() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join("..", "desk", "testdata", "stories", filepath.FromSlash(name)+".txt")
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			told := &retelling{
				wide:  bytes.Contains(text, []byte("\nneighbour ")),
				names: map[string]string{}, shown: map[string]bool{}, noticed: map[string]int{},
			}
			datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
				out, err := told.play(t, d)
				if err != nil {
					d.Fatalf(t, "%v", err)
				}
				return asExpected(out, d.Expected)
			})
		})
	}
}

// retelling is a story that real sites play.
type retelling struct {
	wide    bool       // the story has a second county
	tree    *storyTree // since the story began
	number  string     // of the ticket that is spoken of
	names   map[string]string
	shown   map[string]bool // events that were printed
	noticed map[string]int  // notices of a person at a site that were printed
}

func (s *retelling) play(t *testing.T, d *datadriven.TestData) (string, error) {
	if d.Cmd == "begin" {
		at, err := localTime(t, d, "at")
		s.tree = growTree(t, at, s.wide)
		return "", err
	}
	if err := s.mention(t, d); err != nil {
		return "", err
	}
	switch d.Cmd {
	case "policy":
		site := "province"
		d.MaybeScanArgs(t, "of", &site)
		return "", s.tree.policy(s.tree.site(site), d.Input)
	case "pass":
		return s.pass(t, d)
	case "drain":
		if err := s.tree.exchange(); err != nil {
			return "", err
		}
		return s.happened(nil)
	}
	return s.at(t, s.tree.site(d.Cmd), d)
}

// at plays a directive that a site is the subject of.
func (s *retelling) at(t *testing.T, site *storySite, d *datadriven.TestData) (string, error) {
	switch what := d.CmdArgs[0].Key; what {
	case "ticket":
		return s.everything(site)
	case "journal", "seen-by-requester":
		return s.journal(site, what == "journal")
	case "on-duty", "off-duty":
		for _, user := range persons(t, d, "is") {
			if err := site.post(user, "/api/v1/duty", map[string]any{"user": user, "on": what == "on-duty"}, nil); err != nil {
				return "", err
			}
		}
		return "", nil
	case "managers":
		for _, user := range persons(t, d, "are") {
			if err := site.appoint(user, deskpb.User_INCIDENT_MANAGER); err != nil {
				return "", err
			}
		}
		return "", nil
	case "inbox":
		return s.inbox(t, site, d)
	}
	return s.do(t, site, d)
}

// mention makes the ticket that a directive names the one that is spoken of.
func (s *retelling) mention(t *testing.T, d *datadriven.TestData) error {
	var name string
	if d.MaybeScanArgs(t, "of", &name); name == "" || d.Cmd == "policy" || d.CmdArgs[0].Key == "inbox" {
		return nil
	}
	number, known := s.names[name]
	if !known {
		return fmt.Errorf("no ticket is called %q", name)
	}
	s.number = number
	return nil
}

// do makes a call and prints what happened or why nothing did.
func (s *retelling) do(t *testing.T, site *storySite, d *datadriven.TestData) (string, error) {
	user, role, name := "lin", "", ""
	d.MaybeScanArgs(t, "as", &user)
	d.MaybeScanArgs(t, "role", &role)
	d.MaybeScanArgs(t, "name", &name)
	if role != "" {
		if err := site.appoint(user, deskpb.User_Role(deskpb.User_Role_value[role])); err != nil {
			return "", err
		}
	}
	s.tree.clock.set(s.tree.clock.Now().Add(time.Second))
	ticket, err := site.call(user, d.CmdArgs[0].Key, s.number, s.numbered(d.Input))
	var refused *refusedCall
	if errors.As(err, &refused) {
		return s.named(refused.Error()), nil
	}
	if err != nil {
		return "", err
	}
	s.number = ticket.GetNumber()
	if name != "" {
		s.names[name] = s.number
	}
	return s.happened(site)
}

// pass lets time pass and prints what happened meanwhile.
func (s *retelling) pass(t *testing.T, d *datadriven.TestData) (string, error) {
	until := s.tree.clock.Now()
	if d.HasArg("minutes") {
		var minutes int
		d.ScanArgs(t, "minutes", &minutes)
		until = until.Add(time.Duration(minutes) * time.Minute)
	} else {
		var err error
		if until, err = localTime(t, d, "until"); err != nil {
			return "", err
		}
	}
	if err := s.tree.pass(until, d.HasArg("alone")); err != nil {
		return "", err
	}
	return s.happened(nil)
}

// happened prints the events that the sites wrote since the last directive, in the order of their times, and how the ticket
// that is spoken of stands at a site; without one, where it is held.
func (s *retelling) happened(site *storySite) (string, error) {
	var news []desk.Sealed
	for _, of := range s.tree.sites {
		events, err := of.written()
		if err != nil {
			return "", err
		}
		for _, event := range events {
			name := desk.EventName(event.GetId())
			if s.shown[name] {
				continue
			}
			s.shown[name] = true
			news = append(news, event)
			if round := event.GetBody().GetOpened().GetTicket().GetRound(); round != "" {
				s.number, s.names[round] = event.GetTicket(), event.GetTicket()
			}
		}
	}
	slices.SortFunc(news, func(a, b desk.Sealed) int {
		return cmp.Or(cmp.Compare(a.GetTime(), b.GetTime()), cmp.Compare(a.GetId().GetSite(), b.GetId().GetSite()),
			cmp.Compare(a.GetId().GetSequence(), b.GetId().GetSequence()))
	})
	var lines []string
	for _, event := range news {
		lines = append(lines, s.named(retell.Event(event.Event, s.number)))
	}
	if s.number == "" {
		return strings.Join(lines, "\n"), nil
	}
	if site == nil {
		var err error
		if site, err = s.tree.holder(s.number); err != nil {
			return "", err
		}
	}
	ticket, err := site.ticket(s.number)
	return strings.Join(append(lines, retell.Standing(ticket, site.id)), "\n"), err
}
