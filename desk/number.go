package desk

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

const (
	dayLayout     = "20060102"
	maxSiteID     = 32
	maxSequence   = 1<<32 - 1
	sequenceWidth = 4
	lettersWidth  = 3
)

// Valid tells whether the id may name a site: 1 to 32 ASCII letters and digits.
func (s SiteID) Valid() bool {
	if s == "" || len(s) > maxSiteID {
		return false
	}
	for _, c := range []byte(s) {
		if !isDigit(c) && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

// Number is a ticket number taken apart: 330106-20261121-0042, or 330106-20261121-0001-K7Q for a later incarnation.
type Number struct {
	Site     SiteID // the home site
	Day      string // yyyymmdd, the home site's local day
	Sequence uint32 // from 1, at least four digits in print
	Letters  string // three of A-Z and 0-9, or empty for the founding incarnation
}

// TicketNumber puts the number together. ParseNumber undoes it.
func (n Number) TicketNumber() TicketNumber {
	sequence := strconv.FormatUint(uint64(n.Sequence), 10)
	if len(sequence) < sequenceWidth {
		sequence = strings.Repeat("0", sequenceWidth-len(sequence)) + sequence
	}
	s := string(n.Site) + "-" + n.Day + "-" + sequence
	if n.Letters != "" {
		s += "-" + n.Letters
	}
	return TicketNumber(s)
}

// ParseNumber takes a ticket number apart. It accepts exactly what TicketNumber prints.
func ParseNumber(number TicketNumber) (Number, error) {
	n, ok := split(string(number))
	if !ok || n.TicketNumber() != number {
		return Number{}, fmt.Errorf("ticket number %q is not of the form 330106-20261121-0042", number)
	}
	return n, nil
}

// split takes a ticket number apart that may be written in another way than TicketNumber does.
func split(number string) (n Number, ok bool) {
	site, rest, _ := strings.Cut(number, "-")
	day, rest, _ := strings.Cut(rest, "-")
	digits, letters, lettered := strings.Cut(rest, "-")
	sequence, err := strconv.ParseUint(digits, 10, 32)
	n = Number{Site: SiteID(site), Day: day, Sequence: uint32(sequence), Letters: letters}
	return n, err == nil && sequence > 0 && n.Site.Valid() && validDay(day) && (!lettered || validLetters(letters))
}

func validLetters(s string) bool {
	if len(s) != lettersWidth {
		return false
	}
	for _, c := range []byte(s) {
		if !isDigit(c) && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

func validDay(s string) bool {
	_, err := time.Parse(dayLayout, s)
	return err == nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// localDay is the site's calendar day yyyymmdd at the stamp.
func localDay(at Stamp) string {
	return moment(at.Time).Add(time.Duration(at.UTCOffset) * time.Second).Format(dayLayout)
}

// EventName prints an event's id as one word: site, incarnation in 16 hex digits, sequence.
func EventName(id *deskpb.EventID) string {
	return fmt.Sprintf("%s-%016x-%d", id.GetSite(), id.GetIncarnation(), id.GetSequence())
}
