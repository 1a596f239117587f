package api

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
)

// sight is what a caller sees at this site: which tickets, and what of them. What is not seen is as if it were not there.
type sight struct {
	actor  *deskpb.Actor
	site   desk.SiteID
	policy *deskpb.Policy
}

// sightOf returns what the caller sees by the policy that a reader has.
func sightOf(ctx context.Context, site desk.SiteID, reader *store.Reader) (sight, error) {
	policy, err := tiers.Policy(reader)
	if err != nil {
		return sight{}, fmt.Errorf("read the policy: %w", err)
	}
	return sight{actor: callerOf(ctx).actor, site: site, policy: policy}, nil
}

func (s sight) sees(record *deskpb.Record) bool { return desk.Sees(s.actor, s.site, s.policy, record) }

// shown is a ticket as the caller sees it: with its hand-over also when there is none. The ticket is changed for it.
func (s sight) shown(t *deskpb.Ticket) *deskpb.Ticket {
	if s.actor.GetRole() == deskpb.User_REQUESTER {
		t = outline(t)
	}
	if s.masks(t) {
		t.Requester = masked(t.GetRequester())
	}
	if t.GetHandover() == nil {
		t.Handover = &deskpb.Handover{}
	}
	return t
}

// files are those of a ticket that the caller sees: what came with internal notes is for agents.
func (s sight) files(t *deskpb.Ticket) []*deskpb.Attachment {
	if s.actor.GetRole() == deskpb.User_REQUESTER {
		return outerFiles(t)
	}
	return t.GetAttachments()
}

// masks tells whether telephone number and mail address of a ticket's requester are masked here.
func (s sight) masks(t *deskpb.Ticket) bool {
	return s.policy.GetPrivacy().GetMaskAboveHome() && t.GetHomeSite() != string(s.site)
}

// numbers returns those of the numbers whose tickets the caller sees.
func (s sight) numbers(reader *store.Reader, all []desk.TicketNumber) ([]desk.TicketNumber, error) {
	var seen []desk.TicketNumber
	for _, number := range all {
		sees, err := s.seesNumber(reader, number)
		if err != nil {
			return nil, err
		}
		if sees {
			seen = append(seen, number)
		}
	}
	return seen, nil
}

// seesNumber tells whether the caller sees the ticket of a number. For who sees everything it is not looked for; for anybody else
// there must be one.
func (s sight) seesNumber(reader *store.Reader, number desk.TicketNumber) (bool, error) {
	if desk.SeesAll(s.actor) {
		return true, nil
	}
	record, err := reader.Ticket(number)
	if err != nil {
		return false, fmt.Errorf("read ticket %q: %w", number, err)
	}
	return record != nil && s.sees(record), nil
}

// veil hides the positions of a list from a caller who does not see everything, since a page may end at a row that the caller
// does not see. All nodes of a site have the same one.
type veil struct{ cipher cipher.AEAD }

// veil returns the one for the caller's page tokens.
func (s sight) veil(reader *store.Reader) (veil, error) {
	if desk.SeesAll(s.actor) {
		return veil{}, nil
	}
	site, err := reader.Site()
	if err != nil {
		return veil{}, fmt.Errorf("read the site: %w", err)
	}
	mac := hmac.New(sha256.New, site.GetSurveyKey())
	mac.Write([]byte("page tokens of " + s.actor.GetUser()))
	block, err := aes.NewCipher(mac.Sum(nil))
	if err != nil {
		return veil{}, err
	}
	sealing, err := cipher.NewGCMWithRandomNonce(block)
	return veil{sealing}, err
}

// behind returns the caller's veil, and the position that it lifts off a token's one: a page goes on behind it.
func (s sight) behind(reader *store.Reader, hidden []byte) (over veil, position []byte, err error) {
	if over, err = s.veil(reader); err != nil {
		return veil{}, nil, err
	}
	position, err = over.lift(hidden)
	return over, position, err
}

// over hides a position; nil stays nil.
func (v veil) over(position []byte) []byte {
	if v.cipher == nil || position == nil {
		return position
	}
	return v.cipher.Seal(nil, nil, position, nil)
}

// lift is the opposite of over, for what a caller sent.
func (v veil) lift(hidden []byte) ([]byte, error) {
	if v.cipher == nil || hidden == nil {
		return hidden, nil
	}
	position, err := v.cipher.Open(nil, nil, hidden, nil)
	if err != nil {
		return nil, refuseToken()
	}
	return position, nil
}
