package api

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/audit"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

const (
	// verifyRows is how many entries one call walks through, and a few more where the last ones do not agree.
	verifyRows = 10_000
	// auditChunk is how many entries are read at once.
	auditChunk = 500
	// mostOwnCheckpoints is how many of the site's latest checkpoints the log is held against: two years of one an hour.
	mostOwnCheckpoints = 20_000
)

// audits serves the audit log.
type audits struct {
	apipb.UnimplementedAuditsServer
	backend Backend
}

// ListAudit reads the log from one end and filters it. A page looks at a bounded number of entries, as one of tickets does. To
// read is told in the log, and an export, which asks for the bytes, is told before anything is handed out.
func (a *audits) ListAudit(ctx context.Context, r *apipb.ListAuditRequest) (*apipb.ListAuditResponse, error) {
	size, err := pageSize(r.GetPageSize())
	if err != nil {
		return nil, err
	}
	wanted, err := compileAuditFilter(r.GetFilter())
	if err != nil {
		return nil, err
	}
	scope := pageScope{"audit", r.GetFilter(), fmt.Sprint(r.GetNewestFirst())}
	position, err := scope.open(r.GetPageToken())
	switch {
	case err != nil:
		return nil, err
	case position != nil && len(position) != 8:
		return nil, refuseToken()
	}
	if err := a.tell(ctx, r); err != nil {
		return nil, err
	}
	list := auditList{wanted: wanted, size: size, raw: r.GetRaw(), newestFirst: r.GetNewestFirst(), after: uint64(r.GetAfter())}
	if position != nil {
		list.after = binary.BigEndian.Uint64(position)
	}
	answer := &apipb.ListAuditResponse{}
	err = a.backend.Read(ctx, false, func(reader *store.Reader) (err error) {
		if answer.Entries, position, err = list.read(ctx, reader); err != nil {
			return err
		}
		return nameActors(reader, answer.Entries)
	})
	if err != nil {
		return nil, fmt.Errorf("list the audit log: %w", err)
	}
	answer.NextPageToken = scope.seal(position)
	return answer, nil
}

// tell writes down that the log is read, or waits until it says that it is exported.
func (a *audits) tell(ctx context.Context, r *apipb.ListAuditRequest) error {
	if r.GetRaw() && r.GetPageToken() == "" {
		return a.backend.RecordNow(ctx, entryOf(ctx, audit.ExportLog, r.GetFilter()))
	}
	action := audit.Read
	if r.GetRaw() {
		action = audit.ExportLog
	}
	a.backend.Record(entryOf(ctx, action, r.GetFilter()))
	return nil
}

// auditList is one page of the log that somebody asks for.
type auditList struct {
	wanted      auditFilter
	size        int
	raw         bool
	newestFirst bool
	after       uint64 // the entry behind which the page begins, in its direction; 0 for the first page
}

// read returns the page and the position to go on behind, nil at the end of the log. An entry that cannot be decoded is on every
// list: nobody knows what it says.
func (l auditList) read(ctx context.Context, reader *store.Reader) (found []*apipb.AuditEntry, next []byte, err error) {
	position := l.after
	for budget := max(scanRows, scanFactor*l.size); budget > 0; {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		limit := min(budget, auditChunk)
		rows, err := l.rows(reader, position, limit)
		if err != nil {
			return nil, nil, err
		}
		for i, row := range rows {
			position = row.Sequence
			e, err := audit.Decode(row.Raw)
			if err == nil && !l.wanted.matches(e) {
				continue
			}
			if found = append(found, l.message(row, e)); len(found) == l.size && (i < len(rows)-1 || len(rows) == limit) {
				return found, binary.BigEndian.AppendUint64(nil, position), nil
			}
		}
		if len(rows) < limit {
			return found, nil, nil
		}
		budget -= len(rows)
	}
	return found, binary.BigEndian.AppendUint64(nil, position), nil
}

func (l auditList) rows(reader *store.Reader, position uint64, limit int) ([]store.AuditRow, error) {
	switch {
	case !l.newestFirst:
		return reader.AuditEntries(position, limit)
	case position == 0:
		last, _, err := reader.AuditStanding()
		if err != nil {
			return nil, err
		}
		return reader.AuditEntriesBefore(last+1, limit)
	default:
		return reader.AuditEntriesBefore(position, limit)
	}
}

