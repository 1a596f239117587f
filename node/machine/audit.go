package machine

import (
	"slices"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/audit"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// maxAudit bounds the entries that one command adds to the audit log.
const maxAudit = 256

// act is what a command does, as the audit log tells it.
type act struct {
	action, object, reason, session string
	actor                           *deskpb.Actor
	// itself tells that it is told as well when the site does it by itself.
	itself bool
	// state reads what the command may change; nil when that is not a record. Nothing is told when nothing has changed.
	state func() (proto.Message, error)
	// created is the action when there was no such record before; "" when it is the same.
	created string
	// brief tells that a change is told without what has changed.
	brief bool
	// changes are told besides.
	changes []*deskpb.AuditChange
}

// audited has a command decided and, when it was accepted, writes into the same batch what it did. What ticket commands do is in the
// journals of the tickets; of those only the override is told here.
func (t *turn) audited(c *deskpb.Command, decide func() error) error {
	a, err := t.actOf(c)
	if err != nil {
		return within("audit log", err)
	}
	if a == nil || a.actor.GetUser() == "" && !a.itself {
		return decide()
	}
	before, err := a.read()
	if err != nil {
		return within("audit log", err)
	}
	if err := decide(); err != nil {
		return err
	}
	after, err := a.read()
	if err != nil || !a.happened(before, after) {
		return within("audit log", err)
	}
	return within("audit log", t.addEntry(&deskpb.AuditEntry{
		Node: c.GetNode(), Actor: a.actor.GetUser(), Role: a.actor.GetRole(), Address: a.actor.GetAddress(), Session: a.session,
		Action: a.action, Object: a.object, Outcome: deskpb.AuditEntry_DONE, Reason: a.reason, Changes: a.changes,
	}))
}

func (a *act) read() (proto.Message, error) {
	if a.state == nil {
		return nil, nil
	}
	return a.state()
}

// happened tells whether a command has done something worth telling, and completes what is told.
func (a *act) happened(before, after proto.Message) bool {
	if a.state == nil {
		return true
	}
	was, is := before != nil && before.ProtoReflect().IsValid(), after != nil && after.ProtoReflect().IsValid()
	changes := audit.Changes(before, after)
	if was == is && len(changes) == 0 {
		return false
	}
	if !was && a.created != "" {
		a.action = a.created
	}
	if !a.brief {
		a.changes = append(a.changes, changes...)
	}
	return true
}

// addEntry appends an entry to the audit log, joined to the one before it. It says how its actor is called now, as people do not remember
// accounts, and accounts are deleted.
func (t *turn) addEntry(e *deskpb.AuditEntry) error {
	site, err := t.b.Site()
	if err != nil {
		return err
	}
	sequence, hash, err := t.b.AuditStanding()
	if err != nil {
		return err
	}
	account, err := t.b.User(desk.UserID(e.GetActor()))
	if err != nil {
		return err
	}
	e = proto.CloneOf(e)
	e.ActorName = account.GetDisplayName()
	e = audit.Fit(e)
	e.Sequence, e.Time, e.Previous, e.Incarnation = sequence+1, t.at.Time, hash, site.GetIncarnation()
	raw, err := audit.Encode(e)
	if err != nil {
		return err
	}
	return t.b.PutAudit(store.AuditRow{Sequence: e.Sequence, Raw: raw}, audit.Hash(raw))
}

// addAudit appends what was told to a node and left no other trace in the log.
func (t *turn) addAudit(c *deskpb.AddAudit) error {
	if n := len(c.GetEntries()); n > maxAudit {
		return desk.RefuseField("entries", "%d at once are too many; send at most %d", n, maxAudit)
	}
	for i, e := range c.GetEntries() {
		if e.GetAction() == "" || e.GetOutcome() == deskpb.AuditEntry_OUTCOME_UNSPECIFIED {
			return desk.RefuseField("entries", "entry %d has no action or no outcome; say what was done and whether it was refused", i)
		}
	}
	for _, e := range c.GetEntries() {
		if err := t.addEntry(e); err != nil {
			return err
		}
	}
	return nil
}

// putCheckpoint keeps a signed checkpoint. Its signature was checked before it was proposed.
func (t *turn) putCheckpoint(c *deskpb.PutCheckpoint) error {
	checkpoint := c.GetCheckpoint()
	switch {
	case !desk.SiteID(checkpoint.GetSite()).Valid():
		return desk.RefuseField("checkpoint.site", "%.64q cannot name a site", checkpoint.GetSite())
	case checkpoint.GetSequence() == 0 || len(checkpoint.GetHash()) != audit.HashSize || checkpoint.GetIncarnation() == 0:
		return desk.RefuseField("checkpoint", "its sequence, hash or incarnation is missing")
	case desk.SiteID(checkpoint.GetSite()) == t.site:
		return t.ownCheckpoint(c)
	}
	return t.witness(checkpoint)
}

// ownCheckpoint keeps a checkpoint of this site, or notes that the parent has it.
func (t *turn) ownCheckpoint(c *deskpb.PutCheckpoint) error {
	kept, err := t.b.Checkpoints(t.site, store.MostCheckpoints)
	if err != nil {
		return err
	}
	for _, known := range kept {
		switch {
		case !sameEntry(known.Checkpoint, c.Checkpoint):
			continue
		case c.Witnessed && !known.Witnessed:
			return t.b.MarkWitnessed(known)
		}
		return nil
	}
	if c.Witnessed {
		return desk.Refuse(desk.NotFound, "CHECKPOINT_UNKNOWN", "site %s has no checkpoint of entry %d among its latest %d",
			t.site, c.Checkpoint.Sequence, store.MostCheckpoints)
	}
	rows, err := t.b.AuditEntries(c.Checkpoint.Sequence-1, 1)
	if err != nil {
		return err
	}
	if len(rows) == 0 || rows[0].Sequence != c.Checkpoint.Sequence || string(audit.Hash(rows[0].Raw)) != string(c.Checkpoint.Hash) {
		return desk.Refuse(desk.FailedPrecondition, "CHECKPOINT_WRONG", "entry %d of the audit log of %s is not the one that the checkpoint names",
			c.Checkpoint.Sequence, t.site)
	}
	return t.b.AddCheckpoint(c, t.at.Time)
}

// witness keeps a checkpoint of a site below. Within a life of that site its log only grows: a checkpoint that names another entry
// than one that is kept, or that was signed later and ends before it, shows that the log was rewritten. That is the one refusal that
// leaves a trace: it is remembered, and told once in this site's own audit log, until somebody has seen to it.
func (t *turn) witness(c *deskpb.AuditCheckpoint) error {
	site := desk.SiteID(c.Site)
	kept, err := t.b.Checkpoints(site, store.MostCheckpoints)
	if err != nil {
		return err
	}
	kept = slices.DeleteFunc(kept, func(k store.Checkpoint) bool { return k.Checkpoint.GetIncarnation() != c.Incarnation })
	if slices.ContainsFunc(kept, func(k store.Checkpoint) bool { return sameEntry(k.Checkpoint, c) }) {
		return nil
	}
	kept = slices.DeleteFunc(kept, func(k store.Checkpoint) bool { return k.GetSuperseded() })
	for _, k := range kept {
		if k.Checkpoint.Sequence == c.Sequence {
			return t.contradicted(k.Checkpoint, c)
		}
	}
	for _, k := range kept {
		switch {
		case k.Checkpoint.Sequence > c.Sequence && k.Checkpoint.Time < c.Time:
			return t.contradicted(k.Checkpoint, c)
		case k.Checkpoint.Sequence > c.Sequence:
			return nil // a late one: what it names lies before what is kept
		}
	}
	if err := t.b.AddCheckpoint(&deskpb.PutCheckpoint{Checkpoint: c}, t.at.Time); err != nil {
		return err
	}
	return t.b.PruneCheckpoints(site, store.MostCheckpoints)
}

// contradicted refuses a checkpoint that denies one which is kept. The first denial of a site stands, and is told, until somebody has
// seen to it; further ones meanwhile are refused without a trace, so that a site cannot make this one's audit log grow.
func (t *turn) contradicted(kept, denies *deskpb.AuditCheckpoint) error {
	refusal := desk.Refuse(desk.FailedPrecondition, "CHECKPOINT_CONTRADICTS",
		"the audit log of %s was rewritten: its checkpoint of entry %d, signed by node %s at %s, denies entry %d, which node %s had signed by %s; "+
			"save both with tierdesk audit export and have the site looked at", denies.Site, denies.Sequence, denies.Node, instant(denies.Time),
		kept.Sequence, kept.Node, instant(kept.Time))
	known, err := t.b.AuditDenial(desk.SiteID(denies.Site))
	if err != nil {
		return err
	}
	if known != nil {
		return refusal
	}
	if err := t.b.PutAuditDenial(denies); err != nil {
		return err
	}
	err = t.addEntry(&deskpb.AuditEntry{
		Action: audit.Contradicted, Object: denies.Site, Outcome: deskpb.AuditEntry_REFUSED, Reason: refusal.Error(),
		Changes: audit.Changes(kept, denies),
	})
	if err != nil {
		return err
	}
	return refusal
}

// sameEntry tells whether two checkpoints name the same entry of the same life.
func sameEntry(a, b *deskpb.AuditCheckpoint) bool {
	return a.GetIncarnation() == b.GetIncarnation() && a.GetSequence() == b.GetSequence() && string(a.GetHash()) == string(b.GetHash())
}

func instant(micros int64) string { return time.UnixMicro(micros).UTC().Format(time.RFC3339) }

func counted(field string, n int) []*deskpb.AuditChange {
	return []*deskpb.AuditChange{{Field: field, After: strconv.Itoa(n)}}
}
