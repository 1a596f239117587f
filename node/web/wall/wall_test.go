package wall

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// see gets a page that must be there and checks what stands in it.
func (o *office) see(path string, words ...string) string {
	o.t.Helper()
	code, text := o.get(path)
	if code != http.StatusOK {
		o.t.Fatalf("%s: status %d: %s", path, code, text)
	}
	for _, word := range words {
		if !strings.Contains(text, word) {
			o.t.Errorf("%s does not say %q", path, word)
		}
	}
	return text
}

func TestTheWallShowsFiveFiguresAndTheTree(t *testing.T) {
	o := province(t)
	text := o.see("/wall",
		`<span class="number">16 / 8</span>`, `<span class="number">4</span>`, `<span class="number">62%</span>`,
		`<span class="number">7</span> <span class="unit">小时</span>`, `<span class="number">4.5</span>`,
		"宁波市 链路断开（09:32 起）、滨江区 未见（08:15 起）；各站点业务不受影响",
		`id="line-330106" class="line-quiet"`, `id="line-330100" class="line-up"`, `id="line-330200" class="line-down"`, `id="line-330108" class="line-unseen"`,
		"data-live-moves",
	)
	if count := strings.Count(text, `<dt>`); count != 5 {
		t.Errorf("%d figures, want five", count)
	}
	if count := strings.Count(text, `<g id="station-`); count != len(o.sites) {
		t.Errorf("%d stations, want %d", count, len(o.sites))
	}
	if strings.Contains(text, `id="line-330000"`) {
		t.Error("the province has a line to nowhere")
	}
}

func TestACountysWallShowsItsParent(t *testing.T) {
	o := province(t)
	o.site.Links = []*apipb.LinkStatus{{Peer: "330100", Direction: apipb.LinkStatus_PARENT, State: apipb.LinkStatus_DOWN, Since: at(9, 32), Queued: 3}}
	o.figures = o.figures[2:3]
	o.open("330106", "西湖区", apipb.Site_COUNTY)
	text := o.see("/wall", "与杭州市的链路已断开（09:32 起），3 张工单待上送", `id="line-330106" class="line-down"`, `id="station-330100"`)
	if strings.Contains(text, "station-330108") || strings.Contains(text, "station-330000") {
		t.Error("the county's wall shows others than itself and its parent")
	}
}

func TestTheWallGoesOnWithoutFigures(t *testing.T) {
	for _, code := range []codes.Code{codes.Unavailable, codes.Unimplemented, codes.DeadlineExceeded} {
		o := province(t)
		o.err = status.Error(code, "not at the moment")
		text := o.see("/wall/part", "暂时取不到数据", `id="station-330106"`)
		if count := strings.Count(text, `<span class="number">—</span>`); count != 5 {
			t.Errorf("%s: %d of five figures are not known", code, count)
		}
		if strings.Contains(text, "<html") {
			t.Errorf("%s: the part is a whole page", code)
		}
		o.see("/leader", "暂时取不到统计数据", "宁波市")
	}
}

func TestFiguresThatAreLongStayWithinTheirRoom(t *testing.T) {
	o := province(t)
	o.figures[2].Days[1].Opened, o.figures[2].Days[1].Solved = 12000, 11800
	o.see("/wall", `<span class="number long">12009 / 11806</span>`)
}

func TestAFaultIsToldAsOne(t *testing.T) {
	o := province(t)
	o.err = status.Error(codes.Internal, "broken")
	for _, path := range []string{"/wall", "/leader", "/leader/offices/330106"} {
		if code, _ := o.get(path); code != http.StatusInternalServerError {
			t.Errorf("%s: status %d, want 500", path, code)
		}
	}
}

func TestOnlyReadersOfTheSiteSeeThePages(t *testing.T) {
	for role, want := range map[deskpb.User_Role]int{
		deskpb.User_REQUESTER: http.StatusForbidden,
		deskpb.User_AGENT:     http.StatusOK,
		deskpb.User_LEADER:    http.StatusOK,
		deskpb.User_AUDITOR:   http.StatusOK,
	} {
		o := province(t)
		o.role = role
		for _, path := range []string{"/wall", "/wall/part", "/leader", "/leader/offices/330106"} {
			if code, _ := o.get(path); code != want {
				t.Errorf("%s sees %s with status %d, want %d", role, path, code, want)
			}
		}
	}
}

