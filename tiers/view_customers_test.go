package tiers

import (
	"testing"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// A person answers a shared telephone before the unit does; several people leave it to the unit.
func TestWhoseATelephoneNumberIs(t *testing.T) {
	o := newOffice(t, county, wall)
	err := o.log(func(b *store.Batch, _ desk.Stamp) error {
		for _, c := range []*deskpb.Customer{
			{Id: "u", Name: "财政局", Kind: deskpb.Customer_UNIT, Class: desk.ClassVIP, Phones: []string{"1", "2", "3", "4"}},
			{Id: "v", Name: "国库", Kind: deskpb.Customer_UNIT, Phones: []string{"4"}},
			{Id: "a", Name: "陈静", Unit: "财政局", Phones: []string{"2", "3", "5"}},
			{Id: "b", Name: "王芳", Phones: []string{"3", "5"}},
		} {
			if err := b.PutCustomer(c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for phone, want := range map[string]*deskpb.Requester{
		"1": {Phone: "1", Unit: "财政局", Class: desk.ClassVIP},
		"2": {Phone: "2", Unit: "财政局", Class: desk.ClassVIP, Id: "a", Name: "陈静"},
		"3": {Phone: "3", Unit: "财政局", Class: desk.ClassVIP},
		"4": {Phone: "4"},
		"5": {Phone: "5"},
	} {
		got := o.previews(t, &deskpb.Ticket{Title: "t", Requester: &deskpb.Requester{Phone: phone}}).GetRequester()
		if got.GetId() != want.GetId() || got.GetName() != want.GetName() || got.GetUnit() != want.GetUnit() || got.GetClass() != want.GetClass() {
			t.Errorf("%s is the number of %v, want %v", phone, got, want)
		}
	}
}
