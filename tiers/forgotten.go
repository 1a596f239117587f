package tiers

import (
	"context"
	"fmt"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/store"
)

// remembers begins a new life of this site when a gift holds an event of the present one that is not stored here: the
// machine was rolled back, and the neighbour it has now never saw how far it was, so that no mark could show it.
func (s *session) remembers(ctx context.Context, events [][]byte) error {
	name, err := s.forgotten(events)
	if err != nil || name == "" {
		return err
	}
	// This node may be behind the log.
	if err := s.t.barrier(ctx); err != nil {
		return err
	}
	if name, err = s.forgotten(events); err != nil || name == "" {
		return err
	}
	reason := fmt.Sprintf("%s has event %s of this site's present life, which is not stored here: the machine was rolled back", s.peer, name)
	if err := s.t.reincarnate(ctx, s.own, reason); err != nil {
		return err
	}
	return errAgain
}

// forgotten names an event of this site's present life that is not stored here, empty when there is none.
func (s *session) forgotten(events [][]byte) (name string, err error) {
	err = s.t.o.Site.View(func(r *store.Reader) error {
		for _, raw := range events {
			e, err := desk.Open(raw)
			if err != nil || e.Id.Site != string(s.t.o.SiteID) || e.Id.Incarnation != s.own {
				continue // What cannot be opened is parked by the log.
			}
			known, err := r.EventByID(e.Id)
			if err != nil {
				return err
			}
			if string(known) != string(raw) {
				name = desk.EventName(e.Id)
				return nil
			}
		}
		return nil
	})
	return name, err
}
