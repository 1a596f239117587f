package tiers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// publish has an office publish a document; the refusal is returned.
func (o *office) publish(t *testing.T, p *deskpb.Publication) *deskpb.Refusal {
	t.Helper()
	result, err := o.Propose(context.Background(), &deskpb.Command{Kind: &deskpb.Command_PutPublication{
		PutPublication: &deskpb.PutPublication{Publication: p},
	}})
	if err != nil {
		t.Fatalf("publish %s %q at %s: %v", p.Kind, p.Name, o.id, err)
	}
	return result.Refusal
}

// mustPublish is publish for what has to succeed.
func (o *office) mustPublish(t *testing.T, name, body string) {
	t.Helper()
	if refusal := o.publish(t, notice(name, body)); refusal != nil {
		t.Fatalf("publish %q at %s: %s", name, o.id, refusal.Message)
	}
}

func notice(name, body string) *deskpb.Publication {
	return &deskpb.Publication{Kind: "notice", Name: name, Title: "通知 " + name, Body: []byte(body), Actor: "admin"}
}

func (o *office) document(publisher, name string) *deskpb.Publication {
	return read(o, func(r *store.Reader) (*deskpb.Publication, error) {
		return r.Publication(desk.SiteID(publisher), "notice", name)
	})
}

// shows is the body of a notice as an office has it; "-" when it was taken back, "" when it is not known.
func (o *office) shows(publisher, name string) string {
	p := o.document(publisher, name)
	if p.GetRemoved() {
		return "-"
	}
	return string(p.GetBody())
}

// receipts tells which sites below an office have which version of a notice, as "site:version" with the version counted
// from the present one: 0 for it, ? for none.
func (o *office) receipts(publisher, name string) string {
	head := o.document(publisher, name)
	receipts := read(o, func(r *store.Reader) ([]Receipt, error) {
		return Receipts(r, desk.SiteID(publisher), "notice", name)
	})
	var out []string
	for _, receipt := range receipts {
		switch {
		case receipt.Delivery == nil:
			out = append(out, receipt.Site.Id+":?")
		case receipt.Delivery.Version == head.GetVersion():
			out = append(out, receipt.Site.Id+":has")
		default:
			out = append(out, receipt.Site.Id+":old")
		}
	}
	return strings.Join(out, " ")
}

// carry ships between all pairs until nothing moves any more.
func carry(t *testing.T, pairs ...[2]*office) {
	t.Helper()
	for moved := true; moved; {
		moved = false
		for _, pair := range pairs {
			there, back := ship(t, pair[0], pair[1]), ship(t, pair[1], pair[0])
			moved = moved || there || back
		}
	}
}

func TestDocumentReachesEverySiteBelowAndItsDeliveryTheTop(t *testing.T) {
	top, middle, bottom := newOffice(t, province, wall), newOffice(t, city, wall), newOffice(t, county, wall)
	admit(t, top, middle)
	admit(t, middle, bottom)
	upper, lower := [2]*office{top, middle}, [2]*office{middle, bottom}
	carry(t, upper, lower)

	top.mustPublish(t, "停电", "周六停电")
	if got := top.receipts("330000", "停电"); got != "330100:? 330106:?" {
		t.Errorf("before anything was carried the province shows %q", got)
	}
	carry(t, upper)
	if got := top.receipts("330000", "停电"); got != "330100:has 330106:?" {
		t.Errorf("with the county cut off the province shows %q", got)
	}
	carry(t, upper, lower)
	for _, o := range []*office{middle, bottom} {
		if got := o.shows("330000", "停电"); got != "周六停电" {
			t.Errorf("%s shows %q", o.id, got)
		}
	}
	if got := top.receipts("330000", "停电"); got != "330100:has 330106:has" {
		t.Errorf("the province shows %q after everything was carried", got)
	}

	top.mustPublish(t, "停电", "周日停电")
	carry(t, upper)
	if got := top.receipts("330000", "停电"); got != "330100:has 330106:old" {
		t.Errorf("with the second version under way the province shows %q", got)
	}
	carry(t, upper, lower)
	if got := bottom.shows("330000", "停电"); got != "周日停电" {
		t.Errorf("the county shows %q, want the newest version", got)
	}

	middle.mustPublish(t, "值班", "本周张伟")
	carry(t, upper, lower)
	if got := top.document("330100", "值班"); got != nil {
		t.Errorf("the province has a document of the city below it: %v", got)
	}
	if got := middle.receipts("330100", "值班"); got != "330106:has" {
		t.Errorf("the city shows %q for its own document", got)
	}
	for _, o := range []*office{top, middle, bottom} {
		if parked := o.parked(); len(parked) > 0 {
			t.Errorf("%s parked %d items: %s", o.id, len(parked), parked[0].Reason)
		}
	}
}

