package account

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/tierdesk/tierdesk/desk"
)

func TestLimitsAreThoseThatWereChosen(t *testing.T) {
	t.Parallel()
	form := url.Values{
		"limit.tickets": {"read"}, "limit.audit": {"change"}, "limit.site": {""}, "limit.policy": {"everything"}, "limit.nothing": {"change"},
	}
	if got := limitsOf(form); !slices.Equal(got, []string{"tickets:read", "audit"}) {
		t.Errorf("the limits are %q", got)
	}
}

func TestRightsAreSortedByArea(t *testing.T) {
	t.Parallel()
	var got []string
	for _, r := range byArea([]string{string(desk.SiteRead), string(desk.TicketUrge), string(desk.TicketRead)}) {
		got = append(got, fmt.Sprint(r.Name, " ", len(r.Verbs), " ", r.Changes))
	}
	if !slices.Equal(got, []string{"tickets 2 true", "site 1 false"}) {
		t.Errorf("the rights are %q", got)
	}
}

func TestATokenHoldsForALifeThatIsOffered(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]int{"7": 7, "365": 365, "": 90, "10000": 90, "x": 90} {
		if got := daysOf(url.Values{"days": {given}}); got != want {
			t.Errorf("of %q days a token holds for %d, want %d", given, got, want)
		}
	}
}

func TestASecretCanBeTypedAndScanned(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "", "ABCD": "ABCD", "ABCDEF": "ABCD EF", "ABCDEFGHI": "ABCD EFGH I"} {
		if got := inFours(text); got != want {
			t.Errorf("%q is typed as %q, want %q", text, got, want)
		}
	}
	enrol, err := newEnrolment("otpauth://totp/330106:li?secret=" + strings.Repeat("A", 16) + "&issuer=330106")
	if err != nil || !strings.HasPrefix(string(enrol.Picture), "data:image/png;base64,") || enrol.Secret != "AAAA AAAA AAAA AAAA" {
		t.Errorf("the enrolment is %+v, %v", enrol, err)
	}
	for _, address := range []string{"otpauth://%zz", "javascript:alert(1)//totp/330106:li?secret=AAAA", "https://example.test/?secret=AAAA"} {
		if enrol, err := newEnrolment(address); err == nil {
			t.Errorf("%q, which is no address of a secret, becomes %+v", address, enrol)
		}
	}
}

func TestAClientIsNamedAsPeopleCallIt(t *testing.T) {
	t.Parallel()
	const webkit = "AppleWebKit/537.36 (KHTML, like Gecko) "
	for agent, want := range map[string]string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) " + webkit + "Chrome/90.0.4430.212 Safari/537.36":                              "Chrome 90 · Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) " + webkit + "Chrome/120.0.0.0 Safari/537.36 Edg/120.0.0.0":                    "Edge 120 · Windows",
		"Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0":                                                  "Firefox 115 · Linux",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 16_5 like Mac OS X) " + webkit + "Version/16.5 Mobile/15E148 Safari/604.1":            "Safari 16 · iPhone",
		"Mozilla/5.0 (Linux; Android 11; M2012) " + webkit + "Version/4.0 Chrome/89.0 Mobile Safari/537.36 MicroMessenger/8.0.16": "微信 8 · Android",
		"Mozilla/5.0 (Windows NT 10.0) " + webkit + "Chrome/81.0 Safari/537.36 wxwork/4.1 MicroMessenger/7.0.1":                   "企业微信 4 · Windows",
		"grpc-go/1.85.0":            "grpc-go/1.85.0",
		"curl/8.0 (like Chrome/90)": "curl/8.0 (like Chrome/90)",
		"":                          "",
	} {
		if got := clientName(agent); got != want {
			t.Errorf("%q is called %q, want %q", agent, got, want)
		}
	}
}
