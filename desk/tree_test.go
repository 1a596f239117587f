package desk

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

const (
	county   SiteID = "330106"
	city     SiteID = "330100"
	province SiteID = "330000"

	// neighbour is another county below the same city; only stories have it.
	neighbour SiteID = "330102"

	// morning is 2026-11-21 08:00:00 UTC, in microseconds; in Hangzhou it is 16:00.
	morning int64 = 1795248000_000_000
	minute  int64 = 60_000_000
	// stampStep is how much time each decision of a tree takes, in microseconds.
	stampStep int64 = 1_000_000
	beijing   int32 = 8 * 3600
	founding        = 0x5eed
)

// office is a site in memory: what the rules read, and what a log would keep of their decisions.
type office struct {
	here    Here
	records map[TicketNumber]*deskpb.Record
	events  map[TicketNumber][]Sealed // in the order in which they came to be known here
	marks   map[string]*deskpb.RequestMark
	last    map[string]uint32
	stored  map[string]bool
	behind  int64 // how far the office's clock is behind, in microseconds

	unsettled bool                // its neighbours were not compared since it began to recover
	directory map[SiteID][]SiteID // the path of each site that it knows
	policy    *deskpb.Policy

	strangers map[UserID]bool             // names of the policy that are nobody's here
	called    map[UserID]string           // how people are called who work here
	members   map[string][]UserID         // whose accounts name a group
	duty      map[UserID]*deskpb.SetDuty  // what was said by hand
	rotation  map[string]UserID           // who got a ticket of a group last by the rules
	managers  []UserID                    // the incident managers
	customers map[string]*deskpb.Customer // by id; no two share a telephone number
	files     map[string]*deskpb.Blob     // contents that it has, by their hash
}

func newOffice(tier deskpb.Site_Tier, path ...SiteID) *office {
	return &office{
		here:    Here{Site: path[0], Tier: tier, Path: path, Incarnation: founding},
		records: map[TicketNumber]*deskpb.Record{},
		events:  map[TicketNumber][]Sealed{},
		marks:   map[string]*deskpb.RequestMark{},
		last:    map[string]uint32{},
		stored:  map[string]bool{},

		directory: map[SiteID][]SiteID{county: {county, city, province}, neighbour: {neighbour, city, province}, city: {city, province}},
		policy:    policy.Default(),
		rotation:  map[string]UserID{},
		called:    map[UserID]string{},
	}
}

func (o *office) Ticket(number TicketNumber) (*deskpb.Record, error) { return o.records[number], nil }

func (o *office) LastSequence(day string) (uint32, error) { return o.last[day], nil }

func (o *office) Request(principal UserID, method, id string) (*deskpb.RequestMark, error) {
	return o.marks[string(principal)+"/"+method+"/"+id], nil
}

func (o *office) Settled(*deskpb.Record) (bool, error) { return !o.unsettled, nil }

func (o *office) Policy() (*deskpb.Policy, error) { return o.policy, nil }

func (o *office) Members(group string) ([]UserID, error) { return o.members[group], nil }

func (o *office) Person(user UserID) (bool, error) { return !o.strangers[user], nil }

func (o *office) DisplayName(user UserID) (string, error) { return o.called[user], nil }

func (o *office) Duty(user UserID) (*deskpb.SetDuty, error) { return o.duty[user], nil }

func (o *office) Load(user UserID) (load int, err error) {
	for _, number := range o.numbers() {
		t := o.records[number].GetTicket()
		if t.GetAssignee() == string(user) && isOpen(t.GetState()) && holds(o.here, o.records[number]) {
			load++
		}
	}
	return load, nil
}

func (o *office) Rotation(group string) (UserID, error) { return o.rotation[group], nil }

func (o *office) Managers() ([]UserID, error) { return o.managers, nil }

func (o *office) Customer(id string) (*deskpb.Customer, error) { return o.customers[id], nil }

