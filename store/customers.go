package store

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store/keys"
)

// By what a requester's record is found. The numbers are on disk.
const (
	customerPhone = 0x01 // its digits
	customerName  = 0x02
	customerUnit  = 0x03
	customerUser  = 0x04
	customerOwn   = 0x05 // a unit's own name
	customerLocal = 0x06 // the digits of a telephone number behind the area code
	customerEnd   = 0x07 // its digits from the last one to the first
)

func customerKey(id string) keys.Key { return keys.Build(familyCustomer).Text(id).Key() }

// customersBy begins the rows of the values that begin with a text.
func customersBy(kind byte, beginning string) keys.Key {
	const end = 2 // bytes of a text's own end
	whole := keys.Build(familyCustomerBy).Byte(kind).Text(beginning).Key()
	return whole[:len(whole)-end]
}

// word is one value by which a record is found.
type word struct {
	kind  byte
	value string
}

// words lists the values by which a record is found, each once, in the order of their rows.
func words(c *deskpb.Customer) (found []word) {
	for _, phone := range c.GetPhones() {
		digits := desk.PhoneDigits(phone)
		found = append(found, word{customerPhone, digits}, word{customerLocal, localDigits(digits)}, word{customerEnd, backwards(digits)})
	}
	found = append(found, word{customerName, strings.ToLower(c.GetName())}, word{customerUnit, strings.ToLower(c.GetUnit())},
		word{customerUser, strings.ToLower(c.GetUser())})
	if c.GetKind() == deskpb.Customer_UNIT {
		found = append(found, word{customerOwn, strings.ToLower(c.GetName())})
	}
	found = slices.DeleteFunc(found, func(w word) bool { return w.value == "" })
	slices.SortFunc(found, func(a, b word) int {
		if a.kind != b.kind {
			return int(a.kind) - int(b.kind)
		}
		return strings.Compare(a.value, b.value)
	})
	return slices.Compact(found)
}

// customerRows are the rows by which a record is found again.
func customerRows(c *deskpb.Customer) (rows []keys.Key) {
	for _, w := range words(c) {
		rows = append(rows, keys.Build(familyCustomerBy).Byte(w.kind).Text(w.value).Text(c.GetId()).Key())
	}
	if due, _ := desk.NextCall(c); due != 0 {
		rows = append(rows, callBackKey(due, callOfCustomer, c.GetId()))
	}
	return rows
}

// Customer returns the record of a requester, nil when there is none.
func (r *Reader) Customer(id string) (*deskpb.Customer, error) {
	return load[deskpb.Customer](r, customerKey(id))
}

// CustomersWithPhone returns at most limit records with a telephone number, by its digits.
func (r *Reader) CustomersWithPhone(digits string, limit int) (found []*deskpb.Customer, err error) {
	return r.customersWith(word{customerPhone, digits}, limit)
}

// Unit returns the record of the unit with a name in any case of letters, nil when there is none.
func (r *Reader) Unit(name string) (*deskpb.Customer, error) {
	found, err := r.customersWith(word{customerOwn, strings.ToLower(name)}, 1)
	if len(found) == 0 || err != nil {
		return nil, err
	}
	return found[0], nil
}

// customersWith returns at most limit records with a value.
func (r *Reader) customersWith(w word, limit int) (found []*deskpb.Customer, err error) {
	prefix := keys.Build(familyCustomerBy).Byte(w.kind).Text(w.value).Key()
	err = r.scan(under(prefix).first(limit), func(row, _ []byte) (bool, error) {
		d := keys.Decode(row[len(prefix):])
		c, err := r.named(d, d.Text())
		found = append(found, c)
		return true, err
	})
	return found, err
}

// named returns the record that a row names.
func (r *Reader) named(d *keys.Decoder, id string) (*deskpb.Customer, error) {
	if err := d.Done(); err != nil {
		return nil, &corruptError{path: r.path, cause: err}
	}
	c, err := r.Customer(id)
	if c == nil && err == nil {
		err = &corruptError{path: r.path, cause: errMissing("requester", id)}
	}
	return c, err
}