func TestAWallWhoseSessionEndedIsSentToSignIn(t *testing.T) {
	o := province(t)
	o.open("330100", "杭州市", apipb.Site_CITY) // of which the browser has no cookie
	if code, _ := o.get("/wall"); code != http.StatusSeeOther {
		t.Errorf("the page: status %d, want 303", code)
	}
	if code, text := o.get("/wall/part", "HX-Request", "true"); code != http.StatusUnauthorized || strings.Contains(text, "wall-data") {
		t.Errorf("the part: status %d %q, want 401, by which the script of the wall knows, and no picture", code, text)
	}
}

// TestTheWallLoadsItselfAgainForANewProgram holds what the wall is drawn with to its version: a screen that nobody touches is never shown
// the old and the new one together.
func TestTheWallLoadsItselfAgainForANewProgram(t *testing.T) {
	text := province(t).see("/wall/part", `data-now="2026-11-21T10:42:00`)
	_, version, _ := strings.Cut(text, `data-version="`)
	version, _, _ = strings.Cut(version, `"`)
	for _, name := range []string{"/wall.js", "/wall.css", "/live.js", "/style.css"} {
		if !strings.Contains(version+" ", name+" ") {
			t.Errorf("the version %q does not change with %s", version, name)
		}
	}
}

func TestANameWithoutRoomGoesOnBelow(t *testing.T) {
	o := province(t)
	o.sites = slices.DeleteFunc(o.sites, func(s *apipb.KnownSite) bool { return s.GetTier() == apipb.Site_COUNTY || s.GetId() == "330200" })
	for i := range 13 {
		o.sites = append(o.sites, &apipb.KnownSite{Id: fmt.Sprintf("3301%02d", i+20), Name: "景宁畲族自治县", Tier: apipb.Site_COUNTY, Parent: "330100", Alive: true})
	}
	o.see("/wall", ">景宁畲族</text>", ">自治县</text>")
}

func TestASiteThatJustBeganIsCalm(t *testing.T) {
	o := province(t)
	o.figures = []*apipb.OfficeFigures{{Site: "330000", Days: []*apipb.DayFigures{{Day: "20261121"}}}}
	text := o.see("/leader", "各站点都没有未办结工单", "期间没有受理或解决工单", "期间暂无解决的工单")
	for _, word := range []string{"另有", "占未办结", `id="trend-chart"`} {
		if strings.Contains(text, word) {
			t.Errorf("of a site without tickets the page says %q", word)
		}
	}
	o.see("/wall", "今日暂无解决")
}

func TestTheLeaderSeesTheWorstFirst(t *testing.T) {
	o := province(t)
	o.site.MajorIncidents = []*apipb.MajorIncident{{Number: "330100-20261121-0009", Title: "全市无法登录", CustodianSite: "330100", OpenTime: at(9, 0)}}
	text := o.see("/leader", "全市无法登录", "杭州市处理中", "3 张工单等待链路", "二线组 · li", "未分配", "超时 1 小时 12 分", "另有 1 个站点没有未办结工单")
	if !strings.Contains(text, `<div id="banners" class="own-faults">`) {
		t.Error("the head of the page tells of the major incident once more")
	}
	ordered(t, text, "回单查询很慢", "缴款码无法生成", `id="office-330106"`, `id="office-330100"`, `id="office-330000"`)
	ordered(t, text, `datetime="2026-11-20">11-20`, ">8</td>", ">6</td>", ">1</td>", `datetime="2026-11-21">11-21`)

	var asked []string
	for _, r := range o.asked {
		asked = append(asked, r.GetQueue()+" "+r.GetSite())
	}
	if want := []string{"overdue 330106", "overdue 330100"}; !slices.Equal(asked, want) {
		t.Errorf("asked for %q, want %q", asked, want)
	}
	if office := o.see("/leader/offices/330106", "全市无法登录"); strings.Contains(office, "own-faults") {
		t.Error("a page that tells of no major incident has its head not tell of it either")
	}
}

