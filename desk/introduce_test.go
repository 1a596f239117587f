package desk

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

func TestAPersonWithoutAClassHasThatOfTheUnit(t *testing.T) {
	p := &deskpb.Policy{CallBacks: &deskpb.CallBacks{WelcomeDays: []int32{15}}}
	of := func(class string) *deskpb.Customer { return &deskpb.Customer{Class: class, Since: morning} }
	for name, c := range map[string]struct {
		person, unit *deskpb.Customer
		want         string
	}{
		"a VIP unit's new person":    {of(ClassNew), of(ClassVIP), ClassVIP},
		"a VIP unit's normal person": {of(ClassNormal), of(ClassVIP), ClassNormal},
		"a VIP of a normal unit":     {of(ClassVIP), of(ClassNormal), ClassVIP},
		"new in a normal unit":       {of(ClassNew), of(ClassNormal), ClassNormal},
		"new in a new unit":          {of(ClassNew), of(ClassNew), ClassNew},
		"new without a unit":         {of(ClassNew), nil, ClassNew},
		"only a VIP unit":            {nil, of(ClassVIP), ClassVIP},
		"only a new unit":            {nil, of(ClassNew), ClassNew},
		"nobody":                     {nil, nil, ClassNormal},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ClassWithin(p, c.person, c.unit, morning); got != c.want {
				t.Errorf("the class is %q, want %q", got, c.want)
			}
		})
	}
}

func TestTheRecordOfAUnitCompletesItsPeople(t *testing.T) {
	customers := map[string]*deskpb.Customer{
		"u1": {Id: "u1", Name: "Finance", Kind: deskpb.Customer_UNIT, Class: ClassVIP, Phones: []string{"0571-100"}, Email: "f@x"},
		"c1": {Id: "c1", Name: "陈静", Unit: "finance", Class: ClassNew, Since: morning},
		"c2": {Id: "c2", Name: "王芳", Unit: "finance", Class: ClassNormal},
	}
	for name, c := range map[string]struct{ said, want *deskpb.Requester }{
		"a person of it":       {&deskpb.Requester{Id: "c1"}, &deskpb.Requester{Id: "c1", Name: "陈静", Unit: "Finance", Class: ClassVIP}},
		"a class of one's own": {&deskpb.Requester{Id: "c2"}, &deskpb.Requester{Id: "c2", Name: "王芳", Unit: "Finance", Class: ClassNormal}},
		"a stranger of it":     {&deskpb.Requester{Name: "李雷", Unit: "FINANCE"}, &deskpb.Requester{Name: "李雷", Unit: "Finance", Class: ClassVIP}},
		"its telephone": {&deskpb.Requester{Name: "李雷", Phone: "0571 100"},
			&deskpb.Requester{Name: "李雷", Unit: "Finance", Phone: "0571 100", Email: "f@x", Class: ClassVIP}},
		"its record":        {&deskpb.Requester{Id: "u1"}, &deskpb.Requester{Unit: "Finance", Phone: "0571-100", Email: "f@x", Class: ClassVIP}},
		"another unit":      {&deskpb.Requester{Name: "李雷", Unit: "国库"}, &deskpb.Requester{Name: "李雷", Unit: "国库"}},
		"moved to another":  {&deskpb.Requester{Id: "c2", Unit: "国库"}, &deskpb.Requester{Id: "c2", Name: "王芳", Unit: "国库", Class: ClassNormal}},
		"a class is stated": {&deskpb.Requester{Unit: "Finance", Class: ClassNew}, &deskpb.Requester{Unit: "Finance", Class: ClassNew}},
	} {
		t.Run(name, func(t *testing.T) {
			tree := newTree()
			tree.office(county).customers = customers
			d, err := tree.do(county, &deskpb.TicketCommand{Actor: agent("lin"), Verb: &deskpb.TicketCommand_Create{Create: &deskpb.Create{
				Ticket: &deskpb.Ticket{Title: "t", Requester: proto.CloneOf(c.said)},
			}}})
			if err != nil {
				t.Fatal(err)
			}
			if got := d.Record.GetTicket().GetRequester(); !proto.Equal(got, c.want) {
				t.Errorf("the requester is %v, want %v", got, c.want)
			}
		})
	}
}
