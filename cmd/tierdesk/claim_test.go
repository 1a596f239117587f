package main

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/testbed"
)

// standing is what a site says of its links and what its operator should read.
type standing struct {
	Links []struct {
		Peer, State, Reason string
		Pending             int
	}
	Alarms []string
}

// awaitStanding asks a site how it stands until that suits, and returns the last answer.
func awaitStanding(t *testing.T, c command, what string, suits func(standing) bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		var now standing
		if err := json.Unmarshal([]byte(c.done(t, "site", "status", "--json")), &now); err != nil {
			t.Fatal(err)
		}
		if suits(now) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s: %+v", what, patience, now)
		}
	}
}

// linked tells whether the link with the peer is in the state, with a reason that says the words, and nothing waits on a
// link that is up.
func linked(peer, state, words string) func(standing) bool {
	return func(s standing) bool {
		for _, l := range s.Links {
			if l.Peer == peer {
				return l.State == state && strings.Contains(l.Reason, words) && (state != "UP" || l.Pending == 0)
			}
		}
		return false
	}
}

func alarmed(words string) func(standing) bool {
	return func(s standing) bool {
		return slices.ContainsFunc(s.Alarms, func(alarm string) bool { return strings.Contains(alarm, words) })
	}
}

// cityAndCounty are two sites with a link between them.
func cityAndCounty(t *testing.T, program testbed.Program) (city, county *testbed.Process, atCity, atCounty command) {
	t.Helper()
	free := testbed.FreeAddresses(t, 8)
	city = program.Serve(t, testbed.NodeSpec{
		Site: "330100", Name: "杭州市", Tier: "city", Parent: "330000", Node: "n1", Dir: filepath.Join(t.TempDir(), "city"),
		HTTP: free[0], GRPC: free[1], Raft: free[2], Gossip: free[3],
	})
	county = program.Serve(t, testbed.NodeSpec{
		Site: "330106", Name: "西湖区", Tier: "county", Parent: "330100", Node: "n1", Dir: filepath.Join(t.TempDir(), "county"),
		HTTP: free[4], GRPC: free[5], Raft: free[6], Gossip: free[7], ParentAddresses: []string{free[1]},
	})
	ready(t, city)
	ready(t, county)
	atCity, atCounty = signedIn(t, program, city.Spec.GRPC), signedIn(t, program, county.Spec.GRPC)
	awaitStanding(t, atCounty, "the county's link is up", linked("330100", "UP", ""))
	awaitStanding(t, atCity, "the city's link is up", linked("330106", "UP", ""))
	return city, county, atCity, atCounty
}

// atWork takes a call and queues it for the city, as a county does that nobody answers.
func atWork(t *testing.T, c command) {
	t.Helper()
	number := c.ticket(t, "ticket", "create", "--title", "照常受理").Number
	if queued := c.ticket(t, "ticket", "escalate", number, "--reason", "等待市级"); queued.Handover.State != "QUEUED" {
		t.Errorf("escalated %+v, want it queued", queued)
	}
}

// refusedOnce waits until both ends say why the newcomer is refused, and holds their logs to one line each.
func refusedOnce(t *testing.T, city, newcomer *testbed.Process, atCity, atNewcomer command) {
	t.Helper()
	const why = "330106 was founded anew under a name that is known"
	awaitStanding(t, atNewcomer, "the newcomer shows why", linked("330100", "DOWN", why))
	awaitStanding(t, atNewcomer, "the newcomer raises an alarm", alarmed(why))
	awaitStanding(t, atCity, "the city raises an alarm", alarmed(why))
	atWork(t, atNewcomer)
	for _, p := range []*testbed.Process{city, newcomer} {
		if n := strings.Count(p.Log(), "link is refused"); n != 1 {
			t.Errorf("%s logged the refusal %d times, want once:\n%s", p.Spec.Site, n, p.Log())
		}
	}
	if words := atNewcomer.done(t, "site", "links"); !strings.Contains(words, why) {
		t.Errorf("site links: %s", words)
	}
}

// awaitUnready waits until a node says that it is not ready, and why.
func awaitUnready(t *testing.T, p *testbed.Process, words string) {
	t.Helper()
	caller := testbed.NewCaller("")
	defer caller.Close()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		answer := caller.Call(t.Context(), http.MethodGet, p.Spec.URL(), "/readyz", nil)
		if answer.Code == http.StatusServiceUnavailable && strings.Contains(answer.Err().Error(), words) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s/%s does not say %q within %s: %v", p.Spec.Site, p.Spec.Node, words, patience, answer.Err())
		}
	}
}

// A second process under a county's name, from a data directory of its own, does not found the county again. When it could
// not ask, because its line was cut, it does, and is refused when the line is laid; the county's own link goes on.
func aCountyThatIsThereTwice(t *testing.T, program testbed.Program) {
	city, county, atCity, atCounty := cityAndCounty(t, program)
	free := testbed.FreeAddresses(t, 4)
	spec := county.Spec
	spec.Dir = filepath.Join(t.TempDir(), "second")
	spec.HTTP, spec.GRPC, spec.Raft, spec.Gossip = free[0], free[1], free[2], free[3]
	asking := program.Serve(t, spec)
	awaitUnready(t, asking, "330106 is known to its parent 330100 and is connected to it now")
	asking.Kill()

	spec.Dir = filepath.Join(t.TempDir(), "third")
	line := testbed.NewLine(t, city.Spec.GRPC)
	line.Cut()
	spec.ParentAddresses = []string{line.Addr}
	second := program.Serve(t, spec)
	ready(t, second)
	line.Heal()
	atSecond := signedIn(t, program, second.Spec.GRPC)
	before := strings.Count(county.Log(), "link is down") + strings.Count(city.Log(), "link is down")
	refusedOnce(t, city, second, atCity, atSecond)
	awaitStanding(t, atCounty, "the county's link is up", linked("330100", "UP", ""))
	awaitStanding(t, atCity, "the city's link is up", linked("330106", "UP", ""))
	if after := strings.Count(county.Log(), "link is down") + strings.Count(city.Log(), "link is down"); after != before {
		t.Errorf("the county's link went down beside the second process:\n%s\n%s", county.Log(), city.Log())
	}
	number := atCounty.ticket(t, "ticket", "create", "--title", "第一个照常上送").Number
	atCounty.done(t, "ticket", "escalate", number, "--reason", "需要市级支持")
	awaitCustodian(t, atCounty, number, "330100")
}

// awaitCustodian waits until a site says who holds a ticket.
func awaitCustodian(t *testing.T, c command, number, site string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		ticket := c.ticket(t, "ticket", "show", number)
		if ticket.CustodianSite == site && ticket.Handover.State == "NONE" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is %+v after %s, want it at %s", number, ticket, patience, site)
		}
	}
}
