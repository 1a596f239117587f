// Package verify asks every site of a tree for its tickets and journals and reports where they do not tell the same
// story. It reads through the public API only and changes nothing. demo and replay use it to judge their own outcome.
package verify

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"golang.org/x/sync/errgroup"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// Site is one site of the tree and how to ask it.
type Site struct {
	ID, Name string
	Parent   string // empty for the province
	// Parents that the site was moved away from: what they show of its tickets is as it was then, and is not compared.
	Former  []string
	Tickets apipb.TicketsClient
	Sites   apipb.SitesClient
}

// Row is what one site holds.
type Row struct {
	Site, Name string
	Tickets    int // tickets known
	Held       int // tickets it is custodian of
	Entries    int // journal entries
	Pending    int // items that wait in its outboxes
	Differing  int // tickets that differ from the home site's
}

// Report is the outcome of a comparison.
type Report struct {
	Rows     []Row
	Tickets  int      // different tickets in the whole tree
	Problems []string // one sentence each, at most maxProblems; empty when all sites agree
}

// Agree tells whether all sites told the same story and nothing was on its way.
func (r Report) Agree() bool { return len(r.Problems) == 0 }

const (
	maxProblems = 20
	pageSize    = 500
	// How many journals of a site are asked for at once.
	readers = 8
)

// Settle waits until the tree is quiet: every link up, every outbox empty, no hand-over waiting, and no site's log
// growing. It returns an error that says what it waits for when the context ends first.
func Settle(ctx context.Context, sites []Site) error {
	const interval = 150 * time.Millisecond
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	var before []uint64
	for {
		waits, indexes := busy(ctx, sites)
		if waits == "" && slices.Equal(before, indexes) {
			return nil
		}
		before = indexes
		if waits == "" {
			waits = "the logs to come to rest"
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the tree did not come to rest; still waiting for %s: %w", waits, ctx.Err())
		case <-ticker.C:
		}
	}
}

// CompareAtRest waits until the tree is quiet, no longer than patience, and compares its sites. A tree that runs does things by
// itself, such as a reminder whose time has come while tickets are read: when a log grew meanwhile and not all agree, it is done
// again, a few times.
func CompareAtRest(ctx context.Context, sites []Site, patience time.Duration) (Report, error) {
	const most = 5
	for attempt := 1; ; attempt++ {
		resting, cancel := context.WithTimeout(ctx, patience)
		err := Settle(resting, sites)
		cancel()
		if err != nil {
			return Report{}, err
		}
		_, before := busy(ctx, sites)
		report, err := Compare(ctx, sites)
		if err != nil || report.Agree() || attempt == most {
			return report, err
		}
		if _, after := busy(ctx, sites); slices.Equal(before, after) {
			return report, nil
		}
	}
}

// busy says what the tree still waits for, and how far each site's log is.
func busy(ctx context.Context, sites []Site) (waits string, indexes []uint64) {
	for _, site := range sites {
		overview, err := site.Sites.GetSite(ctx, &apipb.GetSiteRequest{})
		if err != nil {
			return fmt.Sprintf("site %s to answer (%v)", site.ID, err), nil
		}
		indexes = append(indexes, overview.AppliedIndex)
		for _, link := range overview.Links {
			switch {
			case link.State == apipb.LinkStatus_DOWN:
				waits = fmt.Sprintf("the link of %s with %s (%s)", site.ID, link.Peer, link.Reason)
			case link.Pending > 0:
				waits = fmt.Sprintf("%d items from %s to %s", link.Pending, site.ID, link.Peer)
			case link.Queued > 0:
				waits = fmt.Sprintf("%d hand-overs queued from %s to %s", link.Queued, site.ID, link.Peer)
			}
		}
	}
	return waits, indexes
}

// story is what one site tells of one ticket.
type story struct {
	ticket  *deskpb.Ticket
	journal [sha256.Size]byte
	entries int
}

