package tiers

import "github.com/tierdesk/tierdesk/desk/deskpb"

// Customer returns this site's record of a requester.
func (v view) Customer(id string) (*deskpb.Customer, error) { return v.tree.r.Customer(id) }

// CustomerByPhone returns the only record with a telephone number.
func (v view) CustomerByPhone(digits string) (*deskpb.Customer, error) {
	found, err := v.tree.r.CustomersWithPhone(digits, 2)
	if len(found) != 1 || err != nil {
		return nil, err
	}
	return found[0], nil
}
