package tiers

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

func TestTicketTravelsToTheProvinceAndHome(t *testing.T) {
	top, middle, bottom := chainOfThree(t)
	number := bottom.open(t, "税务系统无法打印")
	bottom.must(t, number, escalate())
	eventually(t, "the city holds the ticket", func() bool { return holder(middle.office, number) == "330100" })
	middle.must(t, number, escalate())
	eventually(t, "the province holds the ticket", func() bool { return holder(top.office, number) == "330000" })
	top.must(t, number, note("厂商处理中"))
	top.must(t, number, resolve())
	eventually(t, "the county has it back", func() bool { return holder(bottom.office, number) == "330106" })
	bottom.must(t, number, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Confirm{Confirm: &deskpb.Confirm{}}})
	agree(t, []string{number}, bottom, middle, top)
	if got := top.record(number).Ticket.State; got != deskpb.Ticket_CLOSED {
		t.Errorf("the province shows the ticket as %s, want CLOSED", got)
	}
	if got := bottom.counted(t, "tierdesk_link_handovers_total"); got != 1 {
		t.Errorf("the county counts %v hand-overs, want 1", got)
	}
}

func TestCutLineQueuesAndHeals(t *testing.T) {
	_, middle, bottom := chainOfThree(t)
	bottom.line.set(true)
	eventually(t, "the county sees the line down", func() bool { return bottom.state(middle.id) == Down })
	eventually(t, "the city sees the line down", func() bool { return middle.state(bottom.id) == Down })
	eventually(t, "the reason is the cut", func() bool { return bottom.status(middle.id).Reason == errCut.Error() })

	goes, stays := bottom.open(t, "专线中断"), bottom.open(t, "鼠标损坏")
	for _, number := range []string{goes, stays} {
		ticket := bottom.must(t, number, escalate())
		if ticket.Handover.State != deskpb.Handover_QUEUED {
			t.Fatalf("with the line cut, ticket %s is %s, want QUEUED", number, ticket.Handover.State)
		}
	}
	bottom.must(t, stays, &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Withdraw{Withdraw: &deskpb.Withdraw{Reason: "已更换"}}})

	bottom.line.set(false)
	eventually(t, "the city holds the escalated ticket", func() bool { return holder(bottom.office, goes) == "330100" })
	agree(t, []string{goes, stays}, bottom, middle)
	if got := holder(middle.office, stays); got != "330106" {
		t.Errorf("the withdrawn ticket is with %q, want 330106", got)
	}
}

// TestFlappingLine cuts a line again and again in the middle of a crowd of escalations; afterwards nothing is lost,
// doubled or left over.
func TestFlappingLine(t *testing.T) {
	top, middle, bottom := chainOfThree(t)
	var numbers []string
	escalateOne := func(i int) string {
		number := bottom.open(t, fmt.Sprintf("工单 %d", i))
		bottom.must(t, number, escalate())
		numbers = append(numbers, number)
		return number
	}
	for round := range 12 {
		bottom.line.set(true)
		first := escalateOne(round)
		for range 15 {
			escalateOne(round)
		}
		bottom.line.set(false)
		if round%3 == 0 {
			continue // Cut again before anything moves.
		}
		eventually(t, "the first of the round is on its way", func() bool {
			return bottom.record(first).Ticket.CustodyTerm > 1
		})
	}
	for _, number := range numbers {
		eventually(t, "the city holds "+number, func() bool { return holder(bottom.office, number) == "330100" })
		if term := bottom.record(number).Ticket.CustodyTerm; term != 2 {
			t.Errorf("ticket %s is under custody term %d after one hand-over, want 2", number, term)
		}
	}
	agree(t, numbers, bottom, middle, top)
}

// A line that carries nothing is as bad as a cut one, and is noticed by silence alone.
func TestSilentLineGoesDown(t *testing.T) {
	_, middle, bottom := chainOfThree(t)
	bottom.line.freeze()
	eventually(t, "the county gives the silent stream up", func() bool {
		return strings.Contains(bottom.status(middle.id).Reason, "nothing was heard from 330100")
	})
	bottom.line.thaw()
	eventually(t, "the link is up again", func() bool { return bottom.state(middle.id) == Up && middle.state(bottom.id) == Up })
}