// message shows an entry; e is nil when its bytes cannot be decoded.
func (l auditList) message(row store.AuditRow, e *deskpb.AuditEntry) *apipb.AuditEntry {
	m := &apipb.AuditEntry{Sequence: uint32(row.Sequence), Hash: hex.EncodeToString(audit.Hash(row.Raw))}
	if l.raw {
		m.Raw = row.Raw
	}
	if e == nil {
		m.Reason = "this entry cannot be read; run tierdesk audit verify"
		return m
	}
	m.Time, m.Actor, m.ActorName, m.Address, m.Node, m.Session = moment(e.Time), e.Actor, e.ActorName, e.Address, e.Node, e.Session
	m.Action, m.Object, m.Outcome, m.Reason, m.Count = e.Action, e.Object, e.Outcome.String(), e.Reason, e.Count
	m.Previous = hex.EncodeToString(e.Previous)
	if e.Role != deskpb.User_ROLE_UNSPECIFIED {
		m.Role = e.Role.String()
	}
	for _, c := range e.Changes {
		m.Changes = append(m.Changes, &apipb.AuditChange{Field: c.Field, Before: c.Before, After: c.After})
	}
	return m
}

// nameActors says of entries that do not tell it how their actors are called now.
func nameActors(reader *store.Reader, entries []*apipb.AuditEntry) error {
	names := map[string]string{}
	for _, e := range entries {
		if e.GetActor() == "" || e.GetActorName() != "" {
			continue
		}
		name, known := names[e.Actor]
		if !known {
			account, err := reader.User(desk.UserID(e.Actor))
			if err != nil {
				return fmt.Errorf("look how %s is called: %w", e.Actor, err)
			}
			name = account.GetDisplayName()
			names[e.Actor] = name
		}
		e.ActorName = name
	}
	return nil
}

// Witness is what the parent knows of a site's audit log, where nobody of the site can change it.
type Witness struct {
	Checkpoints []*deskpb.AuditCheckpoint // in order
	Life        uint64                    // the incarnation of the site that it has accepted; 0 before it has met one
}

