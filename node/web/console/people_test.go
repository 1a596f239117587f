package console

import (
	"testing"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// TestPeopleAreCalledByTheirNames has people of the same user's name at two sites.
func TestPeopleAreCalledByTheirNames(t *testing.T) {
	t.Parallel()
	const county, city = "330106", "330100"
	d := &dossier{
		Visit:  &page.Visit{Kit: &page.Kit{Options: page.Options{SiteID: county}}},
		people: colleagues{names: map[string]string{"li": "李县"}},
		ticket: &deskpb.Ticket{
			HomeSite: county, CustodianSite: city, Requester: &deskpb.Requester{Name: "陈静", User: "chen"},
			People: []*deskpb.Person{{Site: city, User: "li", DisplayName: "李市"}, {Site: county, User: "li", DisplayName: "李旧"}, {Site: county, User: "sun", DisplayName: "孙丽"}},
		},
	}
	for name, c := range map[string]struct {
		user  string
		sites []string
		want  string
	}{
		"somebody here as the account says":         {"li", []string{county}, "李县"},
		"somebody elsewhere as the ticket says":     {"li", []string{city}, "李市"},
		"who has left as the ticket says":           {"sun", []string{county}, "孙丽"},
		"the requester as the ticket says":          {"chen", []string{county}, "陈静"},
		"the one of the first site that knows one":  {"sun", []string{city, county}, "孙丽"},
		"nobody's namesake":                         {"sun", []string{city}, "sun"},
		"who is known nowhere as the account":       {"zhou", []string{city, county}, "zhou"},
		"nobody as nothing":                         {"", []string{city}, ""},
		"somebody of a site that is not known here": {"li", []string{""}, "li"},
	} {
		if got := d.person(c.user, c.sites...); got != c.want {
			t.Errorf("%s: %q is called %q, want %q", name, c.user, got, c.want)
		}
	}
}

func TestACoordinatorIsOfTheSiteThatNamedOne(t *testing.T) {
	t.Parallel()
	step := func(site, field string) *apipb.JournalEntry {
		return &apipb.JournalEntry{Site: site, Changes: []*apipb.Change{{Field: field, After: "li"}}}
	}
	d := &dossier{ticket: &deskpb.Ticket{HomeSite: "330106"}}
	if got := d.coordinatorSite(); got != "330106" {
		t.Errorf("without a word in the journal it is %s, want the home", got)
	}
	d.journal = []*apipb.JournalEntry{step("330106", "coordinator"), step("330100", "coordinator"), step("330000", "assignee")}
	if got := d.coordinatorSite(); got != "330100" {
		t.Errorf("it is %s, want the site that named the latest one", got)
	}
}
