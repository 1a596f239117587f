package store

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// drawCustomer draws a record from so few values that they meet often.
func drawCustomer(t *rapid.T) *deskpb.Customer {
	word := rapid.SampledFrom([]string{"", "陈静", "陈", "Chen", "chen li", "财政局"})
	c := &deskpb.Customer{
		Id: fmt.Sprint("c", rapid.IntRange(1, 6).Draw(t, "id")), Name: "名" + word.Draw(t, "name"), Unit: word.Draw(t, "unit"),
		User:   word.Draw(t, "user"),
		Kind:   deskpb.Customer_Kind(rapid.IntRange(0, 2).Draw(t, "kind")),
		Phones: rapid.SliceOfN(rapid.SampledFrom([]string{"0571-1", "05711", "0571-12", "+86 571-1", "-"}), 0, 3).Draw(t, "phones"),
	}
	for range rapid.IntRange(0, 3).Draw(t, "calls") {
		c.Calls = append(c.Calls, &deskpb.CustomerCall{
			Kind: deskpb.CustomerCall_REGULAR, Due: rapid.Int64Range(1, 9).Draw(t, "due"), Done: rapid.Int64Range(0, 1).Draw(t, "done"),
		})
	}
	return c
}

// isFound says a second time whether a search among the records of a kind is for a record.
func isFound(c *deskpb.Customer, kind deskpb.Customer_Kind, search string) bool {
	search = strings.ToLower(search)
	if isUnit := c.Kind == deskpb.Customer_UNIT; kind != 0 && isUnit != (kind == deskpb.Customer_UNIT) {
		return false
	}
	if strings.Trim(search, "0123456789-+ ") == "" && search != "" {
		asked := desk.PhoneDigits(search)
		return slices.ContainsFunc(c.Phones, func(phone string) bool {
			digits := desk.PhoneDigits(phone)
			local, fixed := strings.CutPrefix(digits, "0571")
			return strings.HasPrefix(digits, asked) || fixed && strings.HasPrefix(local, asked) || len(asked) >= 4 && strings.HasSuffix(digits, asked)
		})
	}
	values := []string{c.Name, c.Unit, c.User}
	if kind == deskpb.Customer_UNIT {
		values = values[:1]
	}
	for _, value := range values {
		if strings.HasPrefix(strings.ToLower(value), search) {
			return true
		}
	}
	return false
}

func TestRequestersAreFoundByWhatTheirRecordsSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := mustOpen(t, options(vfs.NewMem()))
		defer mustClose(t, s)
		known := map[string]*deskpb.Customer{}
		for range rapid.IntRange(1, 12).Draw(t, "changes") {
			commit(t, s, func(b *Batch) error {
				c := drawCustomer(t)
				if rapid.IntRange(0, 4).Draw(t, "gone") == 0 {
					delete(known, c.Id)
					return b.DeleteCustomer(c.Id)
				}
				known[c.Id] = proto.CloneOf(c)
				return b.PutCustomer(c)
			})
		}
		view(t, s, func(r *Reader) error {
			for _, search := range []string{"", "名", "名陈", "chen", "财", "0571", "+86 571", "05711", "5711", "12", "no"} {
				kind := deskpb.Customer_Kind(rapid.IntRange(0, 2).Draw(t, "among"))
				var want []string
				for id, c := range known {
					if isFound(c, kind, search) {
						want = append(want, id)
					}
				}
				got := foundIn(t, r, kind, search, rapid.IntRange(1, 4).Draw(t, "limit"))
				slices.Sort(want)
				slices.Sort(got)
				if !slices.Equal(got, want) {
					t.Fatalf("%q among %s finds %v, want %v of %v", search, kind, got, want, known)
				}
			}
			checkDueCalls(t, r, known)
			return nil
		})
	})
}

// foundIn goes through the pages of a search.
func foundIn(t *rapid.T, r *Reader, kind deskpb.Customer_Kind, search string, limit int) (ids []string) {
	var after []byte
	for range 100 {
		found, next, err := r.FindCustomers(kind, search, after, limit)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range found {
			ids = append(ids, c.Id)
		}
		if next == nil {
			return ids
		}
		after = next
	}
	t.Fatalf("the pages of %q do not end", search)
	return nil
}

func checkDueCalls(t *rapid.T, r *Reader, known map[string]*deskpb.Customer) {
	by := rapid.Int64Range(0, 10).Draw(t, "by")
	type due struct {
		time int64
		id   string
	}
	var want []due
	for id, c := range known {
		if time, _ := desk.NextCall(c); time != 0 && time <= by {
			want = append(want, due{time, id})
		}
	}
	slices.SortFunc(want, func(a, b due) int { return cmp.Or(cmp.Compare(a.time, b.time), strings.Compare(a.id, b.id)) })
	var got []due
	var after []byte
	for {
		calls, next, err := r.DueCalls(by, after, rapid.IntRange(1, 3).Draw(t, "page"))
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range calls {
			got = append(got, due{call.Due, call.Customer.GetId()})
		}
		if next == nil {
			break
		}
		after = next
	}
	if !slices.Equal(got, want) {
		t.Fatalf("by %d these are due: %v, want %v", by, got, want)
	}
}