func (o *office) CustomerByPhone(digits string) (*deskpb.Customer, error) {
	for _, known := range o.customers {
		if slices.ContainsFunc(known.GetPhones(), func(phone string) bool { return PhoneDigits(phone) == digits }) {
			return known, nil
		}
	}
	return nil, nil
}

func (o *office) Unit(name string) (*deskpb.Customer, error) {
	for _, known := range o.customers {
		if known.GetKind() == deskpb.Customer_UNIT && strings.EqualFold(known.GetName(), name) {
			return known, nil
		}
	}
	return nil, nil
}

func (o *office) File(sum []byte) (*deskpb.Blob, error) { return o.files[string(sum)], nil }

func (o *office) Path(home SiteID) ([]SiteID, error) { return o.directory[home], nil }

// keep stores a decision as a log would.
func (o *office) keep(d *Decision) error {
	for _, event := range d.Events {
		o.store(event)
		o.here.Sequence = max(o.here.Sequence, event.GetId().GetSequence())
		if r := event.GetRequest(); r != nil {
			o.marks[event.GetActor()+"/"+r.GetMethod()+"/"+r.GetId()] =
				&deskpb.RequestMark{Ticket: event.GetTicket(), BodyHash: r.GetBodyHash()}
		}
		if group, user := Turn(event); user != "" {
			o.rotation[group] = user
		}
		if event.GetType() == deskpb.Event_OPENED {
			number, err := ParseNumber(TicketNumber(event.GetTicket()))
			if err != nil {
				return err
			}
			o.last[number.Day] = number.Sequence
		}
	}
	o.records[TicketNumber(d.Record.GetTicket().GetNumber())] = d.Record
	return nil
}

func (o *office) store(event Sealed) {
	number := TicketNumber(event.GetTicket())
	o.events[number] = append(o.events[number], event)
	o.stored[EventName(event.GetId())] = true
}

// receive stores an event of another site in whatever order it comes, and brings the ticket up to date.
func (o *office) receive(event Sealed) error {
	number := TicketNumber(event.GetTicket())
	before := o.records[number]
	o.store(event)
	record, err := Union(o.events[number])
	if err == nil && Follows(before, event) && Authority(before, event) == "" {
		var folded *deskpb.Record
		if folded, err = Fold(before, event); err == nil && !proto.Equal(folded, record) {
			err = fmt.Errorf("%s gives another record when it is folded than when all events are united:\n%v\n%v",
				event.GetType(), folded, record)
		}
	}
	if err != nil {
		return fmt.Errorf("at %s: %w", o.here.Site, err)
	}
	if record != nil {
		o.records[number] = record
	}
	return nil
}

// journal returns the ticket's events in journal order.
func (o *office) journal(number TicketNumber) []Sealed {
	return slices.SortedFunc(slices.Values(o.events[number]), func(a, b Sealed) int {
		return cmp.Or(
			cmp.Compare(a.GetTime(), b.GetTime()),
			cmp.Compare(a.GetId().GetSite(), b.GetId().GetSite()),
			cmp.Compare(a.GetId().GetIncarnation(), b.GetId().GetIncarnation()),
			cmp.Compare(a.GetId().GetSequence(), b.GetId().GetSequence()))
	})
}

// tree is the path county - city - province with a line between neighbours that carries events in order.
type tree struct {
	offices []*office // county, city, province
	lines   [][]Sealed
	now     int64
}

// Lines of a tree, by the sites at their ends.
const (
	countyToCity = iota
	cityToCounty
	cityToProvince
	provinceToCity
	lineCount       // of the path; those of the neighbour stand behind them
	neighbourToCity = lineCount
	cityToNeighbour = lineCount + 1
)

func newTree() *tree {
	return &tree{
		offices: []*office{
			newOffice(deskpb.Site_COUNTY, county, city, province),
			newOffice(deskpb.Site_CITY, city, province),
			newOffice(deskpb.Site_PROVINCE, province),
		},
		lines: make([][]Sealed, lineCount),
		now:   morning,
	}
}

