package api

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
)

const (
	// guestLinkLife is how long a guest's link counts.
	guestLinkLife = 2 * time.Hour
	// noticeKind is the kind of the publications that the support site shows.
	noticeKind = "notice"
	// maxAnnouncements and maxNoticeText bound what it shows of them: how many, and bytes of each.
	maxAnnouncements = 10
	maxNoticeText    = 8 << 10
	// maxOutages bounds the applications that it tells to be out of order, maxMajorsRead the major incidents that are read for them.
	maxOutages    = 10
	maxMajorsRead = 50
)

// portal serves the support site. A guest is a caller like any other once the secret of a link has said for which ticket; the rules of
// the desk decide what guests may do.
type portal struct {
	apipb.UnimplementedPortalServer
	backend Backend
	tickets *tickets
	clock   func() time.Time
	limits  *guestLimits
}

// guestLimits bound what guests use of a node.
type guestLimits struct {
	// Problems that are reported.
	reportsSoon, reportsDaily, reportsAll *allowance
	// Wrong pairs of number and telephone number.
	wrongOfNumber, wrongOfAddress *allowance
	// What is said about one problem, and files.
	acts, files, filesAll *allowance
}

func newGuestLimits() *guestLimits {
	const day = 24 * time.Hour
	return &guestLimits{
		reportsSoon: newAllowance(20, 10*time.Minute), reportsDaily: newAllowance(200, day), reportsAll: newAllowance(2000, day),
		wrongOfNumber: newAllowance(10, 15*time.Minute), wrongOfAddress: newAllowance(20, 15*time.Minute),
		acts: newAllowance(30, 10*time.Minute), files: newAllowance(60, day), filesAll: newAllowance(600, day),
	}
}

func newPortal(backend Backend, t *tickets) *portal {
	return &portal{backend: backend, tickets: t, clock: time.Now, limits: newGuestLimits()}
}

// tooMany refuses a guest for a while.
func tooMany(reason, what string, wait time.Duration) error {
	refusal := desk.Refuse(desk.ResourceExhausted, reason, "%s; try again in %d min, or call the service desk", what, int(wait.Minutes())+1)
	refusal.Wait = wait
	return refusal
}

