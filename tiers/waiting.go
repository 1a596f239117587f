package tiers

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

const (
	// mostWaiting bounds the hand-overs that are counted for one neighbour.
	mostWaiting = 10_000
	// mostUndated bounds the items that are looked through for the first one that has a time.
	mostUndated = 64
)

// Waiting is what waits at a site for a neighbour. It is read from the state alone, so it is right at every node and
// whether or not a stream lives.
type Waiting struct {
	Items     uint64    // written for the neighbour and not acknowledged
	Oldest    time.Time // when the first event among them was decided; zero when there is none near the front
	Queued    int       // hand-overs that wait for the line, at most 10,000
	InTransit int       // hand-overs that left and were not answered, at most 10,000
}

// ReadWaiting reads what waits for a neighbour.
func ReadWaiting(r *store.Reader, peer desk.SiteID) (w Waiting, err error) {
	link, err := r.Link(peer)
	if err != nil {
		return w, fmt.Errorf("read the link with %s: %w", peer, err)
	}
	w.Items = link.SentSequence - link.AckedSequence
	if w.Oldest, err = oldest(r, link); err != nil {
		return w, fmt.Errorf("read the outbox of %s: %w", peer, err)
	}
	for state, count := range map[deskpb.Handover_State]*int{
		deskpb.Handover_QUEUED: &w.Queued, deskpb.Handover_IN_TRANSIT: &w.InTransit,
	} {
		numbers, err := r.Handovers(state, peer, mostWaiting)
		if err != nil {
			return w, fmt.Errorf("read the hand-overs to %s: %w", peer, err)
		}
		*count = len(numbers)
	}
	return w, nil
}

// oldest is the time of the first unacknowledged event; other items have no time.
func oldest(r *store.Reader, link *deskpb.Link) (time.Time, error) {
	if link.SentSequence == link.AckedSequence {
		return time.Time{}, nil
	}
	items, err := r.Outbox(desk.SiteID(link.Peer), link.AckedSequence, mostUndated, maxMessage)
	if err != nil {
		return time.Time{}, err
	}
	for _, waiting := range items {
		item, event := &deskpb.Item{}, &deskpb.Event{}
		if err := proto.Unmarshal(waiting.Item, item); err != nil {
			return time.Time{}, fmt.Errorf("item %d: %w", waiting.Sequence, err)
		}
		if err := proto.Unmarshal(item.GetEvent(), event); err != nil {
			return time.Time{}, fmt.Errorf("event in item %d: %w", waiting.Sequence, err)
		}
		if event.GetTime() != 0 {
			return time.UnixMicro(event.GetTime()), nil
		}
	}
	return time.Time{}, nil
}
