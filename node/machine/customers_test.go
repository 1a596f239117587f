package machine

import (
	"bytes"
	"testing"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

func putRequester(c *deskpb.PutRequester) *deskpb.Command {
	return &deskpb.Command{Kind: &deskpb.Command_PutRequester{PutRequester: c}}
}

func removeRequester(id string) *deskpb.Command {
	return &deskpb.Command{Kind: &deskpb.Command_RemoveRequester{RemoveRequester: &deskpb.RemoveRequester{Id: id}}}
}

func customerCall(id string, call *deskpb.CustomerCall) *deskpb.Command {
	return &deskpb.Command{Kind: &deskpb.Command_PutCustomerCall{PutCustomerCall: &deskpb.PutCustomerCall{Customer: id, Call: call}}}
}

func (l *log) customer(t T, id string) (found *deskpb.Customer) {
	t.Helper()
	l.view(t, func(r *store.Reader) (err error) {
		found, err = r.Customer(id)
		return err
	})
	return found
}

func TestRequestersAreKept(t *testing.T) {
	l := founded(t)
	chen := &deskpb.Customer{Id: "c1", Name: "陈静", Phones: []string{"0571-1"}}
	create := putRequester(&deskpb.PutRequester{Customer: chen, CreateOnly: true})
	l.must(t, noon, create)
	first := l.customer(t, "c1")
	if first.GetClass() != desk.ClassNew || len(first.GetCalls()) != 1 || len(first.GetEtag()) == 0 {
		t.Fatalf("a new requester is kept as %v", first)
	}
	if got := l.one(t, noon, create); got != "REQUESTER_EXISTS" {
		t.Errorf("the same requester again: reason %q", got)
	}
	if got := l.one(t, noon, putRequester(&deskpb.PutRequester{Customer: &deskpb.Customer{Id: "c2", Name: "x"}})); got != "REQUESTER_NOT_FOUND" {
		t.Errorf("a change of nobody: reason %q", got)
	}
	moved := &deskpb.PutRequester{Customer: &deskpb.Customer{Id: "c1", Name: "陈静", Unit: "国库", Class: desk.ClassVIP}, Etag: first.GetEtag()}
	l.must(t, noon, putRequester(moved))
	if got := l.one(t, noon, putRequester(moved)); got != "STALE_ETAG" {
		t.Errorf("a change of what has changed: reason %q", got)
	}
	if got := l.customer(t, "c1"); got.GetUnit() != "国库" || got.GetSince() != first.GetSince() || len(got.GetCalls()) != 2 {
		t.Errorf("the changed requester is kept as %v", got)
	}
	if got := l.one(t, noon, putRequester(&deskpb.PutRequester{Customer: &deskpb.Customer{Id: "c1"}})); got != "INVALID_FIELD" {
		t.Errorf("a requester without a name: reason %q", got)
	}
	l.must(t, noon, removeRequester("c1"))
	if got := l.one(t, noon, removeRequester("c1")); got != "REQUESTER_NOT_FOUND" || l.customer(t, "c1") != nil {
		t.Errorf("who is gone is removed again: reason %q", got)
	}
}

func TestACallOfACustomerIsRecorded(t *testing.T) {
	l := founded(t)
	l.must(t, noon, putRequester(&deskpb.PutRequester{Customer: &deskpb.Customer{Id: "c1", Name: "陈静"}, CreateOnly: true}))
	content := &deskpb.CustomerCall{Kind: deskpb.CustomerCall_WELCOME, Outcome: deskpb.CallBack_CONTENT, Actor: "li"}
	late := noon + 4*24*time.Hour.Microseconds()
	l.must(t, late, customerCall("c1", content))
	calls := l.customer(t, "c1").GetCalls()
	if len(calls) != 2 || calls[0].GetDone() != 0 || calls[1].GetDone() == 0 || calls[1].GetActor() != "li" {
		t.Errorf("the call-backs are %v, want the next one and the one that was made", calls)
	}
	for want, c := range map[string]*deskpb.Command{
		"REQUESTER_NOT_FOUND": customerCall("c9", content),
		"INVALID_FIELD":       customerCall("c1", &deskpb.CustomerCall{Outcome: deskpb.CallBack_CONTENT}),
		"NO_CALL_BACK":        customerCall("c1", &deskpb.CustomerCall{Kind: deskpb.CustomerCall_VISIT, Outcome: deskpb.CallBack_CONTENT}),
	} {
		if got := l.one(t, late, c); got != want {
			t.Errorf("%v: reason %q, want %s", c, got, want)
		}
	}
}

func TestASiteKeepsItsFirstSurveyKey(t *testing.T) {
	l := founded(t)
	put := func(key []byte) *deskpb.Command {
		return &deskpb.Command{Kind: &deskpb.Command_PutSurveyKey{PutSurveyKey: &deskpb.PutSurveyKey{Key: key}}}
	}
	if got := l.one(t, noon, put([]byte("short"))); got != "INVALID_FIELD" {
		t.Errorf("a key of five bytes: reason %q", got)
	}
	first := bytes.Repeat([]byte{1}, desk.SurveyKeySize)
	l.must(t, noon, put(first), put(bytes.Repeat([]byte{2}, desk.SurveyKeySize)))
	l.view(t, func(r *store.Reader) error {
		site, err := r.Site()
		if !bytes.Equal(site.GetSurveyKey(), first) {
			t.Errorf("the site's survey key is %x, want the first one", site.GetSurveyKey())
		}
		return err
	})
}

func TestAUnitHasItsNameAlone(t *testing.T) {
	l := founded(t)
	put := func(id, name string, kind deskpb.Customer_Kind, create bool) *deskpb.Command {
		return putRequester(&deskpb.PutRequester{Customer: &deskpb.Customer{Id: id, Name: name, Kind: kind}, CreateOnly: create})
	}
	l.must(t, noon, put("u1", "Finance", deskpb.Customer_UNIT, true))
	if got := l.one(t, noon, put("u2", "FINANCE", deskpb.Customer_UNIT, true)); got != "UNIT_EXISTS" {
		t.Errorf("another unit of the name: reason %q", got)
	}
	l.must(t, noon, put("p1", "Finance", deskpb.Customer_PERSON, true))
	l.must(t, noon, put("u1", "finance", deskpb.Customer_KIND_UNSPECIFIED, false))
	if got := l.customer(t, "u1"); got.GetKind() != deskpb.Customer_UNIT || got.GetName() != "finance" {
		t.Errorf("a unit that was renamed is %v", got)
	}
	if got := l.one(t, noon, put("p1", "Finance", deskpb.Customer_UNIT, false)); got != "UNIT_EXISTS" {
		t.Errorf("a person who becomes a unit of the name: reason %q", got)
	}
	l.must(t, noon, removeRequester("u1"))
	l.must(t, noon, put("u2", "Finance", deskpb.Customer_UNIT, true))
}