func (p *portal) GetPortal(ctx context.Context, _ *apipb.GetPortalRequest) (*apipb.SupportSite, error) {
	answer := &apipb.SupportSite{Site: string(p.backend.Site())}
	err := p.backend.Read(ctx, true, func(reader *store.Reader) error {
		policy, err := tiers.Policy(reader)
		if err != nil {
			return fmt.Errorf("read the policy: %w", err)
		}
		for _, known := range policy.GetApplications() {
			answer.Applications = append(answer.Applications, &apipb.Choice{Name: known.GetName(), Title: known.GetTitle()})
		}
		for _, known := range policy.GetCategories() {
			answer.Categories = append(answer.Categories, &apipb.Choice{Name: known.GetName(), Title: known.GetTitle()})
		}
		answer.Guests, answer.Contacts = policy.GetPortal().GetGuests(), policy.GetPortal().GetContacts()
		if answer.Outages, err = outages(reader, answer.GetApplications()); err != nil {
			return err
		}
		answer.Notices, err = announcements(reader)
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// outages are the applications of the policy with a major incident, each with its oldest one. An incident of none of them is not told: its
// own words are for those who work on it.
func outages(reader *store.Reader, applications []*apipb.Choice) ([]*apipb.Outage, error) {
	records, err := reader.Majors(maxMajorsRead)
	if err != nil {
		return nil, fmt.Errorf("list major incidents: %w", err)
	}
	named := make(map[string]*apipb.Choice, len(applications))
	for _, known := range applications {
		named[known.GetName()] = known
	}
	var found []*apipb.Outage
	for _, record := range records {
		t := record.GetTicket()
		application := named[t.GetApplication()]
		if application == nil || len(found) == maxOutages {
			continue
		}
		delete(named, t.GetApplication()) // the oldest one stands for the others
		found = append(found, &apipb.Outage{Application: application, Since: t.GetOpenTime(), Site: t.GetCustodianSite()})
	}
	return found, nil
}

// announcements are the latest notices that are plain words.
func announcements(reader *store.Reader) ([]*apipb.Announcement, error) {
	var heads []*deskpb.Publication
	var after []byte
	for {
		page, next, err := reader.Publications("", after, largestPage)
		if err != nil {
			return nil, fmt.Errorf("list publications: %w", err)
		}
		for _, head := range page {
			legible := strings.HasPrefix(head.GetMediaType(), "text/") && head.GetMediaType() != "text/html" && head.GetSize() <= maxNoticeText
			if head.GetKind() == noticeKind && !head.GetRemoved() && legible {
				heads = append(heads, head)
			}
		}
		if after = next; next == nil {
			break
		}
	}
	slices.SortStableFunc(heads, func(a, b *deskpb.Publication) int { return cmp.Compare(b.GetTime(), a.GetTime()) })
	var shown []*apipb.Announcement
	for _, head := range heads[:min(len(heads), maxAnnouncements)] {
		whole, err := reader.Publication(desk.SiteID(head.GetPublisher()), head.GetKind(), head.GetName())
		if err != nil {
			return nil, fmt.Errorf("read notice %q: %w", head.GetName(), err)
		}
		shown = append(shown, &apipb.Announcement{
			Publisher: head.GetPublisher(), Title: head.GetTitle(), Text: strings.ToValidUTF8(string(whole.GetBody()), "\uFFFD"), Time: moment(head.GetTime()),
		})
	}
	return shown, nil
}

func (p *portal) SubmitProblem(ctx context.Context, r *apipb.SubmitProblemRequest) (*apipb.OpenedProblem, error) {
	if strings.TrimSpace(r.GetTitle()) == "" {
		return nil, desk.RefuseField("title", "it is missing; say in a few words what does not work")
	}
	address := originOf(ctx).address
	shares := []share{
		{p.limits.reportsSoon, networkOf(address)}, {p.limits.reportsDaily, networkOf(address)}, {p.limits.reportsAll, ""},
	}
	if wait := takeAll(shares, p.clock()); wait > 0 {
		return nil, tooMany("TOO_MANY_REPORTS", "too many problems were reported from this address", wait)
	}
	id, err := guestRequest(desk.PhoneDigits(r.GetPhone()), r.GetRequestId())
	if err != nil {
		return nil, err
	}
	made, err := p.tickets.CreateTicket(withCaller(ctx, caller{actor: desk.Guest("", address)}), &apipb.CreateTicketRequest{
		RequestId: id,
		Ticket: &deskpb.Ticket{
			Title: r.GetTitle(), Description: r.GetDescription(), Application: r.GetApplication(), Category: r.GetCategory(),
			Channel: deskpb.Ticket_PORTAL,
			Requester: &deskpb.Requester{
				Name: strings.TrimSpace(r.GetName()), Unit: strings.TrimSpace(r.GetUnit()), Phone: strings.TrimSpace(r.GetPhone()),
			},
		},
	})
	if err != nil {
		return nil, inPortalWords(err)
	}
	return p.opened(ctx, desk.TicketNumber(made.GetNumber()))
}

// inPortalWords names the field of a refusal as the call of a guest has it.
func inPortalWords(err error) error {
	var refusal *desk.Refusal
	if !errors.As(err, &refusal) || refusal.Field == "" {
		return err
	}
	named := *refusal
	named.Field = strings.TrimPrefix(strings.TrimPrefix(refusal.Field, "ticket."), "requester.")
	named.Message = strings.TrimPrefix(strings.TrimPrefix(refusal.Message, "ticket."), "requester.")
	return &named
}

// guestRequest makes the request id of a guest, which is one among those of all guests: only for the same problem, or telephone number,
// it is the same. Empty stays empty.
func guestRequest(scope, id string) (string, error) {
	if id == "" {
		return "", nil
	}
	if len(id) > desk.MaxRequestID {
		return "", desk.RefuseField("requestId", "it has %d bytes; at most %d are taken", len(id), desk.MaxRequestID)
	}
	sum := sha256.Sum256([]byte(scope + "\n" + id))
	return hex.EncodeToString(sum[:16]), nil
}

// opened makes the link to a ticket.
func (p *portal) opened(ctx context.Context, number desk.TicketNumber) (*apipb.OpenedProblem, error) {
	expires := p.clock().Add(guestLinkLife).UnixMicro()
	key, err := p.key(ctx)
	if err != nil {
		return nil, err
	}
	return &apipb.OpenedProblem{Number: string(number), Token: desk.GuestToken(key, number, expires), ExpireTime: moment(expires)}, nil
}

// key is the site's key for links.
func (p *portal) key(ctx context.Context) (key []byte, err error) {
	err = p.backend.Read(ctx, true, func(reader *store.Reader) error {
		site, err := reader.Site()
		if err != nil {
			return fmt.Errorf("read the site: %w", err)
		}
		if key = site.GetSurveyKey(); len(key) == 0 {
			return desk.Refuse(desk.Unavailable, "NO_SURVEY_KEY", "site %s has no key for links yet; try again in a moment", p.backend.Site())
		}
		return nil
	})
	return key, err
}

// OpenProblem counts a try as a wrong one until it turns out right, so that no more are tried at one time than may be wrong.
func (p *portal) OpenProblem(ctx context.Context, r *apipb.OpenProblemRequest) (*apipb.OpenedProblem, error) {
	number := desk.TicketNumber(shortened(strings.TrimSpace(r.GetNumber())))
	shares := []share{
		{p.limits.wrongOfNumber, string(number)}, {p.limits.wrongOfAddress, networkOf(originOf(ctx).address)},
	}
	if wait := takeAll(shares, p.clock()); wait > 0 {
		return nil, tooMany("TOO_MANY_TRIES", "the number or the telephone number was wrong too often", wait)
	}
	fits := false
	err := p.backend.Read(ctx, false, func(reader *store.Reader) error {
		policy, err := tiers.Policy(reader)
		if err != nil {
			return fmt.Errorf("read the policy: %w", err)
		}
		record, err := reader.Ticket(number)
		if err != nil {
			return fmt.Errorf("read ticket %q: %w", number, err)
		}
		known := desk.PhoneFits(record.GetTicket(), r.GetPhone())
		fits = known && policy.GetPortal().GetGuests() && record.GetTicket().GetHomeSite() == string(p.backend.Site())
		return nil
	})
	if err != nil {
		giveBackAll(shares)
		return nil, err
	}
	if !fits {
		return nil, desk.Refuse(desk.NotFound, "UNKNOWN_PAIR",
			"there is no problem with this number and this telephone number at %s; check both, or call the service desk", p.backend.Site())
	}
	giveBackAll(shares)
	return p.opened(ctx, number)
}