func TestALeaderOfManyOfficesSeesTheWorstAndAsksForAll(t *testing.T) {
	o := province(t)
	for i := range 20 {
		id := fmt.Sprintf("3303%02d", i)
		o.sites = append(o.sites, &apipb.KnownSite{Id: id, Name: "县" + id, Tier: apipb.Site_COUNTY, Parent: "330100", Alive: true})
		o.figures = append(o.figures, &apipb.OfficeFigures{Site: id, Open: 1, Overdue: int32(i % 2)})
	}
	text := o.see("/leader?days=14", "显示其余 12 个站点", `href="/leader?days=14&amp;offices=all#offices"`)
	if count := strings.Count(text, `id="office-`); count != mostOffices {
		t.Errorf("%d offices are shown, want %d", count, mostOffices)
	}
	if strings.Contains(text, `id="office-330300"`) || !strings.Contains(text, `id="office-330301"`) {
		t.Error("an office in which nothing is overdue is shown before one in which something is")
	}
	all := o.see("/leader?days=14&offices=all", "另有 1 个站点没有未办结工单：")
	if count := strings.Count(all, `id="office-`); count != len(o.figures)-1 || strings.Contains(all, "显示其余") {
		t.Errorf("%d offices are shown, want all %d with open tickets", count, len(o.figures)-1)
	}
}

func TestWhoWaitsLongestIsNamedInOneLine(t *testing.T) {
	province(t).see("/leader", `<small>杭州市</small><small><a id="card-oldest" class="number-link" href="/t/330106-20261120-0003">330106-20261120-0003</a></small>`)
}

func TestPeopleAreCalledByNameAtTheirOwnSite(t *testing.T) {
	o := province(t)
	o.open("330106", "西湖区", apipb.Site_COUNTY)
	o.see("/leader", "二线组 · 李强")
}

func TestTheLeaderIsToldWhichFiguresAreOld(t *testing.T) {
	o := province(t)
	o.figures[3].Open = 1 // below a city whose line is cut
	o.figures = append(o.figures, &apipb.OfficeFigures{Site: "330108", Open: 1})
	text := o.see("/leader")
	for office, want := range map[string]string{"330203": "链路断开（09:32 起）", "330108": "未见（08:15 起）", "330106": "", "330000": ""} {
		_, row, _ := strings.Cut(text, `id="office-`+office+`"`)
		row, _, _ = strings.Cut(row, "</tr>")
		if stale := strings.Contains(row, `class="stale"`); stale != (want != "") || !strings.Contains(row, want) {
			t.Errorf("office %s: %s; want %q", office, row, want)
		}
	}
}

func TestTheLeaderLooksAtOneOffice(t *testing.T) {
	o := province(t)
	text := o.see("/leader?site=330106&days=31", `<option value="330106" selected>`, `<option value="31" selected>`, "缴款码无法生成")
	if strings.Contains(text, "回单查询很慢") || strings.Contains(text, `id="office-330100"`) {
		t.Error("another office is shown as well")
	}
	o.see("/leader?site=nowhere&days=3000000000", `<option value="" selected>`, `<option value="7" selected>`, `id="office-330100"`)
}

func TestFromAnOfficeToItsTickets(t *testing.T) {
	o := province(t)
	o.see("/leader/offices/330106", "缴款码无法生成", `href="/t/330106-20261121-0002"`, "下一页", `aria-current="page">超时`)
	o.see("/leader/offices/330203?queue=due-soon&from=more", "这里没有工单", "回到第一页", `aria-current="page">即将超时`)
	o.see("/leader/offices/330203?queue=mine", "没有超时工单，一切按时")
	want := []string{"overdue 330106 ", "due-soon 330203 more", "overdue 330203 "}
	for i, r := range o.asked {
		if got := r.GetQueue() + " " + r.GetSite() + " " + r.GetPageToken(); got != want[i] {
			t.Errorf("asked for %q, want %q", got, want[i])
		}
	}
	if code, _ := o.get("/leader/offices/999999"); code != http.StatusNotFound {
		t.Errorf("an office that nobody knows: status %d, want 404", code)
	}
}

// ordered checks that words stand in a text one behind the other.
func ordered(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, word := range words {
		_, behind, found := strings.Cut(text, word)
		if !found {
			t.Fatalf("%q is not there, or stands before what should come before it", word)
		}
		text = behind
	}
}
