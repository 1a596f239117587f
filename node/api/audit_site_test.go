package api

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/audit"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

func (s *memorySite) Record(e *deskpb.AuditEntry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.audited = append(s.audited, proto.CloneOf(e))
}

func (s *memorySite) RecordNow(_ context.Context, e *deskpb.AuditEntry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.auditing == nil {
		s.audited = append(s.audited, proto.CloneOf(e))
	}
	return s.auditing
}

func (s *memorySite) Witnessed(context.Context) (*Witness, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.witnessed, s.auditing
}

func (s *memorySite) Vouch() audit.Voucher { return nil }
