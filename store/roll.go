package store

import (
	"sync"
	"sync/atomic"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store/keys"
)

// aboutRoll tells whether a row is one that a Roll reads.
func aboutRoll(key keys.Key) bool {
	return key[0] == familyUser || key[0] == familyMember || key[0] == familyDuty
}

// Roll reads accounts, who is in which group, and what was said of people's duty. In views it reads each row once for as long as no commit
// writes one of them. What it returns must not be changed.
type Roll struct {
	r    *Reader
	rows *rollRows
}

// Roll returns the roll of the site's people.
func (r *Reader) Roll() Roll {
	if r.roll == nil {
		return Roll{r: r, rows: newRollRows(0)}
	}
	return Roll{r: r, rows: r.roll}
}

// User returns nil when there is none with the name.
func (l Roll) User(name desk.UserID) (*deskpb.User, error) {
	return remembered(l.rows, l.rows.users, name, func() (*deskpb.User, error) { return l.r.User(name) })
}

// Duty returns what was last said by hand of a person's duty, nil when nothing was.
func (l Roll) Duty(user desk.UserID) (*deskpb.SetDuty, error) {
	return remembered(l.rows, l.rows.duties, user, func() (*deskpb.SetDuty, error) { return l.r.Duty(user) })
}

// MembersOf returns the users whose accounts name a group, by name, at most so many.
func (l Roll) MembersOf(group string, most int) ([]desk.UserID, error) {
	asked := membersAsked{group, most}
	return remembered(l.rows, l.rows.members, asked, func() ([]desk.UserID, error) { return l.r.MembersOf(group, most) })
}

// membersAsked is a question for the members of a group.
type membersAsked struct {
	group string
	most  int
}

// rollRows are the rows of the roll that views have read since a commit wrote one of them.
type rollRows struct {
	version uint64 // of rollView

	mu      sync.Mutex // guards the rest
	users   map[desk.UserID]*deskpb.User
	duties  map[desk.UserID]*deskpb.SetDuty
	members map[membersAsked][]desk.UserID
}

func newRollRows(version uint64) *rollRows {
	return &rollRows{
		version: version, users: map[desk.UserID]*deskpb.User{}, duties: map[desk.UserID]*deskpb.SetDuty{}, members: map[membersAsked][]desk.UserID{},
	}
}

// remembered returns what is known under a key, and reads it when that is nothing.
func remembered[K comparable, V any](rows *rollRows, known map[K]V, key K, read func() (V, error)) (V, error) {
	rows.mu.Lock()
	value, there := known[key]
	rows.mu.Unlock()
	if there {
		return value, nil
	}
	value, err := read()
	if err == nil {
		rows.mu.Lock()
		known[key] = value
		rows.mu.Unlock()
	}
	return value, err
}

// rollView remembers the rows for views. They are forgotten after each commit that writes one of them.
type rollView struct {
	version atomic.Uint64 // counts these commits
	rows    atomic.Pointer[rollRows]
}

// open returns the rows for a view that begins now. A view takes them before its state, so that what it reads is never remembered beyond
// the commit that changes it.
func (v *rollView) open() *rollRows {
	version := v.version.Load()
	known := v.rows.Load()
	if known != nil && known.version == version {
		return known
	}
	fresh := newRollRows(version)
	if known == nil || known.version < version {
		v.rows.CompareAndSwap(known, fresh) // where another view was faster, these rows are this view's alone
	}
	return fresh
}

// changed forgets the rows; the commit is visible to views already.
func (v *rollView) changed() { v.version.Add(1) }