// Without a majority at the parent nothing is put in transit, although the stream lives.
func TestNothingDepartsToASiteThatCannotCommit(t *testing.T) {
	_, middle, bottom := chainOfThree(t)
	middle.loseMajority(true)
	held := bottom.open(t, "等待")
	eventually(t, "the city's last proof is old", func() bool { return middle.tiers.proof.age() > 2*quick().silence })
	bottom.must(t, held, escalate())
	if state := bottom.state(middle.id); state == Down {
		t.Fatalf("the stream did not survive the lost majority: %+v", bottom.status(middle.id))
	}
	deadline := time.Now().Add(5 * quick().courier)
	eventually(t, "the courier had time to look", func() bool { return time.Now().After(deadline) })
	if state := bottom.record(held).Ticket.Handover.State; state != deskpb.Handover_QUEUED {
		t.Errorf("the hand-over is %s although the city commits nothing, want QUEUED", state)
	}
	middle.loseMajority(false)
	eventually(t, "the city holds the ticket", func() bool { return holder(bottom.office, held) == "330100" })
}

// More than the window holds waits behind a city that commits nothing; the link says so, and all of it arrives in the end.
func TestLinkCatchesUp(t *testing.T) {
	_, middle, bottom := chainOfThree(t)
	middle.loseMajority(true)
	var numbers []string
	for i := range 3 * quick().window {
		numbers = append(numbers, bottom.open(t, fmt.Sprintf("积压 %d", i)))
	}
	eventually(t, "the county sees the link lag", func() bool { return bottom.state(middle.id) == CatchingUp })
	middle.loseMajority(false)
	eventually(t, "the link is up again", func() bool { return bottom.state(middle.id) == Up })
	agree(t, numbers, bottom, middle)
}

// live is the stream that a child has with this node now.
func (t *Tiers) live(child desk.SiteID) *session {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sessions[child]
}

func TestNewerLeaderSupersedesTheOlderStream(t *testing.T) {
	middle := newNode(t, city, newOffice(t, city, wall))
	o := newOffice(t, county, wall)
	old := newNode(t, county, o, middle.address)
	eventually(t, "the first node's link is up", func() bool { return old.state(middle.id) == Up })
	o.mu.Lock()
	o.term = 2
	o.mu.Unlock()
	heir := newNode(t, county, o, middle.address)
	eventually(t, "the second node's stream is the child's", func() bool {
		s := middle.tiers.live("330106")
		return s != nil && s.term == 2 && heir.state(middle.id) == Up
	})
	eventually(t, "the first node is turned away for good", func() bool {
		return strings.Contains(old.status(middle.id).Reason, "with the newer Raft term 2 is open")
	})
	if heir.state(middle.id) != Up || middle.tiers.live("330106").term != 2 {
		t.Errorf("the second node's link is %+v after the first dialled again", heir.status(middle.id))
	}
	if alarms := middle.tiers.Alarms(); len(alarms) != 0 {
		t.Errorf("a change of leader raised alarms: %q", alarms)
	}
}

// A stream that broke is opened again at another node of the parent first, which need not wait for one that hangs.
func TestBrokenStreamMovesToAnotherNode(t *testing.T) {
	o := newOffice(t, city, wall)
	one, two := newNode(t, city, o), newNode(t, city, o)
	bottom := newNode(t, county, newOffice(t, county, wall), one.address, two.address)
	for _, n := range []*node{one, two, one} {
		eventually(t, "the link is up over the next node", func() bool {
			return n.tiers.live(bottom.id) != nil && bottom.state("330100") == Up
		})
		n.tiers.live(bottom.id).cancel(errors.New("broken"))
	}
}

func TestFollowerCarriesNoLink(t *testing.T) {
	middle := newNode(t, city, newOffice(t, city, wall))
	o := newOffice(t, county, wall)
	o.lead(false, 1)
	bottom := newNode(t, county, o, middle.address)
	if links := bottom.tiers.Links(); len(links) != 0 {
		t.Errorf("a follower shows links %v", links)
	}
	o.lead(true, 2)
	eventually(t, "the new leader's link is up", func() bool { return bottom.state(middle.id) == Up })
	o.lead(false, 3)
	eventually(t, "the follower shows no link", func() bool { return len(bottom.tiers.Links()) == 0 })
	eventually(t, "the city sees the stream end", func() bool { return middle.state(bottom.id) == Down })
}

