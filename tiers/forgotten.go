package tiers

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// echoes picks the events out of the items of a stream that may be of this site's present life. Nobody has reason to send
// one, so that what does not hold the bytes of the incarnation is not even decoded.
func (s *session) echoes(items [][]byte) (events [][]byte) {
	own := binary.LittleEndian.AppendUint64(nil, s.own)
	for _, item := range items {
		var content deskpb.Item
		if bytes.Contains(item, own) && proto.Unmarshal(item, &content) == nil && content.GetEvent() != nil {
			events = append(events, content.GetEvent())
		}
	}
	return events
}

// remembers begins a new life of this site when a neighbour has an event of the present one that is not stored here: the
// machine was rolled back, and the neighbour it has now never saw how far it was, so that no mark could show it. A frozen
// site waits for its operator.
func (s *session) remembers(ctx context.Context, events [][]byte) error {
	if len(events) == 0 {
		return nil
	}
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
		site, err := r.Site()
		if err != nil || site.GetFrozen() != "" {
			return err
		}
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
