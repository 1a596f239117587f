package tiers

import "github.com/tierdesk/tierdesk/desk/deskpb"

// Customer returns this site's record of a requester.
func (v view) Customer(id string) (*deskpb.Customer, error) { return v.tree.r.Customer(id) }

// sharedPhone bounds how many records with one telephone number are looked at; a number of so many is nobody's.
const sharedPhone = 20

// CustomerByPhone returns the only person with a telephone number, else the only unit.
func (v view) CustomerByPhone(digits string) (*deskpb.Customer, error) {
	found, err := v.tree.r.CustomersWithPhone(digits, sharedPhone)
	if err != nil || len(found) == sharedPhone {
		return nil, err
	}
	var people, units []*deskpb.Customer
	for _, c := range found {
		if c.GetKind() == deskpb.Customer_UNIT {
			units = append(units, c)
		} else {
			people = append(people, c)
		}
	}
	for _, alone := range [][]*deskpb.Customer{people, units} {
		if len(alone) == 1 {
			return alone[0], nil
		}
	}
	return nil, nil
}

// Unit returns this site's record of a unit.
func (v view) Unit(name string) (*deskpb.Customer, error) { return v.tree.r.Unit(name) }
