package tiers

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

const (
	// MaxRetry bounds the items of one RetryParked command.
	MaxRetry = 64
	// maxRound bounds the items that are tried again without a pause.
	maxRound = 4096
)

// RetryParked applies parked items again, by the rules as they are on arrival and in the order given. What fits leaves
// the list; what does not stays in its place, with the reason as it is now. Items that are not parked any more are passed
// over, so that the command may be repeated.
func RetryParked(b *store.Batch, c *deskpb.RetryParked, at desk.Stamp) error {
	if len(c.Items) > MaxRetry {
		return desk.Refuse(desk.InvalidArgument, "TOO_MANY_ITEMS",
			"%d parked items are too many for one command; name at most %d", len(c.Items), MaxRetry)
	}
	for _, key := range c.Items {
		if err := retryItem(b, key, at); err != nil {
			return fmt.Errorf("retry item %d from %s: %w", key.Sequence, key.Peer, err)
		}
	}
	return nil
}

func retryItem(b *store.Batch, key *deskpb.ParkedKey, at desk.Stamp) error {
	parked, err := b.ParkedItem(key)
	if err != nil || parked == nil {
		return err
	}
	// The item before may have been what this one waited for, so the tree is looked at anew.
	peer := desk.SiteID(parked.Peer)
	in, err := newInbound(b, peer, at)
	if err != nil {
		return err
	}
	if err := b.DeleteParked(parked); err != nil {
		return err
	}
	in.sequence, in.again = parked.Sequence, parked
	if err := in.apply(parked.Item); err != nil || in.parked > 0 {
		return err
	}
	link, err := b.Link(peer)
	if err != nil {
		return fmt.Errorf("read the link: %w", err)
	}
	link.Parked -= min(link.Parked, 1)
	if err := b.PutLink(link); err != nil {
		return fmt.Errorf("write the link: %w", err)
	}
	return nil
}

// keepRetrying has the leader try parked items again, until Stop.
func (t *Tiers) keepRetrying() {
	ctx, cancel := t.life(context.Background())
	defer cancel(nil)
	for ctx.Err() == nil {
		leading, _, changed := t.o.Site.Leading()
		if leading {
			t.retryWhile(ctx, changed)
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// retryWhile tries all parked items when this node begins to lead, which may follow an upgrade; when the directory or a
// placement has changed, which is what most of them wait for; and at long intervals, for whatever else has changed. It
// returns when the leadership changes.
func (t *Tiers) retryWhile(ctx context.Context, changed <-chan struct{}) {
	look := time.NewTicker(t.pace.recheck)
	defer look.Stop()
	var round retryRound
	for {
		if err := t.retryRound(ctx, &round); err != nil {
			t.o.Logger.Warn("parked items were not tried again", "error", err)
		}
		select {
		case <-look.C:
		case <-changed:
			return
		case <-ctx.Done():
			return
		}
	}
}

// retryRound is where one leader is with trying again.
type retryRound struct {
	cursor []byte    // of the last item tried, while more follow
	known  []byte    // digest of the directory and the placements when the last round began
	began  time.Time // of the last round; zero before the first
}

// retryRound goes on with the round or begins another one, when there is a reason to.
func (t *Tiers) retryRound(ctx context.Context, r *retryRound) error {
	if r.cursor == nil {
		due, err := t.retryDue(r)
		if err != nil || !due {
			return err
		}
		r.began = time.Now()
	}
	tried := 0
	for tried < maxRound {
		command := &deskpb.RetryParked{}
		err := t.o.Site.View(func(reader *store.Reader) error {
			page, next, err := reader.Parked(r.cursor, MaxRetry)
			for _, p := range page {
				command.Items = append(command.Items, &deskpb.ParkedKey{Peer: p.Peer, Time: p.Time, Sequence: p.Sequence})
			}
			r.cursor = next
			return err
		})
		if err != nil {
			return fmt.Errorf("read parked items: %w", err)
		}
		if err := t.proposeRetry(ctx, command); err != nil {
			*r = retryRound{} // the next look begins anew
			return err
		}
		tried += len(command.Items)
		if r.cursor == nil {
			break
		}
	}
	t.o.Logger.Info("parked items were tried again", "items", tried)
	return nil
}

func (t *Tiers) proposeRetry(ctx context.Context, c *deskpb.RetryParked) error {
	ctx, cancel := context.WithTimeout(ctx, t.pace.propose)
	defer cancel()
	result, err := t.o.Site.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_RetryParked{RetryParked: c}})
	if err != nil {
		return fmt.Errorf("propose to try parked items again: %w", err)
	}
	return refusalOf(result)
}

// retryDue tells whether something is parked and there is a reason to try it.
func (t *Tiers) retryDue(r *retryRound) (due bool, err error) {
	err = t.o.Site.View(func(reader *store.Reader) error {
		page, _, err := reader.Parked(nil, 1)
		if err != nil || len(page) == 0 {
			return err
		}
		known, err := digestTree(reader)
		if err != nil {
			return err
		}
		due = r.began.IsZero() || time.Since(r.began) > t.pace.retries || !bytes.Equal(known, r.known)
		r.known = known
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("look for parked items: %w", err)
	}
	return due, nil
}

// digestTree changes with every entry of the directory and every placement.
func digestTree(r *store.Reader) ([]byte, error) {
	directory, err := r.Directory()
	if err != nil {
		return nil, err
	}
	placements, err := r.Placements()
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	write := func(m proto.Message) error {
		raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
		h.Write(raw)
		return err
	}
	for _, info := range directory {
		if err := write(info); err != nil {
			return nil, err
		}
	}
	for _, placement := range placements {
		if err := write(placement); err != nil {
			return nil, err
		}
	}
	return h.Sum(nil), nil
}
