package desk

import (
	"crypto/hmac"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// A guest is somebody without an account who reported a problem: an actor with the role REQUESTER and no name. What a guest asks for is
// checked like what a requester asks for; of the tickets a guest sees the one that the link is for, at its home.

// minPhone is how many digits a telephone number has by which a guest opens a ticket: an extension is soon guessed.
const minPhone = 7

// Guest returns the actor for somebody without an account. The ticket is empty for who reports a new one; address is where the
// call came from, without a port.
func Guest(ticket TicketNumber, address string) *deskpb.Actor {
	return &deskpb.Actor{Role: deskpb.User_REQUESTER, Ticket: string(ticket), Address: address}
}

func isGuest(actor *deskpb.Actor) bool {
	return actor.GetUser() == "" && actor.GetRole() == deskpb.User_REQUESTER
}

// guestHas tells whether guests have a verb on tickets.
func guestHas(verb Verb) bool {
	switch verb {
	case TicketCreate, TicketReply, TicketUrge, TicketAttach, TicketConfirm, TicketReopen, TicketCancel, TicketRate:
		return true
	}
	return false
}

// GuestToken makes the secret of a link by which a guest follows one ticket until a time, in microseconds since 1970. Only a site
// that has the key can make or read it; nothing of it is stored.
func GuestToken(key []byte, number TicketNumber, expires int64) string {
	return linkToken(guestLink, key, number, expires)
}

// OpenGuest returns which ticket a token is for and until when. It refuses a token that was not made with the key, or whose time is
// over at now; the refusal of the latter names the ticket.
func OpenGuest(key []byte, token string, now int64) (number TicketNumber, expires int64, err error) {
	number, expires, made := openLink(guestLink, key, token)
	switch {
	case !made:
		return "", 0, Refuse(NotFound, "UNKNOWN_LINK", "this link was not made by this site; look the problem up by its number and your telephone number")
	case now > expires:
		over := Refuse(FailedPrecondition, "LINK_OVER", "this link was good until %s; look the problem up by its number and your telephone number",
			spoken(timestamp(expires)))
		over.Ticket = number
		return "", 0, over
	}
	return number, expires, nil
}

// PhoneFits tells whether a telephone number is that of a ticket's requester, in time that does not depend on how nearly. A nil
// ticket, and one whose requester left no number or a short one, fits none.
func PhoneFits(t *deskpb.Ticket, phone string) bool {
	known, said := PhoneDigits(t.GetRequester().GetPhone()), PhoneDigits(phone)
	same := hmac.Equal([]byte(known), []byte(said))
	return same && len(known) >= minPhone
}

// admitGuest refuses a guest where the policy lets none report, or who does not say what the desk needs to answer: who asks, and
// where to reach them.
func admitGuest(p *deskpb.Policy, said *deskpb.Requester) error {
	switch {
	case !p.GetPortal().GetGuests():
		return Refuse(PermissionDenied, "NO_GUESTS", "this site takes problems from people with an account only; sign in, or call the service desk")
	case said.GetName() == "":
		return RefuseField("ticket.requester.name", "it is missing; say who reports")
	case len(PhoneDigits(said.GetPhone())) < minPhone:
		return RefuseField("ticket.requester.phone", "%.40q has fewer than %d digits; give the number under which the desk reaches you",
			said.GetPhone(), minPhone)
	}
	return nil
}