// Compare reads every ticket and journal of every site and holds each against the ticket's home site. The tree should
// be at rest; what is on its way is reported as a problem.
func Compare(ctx context.Context, sites []Site) (Report, error) {
	told := make([]map[string]story, len(sites))
	group, groupCtx := errgroup.WithContext(ctx)
	for i, site := range sites {
		group.Go(func() (err error) {
			told[i], err = read(groupCtx, site)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return Report{}, err
	}
	report := Report{}
	byID := make(map[string]int)
	for i, site := range sites {
		byID[site.ID] = i
		row := Row{Site: site.ID, Name: site.Name, Tickets: len(told[i])}
		for _, s := range told[i] {
			row.Entries += s.entries
			if s.ticket.CustodianSite == site.ID {
				row.Held++
			}
		}
		report.Rows = append(report.Rows, row)
	}
	for i, site := range sites {
		report.tellOfHome(i, site, sites, byID, told)
		if err := report.tellOfLinks(ctx, i, site); err != nil {
			return Report{}, err
		}
	}
	report.tellOfStrays(sites, byID, told)
	slices.Sort(report.Problems)
	if len(report.Problems) > maxProblems {
		rest := len(report.Problems) - maxProblems
		report.Problems = append(report.Problems[:maxProblems], fmt.Sprintf("… and %d more", rest))
	}
	return report, nil
}

// tellOfHome holds the tickets that were opened at site i against every other site of their path.
func (r *Report) tellOfHome(i int, home Site, sites []Site, byID map[string]int, told []map[string]story) {
	path := pathOf(home.ID, sites, byID)
	for number, own := range told[i] {
		if own.ticket.HomeSite != home.ID {
			continue
		}
		r.Tickets++
		if !slices.Contains(path, own.ticket.CustodianSite) {
			r.problem("%s: its custodian %s is not on its path %s", number, own.ticket.CustodianSite, strings.Join(path, " … "))
		}
		if state := own.ticket.GetHandover().GetState(); state != deskpb.Handover_NONE {
			r.problem("%s: its hand-over to %s is still %s", number, own.ticket.Handover.ToSite, state)
		}
		for _, id := range path[1:] {
			j := byID[id]
			other, known := told[j][number]
			switch {
			case !known:
				r.problem("%s: not known at %s", number, id)
			case !proto.Equal(own.ticket, other.ticket):
				r.problem("%s: the ticket at %s differs from the one at %s", number, id, home.ID)
			case own.journal != other.journal:
				r.problem("%s: the journal at %s (%d entries) differs from the one at %s (%d entries)",
					number, id, other.entries, home.ID, own.entries)
			default:
				continue
			}
			r.Rows[j].Differing++
		}
	}
}

// tellOfStrays finds tickets at sites that are not on the ticket's path, or whose home does not know them.
func (r *Report) tellOfStrays(sites []Site, byID map[string]int, told []map[string]story) {
	for i, site := range sites {
		for number, s := range told[i] {
			home, known := byID[s.ticket.HomeSite]
			if !known {
				r.problem("%s: at %s, opened at the unknown site %s", number, site.ID, s.ticket.HomeSite)
				continue
			}
			if _, known := told[home][number]; !known {
				r.problem("%s: at %s, but its home %s does not know it", number, site.ID, s.ticket.HomeSite)
			}
			path := pathOf(s.ticket.HomeSite, sites, byID)
			if !slices.Contains(path, site.ID) && !slices.Contains(sites[home].Former, site.ID) {
				r.problem("%s: at %s, which is not on its path", number, site.ID)
			}
		}
	}
}

// tellOfLinks reports what still waits in the outboxes of site i.
func (r *Report) tellOfLinks(ctx context.Context, i int, site Site) error {
	overview, err := site.Sites.GetSite(ctx, &apipb.GetSiteRequest{})
	if err != nil {
		return fmt.Errorf("site %s: %w", site.ID, err)
	}
	for _, link := range overview.Links {
		r.Rows[i].Pending += int(link.Pending)
		if link.Pending > 0 {
			r.problem("%s: %d items for %s wait in the outbox", site.ID, link.Pending, link.Peer)
		}
		if link.Parked > 0 {
			r.problem("%s: %d items from %s were set aside", site.ID, link.Parked, link.Peer)
		}
	}
	return nil
}

func (r *Report) problem(format string, args ...any) {
	r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
}

// pathOf is the home site and its ancestors.
func pathOf(home string, sites []Site, byID map[string]int) []string {
	path := []string{home}
	for len(path) <= len(sites) {
		i, known := byID[path[len(path)-1]]
		if !known || sites[i].Parent == "" {
			break
		}
		path = append(path, sites[i].Parent)
	}
	return path
}

// read asks one site for everything.
func read(ctx context.Context, site Site) (map[string]story, error) {
	var (
		mu      sync.Mutex // guards stories
		stories = make(map[string]story)
	)
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	request := &apipb.ListTicketsRequest{OrderBy: "number", PageSize: pageSize}
	for {
		page, err := site.Tickets.ListTickets(ctx, request)
		if err != nil {
			return nil, fmt.Errorf("site %s: list tickets: %w", site.ID, err)
		}
		for _, ticket := range page.Tickets {
			group.Go(func() error {
				sum, entries, err := readJournal(groupCtx, site, ticket.Number)
				if err != nil {
					return fmt.Errorf("site %s: journal of %s: %w", site.ID, ticket.Number, err)
				}
				mu.Lock()
				defer mu.Unlock()
				stories[ticket.Number] = story{ticket: ticket, journal: sum, entries: entries}
				return nil
			})
		}
		if page.NextPageToken == "" {
			break
		}
		request.PageToken = page.NextPageToken
	}
	return stories, group.Wait()
}

// readJournal returns a digest of a ticket's journal and its length. How people are called is left out: where an event does
// not say so their own site alone knows it.
func readJournal(ctx context.Context, site Site, number string) (sum [sha256.Size]byte, entries int, err error) {
	digest := sha256.New()
	for entry, err := range Journal(ctx, site.Tickets, number) {
		if err != nil {
			return sum, 0, err
		}
		entry.ActorName = ""
		raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(entry)
		if err != nil {
			return sum, 0, err
		}
		fmt.Fprintf(digest, "%d ", len(raw))
		digest.Write(raw)
		entries++
	}
	return [sha256.Size]byte(digest.Sum(nil)), entries, nil
}

// Journal reads a ticket's journal at one site, oldest entry first. An error ends the sequence.
func Journal(ctx context.Context, tickets apipb.TicketsClient, number string) func(yield func(*apipb.JournalEntry, error) bool) {
	return func(yield func(*apipb.JournalEntry, error) bool) {
		request := &apipb.ListJournalRequest{Number: number, PageSize: pageSize}
		for {
			page, err := tickets.ListJournal(ctx, request)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, entry := range page.Entries {
				if !yield(entry, nil) {
					return
				}
			}
			if page.NextPageToken == "" {
				return
			}
			request.PageToken = page.NextPageToken
		}
	}
}

// String renders the report as a table.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "  %-8s %8s %8s %8s %8s %8s  %s\n", "site", "tickets", "held", "journal", "pending", "differ", "name")
	for _, row := range r.Rows {
		fmt.Fprintf(&b, "  %-8s %8d %8d %8d %8d %8d  %s\n",
			row.Site, row.Tickets, row.Held, row.Entries, row.Pending, row.Differing, row.Name)
	}
	for _, problem := range r.Problems {
		fmt.Fprintf(&b, "  ✗ %s\n", problem)
	}
	if r.Agree() {
		fmt.Fprintf(&b, "  全部一致 · all sites agree on %d tickets\n", r.Tickets)
	}
	return b.String()
}
