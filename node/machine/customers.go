package machine

import (
	"bytes"
	"encoding/hex"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/tiers"
)

// putRequester writes a requester's record, with the call-backs that the policy plans for the person.
func (t *turn) putRequester(c *deskpb.PutRequester) error {
	if err := desk.CheckCustomer(c.Customer); err != nil {
		return err
	}
	before, err := t.b.Customer(c.Customer.Id)
	if err != nil {
		return err
	}
	switch {
	case before == nil && !c.CreateOnly:
		return noRequester(c.Customer.Id)
	case before != nil && c.CreateOnly:
		return desk.Refuse(desk.AlreadyExists, "REQUESTER_EXISTS", "there is a requester %q already", c.Customer.Id)
	case len(c.Etag) > 0 && !bytes.Equal(c.Etag, before.GetEtag()):
		return desk.Refuse(desk.Aborted, "STALE_ETAG", "requester %s has changed: its etag is %s, not %q; read it again and decide anew",
			before.GetId(), hex.EncodeToString(before.GetEtag()), hex.EncodeToString(c.Etag))
	}
	policy, err := tiers.Policy(t.b.Reader)
	if err != nil {
		return err
	}
	after := desk.Customer(policy, before, c.Customer, t.at.Time)
	if err := t.unitIsAlone(after); err != nil {
		return err
	}
	return t.b.PutCustomer(after)
}

// unitIsAlone refuses a unit whose name another unit has: people name their unit, and it must be one.
func (t *turn) unitIsAlone(c *deskpb.Customer) error {
	if c.Kind != deskpb.Customer_UNIT {
		return nil
	}
	other, err := t.b.Unit(c.Name)
	if err != nil {
		return err
	}
	if other != nil && other.Id != c.Id {
		return desk.Refuse(desk.AlreadyExists, "UNIT_EXISTS", "there is a unit %q already, %s; change that one", other.Name, other.Id)
	}
	return nil
}

// removeRequester forgets a requester's record; tickets keep what they say.
func (t *turn) removeRequester(c *deskpb.RemoveRequester) error {
	known, err := t.b.Customer(c.Id)
	if err != nil {
		return err
	}
	if known == nil {
		return noRequester(c.Id)
	}
	return t.b.DeleteCustomer(c.Id)
}

// putCustomerCall records how a call-back of a customer went.
func (t *turn) putCustomerCall(c *deskpb.PutCustomerCall) error {
	if err := desk.CheckCustomerCall(c); err != nil {
		return err
	}
	known, err := t.b.Customer(c.Customer)
	if err != nil {
		return err
	}
	if known == nil {
		return noRequester(c.Customer)
	}
	policy, err := tiers.Policy(t.b.Reader)
	if err != nil {
		return err
	}
	called, err := desk.Called(policy, known, c.Call, t.at.Time)
	if err != nil {
		return err
	}
	return t.b.PutCustomer(called)
}

func noRequester(id string) error {
	return desk.Refuse(desk.NotFound, "REQUESTER_NOT_FOUND", "there is no requester %.64q at this site; look for the person again", id)
}

// putSurveyKey gives the site the key of its surveys. One that it has stays, so that links which are out keep working.
func (t *turn) putSurveyKey(c *deskpb.PutSurveyKey) error {
	if len(c.Key) != desk.SurveyKeySize {
		return desk.RefuseField("key", "it has %d bytes instead of %d; draw it at random", len(c.Key), desk.SurveyKeySize)
	}
	site, err := t.b.Site()
	if err != nil {
		return err
	}
	if len(site.SurveyKey) > 0 {
		return nil
	}
	site.SurveyKey = c.Key
	return t.b.PutSite(site)
}
