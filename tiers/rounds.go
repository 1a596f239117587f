package tiers

import (
	"fmt"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
	"github.com/tierdesk/tierdesk/store"
)

// OpenRound opens the ticket of an inspection round of this site that is due. However many were missed, one ticket is
// opened, for the latest. Without a due time the site takes notice: of a round that is new to it, which is due from now on, or
// of one that its policy has no more, which is forgotten. A round that was opened up to the time already changes nothing,
// and the decision is nil whenever no ticket was opened.
func OpenRound(b *store.Batch, c *deskpb.OpenRound, at desk.Stamp) (*desk.Decision, error) {
	p, err := Policy(b.Reader)
	if err != nil {
		return nil, err
	}
	mark, err := b.RoundMark(c.Round)
	if err != nil {
		return nil, fmt.Errorf("read the mark of round %q: %w", c.Round, err)
	}
	round := policy.Round(p, c.Round)
	switch {
	case round == nil && mark != 0:
		return nil, b.DeleteRoundMark(c.Round)
	case round == nil:
		return nil, desk.Refuse(desk.NotFound, "ROUND_NOT_FOUND", "the policy has no round %q; list the rounds", c.Round)
	case mark == 0:
		return nil, b.PutRoundMark(store.RoundMark{Round: c.Round, Time: at.Time})
	case c.Due <= mark:
		return nil, nil
	}
	latest, missed := desk.RoundLatest(p, round, mark, at.Time)
	if latest == 0 {
		return nil, desk.Refuse(desk.FailedPrecondition, "ROUND_NOT_DUE", "round %q is not due; wait for its time", c.Round)
	}
	decision, err := Decide(b, desk.OpenRound(p, round, latest, missed), at)
	if err != nil {
		return nil, err
	}
	return decision, b.PutRoundMark(store.RoundMark{Round: c.Round, Time: latest})
}

// Round is an inspection round of a site's policy.
type Round struct {
	*deskpb.Round
	Mark int64 // up to when it has been opened, 0 when the site has not taken notice of it; microseconds since 1970
	Due  int64 // when the next one is due, or the latest was that is not opened yet; 0 for never
}

// Rounds returns the rounds of this site's policy in the order of the policy.
func Rounds(r *store.Reader, now int64) ([]Round, error) {
	p, err := Policy(r)
	if err != nil {
		return nil, err
	}
	marks, err := r.RoundMarks()
	if err != nil {
		return nil, fmt.Errorf("read the marks of the rounds: %w", err)
	}
	known := make(map[string]int64, len(marks))
	for _, mark := range marks {
		known[mark.Round] = mark.Time
	}
	rounds := make([]Round, len(p.GetRounds()))
	for i, round := range p.GetRounds() {
		mark := known[round.GetName()]
		rounds[i] = Round{Round: round, Mark: mark, Due: desk.RoundDue(p, round, now)}
		if mark == 0 {
			continue
		}
		if latest, _ := desk.RoundLatest(p, round, mark, now); latest != 0 {
			rounds[i].Due = latest
		}
	}
	return rounds, nil
}

// DueRounds returns what the site's log is to be asked for at a time, in the order of the policy, then what it is to forget. A
// site that recovers opens no rounds: it may have forgotten which ones it opened.
func DueRounds(r *store.Reader, now int64) ([]*deskpb.OpenRound, error) {
	site, err := r.Site()
	if err != nil {
		return nil, fmt.Errorf("read the site: %w", err)
	}
	if site == nil || site.GetRecovering() != 0 || site.GetFrozen() != "" {
		return nil, nil
	}
	placement, err := r.Placement(desk.SiteID(site.GetId()))
	if err != nil {
		return nil, fmt.Errorf("read the site's placement: %w", err)
	}
	if closes(placement) {
		return nil, nil
	}
	rounds, err := Rounds(r, now)
	if err != nil {
		return nil, err
	}
	var due []*deskpb.OpenRound
	named := make(map[string]bool, len(rounds))
	for _, round := range rounds {
		named[round.GetName()] = true
		switch {
		case round.Mark == 0:
			due = append(due, &deskpb.OpenRound{Round: round.GetName()})
		case round.Due != 0 && round.Due <= now:
			due = append(due, &deskpb.OpenRound{Round: round.GetName(), Due: round.Due})
		}
	}
	marks, err := r.RoundMarks()
	if err != nil {
		return nil, fmt.Errorf("read the marks of the rounds: %w", err)
	}
	for _, mark := range marks {
		if !named[mark.Round] {
			due = append(due, &deskpb.OpenRound{Round: mark.Round})
		}
	}
	return due, nil
}