func TestUnknownParentAddress(t *testing.T) {
	bottom := newNode(t, county, newOffice(t, county, wall))
	eventually(t, "the county says what it misses", func() bool {
		return bottom.status("330100").Reason == "no address known for 330100"
	})
	if got := bottom.status("330100"); got.State != Down || got.Since.After(bottom.tiers.board.started) {
		t.Errorf("the link that never was is %+v, want DOWN since the start", got)
	}
}

// TestMisfitIsRefusedWithAnAlarm spoils what one end remembers of the link: both ends refuse to go on, say why, and
// raise an alarm; nothing is carried.
func TestMisfitIsRefusedWithAnAlarm(t *testing.T) {
	for _, tt := range []struct {
		name   string
		spoil  func(l *deskpb.Link) // the county's end
		reason string
	}{
		{"another history of what was sent", func(l *deskpb.Link) { l.SentHash = make([]byte, hashSize); l.AckedHash = l.SentHash }, "rolled back"},
		{"another history of what was received", func(l *deskpb.Link) { l.ReceivedHash = make([]byte, hashSize) }, "rolled back"},
		{"more received than was sent", func(l *deskpb.Link) { l.ReceivedSequence += 5 }, "was rolled back"},
		{"less received than was acknowledged", func(l *deskpb.Link) { l.ReceivedSequence, l.ReceivedHash = 0, nil }, "was rolled back"},
		{"less sent than was received", func(l *deskpb.Link) {
			l.SentSequence, l.SentHash, l.AckedSequence, l.AckedHash = 0, nil, 0, nil
		}, "was rolled back"},
		{"another incarnation of the parent", func(l *deskpb.Link) { l.PeerIncarnation = 77 }, "founded anew"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			middle := newNode(t, city, newOffice(t, city, wall))
			bottom := newNode(t, county, newOffice(t, county, wall), middle.address)
			eventually(t, "the link is up", func() bool { return bottom.state(middle.id) == Up })
			agree(t, nil, bottom, middle)
			bottom.line.set(true)
			eventually(t, "the line is down", func() bool { return bottom.state(middle.id) == Down && middle.state(bottom.id) == Down })
			err := bottom.log(func(b *store.Batch, _ desk.Stamp) error {
				link, err := b.Link("330100")
				if err != nil {
					return err
				}
				tt.spoil(link)
				return b.PutLink(link)
			})
			if err != nil {
				t.Fatal(err)
			}
			before := middle.link(bottom.id)
			bottom.line.set(false)
			for _, n := range []*node{bottom, middle} {
				eventually(t, fmt.Sprintf("%s raises an alarm that says %q", n.id, tt.reason), func() bool {
					alarms := n.tiers.Alarms()
					return len(alarms) == 1 && strings.Contains(alarms[0], tt.reason)
				})
			}
			if got := bottom.status(middle.id); got.State != Down || !strings.Contains(got.Reason, tt.reason) {
				t.Errorf("the county shows %+v, want DOWN with the reason", got)
			}
			if after := middle.link(bottom.id); !proto.Equal(before, after) {
				t.Errorf("the city's end changed from %v to %v", before, after)
			}
		})
	}
}

func TestAnotherIncarnationIsRefused(t *testing.T) {
	middle := newNode(t, city, newOffice(t, city, wall))
	first := newNode(t, county, newOffice(t, county, wall), middle.address)
	eventually(t, "the link is up", func() bool { return first.state(middle.id) == Up })
	first.tiers.Stop()
	again := proto.CloneOf(county)
	again.Incarnation = 0xCC
	second := newNode(t, again, newOffice(t, again, wall), middle.address)
	for _, n := range []*node{second, middle} {
		eventually(t, fmt.Sprintf("%s says that the county came back as another", n.id), func() bool {
			alarms := n.tiers.Alarms()
			return len(alarms) == 1 && strings.Contains(alarms[0], "330106 was founded anew")
		})
	}
}

