package machine

import (
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/replication"
	"github.com/tierdesk/tierdesk/store"
)

// Options make a Machine. All fields but Listener are required.
type Options struct {
	Site     desk.SiteID
	Store    *store.Store
	Clock    func() time.Time // read on the leader when commands are stamped, never while they are applied
	Location *time.Location   // of the site's local day
	Listener Listener         // nil: nobody
}

// Listener hears what log entries have changed, after they were committed, on every node that applies them. The log waits while it
// is called, so it only takes a note of what it hears.
type Listener interface {
	// Listens tells whether anybody wants to hear anything at this moment.
	Listens() bool
	Changed(store.Changes)
}

func (o Options) validate() error {
	switch {
	case o.Site == "":
		return errors.New("machine: Options.Site is empty")
	case o.Store == nil:
		return errors.New("machine: Options.Store is nil")
	case o.Clock == nil:
		return errors.New("machine: Options.Clock is nil")
	case o.Location == nil:
		return errors.New("machine: Options.Location is nil")
	}
	return nil
}

// Machine is the state machine of one node. The log calls it from one goroutine; Applied and Changed may be called
// from any.
type Machine struct {
	options Options
	wakeup  wakeup
}

// New makes the machine over an open store, which stays the caller's to close.
func New(o Options) (*Machine, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &Machine{options: o, wakeup: newWakeup()}, nil
}

// Stamp makes the log entry of commands that were proposed together: it adds the leader's time and its offset from UTC.
func (m *Machine) Stamp(commands [][]byte) ([]byte, error) {
	now := m.options.Clock()
	_, offset := now.In(m.options.Location).Zone()
	entry, err := proto.Marshal(&deskpb.Group{Time: now.UnixMicro(), UtcOffset: int32(offset), Commands: commands})
	if err != nil {
		return nil, fmt.Errorf("encode a log entry of %d commands: %w", len(commands), err)
	}
	return entry, nil
}

// Apply decides the commands of an entry in their order and commits what they come to together with the index. Its
// results encode as deskpb.Result. A command that cannot be decoded is refused like any other bad input; an
// entry that cannot be, and whatever disk or code get wrong, is an error.
func (m *Machine) Apply(index, term uint64, entry []byte) (replication.Results, error) {
	group := &deskpb.Group{}
	if err := proto.Unmarshal(entry, group); err != nil {
		return nil, fmt.Errorf("decode log entry %d: %w", index, err)
	}
	b := m.options.Store.NewBatch()
	defer b.Discard()
	at, err := stamp(b, group)
	if err != nil {
		return nil, fmt.Errorf("stamp log entry %d: %w", index, err)
	}
	t := turn{b: b, site: m.options.Site, at: at, onPath: map[desk.SiteID]bool{}}
	results := make(results, len(group.Commands))
	for i, command := range group.Commands {
		if results[i], err = t.result(command); err != nil {
			return nil, fmt.Errorf("log entry %d, command %d: %w", index, i, err)
		}
	}
	concerned, err := m.concerned(&t)
	if err != nil {
		return nil, fmt.Errorf("log entry %d: %w", index, err)
	}
	tell := m.heard(b)
	if err := b.Commit(index, term); err != nil {
		return nil, fmt.Errorf("commit log entry %d: %w", index, err)
	}
	m.wakeup.changed(concerned)
	tell()
	return results, nil
}

// heard returns what tells the listener of a batch once it is committed.
func (m *Machine) heard(b *store.Batch) (tell func()) {
	listener := m.options.Listener
	if listener == nil || !listener.Listens() {
		return func() {}
	}
	changes := b.Changes()
	return func() { listener.Changed(changes) }
}

// results are what the commands of one entry came to. The tickets in them are never changed.
type results []*deskpb.Result

func (r results) Len() int { return len(r) }

// Encode returns the bytes of one result.
func (r results) Encode(i int) ([]byte, error) {
	encoded, err := proto.Marshal(r[i])
	if err != nil {
		return nil, fmt.Errorf("encode the result: %w", err)
	}
	return encoded, nil
}

// stamp gives the entry its time, which is later than that of every entry before it, and advances the site's clock to it.
func stamp(b *store.Batch, group *deskpb.Group) (desk.Stamp, error) {
	at := desk.Stamp{Time: group.Time, UTCOffset: group.UtcOffset}
	site, err := b.Site()
	if err != nil || site == nil {
		return at, err
	}
	at.Time = max(group.Time, site.Clock+1)
	site.Clock = at.Time
	return at, b.PutSite(site)
}

// Configuration records a membership entry of the log.
func (m *Machine) Configuration(index, term uint64, configuration []byte) error {
	return m.options.Store.Configuration(index, term, configuration)
}

// Applied is the index of the last log entry that the store stands at.
func (m *Machine) Applied() uint64 { return m.options.Store.Applied() }

// Mark returns the snapshot mark of the store.
func (m *Machine) Mark() (index, term uint64, configuration []byte, err error) {
	return m.options.Store.Mark()
}

// SetMark writes the snapshot mark of the store durably.
func (m *Machine) SetMark(index, term uint64, configuration []byte) error {
	return m.options.Store.SetMark(index, term, configuration)
}

// Checkpoint streams a consistent copy of the store.
func (m *Machine) Checkpoint() (r io.ReadCloser, size int64, index, term uint64, configuration []byte, err error) {
	return m.options.Store.Checkpoint()
}

// Restore replaces the store's state. Everything may have changed with it, so everybody who waits is woken.
func (m *Machine) Restore(r io.Reader) error {
	if err := m.options.Store.Restore(r); err != nil {
		return err
	}
	m.wakeup.changed(m.wakeup.watched())
	if m.options.Listener != nil {
		m.options.Listener.Changed(store.Changes{Everything: true})
	}
	return nil
}
