package store

import (
	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store/keys"
)

// maxNotices is how many notices of one person are kept: the latest ones.
const maxNotices = 500

func noticesOf(user desk.UserID) keys.Key { return keys.Build(familyNotice).Text(string(user)).Key() }

func noticeKey(n *deskpb.Notice) keys.Key {
	return keys.Build(familyNotice).Text(n.GetUser()).Int64(n.GetTime()).Uint64(n.GetOrder()).Key()
}

func noticeKeysOf(user desk.UserID) keys.Builder {
	return keys.Build(familyNoticeKey).Text(string(user))
}

func noticeKeyKey(n *deskpb.Notice) keys.Key {
	return noticeKeysOf(desk.UserID(n.GetUser())).Text(n.GetKey()).Key()
}

// Notices returns what a person was told, the latest first. Their number is bounded (AddNotice).
func (r *Reader) Notices(user desk.UserID) ([]*deskpb.Notice, error) {
	all := under(noticesOf(user))
	all.descending = true
	return list[deskpb.Notice](r, all)
}

// AddNotice stores a notice as the person's latest, unless there is one with the same key, and lets the oldest go when there are
// too many. It gives the notice its order, and a time not before that of the one before.
// Invariant: the orders of a person's notices follow each other without gaps, in the order of their times.
func (b *Batch) AddNotice(n *deskpb.Notice) error {
	known, err := b.get(noticeKeyKey(n))
	if known != nil || err != nil {
		return err
	}
	all := under(noticesOf(desk.UserID(n.GetUser())))
	last := all
	last.descending = true
	latest, err := list[deskpb.Notice](b.Reader, last.first(1))
	if err != nil {
		return err
	}
	n = proto.CloneOf(n)
	n.Order = 1
	if len(latest) > 0 {
		n.Order, n.Time = latest[0].GetOrder()+1, max(n.GetTime(), latest[0].GetTime())
		oldest, err := list[deskpb.Notice](b.Reader, all.first(1))
		if err != nil {
			return err
		}
		if n.Order-oldest[0].GetOrder() >= maxNotices {
			if err := b.deleteNotice(oldest[0]); err != nil {
				return err
			}
		}
	}
	if err := b.set(noticeKeyKey(n), nil); err != nil {
		return err
	}
	return b.put(noticeKey(n), n)
}

// MarkNotices notes that a person has read all notices up to a time, in microseconds since 1970.
func (b *Batch) MarkNotices(user desk.UserID, through int64) error {
	notices, err := list[deskpb.Notice](b.Reader, under(noticesOf(user)))
	if err != nil {
		return err
	}
	for _, n := range notices {
		if n.GetRead() || n.GetTime() > through {
			continue
		}
		n.Read = true
		if err := b.put(noticeKey(n), n); err != nil {
			return err
		}
	}
	return nil
}

// DeleteNotices deletes all notices of a person.
func (b *Batch) DeleteNotices(user desk.UserID) error {
	notices, err := list[deskpb.Notice](b.Reader, under(noticesOf(user)))
	if err != nil {
		return err
	}
	for _, n := range notices {
		if err := b.deleteNotice(n); err != nil {
			return err
		}
	}
	return nil
}

func (b *Batch) deleteNotice(n *deskpb.Notice) error {
	if err := b.delete(noticeKeyKey(n)); err != nil {
		return err
	}
	return b.delete(noticeKey(n))
}