// newWideTree is a tree with another county beside the path.
func newWideTree() *tree {
	tr := newTree()
	tr.offices = append(tr.offices, newOffice(deskpb.Site_COUNTY, neighbour, city, province))
	tr.lines = append(tr.lines, nil, nil)
	return tr
}

func (tr *tree) office(site SiteID) *office {
	i := slices.IndexFunc(tr.offices, func(o *office) bool { return o.here.Site == site })
	return tr.offices[i]
}

// stamp lets a second pass and reads the office's clock.
func (tr *tree) stamp(o *office) Stamp {
	tr.now += stampStep
	return Stamp{Time: tr.now - o.behind, UTCOffset: beijing}
}

// do has the office decide a command and sends the events along the path.
func (tr *tree) do(site SiteID, command *deskpb.TicketCommand) (*Decision, error) {
	o := tr.office(site)
	d, err := Decide(o.here, o, command, tr.stamp(o))
	if err != nil {
		return nil, err
	}
	if len(d.Events) == 0 {
		return d, nil
	}
	return d, tr.spread(o, d)
}

// spread keeps a decision, with those beside it and those that follow from it on other tickets, and puts its events onto
// every line of the ticket's path that leaves the office.
func (tr *tree) spread(o *office, d *Decision) error {
	before := o.records[TicketNumber(d.Record.GetTicket().GetNumber())]
	if err := o.keep(d); err != nil {
		return err
	}
	for _, event := range d.Events {
		tr.send(o, event, -1)
	}
	for _, other := range d.Beside {
		if err := tr.spread(o, other); err != nil {
			return err
		}
	}
	return tr.follow(o, before, d.Record)
}

// follow does what the rules demand of the office on other tickets after one has changed.
func (tr *tree) follow(o *office, before, after *deskpb.Record) error {
	if after == nil {
		return nil
	}
	followed, err := Follow(o.here, o, before, after, Stamp{Time: tr.now - o.behind, UTCOffset: beijing})
	if err != nil {
		return err
	}
	for _, d := range followed {
		if err := tr.spread(o, d); err != nil {
			return err
		}
	}
	return nil
}

// send puts an event onto the lines that leave the office, except towards where it came from.
func (tr *tree) send(o *office, event Sealed, cameBy int) {
	for _, line := range linesFrom(o.here.Site) {
		back := line ^ 1
		if back != cameBy && slices.Contains(event.GetPath(), string(lineEnd(line))) {
			tr.lines[line] = append(tr.lines[line], event)
		}
	}
}

// deliver carries the first event of a line to its end, where it is folded, relayed and reacted to.
func (tr *tree) deliver(line int) error {
	sent := tr.lines[line][0]
	tr.lines[line] = tr.lines[line][1:]
	event, err := Open(sent.Raw)
	if err != nil {
		return err
	}
	o := tr.office(lineEnd(line))
	if o.stored[EventName(event.GetId())] {
		return nil
	}
	number := TicketNumber(event.GetTicket())
	before := o.records[number]
	if err := o.receive(event); err != nil {
		return err
	}
	tr.send(o, event, line)
	if err := tr.follow(o, before, o.records[number]); err != nil {
		return err
	}
	return tr.react(o, number)
}

// react does what the rules demand of the office about a ticket.
func (tr *tree) react(o *office, number TicketNumber) error {
	if o.records[number] == nil {
		return nil
	}
	d, err := React(o.here, o, o.records[number], tr.stamp(o))
	if err != nil || d == nil {
		return err
	}
	return tr.spread(o, d)
}

// dispatch has the office's courier send everything that waits.
func (tr *tree) dispatch(site SiteID) error {
	o := tr.office(site)
	for _, number := range o.numbers() {
		t := o.records[number].GetTicket()
		if Sender(o.records[number]) != site || !holds(o.here, o.records[number]) || t.GetHandover().GetState() != deskpb.Handover_QUEUED {
			continue
		}
		if _, err := tr.do(site, dispatchTo(number, t.GetHandover().GetToSite())); err != nil {
			return err
		}
	}
	return nil
}