func TestDocumentIsTakenBackEverywhere(t *testing.T) {
	top, middle, bottom := newOffice(t, province, wall), newOffice(t, city, wall), newOffice(t, county, wall)
	admit(t, top, middle)
	top.mustPublish(t, "停电", "周六停电")
	carry(t, [2]*office{top, middle})
	if refusal := top.publish(t, &deskpb.Publication{Kind: "notice", Name: "停电", Removed: true}); refusal != nil {
		t.Fatal(refusal.Message)
	}
	carry(t, [2]*office{top, middle})
	// A new county gets the tombstone too, so that no older version ever returns to it.
	admit(t, middle, bottom)
	carry(t, [2]*office{top, middle}, [2]*office{middle, bottom})
	for _, o := range []*office{middle, bottom} {
		if p := o.document("330000", "停电"); !p.GetRemoved() || len(p.GetBody()) > 0 || p.GetTitle() != "通知 停电" {
			t.Errorf("%s shows %v, want a tombstone that keeps the title", o.id, p)
		}
	}
	if got := top.receipts("330000", "停电"); got != "330100:has 330106:has" {
		t.Errorf("the province shows %q", got)
	}
	if refusal := top.publish(t, &deskpb.Publication{Kind: "notice", Name: "停电", Removed: true}); refusal.GetReason() != "NOT_PUBLISHED" {
		t.Errorf("taking it back twice: %v, want NOT_PUBLISHED", refusal)
	}
	top.mustPublish(t, "停电", "又停电")
	carry(t, [2]*office{top, middle}, [2]*office{middle, bottom})
	if got := bottom.shows("330000", "停电"); got != "又停电" {
		t.Errorf("the county shows %q after it was published again", got)
	}
}

func TestNewCountyReceivesEverything(t *testing.T) {
	top, middle, bottom := newOffice(t, province, wall), newOffice(t, city, wall), newOffice(t, county, wall)
	admit(t, top, middle)
	for i := range 3 {
		top.mustPublish(t, fmt.Sprintf("省%d", i), fmt.Sprint(i))
		middle.mustPublish(t, fmt.Sprintf("市%d", i), fmt.Sprint(i))
	}
	carry(t, [2]*office{top, middle})
	admit(t, middle, bottom)
	carry(t, [2]*office{top, middle}, [2]*office{middle, bottom})
	for i := range 3 {
		if got := bottom.shows("330000", fmt.Sprintf("省%d", i)) + bottom.shows("330100", fmt.Sprintf("市%d", i)); got != fmt.Sprint(i, i) && got != fmt.Sprintf("%d%d", i, i) {
			t.Errorf("the new county shows %q for pair %d", got, i)
		}
		if got := top.receipts("330000", fmt.Sprintf("省%d", i)); got != "330100:has 330106:has" {
			t.Errorf("the province shows %q", got)
		}
	}
}

func TestUnchangedDocumentIsNotPublishedAgain(t *testing.T) {
	top, middle := newOffice(t, province, wall), newOffice(t, city, wall)
	admit(t, top, middle)
	top.mustPublish(t, "停电", "周六停电")
	version, sent := top.document("330000", "停电").Version, top.link(middle.id).SentSequence
	top.mustPublish(t, "停电", "周六停电")
	if got := top.document("330000", "停电").Version; got != version || top.link(middle.id).SentSequence != sent {
		t.Errorf("the same document is version %d and was %d; %d items were sent, then %d", got, version, sent, top.link(middle.id).SentSequence)
	}
}