// FindCustomers returns records of a kind, or of all when it is not specified, by the beginning of a name, a unit or a user name in any
// case, or by a telephone number: its beginning with or without the area code, or at least four digits of its end; for an empty
// search all by name. It looks at limit rows, which is at least 1; a page may hold fewer records and still have a next one. next is
// the cursor for it, nil at the end.
func (r *Reader) FindCustomers(kind deskpb.Customer_Kind, search string, after []byte, limit int) (found []*deskpb.Customer, next []byte, err error) {
	beginnings := searched(kind, search)
	for i, beginning := range beginnings {
		var cursor []byte
		if len(after) > 0 && after[0] >= beginning.kind {
			if after[0] > beginning.kind {
				continue
			}
			cursor = after[1:]
		}
		next, err = r.page(customersBy(beginning.kind, beginning.value), cursor, false, limit, func(row, _ []byte) error {
			limit--
			c, err := r.foundBy(beginning, row, beginnings)
			if c != nil && (kind == deskpb.Customer_KIND_UNSPECIFIED || kind == kindOf(c)) {
				found = append(found, c)
			}
			return err
		})
		switch {
		case err != nil:
			return nil, nil, err
		case next != nil:
			return found, append([]byte{beginning.kind}, next...), nil
		case limit == 0 && i < len(beginnings)-1:
			return found, []byte{beginnings[i+1].kind}, nil
		}
	}
	return found, nil, nil
}

// kindOf returns what a record is about: a person when it does not say.
func kindOf(c *deskpb.Customer) deskpb.Customer_Kind {
	return cmp.Or(c.GetKind(), deskpb.Customer_PERSON)
}

// leastEnd is how many digits of the end of a telephone number are looked for: fewer end too many numbers.
const leastEnd = 4

// searched says with what the values begin that a search is for, in the order of their rows: those of telephone numbers when it has
// only what such a number is written with.
func searched(kind deskpb.Customer_Kind, search string) []word {
	search = strings.ToLower(strings.TrimSpace(search))
	switch digits := desk.PhoneDigits(search); {
	case digits != "" && strings.Trim(search, "0123456789+-() ") == "":
		beginnings := []word{{customerPhone, digits}, {customerLocal, digits}}
		if len(digits) >= leastEnd {
			beginnings = append(beginnings, word{customerEnd, backwards(withoutTrunk(digits))})
		}
		return beginnings
	case kind == deskpb.Customer_UNIT:
		return []word{{customerOwn, search}}
	case search == "":
		return []word{{customerName, ""}}
	}
	return []word{{customerName, search}, {customerUnit, search}, {customerUser, search}}
}

// foundBy returns the record of a row, nil when an earlier row of the same search has it too.
func (r *Reader) foundBy(beginning word, row []byte, beginnings []word) (*deskpb.Customer, error) {
	whole := keys.Decode(slices.Concat(customersBy(beginning.kind, beginning.value), row))
	whole.Byte()
	whole.Byte()
	here := word{beginning.kind, whole.Text()}
	c, err := r.named(whole, whole.Text())
	if err != nil {
		return nil, err
	}
	for _, w := range words(c) {
		if slices.ContainsFunc(beginnings, func(b word) bool { return w.kind == b.kind && strings.HasPrefix(w.value, b.value) }) {
			if w != here {
				return nil, nil
			}
			break
		}
	}
	return c, nil
}

// PutCustomer stores a record in the place of the one with its id.
func (b *Batch) PutCustomer(c *deskpb.Customer) error {
	if err := b.DeleteCustomer(c.GetId()); err != nil {
		return err
	}
	for _, row := range customerRows(c) {
		if err := b.set(row, nil); err != nil {
			return err
		}
	}
	return b.put(customerKey(c.GetId()), c)
}

// DeleteCustomer deletes a record, if there is one.
func (b *Batch) DeleteCustomer(id string) error {
	known, err := b.Customer(id)
	if known == nil || err != nil {
		return err
	}
	for _, row := range customerRows(known) {
		if err := b.delete(row); err != nil {
			return err
		}
	}
	return b.delete(customerKey(id))
}
