package tiers

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

func TestAParentSaysWhatItKnowsOfASite(t *testing.T) {
	middle := newNode(t, city, newOffice(t, city, wall))
	ask := func(site, parent string, addresses ...string) (Acquaintance, error) {
		return Question{Site: desk.SiteID(site), Parent: desk.SiteID(parent), Addresses: addresses}.Ask(t.Context())
	}
	if got, err := ask("330106", "330100", middle.address); err != nil || got != (Acquaintance{}) {
		t.Errorf("a site that was never met is %+v, %v", got, err)
	}
	bottom := newNode(t, county, newOffice(t, county, wall), middle.address)
	eventually(t, "the link is up", func() bool { return bottom.state(middle.id) == Up })
	dead := "127.0.0.1:1"
	want := Acquaintance{Known: true, Incarnation: county.Incarnation, Connected: true}
	if got, err := ask("330106", "330100", dead, middle.address); err != nil || got != want {
		t.Errorf("a site that is connected is %+v, %v; want %+v", got, err, want)
	}
	bottom.line.set(true)
	want.Connected = false
	eventually(t, "the city has noticed that the line is cut", func() bool {
		got, err := ask("330106", "330100", middle.address)
		return err == nil && got == want
	})
	// What is known needs no majority, what is not known does.
	middle.loseMajority(true)
	if got, err := ask("330106", "330100", middle.address); err != nil || got != want {
		t.Errorf("without a majority a known site is %+v, %v; want %+v", got, err, want)
	}
	if _, err := ask("330108", "330100", middle.address); err == nil || !strings.Contains(err.Error(), "330100 cannot tell now") {
		t.Errorf("without a majority an unknown site: %v, want no answer", err)
	}
	middle.loseMajority(false)
	for _, c := range []struct {
		what, parent string
		addresses    []string
		words        string
	}{
		{"no address", "330100", nil, "no address of 330100 is known"},
		{"nobody there", "330100", []string{dead}, dead},
		{"another site there", "330000", []string{middle.address}, "site 330100 answers"},
	} {
		if _, err := ask("330106", c.parent, c.addresses...); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v, want %q", c.what, err, c.words)
		}
	}
}

// A parent that hangs holds nobody up for longer than the patience.
func TestAParentThatHangsIsNotWaitedForLong(t *testing.T) {
	middle := newNode(t, city, newOffice(t, city, wall))
	middle.line.freeze()
	began := time.Now()
	_, err := Question{Site: "330106", Parent: "330100", Addresses: []string{middle.address}, Dial: middle.line.dial}.Ask(t.Context())
	if took := time.Since(began); err == nil || took > askPatience+time.Second {
		t.Errorf("it took %s and says %v, want an error after %s", took, err, askPatience)
	}
	middle.line.thaw()
}

func TestOnlyTheSiteItselfMayAsk(t *testing.T) {
	middle := newNode(t, city, newOffice(t, city, wall))
	middle.certified.Store("330108")
	_, err := Question{Site: "330106", Parent: "330100", Addresses: []string{middle.address}}.Ask(t.Context())
	if err == nil || !strings.Contains(err.Error(), "the certificate names site 330108") {
		t.Errorf("a certificate of another site: %v, want it refused", err)
	}
	_, err = middle.tiers.Ask(t.Context(), &linkpb.AskRequest{Site: "330106"})
	if status.Code(err) != codes.PermissionDenied {
		t.Errorf("without a caller: %v", err)
	}
}
