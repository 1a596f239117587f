package tiers

import (
	"fmt"
	"slices"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// staleNews is the age in microseconds from which on nobody is told of an event that a comparison has brought: a site that was
// rebuilt learns of years at once.
const staleNews = 24 * 60 * 60 * 1_000_000

// notify tells the people of this site what came of an event, in the batch that stores it.
func notify(b *store.Batch, t tree, news desk.News) error {
	if news.After == nil {
		return nil
	}
	notices, err := desk.Notices(desk.Here{Site: t.self(), Path: t.path}, newView(b, t), news)
	if err != nil {
		return err
	}
	for _, notice := range notices {
		notice.Time = news.Time
		if err := b.AddNotice(notice); err != nil {
			return fmt.Errorf("tell %s of ticket %s: %w", notice.User, notice.Ticket, err)
		}
	}
	return nil
}

// notifyAll tells of the events of a decision, and notes whose turn it was. A ticket that is reopened and given to somebody at once
// is one piece of news: that it was given.
func notifyAll(b *store.Batch, t tree, d *desk.Decision) error {
	given := slices.ContainsFunc(d.Events, func(e desk.Sealed) bool { return e.Type == deskpb.Event_ASSIGNED })
	for _, e := range d.Events {
		if group, member := desk.Turn(e); member != "" {
			if err := b.PutTurn(group, member); err != nil {
				return err
			}
		}
		if given && e.Type == deskpb.Event_REOPENED {
			continue
		}
		if err := notify(b, t, desk.News{Event: e, After: d.Record, Time: e.Time}); err != nil {
			return err
		}
	}
	return nil
}

// tell is notify for an event that a comparison has brought.
func (u *union) tell(e desk.Sealed, before, after *deskpb.Record) error {
	if u.at.Time-e.Time > staleNews {
		return nil
	}
	return notify(u.b, u.tree, desk.News{Event: e, Before: before, After: after, Time: u.at.Time})
}