// drain delivers and dispatches until nothing is left to do. It gives up on a tree that does not come to rest.
func (tr *tree) drain() error {
	quiet := false
	for round := 0; !quiet; round++ {
		if round > 1000 {
			return errors.New("the tree does not come to rest")
		}
		quiet = true
		for line := range tr.lines {
			for len(tr.lines[line]) > 0 {
				quiet = false
				if err := tr.deliver(line); err != nil {
					return err
				}
			}
		}
		for _, o := range tr.offices {
			before := o.here.Sequence
			if err := tr.dispatch(o.here.Site); err != nil {
				return err
			}
			quiet = quiet && before == o.here.Sequence
		}
	}
	return nil
}

// numbers returns the tickets known at the office, in order.
func (o *office) numbers() []TicketNumber {
	numbers := make([]TicketNumber, 0, len(o.records))
	for number := range o.records {
		numbers = append(numbers, number)
	}
	slices.Sort(numbers)
	return numbers
}

// agree returns what differs between the sites of the ticket's path.
func (tr *tree) agree(number TicketNumber) error {
	var first *office
	for _, o := range tr.offices {
		if o.records[number] == nil {
			continue
		}
		if first == nil {
			first = o
			continue
		}
		if !proto.Equal(first.records[number], o.records[number]) {
			return fmt.Errorf("ticket %s differs between %s and %s:\n%v\n%v", number,
				first.here.Site, o.here.Site, first.records[number], o.records[number])
		}
		same := slices.EqualFunc(first.journal(number), o.journal(number), func(a, b Sealed) bool { return bytes.Equal(a.Raw, b.Raw) })
		if !same {
			return fmt.Errorf("the journal of ticket %s differs between %s and %s", number, first.here.Site, o.here.Site)
		}
	}
	if first == nil {
		return fmt.Errorf("nobody knows ticket %s", number)
	}
	return nil
}

func linesFrom(site SiteID) []int {
	switch site {
	case county:
		return []int{countyToCity}
	case city:
		return []int{cityToCounty, cityToNeighbour, cityToProvince}
	case neighbour:
		return []int{neighbourToCity}
	default:
		return []int{provinceToCity}
	}
}

func lineEnd(line int) SiteID {
	return []SiteID{city, county, province, city, city, neighbour}[line]
}

func dispatchTo(number TicketNumber, site string) *deskpb.TicketCommand {
	return &deskpb.TicketCommand{
		Number: string(number),
		Actor:  &deskpb.Actor{},
		Verb:   &deskpb.TicketCommand_Dispatch{Dispatch: &deskpb.Dispatch{To: site}},
	}
}

func agent(name string) *deskpb.Actor { return &deskpb.Actor{User: name, Role: deskpb.User_AGENT} }

func manager(name string) *deskpb.Actor {
	return &deskpb.Actor{User: name, Role: deskpb.User_INCIDENT_MANAGER}
}

// by completes a command with its actor and ticket.
func by(actor *deskpb.Actor, number TicketNumber, command *deskpb.TicketCommand) *deskpb.TicketCommand {
	command.Actor, command.Number = actor, string(number)
	return command
}

// identified gives the command a request id, with a hash of what it asks for.
func identified(id string, command *deskpb.TicketCommand) *deskpb.TicketCommand {
	bare := proto.CloneOf(command)
	bare.Request, bare.Etag = nil, ""
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(bare)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(raw)
	command.Request = &deskpb.RequestKey{Id: id, Method: verbName(command), BodyHash: sum[:bodyHashSize]}
	return command
}

// verbName returns the verb as the API spells it.
func verbName(c *deskpb.TicketCommand) string {
	m := c.ProtoReflect()
	return string(m.WhichOneof(m.Descriptor().Oneofs().ByName("verb")).Name())
}

// reason returns the refusal's reason, "" for no error and the error's text for a fault.
func reason(err error) string {
	var refusal *Refusal
	switch {
	case err == nil:
		return ""
	case errors.As(err, &refusal):
		return refusal.Reason
	}
	return "FAULT: " + err.Error()
}
