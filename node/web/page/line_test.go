package page

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// stood is how a site stands in a test.
type stood struct{ links []*apipb.LinkStatus }

func (s stood) Site() *apipb.GetSiteResponse {
	return &apipb.GetSiteResponse{Leader: "n1", Links: s.links}
}

func (stood) Sites() *apipb.ListSitesResponse {
	return &apipb.ListSitesResponse{Sites: []*apipb.KnownSite{{Id: "330000", Name: "浙江省"}, {Id: "330106", Name: "西湖区"}, {Id: "330108", Name: "滨江区"}}}
}

// standingAt is a visit in Chinese to a city whose links stand so.
func standingAt(t *testing.T, links ...*apipb.LinkStatus) *Visit {
	t.Helper()
	words := catalogue{}
	if err := words.read(files, "words.yaml"); err != nil {
		t.Fatal(err)
	}
	kit := &Kit{Options: Options{Standing: stood{links}, SiteID: "330100", SiteName: "杭州市"}, catalogue: words}
	return &Visit{
		Kit: kit, R: httptest.NewRequest(http.MethodGet, "/", nil), Lang: Chinese, zone: time.UTC, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC),
	}
}

func link(peer string, way apipb.LinkStatus_Direction, state apipb.LinkStatus_State, queued int32) *apipb.LinkStatus {
	return &apipb.LinkStatus{
		Peer: peer, Direction: way, State: state, Queued: queued, Since: timestamppb.New(time.Date(2026, 11, 22, 10, 32, 0, 0, time.UTC)),
	}
}

func TestTheLineUpIsTold(t *testing.T) {
	const parent = apipb.LinkStatus_PARENT
	for _, test := range []struct {
		name     string
		links    []*apipb.LinkStatus
		text, up string
	}{
		{"a site without a line", nil, "", ""},
		{"a line that is up", []*apipb.LinkStatus{link("330000", parent, apipb.LinkStatus_UP, 0)}, "", "与浙江省的链路畅通"},
		{"a line that is back", []*apipb.LinkStatus{link("330000", parent, apipb.LinkStatus_CATCHING_UP, 2)}, "", "与浙江省的链路已恢复，正在补传"},
		{"a line that is down", []*apipb.LinkStatus{link("330000", parent, apipb.LinkStatus_DOWN, 3)},
			"与浙江省的链路已断开（10:32 起），3 张工单待上送，本站业务不受影响。", ""},
		{"a line that nothing waits for", []*apipb.LinkStatus{link("330000", parent, apipb.LinkStatus_DOWN, 0)},
			"与浙江省的链路已断开（10:32 起），没有工单在等待，本站业务不受影响。", ""},
		{"a line that never was", []*apipb.LinkStatus{{Peer: "330000", Direction: parent, State: apipb.LinkStatus_DOWN}},
			"与浙江省的链路尚未接通，0 张工单在等待，本站业务不受影响。", ""},
	} {
		if got := standingAt(t, test.links...).Line(); got.Text != test.text || got.Up != test.up {
			t.Errorf("%s: %q and %q, want %q and %q", test.name, got.Text, got.Up, test.text, test.up)
		}
	}
}

// Who has folded a cut of the line away sees it folded, until there is another one.
func TestACutStaysFoldedAway(t *testing.T) {
	v := standingAt(t, link("330000", apipb.LinkStatus_PARENT, apipb.LinkStatus_DOWN, 3))
	cut := v.Line()
	if cut.Folded {
		t.Error("a cut is folded away that nobody knows of")
	}
	v.R.AddCookie(&http.Cookie{Name: LineCookie, Value: cut.Outage})
	if !v.Line().Folded {
		t.Error("the cut is told in full to who has folded it away")
	}
	v.Standing.Site().GetLinks()[0].Since.Seconds += 60
	if v.Line().Folded {
		t.Error("the next cut is folded away as the one before")
	}
}

func TestLinesBelowAreToldShortly(t *testing.T) {
	const child, down = apipb.LinkStatus_CHILD, apipb.LinkStatus_DOWN
	v := standingAt(t, link("330106", child, down, 2), link("330108", child, apipb.LinkStatus_UP, 0))
	want := []string{"与西湖区的链路已断开（10:32 起），2 张工单待送回，本站业务不受影响。"}
	if got := v.Line(); got.Below != "1 条下级链路断开" || !slices.Equal(got.BelowTexts, want) || got.BelowMore != "" || got.Text != "" {
		t.Errorf("one line of two is down: %+v", got)
	}
	var all []*apipb.LinkStatus
	for range mostBelow + 5 {
		all = append(all, link("330106", child, down, 0))
	}
	if got := standingAt(t, all...).Line(); got.Below != "25 条下级链路断开" || len(got.BelowTexts) != mostBelow || got.BelowMore != "另有 5 条，见站点管理" {
		t.Errorf("of %d lines is told %q, %d of them, %q", len(all), got.Below, len(got.BelowTexts), got.BelowMore)
	}
}