func TestDocumentsAreChecked(t *testing.T) {
	top := newOffice(t, province, wall)
	body := func(change func(*deskpb.Publication)) *deskpb.Publication {
		p := notice("停电", "周六停电")
		change(p)
		return p
	}
	for _, c := range []struct {
		name  string
		p     *deskpb.Publication
		field string
	}{
		{"the largest body", body(func(p *deskpb.Publication) { p.Body = make([]byte, 192<<10) }), ""},
		{"a byte too many", body(func(p *deskpb.Publication) { p.Body = make([]byte, 192<<10+1) }), "body"},
		{"the longest name", body(func(p *deskpb.Publication) { p.Name = strings.Repeat("a", 128) }), ""},
		{"a name too long", body(func(p *deskpb.Publication) { p.Name = strings.Repeat("a", 129) }), "name"},
		{"a name with a slash", body(func(p *deskpb.Publication) { p.Name = "a/b" }), "name"},
		{"a name with a space", body(func(p *deskpb.Publication) { p.Name = "a b" }), "name"},
		{"a name that is not UTF-8", body(func(p *deskpb.Publication) { p.Name = "a\xff" }), "name"},
		{"no name", body(func(p *deskpb.Publication) { p.Name = "" }), "name"},
		{"a kind in capitals", body(func(p *deskpb.Publication) { p.Kind = "Notice" }), "kind"},
		{"the kind that placements use", body(func(p *deskpb.Publication) { p.Kind = "placement" }), "kind"},
		{"a title too long", body(func(p *deskpb.Publication) { p.Title = strings.Repeat("标", 200) }), "title"},
		{"no media type at all", body(func(p *deskpb.Publication) { p.MediaType = "markdown" }), "mediaType"},
		{"a media type with a parameter", body(func(p *deskpb.Publication) { p.MediaType = "text/markdown; charset=utf-8" }), ""},
	} {
		refusal := top.publish(t, c.p)
		if refusal.GetField() != c.field || (refusal == nil) != (c.field == "") {
			t.Errorf("%s: refused %v, want a refusal of field %q", c.name, refusal, c.field)
		}
	}
}

// What comes over a link is held to the same form and to the tree: documents travel downward only.
func TestForeignDocumentsAreParked(t *testing.T) {
	for _, c := range []struct {
		name   string
		item   *deskpb.Item
		upward bool
		reason string
	}{
		{"a publisher beside this site", documentItem("330108", "x"), false, "not above"},
		{"a document of the receiver from above", documentItem("330106", "x"), false, "not above"},
		{"a document of the child", documentItem("330106", "x"), true, "documents come from above"},
		{"a document of the parent from the child", documentItem("330100", "x"), true, "documents come from above"},
		{"a name that cannot be", documentItem("330100", "x/y"), false, "name"},
		{"a delivery from above", deliveryItem("330106", "330100"), false, "told upward"},
		{"a delivery at a stranger", deliveryItem("330000", "330100"), true, "not in its part of the tree"},
		{"a delivery of a stranger's document", deliveryItem("330106", "330108"), true, "not above"},
	} {
		upper, lower := newOffice(t, city, wall), newOffice(t, county, wall)
		admit(t, upper, lower)
		carry(t, [2]*office{upper, lower})
		from, to := upper, lower
		if c.upward {
			from, to = lower, upper
		}
		err := from.log(func(b *store.Batch, _ desk.Stamp) error { return sendItem(b, []desk.SiteID{to.id}, c.item) })
		if err != nil {
			t.Fatal(err)
		}
		ship(t, from, to)
		parked := to.parked()
		if len(parked) != 1 || !strings.Contains(parked[0].Reason, c.reason) {
			t.Errorf("%s: parked %v, want one with %q", c.name, parked, c.reason)
		}
	}
}

func documentItem(publisher, name string) *deskpb.Item {
	p := notice(name, "内容")
	p.Publisher, p.Version, p.MediaType = publisher, 7, plainText
	return &deskpb.Item{Content: &deskpb.Item_Publication{Publication: p}}
}

func deliveryItem(site, publisher string) *deskpb.Item {
	return &deskpb.Item{Content: &deskpb.Item_Delivery{Delivery: &deskpb.Delivery{
		Site: site, Publisher: publisher, Kind: "notice", Name: "x", Version: 7,
	}}}
}