func TestOnlyTheHomeCallsTheRequesterOfATicketBack(t *testing.T) {
	s := openTest(t)
	put := func(change func(*deskpb.Ticket)) {
		t.Helper()
		commit(t, s, func(b *Batch) error {
			return b.PutTicket(ticket("C-1", func(k *deskpb.Ticket) {
				k.HomeSite, k.CallBack = testSite, &deskpb.CallBack{DueTime: at(1000)}
				change(k)
			}))
		})
	}
	check := func(what string, by int64, want int) {
		t.Helper()
		view(t, s, func(r *Reader) error {
			calls, _, err := r.DueCalls(by, nil, 9)
			if len(calls) != want || want == 1 && calls[0].Ticket.GetNumber() != "C-1" {
				t.Errorf("%s: %v is due, want %d", what, calls, want)
			}
			return err
		})
	}
	put(func(*deskpb.Ticket) {})
	check("when it is due", 1000, 1)
	check("a microsecond before", 999, 0)
	put(func(k *deskpb.Ticket) { k.HomeSite = "330100" })
	check("at another site than its home", 1000, 0)
	put(func(k *deskpb.Ticket) { k.CallBack.Done = true })
	check("when the call was made", 1000, 0)
	put(func(k *deskpb.Ticket) { k.CallBack = nil })
	check("when none is planned", 1000, 0)
}

func TestATelephoneIsFoundHoweverItIsDialled(t *testing.T) {
	s := openTest(t)
	commit(t, s, func(b *Batch) error {
		for id, phone := range map[string]string{"fixed": "0571-85000012", "abroad": "+86 571 8500 0013", "capital": "010-66550014", "mobile": "138 0000 0015"} {
			if err := b.PutCustomer(&deskpb.Customer{Id: id, Name: id, Phones: []string{phone}}); err != nil {
				return err
			}
		}
		return nil
	})
	view(t, s, func(r *Reader) error {
		for search, want := range map[string]string{
			"0571-85000012": "fixed", "8500 0012": "fixed", "85000012": "fixed", "+86 571 85000012": "fixed", "0012": "fixed",
			"057185000013": "abroad", "85000013": "abroad",
			"66550014": "capital", "6655": "capital", "010 6655": "capital",
			"+86 13800000015": "mobile", "00000015": "mobile", "0000015": "mobile", "015": "", "85000014": "",
		} {
			found, _, err := r.FindCustomers(deskpb.Customer_KIND_UNSPECIFIED, search, nil, 9)
			if err != nil {
				return err
			}
			got := ""
			for _, c := range found {
				got += c.Id
			}
			if got != want {
				t.Errorf("%q finds %q, want %q", search, got, want)
			}
		}
		return nil
	})
}

func TestATelephoneOfTwoIsNobodys(t *testing.T) {
	s := openTest(t)
	commit(t, s, func(b *Batch) error {
		if err := b.PutCustomer(&deskpb.Customer{Id: "a", Name: "a", Phones: []string{"0571-1"}}); err != nil {
			return err
		}
		return b.PutCustomer(&deskpb.Customer{Id: "b", Name: "b", Phones: []string{"05711", "05712"}})
	})
	view(t, s, func(r *Reader) error {
		for digits, want := range map[string]int{"05711": 2, "05712": 1, "0571": 0} {
			if found, err := r.CustomersWithPhone(digits, 2); err != nil || len(found) != want {
				t.Errorf("%s is the number of %d, %v; want %d", digits, len(found), err, want)
			}
		}
		return nil
	})
}

func TestAUnitIsFoundByItsNameInAnyCase(t *testing.T) {
	s := openTest(t)
	commit(t, s, func(b *Batch) error {
		if err := b.PutCustomer(&deskpb.Customer{Id: "u", Name: "Budget Office", Kind: deskpb.Customer_UNIT}); err != nil {
			return err
		}
		return b.PutCustomer(&deskpb.Customer{Id: "p", Name: "Treasury", Unit: "Budget Office"})
	})
	view(t, s, func(r *Reader) error {
		for name, want := range map[string]string{"Budget Office": "u", "BUDGET office": "u", "Budget": "", "Treasury": "", "": ""} {
			if found, err := r.Unit(name); err != nil || found.GetId() != want {
				t.Errorf("the unit %q is %v, %v; want %q", name, found, err, want)
			}
		}
		return nil
	})
	commit(t, s, func(b *Batch) error { return b.DeleteCustomer("u") })
	view(t, s, func(r *Reader) error {
		found, err := r.Unit("Budget Office")
		if found != nil {
			t.Errorf("a unit that was removed is %v", found)
		}
		return err
	})
}