// VerifyAudit walks through a part of the log.
func (a *audits) VerifyAudit(ctx context.Context, r *apipb.VerifyAuditRequest) (*apipb.VerifyAuditResponse, error) {
	from := max(1, uint64(r.GetFromSequence()))
	answer := &apipb.VerifyAuditResponse{}
	above, err := a.backend.Witnessed(ctx)
	switch {
	case err != nil:
		answer.Remarks = append(answer.Remarks, "the parent could not be asked, and a log that was rewritten as a whole may pass: "+err.Error())
	case above != nil && above.Life == 0:
		answer.Remarks = append(answer.Remarks, "the parent has not met this site yet, and a log that was rewritten as that of another life may pass")
	}
	if above == nil {
		above = &Witness{}
	}
	walk := &audit.Walk{Vouch: a.backend.Vouch(), Accepted: above.Life}
	err = a.backend.Read(ctx, false, func(reader *store.Reader) error {
		if err := a.prepare(reader, walk, from, above.Checkpoints); err != nil {
			return err
		}
		next, err := through(ctx, reader, walk, from)
		answer.NextSequence = uint32(next)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("verify the audit log: %w", err)
	}
	report := walk.Report()
	answer.Entries, answer.Hash = uint32(report.Entries), hex.EncodeToString(report.Hash)
	answer.Checkpoints, answer.Witnessed = uint32(report.Checkpoints), uint32(report.Witnessed)
	answer.Problems, answer.Remarks = report.Problems, append(answer.Remarks, report.Remarks...)
	if answer.NextSequence == 0 {
		entry := entryOf(ctx, audit.Verify, "")
		entry.Reason = fmt.Sprintf("up to entry %d: %d problems in its last part", report.Sequence, len(report.Problems))
		a.backend.Record(entry)
	}
	return answer, nil
}

// prepare has a walk begin with an entry, and hold the log against the site's own checkpoints and those that the parent keeps.
func (a *audits) prepare(reader *store.Reader, walk *audit.Walk, from uint64, above []*deskpb.AuditCheckpoint) error {
	site, err := reader.Site()
	if err != nil {
		return err
	}
	for _, past := range site.GetPast() {
		walk.Lives = append(walk.Lives, past.GetId())
	}
	walk.Lives = append(walk.Lives, site.GetIncarnation())
	if from > 1 {
		before, err := reader.AuditEntries(from-2, 1)
		if err != nil {
			return err
		}
		if len(before) == 0 || before[0].Sequence != from-1 {
			walk.BeginWithout(from - 1)
		} else {
			walk.Begin(from-1, before[0].Raw)
		}
	}
	own, err := reader.Checkpoints(a.backend.Site(), mostOwnCheckpoints)
	if err != nil {
		return err
	}
	held := make([]audit.Held, 0, len(own)+len(above))
	witnessed := map[string]bool{}
	for _, c := range above {
		held = append(held, audit.Held{AuditCheckpoint: c, Witnessed: true})
		witnessed[string(c.GetSignature())] = true
	}
	for _, c := range own {
		if !witnessed[string(c.Checkpoint.GetSignature())] {
			held = append(held, audit.Held{AuditCheckpoint: c.Checkpoint})
		}
	}
	walk.Hold(held)
	return nil
}

// through walks from an entry on and returns the entry to go on with, 0 at the end of the log.
func through(ctx context.Context, reader *store.Reader, walk *audit.Walk, from uint64) (next uint64, err error) {
	last, hash, err := reader.AuditStanding()
	if err != nil {
		return 0, err
	}
	for looked, at := 0, from-1; ; {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		rows, err := reader.AuditEntries(at, auditChunk)
		if err != nil {
			return 0, err
		}
		for _, row := range rows {
			if looked >= verifyRows && !walk.Unsettled() {
				return row.Sequence, nil
			}
			walk.Next(row.Sequence, row.Raw)
			looked, at = looked+1, row.Sequence
		}
		if len(rows) < auditChunk {
			walk.End(last, hash)
			return 0, nil
		}
	}
}

// AcknowledgeDenial ends the alarm about a site below whose log was rewritten, for a reason.
func (a *audits) AcknowledgeDenial(ctx context.Context, r *apipb.AcknowledgeDenialRequest) (*emptypb.Empty, error) {
	reason := strings.TrimSpace(r.GetReason())
	switch {
	case reason == "":
		return nil, desk.RefuseField("reason", "is missing; say what was found at the site")
	case utf8.RuneCountInString(reason) > maxReason:
		return nil, desk.RefuseField("reason", "has more than %d characters; shorten it", maxReason)
	}
	_, err := a.backend.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_AcknowledgeDenial{AcknowledgeDenial: &deskpb.AcknowledgeDenial{
		Site: strings.TrimSpace(r.GetSite()), Sequence: uint64(r.GetSequence()), Reason: reason,
	}}})
	if err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, nil
}

// ListCheckpoints returns the latest checkpoints, in the order in which they came.
func (a *audits) ListCheckpoints(ctx context.Context, r *apipb.ListCheckpointsRequest) (*apipb.ListCheckpointsResponse, error) {
	site := desk.SiteID(strings.TrimSpace(r.GetSite()))
	switch {
	case site == "":
		site = a.backend.Site()
	case !site.Valid():
		return nil, desk.RefuseField("site", "%.64q cannot name a site", site)
	}
	a.backend.Record(entryOf(ctx, audit.Read, "checkpoints/"+string(site)))
	answer := &apipb.ListCheckpointsResponse{}
	err := a.backend.Read(ctx, false, func(reader *store.Reader) error {
		kept, err := reader.Checkpoints(site, store.MostCheckpoints)
		if err != nil {
			return err
		}
		for _, c := range slices.Backward(kept) {
			raw, err := proto.Marshal(c.Checkpoint)
			if err != nil {
				return err
			}
			answer.Checkpoints = append(answer.Checkpoints, &apipb.AuditCheckpoint{
				Site: c.Checkpoint.GetSite(), Node: c.Checkpoint.GetNode(), Time: moment(c.Checkpoint.GetTime()),
				Sequence: uint32(c.Checkpoint.GetSequence()), Hash: hex.EncodeToString(c.Checkpoint.GetHash()), Witnessed: c.GetWitnessed(), Raw: raw,
			})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the checkpoints of %s: %w", site, err)
	}
	return answer, nil
}
