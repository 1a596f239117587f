package desk

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cockroachdb/datadriven"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
	"github.com/tierdesk/tierdesk/desk/retell"
	"github.com/tierdesk/tierdesk/policyfile"
)

// policy gives a site its layer of the policy, and every site at and below it what holds there now.
func (s *story) policy(d *datadriven.TestData) error {
	publisher := siteName(province)
	d.MaybeScanArgs(s.t, "of", &publisher)
	site, err := siteNamed(publisher)
	if err != nil {
		return err
	}
	path := s.tree.office(site).here.Path
	layer, problems := policyfile.Check([]byte(d.Input), s.layersAbove(path[1:]))
	if len(problems) > 0 {
		return fmt.Errorf("the policy of %s: %v", publisher, problems)
	}
	s.layers[site] = layer
	for _, o := range s.tree.offices {
		o.policy = policy.Merge(s.layersAbove(o.here.Path)...)
	}
	s.noticeRounds()
	return nil
}

// layersAbove lists the built-in policy and the layers of a path, its last site first.
func (s *story) layersAbove(path []SiteID) []*deskpb.Policy {
	layers := []*deskpb.Policy{policy.Default()}
	for _, site := range slices.Backward(path) {
		layers = append(layers, s.layers[site])
	}
	return layers
}

// arrange changes what a site knows beside its tickets.
func (s *story) arrange(site SiteID, d *datadriven.TestData) error {
	o := s.tree.office(site)
	switch what := d.CmdArgs[0].Key; what {
	case "on-duty", "off-duty":
		for _, user := range s.users(d, "is") {
			if o.duty == nil {
				o.duty = map[UserID]*deskpb.SetDuty{}
			}
			o.duty[UserID(user)] = &deskpb.SetDuty{User: user, On: what == "on-duty"}
		}
	case "managers":
		o.managers = nil
		for _, user := range s.users(d, "are") {
			o.managers = append(o.managers, UserID(user))
		}
	case "knows":
		known := &deskpb.Customer{}
		if err := protojson.Unmarshal([]byte(d.Input), known); err != nil {
			return err
		}
		if o.customers == nil {
			o.customers = map[string]*deskpb.Customer{}
		}
		o.customers[known.GetId()] = known
	case "has-file":
		blob := &deskpb.Blob{}
		if err := protojson.Unmarshal([]byte(d.Input), blob); err != nil {
			return err
		}
		if o.files == nil {
			o.files = map[string]*deskpb.Blob{}
		}
		o.files[string(blob.GetSha256())] = blob
	default:
		return fmt.Errorf("nothing at %s is arranged by %q", site, what)
	}
	return nil
}

// customer has a site keep a requester's record, or a call-back that is not about a ticket, and prints what comes next.
func (s *story) customer(site SiteID, d *datadriven.TestData) (string, error) {
	o := s.tree.office(site)
	at := s.tree.stamp(o).Time
	var known *deskpb.Customer
	if d.CmdArgs[0].Key == "knows" {
		asked := &deskpb.Customer{}
		if err := protojson.Unmarshal([]byte(d.Input), asked); err != nil {
			return "", err
		}
		known = Customer(o.policy, o.customers[asked.GetId()], asked, at)
	} else {
		var who string
		d.ScanArgs(s.t, "who", &who)
		made := &deskpb.CustomerCall{}
		if err := protojson.Unmarshal([]byte(d.Input), made); err != nil {
			return "", err
		}
		var err error
		if known, err = Called(o.policy, o.customers[who], made, at); err != nil {
			return reason(err) + ": " + err.Error(), nil
		}
	}
	if o.customers == nil {
		o.customers = map[string]*deskpb.Customer{}
	}
	o.customers[known.GetId()] = known
	return customerLine(o.policy, known, at), nil
}

// customerLine says who a customer is and which call-backs come next.
func customerLine(p *deskpb.Policy, c *deskpb.Customer, at int64) string {
	line := fmt.Sprintf("%s, %s", c.GetName(), ClassOf(p, c, at))
	for _, call := range c.GetCalls() {
		if call.GetDone() == 0 {
			line += fmt.Sprintf(", %s on %s", call.GetKind(), retell.Clock(call.GetDue()))
		}
	}
	return line
}

// users reads names that are separated by commas.
func (s *story) users(d *datadriven.TestData, argument string) []string {
	var names string
	d.ScanArgs(s.t, argument, &names)
	return strings.Split(names, ",")
}

// inboxes are the notices that people have got, and how much of each ticket their site had heard of then.
type inboxes struct {
	heard   map[SiteID]map[TicketNumber]int
	keys    map[string]bool // of a site, person and notice
	waiting map[SiteID]map[string][]*deskpb.Notice
}

func newInboxes() inboxes {
	return inboxes{heard: map[SiteID]map[TicketNumber]int{}, keys: map[string]bool{}, waiting: map[SiteID]map[string][]*deskpb.Notice{}}
}

// deliver makes the notices of every event that an office has come to know since the last time.
func (in *inboxes) deliver(o *office) error {
	site := o.here.Site
	if in.heard[site] == nil {
		in.heard[site], in.waiting[site] = map[TicketNumber]int{}, map[string][]*deskpb.Notice{}
	}
	for _, number := range o.numbers() {
		for events := o.events[number]; in.heard[site][number] < len(events); in.heard[site][number]++ {
			if err := in.hear(o, events[:in.heard[site][number]+1]); err != nil {
				return err
			}
		}
	}
	return nil
}

// hear makes the notices of the last of a ticket's events.
func (in *inboxes) hear(o *office, events []Sealed) error {
	last := events[len(events)-1]
	before, err := Union(events[:len(events)-1])
	after, errAfter := Union(events)
	if err := errors.Join(err, errAfter); err != nil || after == nil {
		return err
	}
	notices, err := Notices(o.here, o, News{Event: last, Before: before, After: after, Time: last.GetTime()})
	if err != nil {
		return err
	}
	for _, notice := range notices {
		key := strings.Join([]string{string(o.here.Site), notice.GetUser(), notice.GetKey()}, "\x00")
		if !in.keys[key] {
			in.keys[key] = true
			in.waiting[o.here.Site][notice.GetUser()] = append(in.waiting[o.here.Site][notice.GetUser()], notice)
		}
	}
	return nil
}

// inbox prints the notices of a person since the last look.
func (s *story) inbox(site SiteID, d *datadriven.TestData) (string, error) {
	var user string
	d.ScanArgs(s.t, "of", &user)
	o := s.tree.office(site)
	if err := s.inboxes.deliver(o); err != nil {
		return "", err
	}
	var lines []string
	for _, notice := range s.inboxes.waiting[site][user] {
		lines = append(lines, s.named(retell.Notice(notice.GetKind(), notice.GetTicket(), notice.GetTitle(), notice.GetText())))
	}
	s.inboxes.waiting[site][user] = nil
	return strings.Join(lines, "\n"), nil
}