func TestCallersThatAreNoChildrenAreRefused(t *testing.T) {
	for _, tt := range []struct {
		name   string
		site   *deskpb.Site
		reason string
	}{
		{"a site of another parent", &deskpb.Site{Id: "330206", Tier: deskpb.Site_COUNTY, Parent: "330200", Incarnation: 1},
			"site 330100 answered where 330200 was called|by its configuration, not 330100"},
		{"a site of the same tier", &deskpb.Site{Id: "330300", Tier: deskpb.Site_CITY, Parent: "330100", Incarnation: 1},
			"cannot be below 330100"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			middle := newNode(t, city, newOffice(t, city, wall))
			caller := newNode(t, tt.site, newOffice(t, tt.site, wall), middle.address)
			eventually(t, "the caller is told why", func() bool {
				for want := range strings.SplitSeq(tt.reason, "|") {
					if strings.Contains(caller.status(desk.SiteID(tt.site.Parent)).Reason, want) {
						return true
					}
				}
				return false
			})
			if link := middle.status(caller.id); link.State != "" {
				t.Errorf("the city shows the caller as a link: %+v", link)
			}
		})
	}
}

// A certificate of another site ends the handshake, at whichever end it is seen.
func TestCertificateMustNameTheNeighbour(t *testing.T) {
	for _, deceived := range []string{"330100", "330106"} {
		t.Run("seen by "+deceived, func(t *testing.T) {
			middle := newNode(t, city, newOffice(t, city, wall))
			bottom := newNode(t, county, newOffice(t, county, wall), middle.address)
			eventually(t, "the link is up", func() bool { return bottom.state(middle.id) == Up })
			bottom.line.set(true)
			for _, n := range []*node{middle, bottom} {
				if string(n.id) == deceived {
					n.certified.Store("330999")
				}
			}
			bottom.line.set(false)
			eventually(t, "the county says which site was certified", func() bool {
				return strings.Contains(bottom.status(middle.id).Reason, "the certificate names site 330999")
			})
			bottom.line.set(true)
			for _, n := range []*node{middle, bottom} {
				n.certified.Store("")
			}
			bottom.line.set(false)
			eventually(t, "the link is up again", func() bool { return bottom.state(middle.id) == Up })
		})
	}
}

func TestReachTravelsAlongTheTree(t *testing.T) {
	top, middle, bottom := chainOfThree(t)
	other := newNode(t, county2, newOffice(t, county2, wall), middle.address)
	alive := func(n *node, site desk.SiteID) func() bool {
		return func() bool {
			for _, r := range n.tiers.Reach() {
				if r.Site == site {
					return r.Alive
				}
			}
			return false
		}
	}
	not := func(f func() bool) func() bool { return func() bool { return !f() } }
	eventually(t, "the province hears of the county", alive(top, bottom.id))
	eventually(t, "a county hears of the province", alive(bottom, top.id))
	eventually(t, "a county hears of the other county", alive(other, bottom.id))
	bottom.line.set(true)
	eventually(t, "the province hears that the county is gone", not(alive(top, bottom.id)))
	eventually(t, "the other county hears that it is gone", not(alive(other, bottom.id)))
	eventually(t, "the county that is cut off reaches nobody", not(alive(bottom, top.id)))
	bottom.line.set(false)
	eventually(t, "the province hears that the county is back", alive(top, bottom.id))
	eventually(t, "the county reaches the other county again", alive(bottom, other.id))
}

func TestStopEndsEveryStream(t *testing.T) {
	_, middle, bottom := chainOfThree(t)
	bottom.tiers.Stop()
	bottom.tiers.Stop()
	eventually(t, "the city sees the county go", func() bool { return middle.state(bottom.id) == Down })
	if families, err := bottom.metrics.Gather(); err != nil || len(families) != 0 {
		t.Errorf("after Stop the metrics still hold %d families (%v)", len(families), err)
	}
}

func TestStartChecksItsOptions(t *testing.T) {
	o := newOffice(t, county, wall)
	for _, tt := range []struct {
		name    string
		options Options
		want    string
	}{
		{"no site", Options{SiteID: "330106"}, "no site to speak for"},
		{"a site that has no name", Options{Site: o}, "cannot name a site"},
		{"a parent without addresses", Options{Site: o, SiteID: "330106", Parent: "330100"}, "addresses of its parent 330100"},
	} {
		if _, err := Start(tt.options); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("start with %s: %v; want an error that says %q", tt.name, err, tt.want)
		}
	}
}