// What an office had that stands elsewhere by now is not for its former parent to tell.
func TestDeliveriesOfOfficesThatWereMovedAwayAreNotToldAnew(t *testing.T) {
	top, former := newOffice(t, province, wall), newOffice(t, city, wall)
	for _, o := range []*office{top, former} {
		err := o.log(func(b *store.Batch, _ desk.Stamp) error {
			for _, site := range []*deskpb.Site{province, city, county} {
				if err := b.PutSiteInfo(entry(site)); err != nil {
					return err
				}
			}
			return b.PutPlacement(&deskpb.Placement{Site: county.Id, Parent: province.Id, Phase: deskpb.Placement_PLACED, Version: 1})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	err := former.log(func(b *store.Batch, _ desk.Stamp) error {
		for _, site := range []string{city.Id, county.Id} {
			if err := b.PutDelivery(deliveryItem(site, province.Id).GetDelivery()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	admit(t, top, former)
	for ship(t, former, top) {
	}
	if parked := top.parked(); len(parked) != 0 {
		t.Errorf("the province set aside what the city told: %v", parked)
	}
	told := read(top, func(r *store.Reader) (*deskpb.Delivery, error) { return r.Delivery("330000", "notice", "x", former.id) })
	if told == nil {
		t.Error("the province does not know that the city has the document")
	}
}

func TestNewerDocumentWinsAndTiesAreBrokenByBytes(t *testing.T) {
	a, b := documentItem("330000", "x").GetPublication(), documentItem("330000", "x").GetPublication()
	b.Body = []byte("另一个内容")
	beats := func(p, old *deskpb.Publication) bool {
		better, err := newer(p, old)
		if err != nil {
			t.Fatal(err)
		}
		return better
	}
	if beats(a, b) == beats(b, a) {
		t.Error("of two documents with one version neither or both win")
	}
	if beats(a, proto.CloneOf(a)) {
		t.Error("a document beats itself")
	}
	b.Version++
	if beats(a, b) || !beats(b, a) || !beats(a, nil) {
		t.Error("the later version does not win, or the first one is not news")
	}
}

// A publisher that is restored from an old backup gets its own later documents back from its children, and what it
// publishes from then on wins.
func TestRestoredPublisherLearnsItsOwnDocuments(t *testing.T) {
	top, middle := newOffice(t, province, wall), newOffice(t, city, wall)
	admit(t, top, middle)
	top.mustPublish(t, "停电", "周六停电")
	carry(t, [2]*office{top, middle})

	// The backup knows nothing of the notice: a province that was founded from the same configuration.
	restored := newOffice(t, &deskpb.Site{
		Id: "330000", Name: "浙江省", Tier: deskpb.Site_PROVINCE, Incarnation: 0xAA, Letters: "K7Q", Recovering: 1,
	}, wall)
	reunite(t, restored, middle)
	carry(t, [2]*office{restored, middle})
	if got := restored.shows("330000", "停电"); got != "周六停电" {
		t.Errorf("the restored province shows %q, want what it had published", got)
	}
	if got := restored.receipts("330000", "停电"); got != "330100:has" {
		t.Errorf("the restored province shows %q", got)
	}
	restored.mustPublish(t, "停电", "取消停电")
	carry(t, [2]*office{restored, middle})
	if got := middle.shows("330000", "停电"); got != "取消停电" {
		t.Errorf("the city shows %q, want what was published after the restore", got)
	}
	for _, o := range []*office{restored, middle} {
		if parked := o.parked(); len(parked) > 0 {
			t.Errorf("%s parked: %s", o.id, parked[0].Reason)
		}
	}
}

// reunite has both ends of a link accept each other's later lives.
func reunite(t *testing.T, x, y *office) {
	t.Helper()
	for _, pair := range [][2]*office{{x, y}, {y, x}} {
		there := read(pair[1], func(r *store.Reader) (*deskpb.Site, error) { return r.Site() })
		result, err := pair[0].Propose(context.Background(), &deskpb.Command{Kind: &deskpb.Command_AdmitPeer{
			AdmitPeer: &deskpb.AdmitPeer{Peer: there.Id, Incarnation: there.Incarnation, Letters: there.Letters},
		}})
		if err != nil || result.Refusal != nil {
			t.Fatalf("admit %s at %s: %v %v", there.Id, pair[0].id, result.GetRefusal(), err)
		}
	}
}

func TestDocumentsOverLiveLinks(t *testing.T) {
	top, middle, bottom := chainOfThree(t)
	bottom.line.set(true)
	eventually(t, "the county sees the line down", func() bool { return bottom.state(middle.id) == Down })
	for i := range 20 {
		top.mustPublish(t, "停电", fmt.Sprint("第", i, "版"))
	}
	top.mustPublish(t, "大", strings.Repeat("x", maxBody))
	eventually(t, "the city has the last version", func() bool { return middle.shows("330000", "停电") == "第19版" })
	if got := bottom.shows("330000", "停电"); got != "" {
		t.Errorf("the county shows %q over a cut line", got)
	}
	bottom.line.set(false)
	eventually(t, "the county has the last version", func() bool { return bottom.shows("330000", "停电") == "第19版" })
	eventually(t, "the province sees both deliveries of both documents", func() bool {
		return slices.Equal([]string{top.receipts("330000", "停电"), top.receipts("330000", "大")},
			[]string{"330100:has 330106:has", "330100:has 330106:has"})
	})
}
